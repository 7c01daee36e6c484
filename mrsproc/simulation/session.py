r"""Raw recordings of an infusion session whose truth is known.

Transient n at onset :math:`\tau_n` is

.. math::

   y_n(t) = e(t)\, \bigl[ g_n\, (M_n(t)\, e^{-\pi w_n t} + B(t) + L_n(t)) + W_n(t) \bigr]\,
   e^{-i (2 \pi f_n t + \phi_n)} + \epsilon_n(t),

   M_n(t) = G(t) \sum_m c_m (1 + a_m r_m(\tau_n))\, b_m(t)\,
   e^{-2 \pi i \delta_m t - \pi \lambda_m t}

with concentrations :math:`c`, effects :math:`a`, responses :math:`r`, shifts :math:`\delta` and
Lorentzian widths :math:`\lambda` of single signals, a common Gaussian decay :math:`G`, drug-bound
change of linewidth :math:`w_n = -w r(\tau_n)`, gain :math:`g_n`, frequency :math:`f_n` and phase
:math:`\phi_n` (positive towards higher ppm), a smooth background B, lipids L and residual water W
that differ from one transient to the next, and eddy currents :math:`e(t) = \exp(i \theta
e^{-t/\tau})`. Coils multiply this by their sensitivities and have correlated noise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES, BasisSet
from mrsproc.data import Acquisition, MRSData, Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.responses import Response
from mrsproc.simulation import parts
from mrsproc.simulation.example import CONCENTRATIONS_MM, EXAMPLE_ACQUISITION, example_basis
from mrsproc.simulation.options import SessionOptions

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd

Shape = Callable[[Array], ArrayLike] | Response
"""What moves in time: a function of onset times [s], or a response of `mrsproc.responses`."""
RISE_S: Final = 240.0
"""Time constant of the default response during the infusion [s]."""
DECAY_S: Final = 900.0
"""Time constant of the default response after the infusion [s]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulatedSession(Record):
    """A recording, its water reference, and the truth about both.

    Parameters
    ----------
    data : MRSData
        Dims ("coil",) "transient", "time".
    water : MRSData
        Water reference with the same coils.
    basis : BasisSet
        Basis set, without the macromolecules that were added.
    concentrations : mapping of str to float
        Amplitudes before the drug, of metabolites and macromolecules [mM].
    effects : mapping of str to float
        Part of the concentration that is added per unit of response.
    time_s, frequency_hz, phase_rad, gain, extra_linewidth_hz : ndarray, shape (n_transients,)
        Onset [s], frequency [Hz] and phase [rad] (positive towards higher ppm), common gain, and
        change of linewidth [Hz].
    responses : mapping of str to ndarray
        Response of each metabolite that has an effect, shape (n_transients,).
    ruin : ndarray of str, shape (n_transients,)
        How a transient was ruined; empty for a good one.
    noise_sd : float
        SD of the real part of the noise of a FID point, of the best combination of coils.
    sensitivity : ndarray of complex, shape (n_coils,), or None
        Coil sensitivities.
    noise_covariance : ndarray of complex, shape (n_coils, n_coils), or None
        Covariance of the complex noise over coils.
    options : SessionOptions
        What was asked for.
    """

    data: MRSData
    water: MRSData
    basis: BasisSet
    concentrations: Mapping[str, float]
    effects: Mapping[str, float]
    time_s: Array
    frequency_hz: Array
    phase_rad: Array
    gain: Array
    extra_linewidth_hz: Array
    responses: Mapping[str, Array]
    ruin: Array
    noise_sd: float
    sensitivity: Array | None
    noise_covariance: Array | None
    options: SessionOptions

    @property
    def ruined(self) -> Array:
        """Whether each transient was ruined, shape (n_transients,)."""
        return np.asarray(self.ruin != "")

    def timecourse(self, metabolite: str) -> Array:
        """Return the true concentration at each transient, without gain.

        Parameters
        ----------
        metabolite : str
            Signal of the basis set.

        Returns
        -------
        ndarray, shape (n_transients,)
            Concentration [mM].

        Raises
        ------
        InvalidInputError
            Unknown metabolite.
        """
        if metabolite not in self.concentrations:
            raise InvalidInputError(
                f"no metabolite {metabolite!r}. {suggest(metabolite, self.concentrations)}"
            )
        rest = self.concentrations[metabolite]
        effect = self.effects.get(metabolite, 0.0)
        return rest * (1.0 + effect * self.responses.get(metabolite, np.zeros_like(self.time_s)))

    def to_frame(self) -> "pd.DataFrame":
        """Return the truth, one row a transient.

        Returns
        -------
        pandas.DataFrame
            Columns time_s, frequency_hz, phase_rad, extra_linewidth_hz, gain, ruin, and one for
            each metabolite [mM].
        """
        import pandas as pd

        columns = {
            "time_s": self.time_s, "frequency_hz": self.frequency_hz, "phase_rad": self.phase_rad,
            "extra_linewidth_hz": self.extra_linewidth_hz, "gain": self.gain, "ruin": self.ruin,
        }  # fmt: skip
        names = [name for name in self.concentrations if not name.startswith(BROAD_PREFIXES)]
        return pd.DataFrame({**columns, **{name: self.timecourse(name) for name in names}})

    def write_bids(
        self,
        folder: "str | os.PathLike[str]",
        *,
        subject: str = "01",
        session: str = "01",
        condition: str | None = None,
    ) -> "list[Path]":
        """Write the session into a BIDS data set, and add its rows to the tables at the root.

        Parameters
        ----------
        folder : path
            Root of the data set; made where it is missing.
        subject, session : str, default "01"
            Labels, letters and digits only.
        condition : str, optional
            Treatment, for ``sessions.tsv``.

        Returns
        -------
        list of pathlib.Path
            Recording, water reference, events, truth.

        Raises
        ------
        InvalidInputError
            A label that BIDS does not allow.
        """
        from mrsproc.simulation.bids import write_session

        return write_session(self, folder, subject=subject, session=session, condition=condition)

    def __repr__(self) -> str:
        sizes = " x ".join(f"{size} {dim}" for dim, size in self.data.sizes.items())
        moved = ", ".join(f"{name} {100 * part:+.3g} %" for name, part in self.effects.items())
        return (
            f"SimulatedSession({sizes}, SNR {self.options.snr:g}, "
            f"{int(self.ruined.sum())} ruined, effects: {moved or 'none'})"
        )


