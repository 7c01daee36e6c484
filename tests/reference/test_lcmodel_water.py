"""Why LCModel's water-scaled concentrations of the Philips recording are lower than ours."""

import json

import numpy as np
import pytest

import mrsproc as mp
from mrsproc import axes

pytestmark = pytest.mark.real

FWHMBA = {  # from the headers of the .BASIS files [ppm]
    "press30_3t": 0.0183862,
    "press35_ge_3t_offset": 0.015658,
    "press35_philips_3t": 0.007829,
}
SUMS = {"tNAA": "NAA+NAAG", "tCr": "Cr+PCr", "tCho": "GPC+PCh", "Glx": "Glu+Gln", "Ins": "Ins"}


def lcmodel_area(basis, fwhm_ppm):
    """Return the area that LCModel gives the singlet of creatine, relative to the true one.

    Its routine AREABA: the sum of the points within 5 FWHMBA of the singlet, over a base line
    through the mean of 0.1 ppm on either side (RFWBAS = 10, PPMBAS = 0.1, WSPPM = 3.027).
    """
    fid = basis.fid[basis.names.index("Cr")]
    spectrum = axes.fid_to_spectrum(fid).real
    frequency = axes.frequency_axis(fid.size, basis.dwell_time)
    ppm = axes.hz_to_ppm(frequency, basis.spectrometer_frequency, basis.ppm_reference)
    step = abs(ppm[1] - ppm[0])
    near = np.flatnonzero(np.abs(ppm - 3.027) < 0.08)
    top = near[np.argmax(spectrum[near])]
    half, border = round(5.0 * fwhm_ppm / step), round(0.1 / step)
    left = spectrum[top - half - border : top - half].mean()
    right = spectrum[top + half + 1 : top + half + 1 + border].mean()
    area = (spectrum[top - half : top + half + 1] - 0.5 * (left + right)).sum() / fid.size
    return area / (1.5 * basis.signal_per_proton)  # half of the first point of three protons


@pytest.mark.parametrize(
    ("name", "expected"),
    [("press30_3t", 0.975), ("press35_ge_3t_offset", 0.909), ("press35_philips_3t", 0.919)],
)
def test_window_cuts_the_reference_singlet(data_folder, name, expected):
    """A Lorentzian line of 1 Hz, cut at 5 Hz with the foot subtracted, has 92 % of its area."""
    found = lcmodel_area(mp.read_basis(data_folder / f"basis/{name}.basis"), FWHMBA[name])
    assert found == pytest.approx(expected, abs=0.005)


def test_philips_concentrations_explained(data_folder):
    """The window and the width of the lines account for the difference within 10 %."""
    folder = data_folder / "philips_press_3t"
    basis = mp.read_basis(data_folder / "basis/press35_philips_3t.basis")
    fit = mp.fit(mp.read(folder / "sub-01_PRESS_35_act.sdat"), basis)
    water = mp.read(folder / "sub-01_PRESS_35_ref.sdat")
    found = mp.quantify(fit, water=water).to_frame().set_index("metabolite").concentration
    theirs = json.loads((data_folder / "reference/lcmodel.json").read_text())[
        "philips_press_3t/sub-01"
    ]
    window = lcmodel_area(basis, FWHMBA["press35_philips_3t"])
    width = theirs["fwhm_ppm"] * 127.751 / float(fit.linewidth_hz)
    for ours, name in SUMS.items():
        ratio = theirs["conc"][name] / found[ours]
        assert ratio == pytest.approx(window * width, rel=0.10), ours
