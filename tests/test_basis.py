"""`BasisSet`: names, checks, resampling against analytic signals, macromolecules, the ppm axis."""

import dataclasses
import pickle
import warnings

import numpy as np
import pytest

from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition
from mrsproc.errors import BasisError, DataWarning, InvalidInputError, MRSError

MEGAHERTZ = 123.2
TIME = np.arange(2048) * 5e-4


@pytest.fixture
def naa_and_cr(make_line):
    fid = np.array(
        [3 * make_line(2.008, TIME), 3 * make_line(3.027, TIME) + 2 * make_line(3.913, TIME)]
    )
    return BasisSet(
        names=("NAA", "Cr"),
        fid=fid,
        dwell_time=5e-4,
        spectrometer_frequency=MEGAHERTZ,
        source="made",
    )


def acquisition(**changes):
    return Acquisition(**({"spectrometer_frequency": MEGAHERTZ, "dwell_time": 5e-4} | changes))


def singlet(basis, row=0, n=65536):
    """Chemical shift of the largest point, found without mrsproc's own search."""
    fid = np.array(basis.fid[row])
    fid[0] /= 2
    spectrum = np.abs(np.fft.fft(fid, n))
    hz = np.fft.fftfreq(n, basis.dwell_time)[np.argmax(spectrum)]
    return basis.ppm_reference - hz / basis.spectrometer_frequency


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"names": ("NAA",)}, r"shape \(2, 2048\) for 1 names"),
        ({"fid": np.ones(8)}, "one complex FID"),
        ({"names": ("NAA", "NAA")}, "NAA stand more than once"),
        ({"fid": np.array([[1, np.nan], [1, 1]])}, "FIDs of NAA hold NaN"),
        ({"fid": np.array([[1, 1], [0, 0]])}, "FIDs of Cr are zero everywhere"),
        ({"dwell_time": 0.0}, "dwell_time = 0.0"),
        ({"spectrometer_frequency": 123.2e6}, "in MHz"),
    ],
)
def test_bad_basis(naa_and_cr, changes, text):
    with pytest.raises(MRSError, match=text):
        dataclasses.replace(naa_and_cr, **changes)


def test_names_are_kept_and_aliases_found(naa_and_cr):
    basis = dataclasses.replace(naa_and_cr, names=("mI", "PCho"))
    assert basis.names == ("mI", "PCho")
    assert basis.index("Ins") == 0
    assert "PCh" in basis
    assert "NAA" not in basis
    assert 3 not in basis
    with pytest.raises(BasisError, match=r"no signal 'Gly' in the basis set.*Known: mI, PCho"):
        basis.index("Gly")


def test_exact_name_before_alias(naa_and_cr):
    basis = dataclasses.replace(naa_and_cr, names=("mI", "Ins"))
    assert basis.index("Ins") == 1


def test_select_without_combined(naa_and_cr):
    swapped = naa_and_cr.select(["Cr", "NAA"])
    assert swapped.names == ("Cr", "NAA")
    assert (swapped.fid[1] == naa_and_cr.fid[0]).all()
    assert naa_and_cr.without(["NAA"]).names == ("Cr",)
    both = naa_and_cr.select(["NAA"]).combined_with(naa_and_cr.select(["Cr"]))
    assert both.names == ("NAA", "Cr")
    assert (both.fid == naa_and_cr.fid).all()
    with pytest.raises(BasisError, match="NAA stand more than once"):
        naa_and_cr.combined_with(naa_and_cr.select(["NAA"]))
    with pytest.raises(BasisError, match="different axes.*resampled_to"):
        naa_and_cr.combined_with(dataclasses.replace(naa_and_cr, names=("a", "b"), dwell_time=4e-4))


def test_read_only_and_pickles(naa_and_cr):
    again = pickle.loads(pickle.dumps(naa_and_cr))
    assert again.names == naa_and_cr.names
    for basis in (naa_and_cr, again):
        with pytest.raises(ValueError, match="read-only"):
            basis.fid[0, 0] = 1


def test_complex64_is_computed_in_double(naa_and_cr):
    assert (
        dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid.astype(np.complex64)).fid.dtype
        == complex
    )


