"""A small problem for the fit, made once."""

import numpy as np
import pytest

from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.solve import Spectrum


@pytest.fixture
def setup(synthetic):
    """Return (problem, spectrum, templates, data) of one noisy spectrum."""
    data = synthetic.data(noise=0.6, phase=0.3, shift_ppm=0.01)
    batch = batch_for(data, synthetic.basis, FitOptions())
    problem, n = batch.problem, batch.problem.n_basis
    rng = np.random.default_rng(1)
    spectrum = Spectrum(
        values=problem.band.of_data(np.asarray(data.fid)),
        noise=0.6 * np.sqrt(1024),
        sigma=0.7 * np.sqrt(1024),
        stiffness=problem.baseline.stiffness_for(3.0),
        nodes=problem.baseline.stiffness_for(3.0) * np.array([0.6, 1.0, 1.6]),
        prior=problem.prior,
        ratio_precision=np.zeros((n, n)),
        volume_slope=rng.normal(size=3 + 2 * n),
    )
    return problem, spectrum, batch.templates, data
