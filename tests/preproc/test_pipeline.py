"""From raw to clean: what is found, what is kept, what is refused."""

import dataclasses
import pickle
import warnings

import numpy as np
import pytest

import mrsproc as mp
from mrsproc import qc
from mrsproc.data import Step
from mrsproc.errors import DataWarning, InvalidInputError, QualityError

COLUMNS = [
    "transient", "time_s", "epoch", "snr", "linewidth_hz", "frequency_hz", "phase_rad",
    "residual_water", "valid", "reason",
]  # fmt: skip


@pytest.fixture(scope="module")
def clean(session, infusion):
    return mp.preprocess(session.data, session.water, infusion=infusion)


def test_truth_is_found(session, clean):
    good = ~session.ruined
    off = (clean.qc["frequency_hz"] - session.frequency_hz)[good]
    assert off.std() < 0.3
    turn = np.exp(1j * (clean.qc["phase_rad"] - session.phase_rad)[good])
    assert np.angle(turn / turn.mean()).std() < np.deg2rad(3.0)
    assert (~clean.qc["valid"] & ~good).sum() >= 3
    assert (~clean.qc["valid"] & good).sum() <= 1
    assert clean.qc["snr"][good].median() == pytest.approx(10.0, rel=0.15)


def test_quality_has_one_row_a_raw_transient(session, clean):
    assert list(clean.qc.columns) == COLUMNS
    assert len(clean.qc) == 96
    assert np.allclose(clean.qc["time_s"], session.time_s)
    assert clean.qc["epoch"].tolist() == ["baseline"] * 40 + ["infusion"] * 40 + ["after"] * 16
    assert (clean.qc["reason"] != "").tolist() == (~clean.qc["valid"]).tolist()
    width = clean.qc["linewidth_hz"].median()
    mean = clean.data.mean("transient")
    assert width == pytest.approx(qc.linewidth(mean), rel=0.12)


def test_the_clean_recording_keeps_every_transient(session, clean):
    assert clean.data.dims == ("transient", "time")
    assert clean.data.sizes["transient"] == 96
    assert (clean.data.mask == clean.qc["valid"]).all()
    assert np.allclose(clean.data.coords["transient"], session.time_s)
    assert [step.method for step in clean.data.history] == [
        "RF coil combination", "Eddy current correction", "Frequency and phase correction",
        "Nuisance peak removal", "Rejection of transients", "Frequency and phase correction",
    ]  # fmt: skip
    assert clean.data.acquisition.repetition_time == session.data.acquisition.repetition_time
    top = qc.tallest_peak(clean.data.mean("transient"), (1.8, 2.2))
    assert top.ppm == pytest.approx(2.008, abs=0.01)
    mean = clean.data.mean("transient")
    near = np.argmin(np.abs(mean.ppm - top.ppm))
    assert abs(np.angle(mean.spectrum[near])) < 0.3
    assert clean.residual_water.fid.shape == clean.data.fid.shape


def test_values_pickle_and_repr(clean):
    again = pickle.loads(pickle.dumps(clean))
    assert np.array_equal(again.data.fid, clean.data.fid)
    assert again.qc.equals(clean.qc)
    assert repr(clean).startswith("Preprocessed(MRSData(96 transient x 1024 time")
    assert "transients rejected" in repr(clean)


def test_coil_phases_are_irrelevant(session, clean, infusion):
    turn = np.exp(1j * np.array([0.5, -2.0, 3.0, 1.0]))[:, None, None]
    step = Step("Phasing", "by hand")
    other = mp.preprocess(
        session.data.with_fid(session.data.fid * turn, step),
        session.water.with_fid(session.water.fid * turn, step),
        infusion=infusion,
    )
    assert np.allclose(other.data.fid, clean.data.fid, atol=1e-6 * np.abs(clean.data.fid).max())


def test_combined_data_are_not_rescaled(session):
    combined = mp.coil_weights(session.water, session.data).apply(session.data)
    clean = mp.preprocess(combined, options=mp.PreprocessOptions(phase=False, align=False))
    assert clean.coils is None and clean.water is None and clean.eddy is None
    kept = clean.data.fid + clean.residual_water.fid
    assert np.allclose(kept, combined.fid)


def test_masked_and_nan_transients_stay_masked(session):
    one = mp.coil_weights(session.water).apply(session.data)
    fid, mask = np.array(one.fid), np.ones(96, bool)
    fid[3], mask[[3, 9]] = np.nan, False
    data = mp.MRSData(fid=fid, dims=one.dims, acquisition=one.acquisition, mask=mask)
    clean = mp.preprocess(data)
    assert not clean.data.mask[[3, 9]].any()
    assert clean.qc["reason"][3] == "masked before"
    assert np.isnan(clean.qc["snr"][3]) and np.isnan(clean.qc["frequency_hz"][3])
    assert np.isfinite(clean.data.mean("transient").fid).all()


def test_one_transient_and_one_spectrum(session):
    one = session.data.select(coil=0, transient=slice(0, 1))
    clean = mp.preprocess(one)
    assert clean.data.sizes == {"transient": 1, "time": 1024}
    assert len(clean.qc) == 1 and clean.qc["valid"][0]
    single = mp.preprocess(session.data.select(coil=0, transient=0))
    assert single.data.dims == ("time",)
    assert single.alignment is None and single.rejection is None
    assert len(single.qc) == 1


