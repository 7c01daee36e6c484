"""Recordings of scanners in ../shared/data."""

from pathlib import Path

import numpy as np
import pytest

from mrsproc.io import nifti_mrs, varian, vendor

DATA = Path(__file__).parents[3] / "shared" / "data"
RDA = DATA / "vendor" / "siemens_press30.rda"
VARIAN = DATA / "vendor" / "varian_mm_9p4T.fid"
PHILIPS = DATA / "philips_press_3t"

pytestmark = pytest.mark.real


def read(path):
    found = [form for form in (*vendor.FORMATS, varian.FORMAT) if form.sniff(path)]
    assert len(found) == 1
    return found[0].load(path)


def highest(data, low, high):
    """Return the chemical shift of the highest point of the magnitude spectrum in a range [ppm]."""
    region = (data.ppm > low) & (data.ppm < high)
    return data.ppm[region][np.argmax(np.abs(data.spectrum)[region])]


@pytest.mark.parametrize(
    "path", [RDA, PHILIPS / "sub-01_PRESS_35_act.sdat"], ids=lambda path: path.name
)
def test_naa_on_the_right_of_water(path):
    data = read(path)
    assert highest(data, 1.7, 2.3) == pytest.approx(2.0, abs=0.06)
    assert highest(data, -1.0, 9.0) == pytest.approx(4.65, abs=0.06)


def test_rda():
    data = read(RDA)
    acquisition = data.acquisition
    assert data.sizes == {"time": 1024}
    assert acquisition.dwell_time == pytest.approx(833e-6)
    assert acquisition.spectrometer_frequency == pytest.approx(123.234655)
    assert (acquisition.echo_time, acquisition.repetition_time) == (0.03, 2.0)
    assert (acquisition.sequence, acquisition.manufacturer) == ("*svs_se", "Siemens")


def test_rda_patient_stays_in_the_header_bytes():
    data = read(RDA)
    assert b'"PatientName": "445"' in nifti_mrs.encode(data)
    derived = nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))
    for private in (b"Patient" + b"Name", b"PatientID", b"445", b"Skyra", b"siemens_press30"):
        assert private not in derived[: derived.rindex(b"}")]
    assert not any(nifti_mrs.is_private(key) for key in data.acquisition.extra)


@pytest.mark.parametrize("name", ["sub-01_PRESS_35_ref.sdat", "sub-01_PRESS_35_ref.spar"])
def test_philips_water(name):
    data = read(PHILIPS / name)
    assert data.sizes == {"time": 2048}
    assert data.acquisition.dwell_time == pytest.approx(5e-4)
    assert highest(data, -1.0, 9.0) == pytest.approx(4.65, abs=0.03)


def test_varian_macromolecules():
    data = read(VARIAN)
    acquisition = data.acquisition
    assert data.sizes == {"time": 4096}
    assert (acquisition.echo_time, acquisition.repetition_time) == (0.024, 5.0)
    assert (acquisition.sequence, acquisition.nucleus) == ("sLASER", "1H")
    assert acquisition.spectrometer_frequency == pytest.approx(399.7182)
    assert highest(data, 0.5, 1.1) == pytest.approx(0.88, abs=0.06)
    magnitude = np.abs(data.spectrum)
    assert magnitude[(data.ppm > 5) & (data.ppm < 9)].max() < 0.1 * magnitude[(data.ppm < 4)].max()
