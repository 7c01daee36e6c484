"""Ratios and water scaling against a known truth."""

import dataclasses
import json

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.covariance import ratio
from mrsproc.quantification import concentration_factor, water_signal
from mrsproc.simulation import small_example
from mrsproc.tables import fit_summary


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRSPROC_CACHE", str(tmp_path_factory.mktemp("cache")))
        return small_example(snr=60)


@pytest.fixture(scope="module")
def quantities(example):
    return mp.quantify(mp.fit(example.data, example.basis), water=example.water)


def test_concentrations_are_the_truth(example, quantities):
    table = quantities.to_frame().set_index("metabolite")
    for name, truth in example.truth.items():
        row = table.loc[name]
        assert abs(row.concentration - truth) < 4 * row.concentration_sd, name
        assert row.concentration_sd < 0.1 * truth
    assert table.ratio_tCr["tCr"] == 1.0
    assert table.ratio_tCr_sd["tCr"] == pytest.approx(0.0, abs=1e-6)


def test_ratio_is_that_of_the_amplitudes(quantities):
    names, amplitude, covariance = quantities.fit.with_sums()
    i, j = names.index("Glx"), names.index("tNAA")
    assert quantities.ratio_tNAA[i] == pytest.approx(amplitude[i] / amplitude[j])
    rng = np.random.default_rng(0)
    pair = covariance[np.ix_([i, j], [i, j])]
    draws = rng.multivariate_normal(amplitude[[i, j]], pair, 40000)
    scatter = (draws[:, 0] / draws[:, 1]).std()
    assert quantities.ratio_tNAA_sd[i] == pytest.approx(scatter, rel=0.03)


def test_without_a_reference_there_is_no_number(example):
    table = mp.quantify(mp.fit(example.data, example.basis)).to_frame()
    assert table[["concentration", "concentration_sd"]].isna().all(axis=None)
    assert table.unit.isna().all()


def test_no_denominator_no_ratio(synthetic):
    basis = synthetic.basis.without(["NAA"])
    fit = mp.fit(synthetic.data(noise=1.0), basis)
    table = mp.quantify(fit).to_frame()
    assert table.ratio_tNAA.isna().all()
    assert table.ratio_tCr.notna().all()


def test_water_amplitude_looks_past_bent_first_points(example):
    """Digital filters halve or bend the first points; the decay behind them tells the start."""
    water = example.water
    true = water_signal(water).amplitude
    assert true == pytest.approx(abs(water.fid[0]), rel=0.005)
    bent = np.array(water.fid)
    bent[:2] *= (0.55, 1.05)
    again = water.with_fid(bent, Step("Filter", "test"))
    assert water_signal(again).amplitude == pytest.approx(true, rel=1e-6)


def test_factor_by_hand():
    scaling = mp.WaterScaling(water_concentration=40000.0, water_relaxation=0.5)
    assert concentration_factor(0.01, 800.0, scaling) == pytest.approx(0.01 / 400 * 40000 * 0.5)
    with pytest.raises(InvalidInputError, match="scale of the basis set is not known"):
        concentration_factor(float("nan"), 800.0, scaling)
    with pytest.raises(InvalidInputError, match="positive"):
        mp.WaterScaling(water_relaxation=0.0)


def test_reference_that_is_not_water(example, quantities):
    with pytest.raises(InvalidInputError, match="not of water"):
        mp.quantify(quantities.fit, water=mp.remove_water(example.data))


def test_reference_with_coils(example, quantities):
    fid = np.stack([example.water.fid] * 2)
    coils = MRSData(fid=fid, dims=("coil", "time"), acquisition=example.water.acquisition)
    with pytest.raises(InvalidInputError, match="combine it"):
        mp.quantify(quantities.fit, water=coils)


def test_ratio_to_nothing_is_nan():
    value, sd = ratio(np.array([1.0, 0.0]), np.eye(2), 1)
    assert np.isnan(value).all()
    assert np.isnan(sd).all()


TISSUE = mp.Tissue(gm=0.6, wm=0.3, csf=0.1)


@pytest.fixture(scope="module")
def timed(example):
    """The water reference with a known echo and repetition time."""
    acquisition = example.water.acquisition.replace(echo_time=0.035, repetition_time=2.0)
    return dataclasses.replace(example.water, acquisition=acquisition)


@pytest.fixture(scope="module")
def in_tissue(quantities, timed):
    return mp.quantify(quantities.fit, water=timed, tissue=TISSUE)


def test_tissue_correction_by_hand(quantities, in_tissue):
    """Factor of each metabolite, against the uncorrected concentration (LCModel's constants)."""
    names = list(in_tissue.names)
    for name in ("NAA", "Glu", "Cr"):
        factor = in_tissue.constants.molal(name) / (35880.0 * 0.7)
        i = names.index(name)
        assert in_tissue.concentration[i] == pytest.approx(quantities.concentration[i] * factor)
        assert in_tissue.concentration_sd[i] == pytest.approx(
            quantities.concentration_sd[i] * factor
        )
    assert in_tissue.unit == "mmol/kg"
    assert quantities.unit == "mM"


def test_sums_are_of_concentrations(in_tissue):
    """Each member with its own relaxation, and the covariance of both."""
    names, value = list(in_tissue.names), in_tissue.concentration
    i, j, k = (names.index(name) for name in ("Glu", "Gln", "Glx"))
    assert value[k] == pytest.approx(value[i] + value[j])
    covariance = in_tissue.concentration_covariance
    variance = covariance[i, i] + covariance[j, j] + 2 * covariance[i, j]
    assert in_tissue.concentration_sd[k] == pytest.approx(np.sqrt(variance))
    assert covariance[i, j] < 0


