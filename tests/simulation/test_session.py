"""Simulated sessions: what they promise is in the FIDs."""

import json

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.errors import BasisError, InvalidInputError
from mrsproc.simulation import infusion_response
from mrsproc.simulation.example import example_basis


@pytest.fixture(scope="module")
def basis():
    return example_basis()


def quiet(**changes):
    """Return options of a session without any disturbance."""
    calm = {
        "n_transients": 8, "snr": np.inf, "shift_sd_ppm": 0.0, "lorentz_sd_hz": 0.0,
        "frequency_drift_hz": 0.0, "frequency_jitter_hz": 0.0, "phase_jitter_deg": 0.0,
        "residual_water": 0.0, "residual_water_sd": 0.0, "background": 0.0,
        "infusion_onset": 5.0, "infusion_duration": 10.0,
    }  # fmt: skip
    return mp.SessionOptions(**{**calm, **changes})


def test_a_quiet_session_is_the_weighted_sum_of_the_basis(basis):
    session = mp.simulate(basis, quiet(gauss_hz=0.0, lorentz_hz=0.0), effects={"Glu": 0.5}, rng=0)
    full = basis.with_macromolecules(
        [name for name in session.concentrations if name.startswith("MM")]
    ).resampled_to(session.data.acquisition, 1024)
    wanted = sum(
        np.outer(session.timecourse(name), full.fid[full.index(name)]) for name in full.names
    )
    assert np.allclose(session.data.fid, wanted, rtol=1e-9, atol=1e-9)
    response = infusion_response(5.0, 10.0)(session.time_s)
    rest = session.concentrations["Glu"]
    assert np.allclose(session.timecourse("Glu"), rest * (1.0 + 0.5 * response))
    assert not response[:3].any() and (np.diff(response[2:7]) > 0.0).all()


def test_frequency_and_phase_are_positive_towards_higher_ppm(basis):
    still = mp.simulate(basis, quiet(), rng=0)
    moved = mp.simulate(basis, quiet(frequency_drift_hz=6.0, phase_jitter_deg=20.0), rng=0)
    turn = 2 * np.pi * moved.frequency_hz[:, None] * still.data.time + moved.phase_rad[:, None]
    assert np.allclose(moved.data.fid * np.exp(1j * turn), still.data.fid, atol=1e-8)
    assert moved.frequency_hz[-1] == pytest.approx(6.0)
    spectrum = np.abs(moved.data.spectrum)
    naa = moved.data.ppm[np.argmax(spectrum, axis=1)]
    assert naa[-1] > naa[0]


def test_the_snr_is_that_of_one_transient(basis):
    session = mp.simulate(basis, quiet(n_transients=400, snr=20.0), rng=3)
    clean = mp.simulate(basis, quiet(), rng=3).data
    inside = (clean.ppm > 1.8) & (clean.ppm < 3.4)
    height = clean.spectrum.real[0, inside].max()
    noise = session.data.spectrum[:, 0].real.std()
    assert height / noise == pytest.approx(20.0, rel=0.1)


def test_coils_have_the_covariance_and_the_snr_that_are_stated(basis):
    options = quiet(n_coils=4, snr=8.0, n_transients=64)
    session = mp.simulate(basis, options, rng=5)
    noise = session.data.fid - (
        session.sensitivity[:, None, None] * mp.simulate(basis, quiet(), rng=5).data.fid[0]
    )
    rows = noise.reshape(4, -1)
    covariance = rows @ rows.conj().T / rows.shape[1]
    scale = np.sqrt(np.outer(*2 * [np.diag(session.noise_covariance).real]))
    assert np.abs((covariance - session.noise_covariance) / scale).max() < 0.03
    s, psi = session.sensitivity, session.noise_covariance
    best = 1.0 / np.sqrt((s.conj() @ np.linalg.solve(psi, s)).real / 1.0)
    assert best == pytest.approx(np.sqrt(2.0) * session.noise_sd)
    assert np.abs(np.triu(psi / scale, 1)).max() == pytest.approx(0.3, abs=0.05)


def test_water_that_follows_the_phase_cycle_cancels_over_it(basis):
    options = {"residual_water": 50.0, "residual_water_sd": 0.0, "n_transients": 128}
    dry = mp.simulate(basis, quiet(), rng=2).data.fid[0]
    heights = {}
    for phase in ("cycled", "constant", "random"):
        session = mp.simulate(basis, quiet(water_phase=phase, **options), rng=2)
        blocks = (session.data.fid - dry).reshape(16, 8, -1).mean(axis=1)
        heights[phase] = np.abs(blocks[:, :4]).mean()
    assert heights["cycled"] < 0.5 * heights["random"]
    assert heights["random"] < 0.5 * heights["constant"]


