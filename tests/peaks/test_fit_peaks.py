"""Fits of single lines against a known truth."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.peaks.model import Lines
from mrsproc.peaks.solve import _chain

MEGAHERTZ, DWELL, POINTS = 49.9, 1.0 / 3000.0, 512
TIME = np.arange(POINTS) * DWELL
J_HZ = 16.0
J_PPM = J_HZ / MEGAHERTZ
ACQUISITION = mp.Acquisition(spectrometer_frequency=MEGAHERTZ, dwell_time=DWELL, nucleus="31P")


def line(amplitude, ppm, lorentz, gauss=0.0, time=TIME):
    """Return a line, written down without any code of mrsproc."""
    decay = np.pi * lorentz * time + (np.pi * gauss * time) ** 2 / (4.0 * np.log(2.0))
    return amplitude * np.exp(-2j * np.pi * ppm * MEGAHERTZ * time - decay)


def phosphorus(phase=0.7, shift=0.04):
    """PCr, and the doublet and the triplet of ATP, of equal areas."""
    parts = [
        line(10.0, shift, 6.0),
        line(2.1, -7.5 - J_PPM / 2 + shift, 12.0),
        line(2.1, -7.5 + J_PPM / 2 + shift, 12.0),
        line(1.0, -16.1 - J_PPM + shift, 14.0),
        line(2.0, -16.1 + shift, 14.0),
        line(1.0, -16.1 + J_PPM + shift, 14.0),
    ]
    return np.exp(1j * phase) * sum(parts)


def knowledge():
    """Multiplets by expressions: spacing J, ratios of amplitudes, equal widths."""
    step = f"{J_HZ} / {MEGAHERTZ}"
    alpha = {"amplitude": "a1_amplitude", "lorentz_hz": "a1_lorentz_hz"}
    beta = {"amplitude": "b1_amplitude / 2", "lorentz_hz": "b1_lorentz_hz"}
    return [
        mp.Peak("PCr", 0.0),
        mp.Peak("a1", -7.5 - J_PPM / 2, lorentz_hz=10.0),
        mp.Peak("a2", f"a1_ppm + {step}", **alpha),
        mp.Peak("b1", -16.1, lorentz_hz=10.0),
        mp.Peak("b2", f"b1_ppm - {step}", **beta),
        mp.Peak("b3", f"b1_ppm + {step}", **beta),
    ]


def data(fid, dims=("time",)):
    return MRSData(fid=fid, dims=dims, acquisition=ACQUISITION)


def noisy(fid, sd, n, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, fid.size)
    return data(
        fid + sd * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)),
        ("transient", "time"),
    )


def test_multiplets_are_recovered():
    found = mp.fit_peaks(data(phosphorus()), knowledge())
    assert found.success
    table = found.to_frame().set_index("peak")
    wanted = {"PCr": 10.0, "a1": 2.1, "a2": 2.1, "b1": 2.0, "b2": 1.0, "b3": 1.0}
    for name, amplitude in wanted.items():
        assert table.amplitude[name] == pytest.approx(amplitude, rel=1e-6), name
    assert table.ppm["PCr"] == pytest.approx(0.04, abs=1e-6)
    assert table.ppm["a2"] - table.ppm["a1"] == pytest.approx(J_PPM)
    assert table.lorentz_hz["b3"] == pytest.approx(14.0, rel=1e-5)
    assert found.estimate("phase0_deg")[0] == pytest.approx(np.rad2deg(0.7), abs=1e-4)
    model = found.signals().sum(axis=0)
    assert np.allclose(model + found.residual, found.data.fid)


def test_sd_is_the_scatter():
    """Tied parameters too; 80 spectra tell an SD to 8 % (more in benchmarks/bench_peaks.py)."""
    found = mp.fit_peaks(noisy(phosphorus(), 0.5, 80), knowledge())
    assert found.success.all()
    assert found.noise_sd.mean() == pytest.approx(0.5, rel=0.01)
    truth = {"PCr_amplitude": 10.0, "a2_amplitude": 2.1, "b3_amplitude": 1.0, "b1_ppm": -16.06,
             "a1_lorentz_hz": 12.0, "phase0_deg": np.rad2deg(0.7)}  # fmt: skip
    ratios = []
    for name, value in truth.items():
        estimate, sd = found.estimate(name)
        ratios.append(estimate.std() / sd.mean())
        assert ratios[-1] == pytest.approx(1.0, abs=0.28), name
        assert abs(estimate.mean() - value) < 4.0 * sd.mean() / np.sqrt(80), name
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.12)


def test_sd_with_known_noise():
    """Given, the SD of the noise scales all others; found, it is that of the residual."""
    noise = noisy(phosphorus(), 0.5, 1)
    free, known = (mp.fit_peaks(noise, knowledge(), noise_sd=sd) for sd in (None, 1.0))
    scale = 1.0 / free.noise_sd[0]
    i = free.parameters.index("PCr_amplitude")
    assert known.sd[0, i] == pytest.approx(free.sd[0, i] * scale)


@pytest.mark.parametrize("quantity", ["amplitude", "ppm", "lorentz_hz", "gauss_hz", "phase_deg"])
def test_jacobian(quantity):
    lines = Lines(("x", "y"), ACQUISITION, TIME)
    value = {
        "x_amplitude": 3.0, "x_ppm": 0.5, "x_lorentz_hz": 4.0, "x_gauss_hz": 3.0, "x_phase_deg": 20,
        "y_amplitude": 2.0, "y_ppm": -1.5, "y_lorentz_hz": 8.0, "y_gauss_hz": 5.0, "y_phase_deg": 0,
        "phase0_deg": 30.0, "begin_time_s": 2e-4,
    }  # fmt: skip
    exact = lines.jacobian(value)
    for name in (f"x_{quantity}", f"y_{quantity}", "phase0_deg", "begin_time_s"):
        step = 1e-6 if name != "begin_time_s" else 1e-9
        up, down = ({**value, name: value[name] + sign * step} for sign in (1, -1))
        slope = (lines.signals(up) - lines.signals(down)).sum(axis=0) / (2 * step)
        column = exact[:, lines.parameters.index(name)]
        assert np.abs(column - slope).max() < 1e-6 * np.abs(slope).max(), name


def test_chain_through_expressions():
    """Nonlinear, and through another expression."""
    parameters = mp.peak_parameters([mp.Peak("x", 0.0, amplitude=3.0), mp.Peak("y", 1.0)])
    parameters["y_amplitude"].expr = "x_amplitude ** 2"
    parameters["y_lorentz_hz"].expr = "2 * y_amplitude"
    before = parameters.valuesdict()
    chain = _chain(parameters)
    free = [name for name, parameter in parameters.items() if parameter.vary]
    column = chain[:, free.index("x_amplitude")]
    names = list(parameters)
    assert column[names.index("y_amplitude")] == pytest.approx(6.0, rel=1e-6)
    assert column[names.index("y_lorentz_hz")] == pytest.approx(12.0, rel=1e-6)
    assert parameters.valuesdict() == before


def test_begin_time_and_left_out_points():
    """A dead time of 0.4 ms, and bent first points: amplitudes are those at time 0."""
    late = line(5.0, 1.0, 8.0, time=TIME + 4e-4)
    bent = late.copy()
    bent[:3] *= 0.4
    parameters = mp.peak_parameters([mp.Peak("x", 1.0)], data(late))
    parameters["begin_time_s"].set(value=4e-4)
    found = mp.fit_peaks(data(bent), parameters, first_point=3)
    assert found.estimate("x_amplitude")[0] == pytest.approx(5.0, rel=1e-6)
    assert np.abs(found.residual[:3]).max() > 1.0
    assert np.abs(found.residual[3:]).max() < 1e-5


def test_water_and_a_gaussian_line(example_water):
    """Start from the field's own place: no amplitude, phase or shift is given."""
    found = mp.fit_peaks(example_water, [mp.Peak("water", 4.65, gauss_hz=3.0)])
    assert found.success
    assert found.estimate("water_amplitude")[0] == pytest.approx(2000.0, rel=1e-6)
    assert found.estimate("water_gauss_hz")[0] == pytest.approx(6.0, rel=1e-4)