def test_water_shares_its_uncertainty(quantities, timed):
    """Noise of the reference moves all concentrations together."""
    rng = np.random.default_rng(1)
    noise = 0.02 * np.abs(timed.fid[0]) * rng.standard_normal((2, timed.n_points))
    noisy = timed.with_fid(timed.fid + noise[0] + 1j * noise[1], Step("Noise", "test"))
    found = mp.quantify(quantities.fit, water=noisy)
    names = list(found.names)
    i, j = names.index("NAA"), names.index("Cr")
    relative = found.water_amplitude_sd / found.water_amplitude
    assert 0.002 < relative < 0.03
    clean = quantities.fit.covariance * (found.concentration[i] / found.amplitude[i]) ** 2
    shared = found.concentration[i] * found.concentration[j] * relative**2
    assert found.concentration_covariance[i, j] - clean[i, j] == pytest.approx(shared, rel=1e-6)


def test_sd_of_the_water_amplitude_is_its_scatter(timed):
    rng = np.random.default_rng(2)
    size = 0.01 * np.abs(timed.fid[0])
    found = []
    for _ in range(300):
        noise = size * rng.standard_normal((2, timed.n_points))
        noisy = timed.with_fid(timed.fid + noise[0] + 1j * noise[1], Step("Noise", "test"))
        found.append(water_signal(noisy))
    scatter = np.std([signal.amplitude for signal in found])
    typical = np.sqrt(np.mean([signal.sd**2 for signal in found]))
    assert typical == pytest.approx(scatter, rel=0.15)


def test_table_of_tissue_correction(in_tissue):
    table = in_tissue.to_frame().set_index("metabolite")
    assert (table.unit == "mmol/kg").all()
    litre = in_tissue.constants.water_of_tissue
    assert table.concentration_molar["Glu"] == pytest.approx(table.concentration["Glu"] * litre)
    assert table.concentration_molar_sd["Glu"] == pytest.approx(
        table.concentration_sd["Glu"] * litre
    )
    broad = table.index.str.startswith("MM")
    assert broad.any()
    assert table.concentration[broad].isna().all()
    assert table.concentration[["tNAA", "tCr", "tCho", "Glx"]].notna().all()
    told = fit_summary(in_tissue)["TissueCorrection"]
    assert {"quantity": "TE", "value": 0.035, "unit": "s"} in told["Constants"]
    assert "10.1002/mrm.20901" in told["Method"]
    json.dumps(told, allow_nan=False)


def test_constants_can_be_swapped(quantities, timed, in_tissue):
    relaxation = dataclasses.replace(mp.Relaxation.at(3.0), metabolite_t2={"*": 0.2})
    found = mp.quantify(quantities.fit, water=timed, tissue=TISSUE, relaxation=relaxation)
    i = found.names.index("Glu")
    expected = np.exp(-0.035 / 0.179) / np.exp(-0.035 / 0.2)
    assert found.concentration[i] / in_tissue.concentration[i] == pytest.approx(expected)


def test_metabolites_may_have_another_repetition_time(quantities, timed, in_tissue):
    other = timed.acquisition.replace(repetition_time=1.5)
    found = mp.quantify(quantities.fit, water=timed, tissue=TISSUE, acquisition=other)
    i = found.names.index("Glu")
    expected = (1 - np.exp(-2.0 / 1.22)) / (1 - np.exp(-1.5 / 1.22))
    assert found.concentration[i] / in_tissue.concentration[i] == pytest.approx(expected)


def test_scaling_of_the_data_scales_concentrations_back(example, quantities, timed, in_tissue):
    """The gain of the receiver is in both, and goes."""
    double = timed.with_fid(2.0 * timed.fid, Step("Gain", "test"))
    found = mp.quantify(quantities.fit, water=double, tissue=TISSUE)
    assert np.allclose(2.0 * found.concentration, in_tissue.concentration, equal_nan=True)


def test_tissue_needs_times_and_water(quantities, timed):
    fit = quantities.fit
    with pytest.raises(InvalidInputError, match="need a water reference"):
        mp.quantify(fit, tissue=TISSUE)
    for name in ("echo_time", "repetition_time"):
        unknown = dataclasses.replace(timed, acquisition=timed.acquisition.replace(**{name: None}))
        with pytest.raises(InvalidInputError, match=f"the {name} of the metabolites is not"):
            mp.quantify(fit, water=unknown, tissue=TISSUE)
        with pytest.raises(InvalidInputError, match=f"the {name} of the water reference is not"):
            mp.quantify(fit, water=unknown, tissue=TISSUE, acquisition=timed.acquisition)
    with pytest.raises(InvalidInputError, match="all CSF"):
        mp.quantify(fit, water=timed, tissue=mp.Tissue(gm=0, wm=0, csf=1))
    with pytest.raises(InvalidInputError, match="either tissue= or scaling="):
        mp.quantify(fit, water=timed, tissue=TISSUE, scaling=mp.WaterScaling())
    with pytest.raises(InvalidInputError, match="give tissue= too"):
        mp.quantify(fit, water=timed, relaxation=mp.Relaxation.at(3.0))
    phosphorus = timed.acquisition.replace(nucleus="31P", spectrometer_frequency=49.9)
    with pytest.raises(InvalidInputError, match="kept for 31P"):
        mp.quantify(fit, water=timed, tissue=TISSUE, acquisition=phosphorus)