def test_narrowing_gain_and_ruin_follow_their_truth(basis):
    session = mp.simulate(
        basis, quiet(line_narrowing_hz=1.0, gain_drift=0.1, n_ruined=2, n_transients=12), rng=4
    )
    assert session.ruined.sum() == 2 and set(session.ruin[session.ruined]) <= {
        "movement", "lipid", "signal loss", "spike",
    }  # fmt: skip
    good = np.flatnonzero(~session.ruined)
    first, last = good[0], good[-1]
    ratio = session.data.fid[last] / session.data.fid[first]
    lines = session.extra_linewidth_hz[last] - session.extra_linewidth_hz[first]
    wanted = session.gain[last] / session.gain[first] * np.exp(-np.pi * lines * session.data.time)
    assert np.allclose(ratio[:200], wanted[:200], rtol=1e-6)
    assert lines < 0.0


def test_the_water_reference_gives_the_concentrations_back(basis):
    session = mp.simulate(basis, quiet(snr=200.0, eddy_deg=0.0), rng=0)
    first = np.abs(session.water.fid[0, 0])
    full = basis.resampled_to(session.water.acquisition, 1024)
    assert first == pytest.approx(2 * 40000.0 * full.signal_per_proton, rel=1e-3)
    assert session.water.acquisition.water_suppressed is False


def test_same_seed_same_session(basis):
    options = mp.SessionOptions(n_transients=6, n_coils=2, n_ruined=1, n_frequency_jumps=1)
    one, two, other = (mp.simulate(basis, options, rng=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.data.fid, two.data.fid)
    assert not np.array_equal(one.data.fid, other.data.fid)


def test_a_bids_session_reads_back(basis, tmp_path):
    options = mp.SessionOptions(n_transients=6, n_coils=2)
    session = mp.simulate(basis, options, effects={"Glu": 0.1}, rng=1)
    for label, condition in (("01", "placebo"), ("02", "naltrexone"), ("02", "drug")):
        paths = session.write_bids(tmp_path, subject="A7", session=label, condition=condition)
    assert all(path.exists() for path in paths)
    data = mp.read(paths[0])
    assert data.dims == ("coil", "transient", "time")
    assert np.allclose(data.coords["transient"], session.time_s)
    assert np.allclose(data.fid, session.data.fid)
    events = pd.read_csv(paths[2], sep="\t")
    assert events.loc[0, ["onset", "duration", "trial_type"]].tolist() == [300, 400, "infusion"]
    sessions = pd.read_csv(tmp_path / "sessions.tsv", sep="\t")
    assert sessions["condition"].tolist() == ["placebo", "drug"]
    assert pd.read_csv(tmp_path / "participants.tsv", sep="\t")["participant_id"].tolist() == [
        "sub-A7"
    ]
    assert json.loads((tmp_path / "dataset_description.json").read_text())["BIDSVersion"]
    truth = pd.read_csv(paths[3], sep="\t")
    assert np.allclose(truth["Glu"], session.timecourse("Glu"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_transients": 0}, "n_transients = 0: give 1 or more"),
        ({"snr": 0.0}, "snr = 0.0: give a positive"),
        ({"gain_jitter": -0.1}, "not negative"),
        ({"background": np.nan}, "not negative"),
        ({"n_ruined": 400}, "number of transients"),
        ({"water_phase": "odd"}, "'random', 'constant' or 'cycled'"),
        ({"coil_correlation": 1.0}, "below 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        mp.SessionOptions(**changes)


def test_bad_requests_name_the_way_out(basis, tmp_path):
    small = quiet()
    with pytest.raises(BasisError, match="Glu"):
        mp.simulate(basis, small, effects={"glu2": 0.1})
    with pytest.raises(InvalidInputError, match="one finite value for each"):
        mp.simulate(basis, small, effects={"Glu": 0.1}, response=lambda time: time[:2])
    with pytest.raises(InvalidInputError, match="response has not"):
        mp.simulate(basis, small, effects={"Glu": 0.1}, response={"Gln": np.zeros_like})
    with pytest.raises(InvalidInputError, match="Cr, PCr and NAA"):
        mp.simulate(basis.select(["Glu", "Gln"]), small)
    with pytest.raises(InvalidInputError, match="no signal"):
        mp.simulate(basis, small, concentrations=dict.fromkeys(_all_names(basis), 0.0))
    with pytest.raises(InvalidInputError, match="letters and digits"):
        mp.simulate(basis, small).write_bids(tmp_path, subject="../x")
    assert not list(tmp_path.iterdir())


def _all_names(basis):
    full = basis.with_macromolecules(["MM09", "MM12", "MM14", "MM17", "MM20"])
    return full.names


def test_a_response_of_the_library_is_simulated(basis):
    infusion = mp.Infusion(onset=5.0, duration=10.0, drug="ketamine")
    for response in (infusion.response(), infusion.rise_and_decay()):
        session = mp.simulate(basis, quiet(), effects={"Glu": 0.2}, response=response, rng=0)
        shape = session.responses["Glu"]
        assert not shape[:3].any() and 0.0 < shape.max() <= 1.0 + 1e-9