@pytest.fixture
def example_water():
    acquisition = mp.Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    time = np.arange(1024) * 5e-4
    decay = np.pi * 2.0 * time + (np.pi * 6.0 * time) ** 2 / (4.0 * np.log(2.0))
    fid = 2000.0 * np.exp(2.1j - 2j * np.pi * 0.11 * 123.2 * time - decay)
    return MRSData(fid=fid, dims=("time",), acquisition=acquisition)


def test_scaling_and_turning(example_water):
    peak = [mp.Peak("water", 4.65, gauss_hz=3.0)]
    one = mp.fit_peaks(example_water, peak)
    turned = example_water.with_fid(-3.0 * example_water.fid, Step("Gain", "test"))
    other = mp.fit_peaks(turned, peak)
    assert other.estimate("water_amplitude")[0] == pytest.approx(
        3.0 * one.estimate("water_amplitude")[0]
    )
    apart = other.estimate("phase0_deg")[0] - one.estimate("phase0_deg")[0]
    assert abs(apart) == pytest.approx(180.0, abs=1e-3)


def test_masked_and_empty_spectra():
    fid = np.stack([phosphorus(), phosphorus(), np.zeros(POINTS)])
    fid[1] = np.nan
    recording = MRSData(
        fid=fid, dims=("transient", "time"), acquisition=ACQUISITION, mask=[True, False, True]
    )
    found = mp.fit_peaks(recording, knowledge())
    assert found.success.tolist() == [True, False, False]
    assert found.reason.tolist() == ["", "masked", "the FID is zero"]
    table = found.to_frame("parameters")
    assert table[table.transient > 0][["estimate", "sd"]].isna().all(axis=None)
    assert list(found.to_frame().transient.unique()) == [0, 1, 2]