def test_one_coil(session):
    one = session.data.select(coil=slice(0, 1))
    clean = mp.preprocess(one, session.water.select(coil=slice(0, 1)))
    assert clean.data.dims == ("transient", "time")


def test_conditions_of_editing_are_aligned_apart(session):
    edit = mp.split_edited(session.data, "alternating")
    clean = mp.preprocess(edit, session.water)
    assert clean.data.dims == ("edit", "transient", "time")
    assert list(clean.qc.columns) == ["edit", *COLUMNS]
    assert clean.alignment.frequency_hz.size == 96
    off = clean.qc["frequency_hz"][clean.qc["edit"] == 1].to_numpy() - session.frequency_hz[1::2]
    assert off[~session.ruined[1::2]].std() < 0.35


def test_too_many_losses_stop(session):
    one = mp.coil_weights(session.water).apply(session.data)
    fid = np.array(one.fid)
    fid[:14] *= 0.1
    bad = one.with_fid(fid, Step("Loss", "by hand"))

    class Infusion:
        onset, duration = 100.0, 100.0

    with pytest.raises(QualityError, match=r"baseline: [34]\d %; .*low amplitude"):
        mp.preprocess(bad, infusion=Infusion())
    on = mp.preprocess(bad, options=mp.PreprocessOptions(max_rejected=1.0), infusion=Infusion())
    assert (~on.qc["valid"][:14]).sum() >= 12
    off = mp.preprocess(bad, options=mp.PreprocessOptions(reject=False))
    assert off.data.mask.all()


def test_missing_repetition_time_is_told(session):
    one = session.data.select(coil=0, transient=slice(0, 12))
    unknown = mp.MRSData(
        fid=one.fid, dims=one.dims, acquisition=one.acquisition.replace(repetition_time=None)
    )
    with pytest.warns(DataWarning, match=r"repetition_time=\.\.\."):
        clean = mp.preprocess(unknown)
    assert clean.qc["time_s"].isna().all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        timed = mp.preprocess(unknown, options=mp.PreprocessOptions(repetition_time=3.0))
    assert timed.qc["time_s"].tolist() == (3.0 * np.arange(12)).tolist()


def test_bad_references_are_refused(session):
    data = session.data
    with pytest.raises(InvalidInputError, match="not from one protocol"):
        mp.preprocess(data, _with(session.water, dwell_time=2.5e-4))
    with pytest.raises(InvalidInputError, match="reference has combined coils, the data 4"):
        mp.preprocess(data, session.water.select(coil=0))
    with pytest.raises(InvalidInputError, match="not water: its tallest peak"):
        mp.preprocess(data, mp.remove_water(data))
    with pytest.raises(InvalidInputError, match="header says that water was suppressed"):
        mp.preprocess(data, _with(session.water, water_suppressed=True))
    masked = data.with_mask(np.zeros(96, bool), Step("Rejection", "all"))
    with pytest.raises(InvalidInputError, match="masked"):
        mp.preprocess(masked, session.water)
    with pytest.raises(InvalidInputError, match="max_rejected = 1.5"):
        mp.PreprocessOptions(max_rejected=1.5)


def _with(data, **changes):
    return mp.MRSData(fid=data.fid, dims=data.dims, acquisition=data.acquisition.replace(**changes))


def test_quality_stands_alone(session, clean):
    combined = clean.coils.apply(session.data)
    frame = mp.quality(combined)
    assert list(frame.columns) == COLUMNS
    close = np.abs(frame["frequency_hz"] - clean.qc["frequency_hz"])[~session.ruined]
    assert close.max() < 0.4
    with pytest.raises(InvalidInputError, match="Combine coils"):
        mp.quality(session.data)


def test_unknown_times_give_no_epochs(session, infusion):
    raw = session.data.select(coil=0, transient=slice(0, 4))
    raw = dataclasses.replace(
        raw, coords={}, acquisition=raw.acquisition.replace(repetition_time=None)
    )
    with pytest.warns(DataWarning, match="and the infusion gives no epochs"):
        clean = mp.preprocess(raw, infusion=infusion)
    assert set(clean.qc["epoch"]) == {"all"}


def test_what_cannot_be_aligned_is_refused(session):
    none = np.zeros(session.data.mask.shape, bool)
    with pytest.raises(InvalidInputError, match="every transient of the recording is masked"):
        mp.preprocess(session.data.with_mask(none, mp.Step("Selection", "none")))
    for ppm in ((3.0, 3.01), (30.0, 33.0)):
        with pytest.raises(InvalidInputError, match="choose a wider range inside"):
            mp.preprocess(session.data, None, mp.PreprocessOptions(align_ppm=ppm))


def test_other_nuclei_are_told_the_way(session):
    one = session.data.select(coil=0)
    acquisition = mp.Acquisition(spectrometer_frequency=51.7, dwell_time=2e-4, nucleus="31P")
    with pytest.raises(InvalidInputError, match=r"not 31P: .* mp\.align\(data, ppm=\.\.\.\)"):
        mp.preprocess(mp.MRSData(fid=one.fid, dims=one.dims, acquisition=acquisition))


def test_a_path_or_an_array_is_told_the_way(session):
    with pytest.raises(InvalidInputError, match="raw is a str: read the file with mp.read"):
        mp.preprocess("sub-01_svs.nii.gz")
    with pytest.raises(InvalidInputError, match="reference is a ndarray"):
        mp.preprocess(session.data, session.water.fid)
