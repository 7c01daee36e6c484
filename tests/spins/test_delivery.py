"""`simulate_basis`: axes, options, cache, macromolecules and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from mrsproc.axes import Array, frequency_axis, hz_to_ppm
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import InvalidInputError, MRSWarning
from mrsproc.spins import (
    DEFAULT_METABOLITES,
    RF,
    Delay,
    Moiety,
    Scan,
    Sequence,
    SpinGroup,
    SpinSystem,
    gaussian,
    shaped_pulses,
    shinnar_le_roux,
    simulate_basis,
    store,
)
from mrsproc.spins.sequences import Edit


def _peak_ppm(basis: BasisSet, name: str) -> float:
    spectrum = np.abs(basis.spectrum[basis.index(name)])
    return float(basis.ppm[int(np.argmax(spectrum))])


_ON_AND_DIFFERENCE: tuple[Edit, Edit] = ("on", "difference")


def _ppm(acquisition: Acquisition, n_points: int = 2048) -> Array:
    frequency = frequency_axis(n_points, acquisition.dwell_time)
    return hz_to_ppm(frequency, acquisition.spectrometer_frequency, acquisition.ppm_reference)


def test_a_line_stands_where_the_axis_says(acquisition: Acquisition) -> None:
    basis = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        n_points=8192,
        metabolites=["Ace", "Scyllo"],
    )
    assert _peak_ppm(basis, "Ace") == pytest.approx(1.904, abs=0.002)
    assert _peak_ppm(basis, "Scyllo") == pytest.approx(3.34, abs=0.002)


def test_fid_of_a_singlet(acquisition: Acquisition) -> None:
    basis = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        n_points=256,
        metabolites=["Ace"],
        linewidth=2.0,
    )
    time = np.arange(256) * acquisition.dwell_time
    frequency = (4.65 - 1.904) * 123.25
    expected = 3 * np.exp(2j * np.pi * frequency * time - np.pi * 2.0 * time)
    np.testing.assert_allclose(basis.fid[0], expected, atol=1e-6)


def test_ppm_reference_of_the_acquisition_is_kept(acquisition: Acquisition) -> None:
    other = acquisition.replace(ppm_reference=4.7)
    basis = simulate_basis(
        "press", echo_time=0.03, acquisition=other, n_points=8192, metabolites=["Ace"]
    )
    assert basis.ppm_reference == 4.7
    assert _peak_ppm(basis, "Ace") == pytest.approx(1.904, abs=0.002)


def test_longer_fid_begins_with_the_shorter_one(acquisition: Acquisition) -> None:
    short, long = (
        simulate_basis(
            "steam", echo_time=0.02, acquisition=acquisition, n_points=n, metabolites=["Glu"]
        ).fid
        for n in (512, 700)
    )
    np.testing.assert_allclose(short, long[:, :512], atol=1e-10)


def test_defaults(acquisition: Acquisition) -> None:
    basis = simulate_basis("press", echo_time=0.03, acquisition=acquisition)
    assert basis.names == DEFAULT_METABOLITES
    assert basis.fid.shape == (20, 2048)
    assert "press, TE 30 ms" in basis.source


def test_echo_time_of_the_acquisition_is_used(acquisition: Acquisition) -> None:
    known = acquisition.replace(echo_time=0.03)
    one = simulate_basis("press", acquisition=known, n_points=64, metabolites=["Glu"])
    two = simulate_basis(
        "press", echo_time=0.03, acquisition=acquisition, n_points=64, metabolites=["Glu"]
    )
    np.testing.assert_array_equal(one.fid, two.fid)


def test_own_spin_system_and_own_sequence(acquisition: Acquisition) -> None:
    mine = SpinSystem("Mine", (Moiety((SpinGroup("CH2", 2, 3.0),)),))
    echo = (RF(90.0, 1, "excitation"), Delay(0.02), RF(180.0, -1), Delay(0.02))
    basis = simulate_basis(
        Sequence("own", 0.04, (Scan(echo),)), acquisition=acquisition, metabolites=[mine]
    )
    assert basis.names == ("Mine",)
    assert abs(basis.fid[0, 0]) == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(
    ("sequence", "echo_time"),
    [("press", 0.035), ("steam", 0.02), ("slaser", 0.028), ("special", 0.03), ("spin_echo", 0.03)],
)
def test_shaped_pulses_keep_the_scale(
    acquisition: Acquisition, sequence: str, echo_time: float
) -> None:
    shaped = simulate_basis(
        sequence,
        echo_time=echo_time,
        acquisition=acquisition,
        n_points=64,
        metabolites=["Gly", "Ace"],
        pulses="shaped",
    )
    part = 0.5 if sequence == "steam" else 1.0
    np.testing.assert_allclose(shaped.fid[:, 0], [2 * part, 3 * part], rtol=0.02)


def test_editing_keeps_what_couples_to_the_edited_protons(acquisition: Acquisition) -> None:
    def edited(edit: Edit, names: list[str]) -> BasisSet:
        return simulate_basis(
            "mega_press",
            echo_time=0.068,
            acquisition=acquisition,
            metabolites=names,
            edit=edit,
            linewidth=5.0,
        )

    names = ["GABA", "Cr"]
    on, off, difference = edited("on", names), edited("off", names), edited("difference", names)
    np.testing.assert_allclose(difference.fid, on.fid - off.fid, atol=1e-5)
    three = np.abs(on.ppm - 3.01) < 0.15
    gaba, creatine = (difference.spectrum.real[difference.index(name), three] for name in names)
    reference = edited("on", ["Cr"]).spectrum.real[0, three]
    assert gaba.max() > 0.15 * reference.max()  # edited, and in phase
    assert np.abs(creatine).max() < 0.02 * reference.max()  # subtracted
    gaba_area, full = gaba.sum(), reference.sum() * 2 / 3
    assert 0.75 < gaba_area / full < 1.0  # off, the two outer lines are inverted; on, none


def test_edited_semi_laser_is_aligned_at_the_carrier(acquisition: Acquisition) -> None:
    on, difference = (
        simulate_basis(
            "mega_slaser",
            echo_time=0.068,
            acquisition=acquisition,
            metabolites=["GABA", "Cr"],
            edit=edit,
            linewidth=5.0,
        ).spectrum.real
        for edit in _ON_AND_DIFFERENCE
    )
    near = np.abs(_ppm(acquisition) - 3.01) < 0.15
    assert difference[0, near].max() > 0.25 * on[1, near].max()
    assert np.abs(difference[1, near]).max() < 0.05 * on[1, near].max()


def test_metabolites_without_signal_are_left_out_and_named(acquisition: Acquisition) -> None:
    options = {
        "echo_time": 0.068,
        "acquisition": acquisition,
        "edit": "on",
        "edit_ppm": (1.904, 7.5),
    }
    with pytest.warns(MRSWarning, match="no signal of Ace"):
        basis = simulate_basis("mega_press", metabolites=["Ace", "Cr"], **options)  # type: ignore[arg-type]
    assert basis.names == ("Cr",)
    with pytest.raises(InvalidInputError, match="no signal of Ace"):
        simulate_basis("mega_press", metabolites=["Ace"], **options)  # type: ignore[arg-type]


def test_progress_is_told(acquisition: Acquisition) -> None:
    told: list[tuple[int, int]] = []
    simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        metabolites=["Cr", "NAA"],
        progress=lambda *at: told.append(at),
    )
    assert told == [(1, 2), (2, 2)]


def test_second_time_comes_from_the_cache(
    acquisition: Acquisition, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = simulate_basis("press", echo_time=0.03, acquisition=acquisition, metabolites=["Glu"])
    assert len(list(own_cache.rglob("*.npz"))) == 1

    def refuse(*_: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr(store, "simulate_lines", refuse)
    wider = acquisition.replace(dwell_time=2.5e-4)  # another dwell time is no new simulation
    simulate_basis("press", echo_time=0.03, acquisition=wider, metabolites=["Glu"], linewidth=3.0)
    again = simulate_basis("press", echo_time=0.03, acquisition=acquisition, metabolites=["Glu"])
    np.testing.assert_array_equal(first.fid, again.fid)


def test_whatever_matters_is_part_of_the_key(acquisition: Acquisition, own_cache: Path) -> None:
    pulse = {"refocusing": shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0, n_steps=32)}
    variants: list[dict[str, object]] = [
        {},
        {"echo_time": 0.031},
        {"first_echo_time": 0.01},
        {"pulses": pulse},
        {"pulses": pulse, "carrier_ppm": 2.5},
        {"pulses": pulse, "grid_points": 3},
        {"acquisition": acquisition.replace(spectrometer_frequency=127.7)},
    ]
    fixed: dict[str, object] = {
        "echo_time": 0.03,
        "acquisition": acquisition,
        "metabolites": ["Lac"],
        "n_points": 16,
    }
    for variant in variants:
        simulate_basis("press", **{**fixed, **variant})  # type: ignore[arg-type]
    assert len(list(own_cache.rglob("*.npz"))) == len(variants)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_unreadable_cache_is_simulated_again_and_said_once(
    acquisition: Acquisition, own_cache: Path, content: bytes
) -> None:
    def simulate() -> BasisSet:
        return simulate_basis(
            "press", echo_time=0.03, acquisition=acquisition, metabolites=["Glu", "Cr"]
        )

    first = simulate()
    for path in own_cache.rglob("*.npz"):
        path.write_bytes(content)
    with pytest.warns(MRSWarning, match="cannot be read") as told:
        second = simulate()
    assert len(told) == 1
    np.testing.assert_array_equal(first.fid, second.fid)
    simulate()  # mended, without a warning


def test_cache_that_cannot_be_written_is_no_failure(
    acquisition: Acquisition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("MRSPROC_CACHE", str(blocked))
    with pytest.warns(MRSWarning, match="cannot be kept"):
        basis = simulate_basis(
            "press", echo_time=0.03, acquisition=acquisition, metabolites=["Glu", "Cr"]
        )
    assert len(basis) == 2


def test_cache_can_be_left_alone(acquisition: Acquisition, own_cache: Path) -> None:
    simulate_basis(
        "press", echo_time=0.03, acquisition=acquisition, metabolites=["Cr"], cache=False
    )
    assert not own_cache.exists()


def test_gaussian_macromolecules(acquisition: Acquisition) -> None:
    basis = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        metabolites=["Cr"],
        macromolecules="lcmodel",
    )
    assert basis.names[1:] == (
        "Lip09",
        "Lip13a",
        "Lip13b",
        "Lip20",
        "MM09",
        "MM12",
        "MM14",
        "MM17",
        "MM20",
    )
    assert abs(basis.fid[basis.index("MM09"), 0]) == pytest.approx(3.0)
    spectrum = basis.spectrum.real[basis.index("MM09")]
    assert basis.ppm[int(np.argmax(spectrum))] == pytest.approx(0.91, abs=0.01)
    above = basis.ppm[spectrum > spectrum.max() / 2]
    assert np.ptp(above) == pytest.approx(0.14, abs=0.02)


def test_parametrised_macromolecules(acquisition: Acquisition) -> None:
    basis = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        metabolites=["Cr"],
        macromolecules="parametrised",
    )
    assert len(basis) == 14 and basis.has_broad_signals
    assert abs(basis.fid[basis.index("MM0.90"), 0]) == pytest.approx(3.0)
    one = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        metabolites=["Cr"],
        macromolecules=["MM0.90", "MM20"],
    )
    assert one.names == ("Cr", "MM0.90", "MM20")


def test_measured_macromolecules(acquisition: Acquisition) -> None:
    time = np.arange(1024) * 2.5e-4
    fid = 7.0 * np.exp(2j * np.pi * (4.65 - 0.92) * 123.25 * time - np.pi * 25.0 * time)
    data = MRSData(
        fid=np.stack([fid, fid]),
        dims=("transient", "time"),
        acquisition=acquisition.replace(dwell_time=2.5e-4),
    )
    basis = simulate_basis(
        "press",
        echo_time=0.03,
        acquisition=acquisition,
        n_points=512,
        metabolites=["Cr"],
        macromolecules=data,
    )
    assert basis.names == ("Cr", "MM")
    assert _peak_ppm(basis, "MM") == pytest.approx(0.92, abs=0.03)
    assert abs(basis.fid[1, 0]) == pytest.approx(1.0, abs=0.05)
    coils = MRSData(fid=np.stack([fid, fid]), dims=("coil", "time"), acquisition=data.acquisition)
    with pytest.raises(InvalidInputError, match="combine them"):
        simulate_basis(
            "press",
            echo_time=0.03,
            acquisition=acquisition,
            metabolites=["Cr"],
            macromolecules=coils,
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence": "pres"}, "Did you mean 'press'"),
        ({"metabolites": ["Glx"]}, "no spin system for 'Glx'"),
        ({"echo_time": None}, "echo_time is not given"),
        ({"echo_time": 0.0}, "positive echo time"),
        ({"echo_time": float("nan")}, "positive echo time"),
        ({"sequence": "steam", "mixing_time": -0.01}, "TM must be 0 or longer"),
        ({"first_echo_time": 0.05}, "TE1 must lie between"),
        ({"sequence": "slaser", "echo_times": (0.01, 0.01, 0.02)}, "adding up to the echo time"),
        ({"echo_time": 0.012, "pulses": "shaped"}, "overlap by"),
        ({"sequence": "mega_press", "echo_time": 0.03}, "overlap by"),
        ({"sequence": "pulse_acquire", "echo_time": 1e-4, "pulses": "shaped"}, "overlap by"),
        ({"sequence": "mega_press", "echo_time": 0.068, "edit": "of"}, "Did you mean 'off'"),
        ({"pulses": "sharp"}, "give 'shaped'"),
        ({"pulses": {"refocussing": gaussian(180.0, 5e-3)}}, "Did you mean 'refocusing'"),
        ({"pulses": {"refocusing": 5}}, "Give Pulse objects"),
        ({"linewidth": -1.0}, "linewidth = -1"),
        ({"n_points": 1}, "at least 2 points"),
        ({"grid_points": 0}, "1 point or more"),
        ({"macromolecules": "MM10"}, "no macromolecules 'MM10'"),
        (
            {
                "acquisition": Acquisition(
                    spectrometer_frequency=49.9, dwell_time=5e-4, nucleus="31P"
                )
            },
            "for 1H only",
        ),
    ],
)
def test_bad_input_is_refused(
    acquisition: Acquisition, options: dict[str, object], message: str
) -> None:
    usual: dict[str, object] = {
        "sequence": "press",
        "echo_time": 0.03,
        "acquisition": acquisition,
        "metabolites": ["Cr"],
    }
    with pytest.raises(InvalidInputError, match=message):
        simulate_basis(**{**usual, **options})  # type: ignore[arg-type]


def test_declared_sequence_brings_its_own_times(acquisition: Acquisition) -> None:
    own = Sequence("own", 0.0, (Scan((RF(90.0, -1, "excitation"),)),))
    with pytest.raises(InvalidInputError, match="leave out"):
        simulate_basis(own, echo_time=0.03, acquisition=acquisition)


@pytest.mark.parametrize("sequence", ["press", "slaser", "mega_slaser", "special"])
def test_built_in_pulses_do_what_their_role_says(sequence: str) -> None:
    pulses = shaped_pulses(sequence)
    assert pulses["excitation"].flip_angle == pytest.approx(90.0, abs=3.0)
    for role in ("refocusing", "inversion", "editing"):
        assert pulses[role].profile([0.0])[0] > 0.98