# macromolecules


def test_macromolecules_have_the_stated_shape(naa_and_cr):
    broad = naa_and_cr.with_macromolecules(["MM09"])
    assert broad.names == ("NAA", "Cr", "MM09")
    assert broad.has_broad_signals
    assert not naa_and_cr.has_broad_signals
    assert singlet(broad, 2) == pytest.approx(0.91, abs=0.002)
    fid = np.array(broad.fid[2])
    assert abs(fid[0]) == pytest.approx(3.0, rel=0.02)  # 3 protons, as the methyl of creatine
    fid[0] /= 2
    line = np.abs(np.fft.fft(fid, 65536).real)
    width = np.count_nonzero(line > line.max() / 2) / (65536 * 5e-4) / MEGAHERTZ
    assert width == pytest.approx(0.14, abs=0.003)


def test_macromolecules_scale_with_the_basis(naa_and_cr):
    doubled = dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid * 2).with_macromolecules(["MM20"])
    assert np.allclose(doubled.fid[2], 2 * naa_and_cr.with_macromolecules(["MM20"]).fid[2])


def test_unknown_macromolecule(naa_and_cr):
    with pytest.raises(BasisError, match=r"no built-in macromolecule 'MM99'. Did you mean 'MM09'"):
        naa_and_cr.with_macromolecules(["MM99"])


# suits the data?


@pytest.mark.parametrize("megahertz", [297.2, 49.9, 63.9])
def test_other_field_or_nucleus(naa_and_cr, megahertz):
    other = acquisition(spectrometer_frequency=megahertz)
    with pytest.raises(
        BasisError, match=r"for 123.2 MHz.*recorded at .*MHz.*field strength or nucleus differ"
    ):
        naa_and_cr.checked_against(other)
    with pytest.raises(BasisError, match="field strength or nucleus differ"):
        naa_and_cr.resampled_to(other)


def test_scanners_of_one_field_pass(naa_and_cr):
    naa_and_cr.checked_against(acquisition(spectrometer_frequency=123.27))


def test_too_narrow_a_band(naa_and_cr):
    narrow = dataclasses.replace(naa_and_cr, dwell_time=2e-3)  # 500 Hz: 2.6 to 6.7 ppm
    with pytest.raises(BasisError, match="spectral width of 500 Hz.*does not hold 0 to 5 ppm"):
        narrow.resampled_to(acquisition())
    assert not narrow.covers(acquisition(), (0.2, 4.2))
    assert naa_and_cr.covers(acquisition(), (0.2, 4.2))


def test_no_continuation_of_what_has_not_decayed(naa_and_cr, make_line):
    slow = dataclasses.replace(
        naa_and_cr, fid=np.array([make_line(2.008, TIME, 0.2), make_line(3.0, TIME, 9.0)])
    )
    with pytest.raises(BasisError, match="last 1.02 s, the data 2.05 s, and NAA have not decayed"):
        slow.resampled_to(acquisition(), n_points=4096)
    assert naa_and_cr.resampled_to(acquisition(), n_points=4096).n_points == 4096


def test_too_few_points(naa_and_cr):
    with pytest.raises(InvalidInputError, match="n_points = 1"):
        naa_and_cr.resampled_to(acquisition(), n_points=1)


# resampling against an analytic signal


@pytest.mark.parametrize("dwell", [5e-4, 2.5e-4, 4.1e-4, 1e-4, 8.33e-4, 1.0e-3])
@pytest.mark.parametrize("megahertz", [123.2, 123.25, 122.9])
def test_resampled_equals_the_analytic_signal(naa_and_cr, make_line, dwell, megahertz):
    """On another grid and scanner the signal is the same function of chemical shift."""
    basis = dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid + 0.5 * make_line(4.2, TIME, 9.0))
    new = basis.resampled_to(acquisition(dwell_time=dwell, spectrometer_frequency=megahertz))
    assert new.dwell_time == dwell
    assert new.spectrometer_frequency == megahertz
    time = np.arange(new.n_points) * dwell
    scale = megahertz / MEGAHERTZ  # widths are constant in ppm, as everything else
    wanted = 3 * make_line(2.008, time, 2.5 * scale, megahertz) + 0.5 * make_line(
        4.2, time, 9.0 * scale, megahertz
    )
    inner = slice(0, int(0.9 * new.n_points))
    assert np.abs(new.fid[0] - wanted)[inner].max() < 1e-3 * 3.5
    assert abs(new.fid[0, 0] - wanted[0]) < 1e-3 * 3.5