def infusion_response(onset: float, duration: float) -> Callable[[Array], Array]:
    """Return the default response: a rise during the infusion and a slower decay after it.

    Parameters
    ----------
    onset, duration : float
        The infusion [s].

    Returns
    -------
    callable
        Of onset times [s]: ``1 - exp(-t / 240 s)`` from the onset on, a decay with 900 s after the
        end.

    Examples
    --------
    >>> infusion_response(300.0, 400.0)(np.array([0.0, 540.0])).round(4).tolist()
    [0.0, 0.6321]
    """

    def response(time: Array) -> Array:
        during = np.clip(time - onset, 0.0, duration)
        after = np.maximum(time - onset - duration, 0.0)
        return np.asarray((1.0 - np.exp(-during / RISE_S)) * np.exp(-after / DECAY_S))

    return response


def simulate(
    basis: BasisSet | None = None,
    options: SessionOptions | None = None,
    *,
    effects: Mapping[str, float] | None = None,
    response: Shape | Mapping[str, Shape] | None = None,
    concentrations: Mapping[str, float] | None = None,
    rng: np.random.Generator | int | None = None,
) -> SimulatedSession:
    """Simulate a raw infusion session of known truth.

    Parameters
    ----------
    basis : BasisSet, optional
        Signals of 1 mM each; PRESS, TE 35 ms, 3 T, simulated here, when not given. Built-in
        macromolecules are added when it holds none.
    options : SessionOptions, optional
        What is recorded and what disturbs it; the defaults when not given.
    effects : mapping of str to float, optional
        Part of its concentration that a metabolite gains per unit of response; none when not given.
    response : callable, Response or mapping of str to those, optional
        Shape in time: a function of onset times [s] that returns as many values, or a response of
        `mrsproc.responses` such as ``Infusion(...).response()`` (unknowns at their start), for all
        metabolites or for each one of `effects`; `infusion_response` when not given.
    concentrations : mapping of str to float, optional
        Concentrations before the drug [mM] in place of the usual ones; a signal without a usual
        one has 0.
    rng : Generator, int or None, optional
        Source of everything that is random.

    Returns
    -------
    SimulatedSession
        Recording, water reference and truth.

    Raises
    ------
    InvalidInputError
        Unknown metabolites, a response of the wrong length or with NaN, or a basis set that tells
        no size of a proton's signal.

    Notes
    -----
    The model stands at the head of `mrsproc.simulation.session`. SNR is Kreis 2021's
    (10.1002/nbm.4347); sizes of drift and of gain changes are those of Near 2021
    (10.1002/nbm.4257).
    """
    options = options or SessionOptions()
    effects = dict(effects or {})
    rng = np.random.default_rng(rng)
    acquisition = _acquisition(basis, options)
    basis = example_basis() if basis is None else basis
    signals = _signals(basis, acquisition, options)
    amounts = _amounts(signals, concentrations or {}, options.concentration_sd, rng)
    onset = options.repetition_time * np.arange(options.n_transients)
    shapes = _shapes(effects, response, options, onset, signals)
    narrowing = -options.line_narrowing_hz * _common_shape(response, options, onset)
    courses = np.tile(amounts, (onset.size, 1))
    for name, shape in shapes.items():
        courses[:, signals.index(name)] *= 1.0 + effects[name] * shape
    clean = courses @ parts.broadened(signals, options, rng)
    clean = clean * np.exp(-np.pi * narrowing[:, None] * signals.time)
    height = parts.tallest_height(clean[0], acquisition)
    truth = parts.disturbances(options, rng)
    noise_sd = height / options.snr / np.sqrt(options.n_points)
    recorded = parts.recorded(clean, height, truth, signals, options, rng=rng)
    sensitivity, covariance = parts.coils(options, noise_sd, rng)
    receive = parts.Receiver(acquisition, sensitivity, covariance, noise_sd)
    return SimulatedSession(
        data=receive(recorded, rng, onset=onset),
        water=receive(parts.reference(signals, options), rng, onset=None),
        basis=basis,
        concentrations=dict(zip(signals.names, amounts.tolist(), strict=True)),
        effects=effects,
        time_s=onset,
        frequency_hz=truth.frequency_hz,
        phase_rad=truth.phase_rad,
        gain=truth.gain,
        extra_linewidth_hz=narrowing,
        responses=shapes,
        ruin=truth.ruin,
        noise_sd=noise_sd,
        sensitivity=sensitivity,
        noise_covariance=covariance,
        options=options,
    )