def test_bounds_are_flagged():
    """A peak that is not there is held at zero, or its place is not determined."""
    peaks = [mp.Peak("x", 0.0), mp.Peak("narrow", 3.0, reach_ppm=0.01)]
    fid = line(5.0, 0.0, 6.0) + line(3.0, 3.05, 6.0)
    found = mp.fit_peaks(noisy(fid, 0.05, 1), peaks)
    assert found.success[0]
    i = found.parameters.index("narrow_ppm")
    assert found.at_bounds[0, i]
    assert np.isnan(found.sd[0, i])
    assert "at a bound: narrow_ppm" in found.warning[0]
    assert "not white" in found.warning[0]
    assert found.to_frame().at_bounds.tolist() == [False, True]


def test_what_is_not_determined_is_told():
    """Two lines that may both be one: no numbers, and a way out."""
    twins = [mp.Peak("x", 0.0), mp.Peak("y", "x_ppm", lorentz_hz="x_lorentz_hz")]
    found = mp.fit_peaks(noisy(line(5.0, 0.0, 6.0), 0.1, 1), twins)
    assert not found.success[0]
    assert "fix or tie some" in found.reason[0]
    assert np.isnan(found.value).all()


def test_white_residual_gives_no_warning():
    assert mp.fit_peaks(noisy(phosphorus(), 0.3, 1), knowledge()).warning[0] == ""


def test_bad_input():
    spectrum = data(phosphorus())
    with pytest.raises(InvalidInputError, match="letters, digits"):
        mp.Peak("gamma-ATP", 0.0)
    with pytest.raises(InvalidInputError, match="not negative"):
        mp.Peak("x", 0.0, lorentz_hz=-1.0)
    with pytest.raises(InvalidInputError, match="finite"):
        mp.Peak("x", float("nan"))
    with pytest.raises(InvalidInputError, match="its own name"):
        mp.fit_peaks(spectrum, [mp.Peak("x", 0.0), mp.Peak("x", 1.0)])
    with pytest.raises(InvalidInputError, match="cannot be evaluated"):
        mp.fit_peaks(spectrum, [mp.Peak("x", 0.0, amplitude="2 * nothing_amplitude")])
    with pytest.raises(InvalidInputError, match="number as ppm"):
        mp.fit_peaks(spectrum, [mp.Peak("x", "0 * phase0_deg")])
    with pytest.raises(InvalidInputError, match="more points than parameters"):
        mp.fit_peaks(spectrum, [mp.Peak("x", 0.0)], first_point=POINTS - 1)
    with pytest.raises(InvalidInputError, match="noise_sd"):
        mp.fit_peaks(spectrum, [mp.Peak("x", 0.0)], noise_sd=0.0)
    with pytest.raises(InvalidInputError, match="mp.Peak objects"):
        mp.fit_peaks(spectrum, ["x"])
    with pytest.raises(InvalidInputError, match="coil dimension"):
        mp.fit_peaks(data(np.stack([phosphorus()] * 2), ("coil", "time")), [mp.Peak("x", 0.0)])
    parameters = mp.peak_parameters([mp.Peak("x", 0.0)])
    del parameters["x_phase_deg"]
    with pytest.raises(InvalidInputError, match="lack x_phase_deg"):
        mp.fit_peaks(spectrum, parameters)
    found = mp.fit_peaks(spectrum, [mp.Peak("PCr", 0.0)])
    with pytest.raises(InvalidInputError, match="Did you mean 'PCr_ppm'"):
        found.estimate("PCr_pmm")
    with pytest.raises(InvalidInputError, match="Known: peaks, parameters"):
        found.to_frame("lines")