def test_resampling_moves_the_reference(naa_and_cr):
    new = naa_and_cr.resampled_to(acquisition(ppm_reference=4.7))
    assert new.ppm_reference == 4.7
    assert singlet(new) == pytest.approx(2.008, abs=1e-3)


def test_nothing_folds_back(naa_and_cr, make_line):
    """A line outside the new band is filtered out, not aliased."""
    wide = dataclasses.replace(
        naa_and_cr, fid=np.array([make_line(2.0, TIME), make_line(11.0, TIME)])
    )
    new = wide.resampled_to(acquisition(dwell_time=1.0 / 1200))
    assert np.abs(new.fid[1]).max() < 0.03
    assert np.abs(new.fid[0]).max() > 0.9


def test_same_grid_is_exact(naa_and_cr):
    assert np.allclose(naa_and_cr.resampled_to(acquisition()).fid, naa_and_cr.fid, atol=1e-12)
    assert naa_and_cr.resampled_to(acquisition(), n_points=100).fid.shape == (2, 100)


# the ppm axis


@pytest.mark.parametrize("offset", [-0.2, -0.03, 0.0, 0.03, 0.25])
def test_referenced_mends_an_offset(naa_and_cr, offset):
    turn = np.exp(-2j * np.pi * offset * MEGAHERTZ * TIME)
    off = dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid * turn)
    assert off.axis_offset() == pytest.approx(offset, abs=0.002)
    mended = off.referenced()
    assert singlet(mended) == pytest.approx(2.008, abs=0.002)
    assert "axis moved by" in mended.source
    assert np.allclose(np.abs(mended.fid), np.abs(off.fid))


def test_creatine_serves_where_naa_is_missing(naa_and_cr):
    turn = np.exp(-2j * np.pi * 0.05 * MEGAHERTZ * TIME)
    only = dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid * turn).select(["Cr"])
    assert singlet(only.referenced()) == pytest.approx(3.027, abs=0.002)


def test_offset_gives_a_warning_that_names_the_way_out(naa_and_cr):
    turn = np.exp(-2j * np.pi * -0.03 * MEGAHERTZ * TIME)
    with pytest.warns(DataWarning, match=r"off by -0.03\d ppm.*basis.referenced\(\)"):
        dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid * turn).warn_if_offset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        naa_and_cr.warn_if_offset()


@pytest.mark.parametrize("row", ["NAA", "Cr"])
def test_inverted_sign_is_named(naa_and_cr, row):
    mirrored = dataclasses.replace(
        naa_and_cr.select([row]), fid=naa_and_cr.select([row]).fid.conj()
    )
    with pytest.raises(
        BasisError, match="sign convention of this basis set is inverted.*complex conjugate"
    ):
        mirrored.referenced()


def test_axis_that_is_beyond_help(naa_and_cr):
    turn = np.exp(-2j * np.pi * 0.8 * MEGAHERTZ * TIME)
    with pytest.raises(BasisError, match="NAA is not within 0.3 ppm of 2.008 ppm"):
        dataclasses.replace(naa_and_cr, fid=naa_and_cr.fid * turn).referenced()


def test_nothing_to_reference_by(naa_and_cr):
    with pytest.raises(BasisError, match="neither NAA nor Cr"):
        dataclasses.replace(naa_and_cr, names=("A", "B")).referenced()


def test_visible_part(naa_and_cr):
    part = naa_and_cr.visible_part(1.5, 2.5)
    assert part[0] > 0.99
    assert part[1] < 0.1


def test_repr(naa_and_cr):
    assert (
        repr(naa_and_cr)
        == "BasisSet(2 signals: NAA, Cr; 2048 points, spectral width 2000 Hz, 123.2 MHz)"
    )