def _signals(basis: BasisSet, acquisition: Acquisition, options: SessionOptions) -> BasisSet:
    """Return the basis set with macromolecules, on the points of the recording."""
    broad = [name for name in CONCENTRATIONS_MM if name.startswith(BROAD_PREFIXES)]
    full = basis if basis.has_broad_signals else basis.with_macromolecules(broad)
    signals = full.resampled_to(acquisition, options.n_points)
    if not np.isfinite(signals.signal_per_proton):
        raise InvalidInputError(
            "the basis set holds none of Cr, PCr and NAA: without them the size of the water "
            "reference is not known."
        )
    return signals


def _acquisition(basis: BasisSet | None, options: SessionOptions) -> Acquisition:
    """Return what is known of the recording: TE and sequence only of the own basis set."""
    if basis is None:
        known = EXAMPLE_ACQUISITION
    else:
        known = Acquisition(
            spectrometer_frequency=basis.spectrometer_frequency,
            dwell_time=options.dwell_time,
            echo_time=options.echo_time,
            ppm_reference=basis.ppm_reference,
        )
    return known.replace(dwell_time=options.dwell_time, repetition_time=options.repetition_time)


def _amounts(
    signals: BasisSet, given: Mapping[str, float], spread: float, rng: np.random.Generator
) -> Array:
    """Return the concentration of each signal before the drug [mM]."""
    for name in given:
        signals.index(name)
    amounts = np.zeros(len(signals))
    for table in (CONCENTRATIONS_MM, given):
        for name, value in table.items():
            if name in signals:
                amounts[signals.index(name)] = value
    return np.asarray(amounts * np.exp(spread * rng.normal(size=amounts.size)))


def _evaluated(response: Shape, onset: Array, name: str) -> Array:
    if isinstance(response, Response):
        starts = np.array([unknown.start[0] for unknown in response.unknowns()])
        values = np.asarray(response.columns(onset, starts).sum(axis=1), float)
    else:
        values = np.asarray(response(onset), float)
    if values.shape != onset.shape or not np.isfinite(values).all():
        raise InvalidInputError(
            f"the response of {name} gives shape {values.shape} for {onset.size} onset times: it "
            "must give one finite value for each."
        )
    return values


def _shapes(
    effects: Mapping[str, float],
    response: Shape | Mapping[str, Shape] | None,
    options: SessionOptions,
    onset: Array,
    signals: BasisSet,
) -> dict[str, Array]:
    """Return the response of each metabolite that has an effect."""
    default = infusion_response(options.infusion_onset, options.infusion_duration)
    shapes = {}
    for name in effects:
        signals.index(name)
        if isinstance(response, Mapping):
            if name not in response:
                raise InvalidInputError(
                    f"effects has {name!r}, response has not. {suggest(name, response)}"
                )
            shapes[name] = _evaluated(response[name], onset, name)
        else:
            shapes[name] = _evaluated(response or default, onset, name)
    return shapes


def _common_shape(
    response: Shape | Mapping[str, Shape] | None, options: SessionOptions, onset: Array
) -> Array:
    """Return the response that lines narrow with: the common one, else the default."""
    if response is not None and not isinstance(response, Mapping):
        return _evaluated(response, onset, "the lines")
    return np.asarray(infusion_response(options.infusion_onset, options.infusion_duration)(onset))
