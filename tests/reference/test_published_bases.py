"""Published basis sets on another sampling grid."""

import numpy as np
import pytest

import mrsproc as mp

pytestmark = pytest.mark.real

SETS = {
    "press35_philips_3t": 0.5,
    "press30_3t": 0.5,
    "slaser28_3t_ideal": 0.3,
}


@pytest.mark.filterwarnings("ignore::mrsproc.errors.MRSWarning")
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dwell", [5e-4, 4e-4])
def test_resampled_signals_have_the_same_spectrum(data_folder, name, dwell):
    """Between 1 and 4 ppm, with 10 Hz of broadening; sums approximate integrals to 3 %."""
    basis = mp.read_basis(data_folder / f"basis/{name}.basis")
    megahertz, n = basis.spectrometer_frequency, int(SETS[name] / dwell)
    acquisition = mp.Acquisition(spectrometer_frequency=megahertz, dwell_time=dwell, nucleus="1H")
    new = basis.resampled_to(acquisition, n)
    frequency = (basis.ppm_reference - np.linspace(1.0, 4.0, 200)) * megahertz

    def spectra(fid, step):
        time = step * np.arange(int(SETS[name] / step))
        decayed = fid[:, : time.size] * np.exp(-10.0 * np.pi * time)
        decayed[:, 0] /= 2.0
        return decayed @ np.exp(-2j * np.pi * np.outer(time, frequency)) * step

    before, after = spectra(basis.fid, basis.dwell_time), spectra(new.fid, dwell)
    error = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    assert dict(zip(basis.names, error, strict=True)) == {
        each: pytest.approx(0.0, abs=0.03) for each in basis.names
    }
