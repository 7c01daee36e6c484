r"""Simulated crossover trials at the level of time points and endpoints, of known truth.

A ratio such as Glx/tNAA of person i in session j, at time t, in percent of the mean rest value:

.. math:: y_{ijt} = 100 + a_i + f(t)\,\big(R + r_i + b_{ij} + \delta_i\,c_{ij} + \pi\,p_{ij}\big)
    + e_{ijt}

with the person a, a response f that is 0 before the infusion and rises as :math:`1 - e^{-t/\tau}`
with a mean of 1 over it, the mean response R, its variation between people r and sessions b, the
treatment effect :math:`\delta`, a period effect :math:`\pi`, and noise e of the spectra whose SD
differs between sessions. The clinical score falls the next day, less under treatment, and more
where the glutamate response was larger.

The standardised treatment effects are those of the model study: F(1, 253) = 4.83 and F(1, 74) =
5.39 with 26 people (Jelen 2025, 10.1038/s41591-025-03800-w), :math:`d = \sqrt{F/26}`. Everything
else is an assumption that can be changed; none is an estimate from that study.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

LABELS: Final = ("placebo", "naltrexone")
_PUBLISHED: Final = {"Glx": 4.83, "MADRS": 5.39}
_PUBLISHED_PEOPLE: Final = 26


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialDesign(Record):
    """What a simulated trial is like. SDs and effects of Glx are in percent of the rest value.

    Parameters
    ----------
    participants : int, default 26
        People.
    baseline_s, infusion_s, bin_s : float, default 600.0, 2400.0, 300.0
        Durations of the baseline, the infusion and a time point [s].
    rest : float, default 1.2
        Ratio Glx/tNAA at rest.
    response : float, default 8.0
        Mean response during the infusion without treatment.
    rise_s : float, default 600.0
        Time constant of the response [s].
    effect_size : float, default sqrt(4.83 / 26)
        Attenuation by the treatment, over the SD of the within-person difference of the endpoint.
    sex_difference : float, default 0.4
        Effect size in men minus that in women.
    person_sd : float, default 8.0
        SD of the rest value between people.
    response_sd : float, default 2.0
        SD of the response between people.
    session_sd : float, default 2.0
        SD of the response between sessions of a person.
    time_point_sd : float, default 4.0
        SD of a time point from its spectra, in a session of median quality.
    quality_spread : float, default 0.2
        SD of the logarithm of that SD between sessions.
    period_effect : float, default 0.0
        Response in the second period minus that in the first.
    dropout : float, default 0.0
        Part of the people without their second session.
    madrs_start, madrs_start_sd : float, default 28.0, 5.0
        Score before the infusion.
    madrs_fall, madrs_sd : float, default 12.0, 6.0
        Fall to the next day without treatment, and its SD between sessions.
    madrs_effect_size : float, default sqrt(5.39 / 26)
        Attenuation of the fall over the SD of its within-person difference.
    madrs_slope : float, default 0.3
        Points of the fall per percent of glutamate response.

    Raises
    ------
    InvalidInputError
        Too few people, negative SDs, or durations that do not hold whole time points.
    """

    participants: int = 26
    baseline_s: float = 600.0
    infusion_s: float = 2400.0
    bin_s: float = 300.0
    rest: float = 1.2
    response: float = 8.0
    rise_s: float = 600.0
    effect_size: float = float(np.sqrt(_PUBLISHED["Glx"] / _PUBLISHED_PEOPLE))
    sex_difference: float = 0.4
    person_sd: float = 8.0
    response_sd: float = 2.0
    session_sd: float = 2.0
    time_point_sd: float = 4.0
    quality_spread: float = 0.2
    period_effect: float = 0.0
    dropout: float = 0.0
    madrs_start: float = 28.0
    madrs_start_sd: float = 5.0
    madrs_fall: float = 12.0
    madrs_sd: float = 6.0
    madrs_effect_size: float = float(np.sqrt(_PUBLISHED["MADRS"] / _PUBLISHED_PEOPLE))
    madrs_slope: float = 0.3

    def __post_init__(self) -> None:
        if self.participants < 4:
            raise InvalidInputError(f"participants = {self.participants}: give at least 4.")
        for name, value in vars(self).items():
            if name.endswith(("_sd", "_spread", "_s", "rest")) and not value >= 0.0:
                raise InvalidInputError(f"{name} = {value!r}: give zero or more.")
        if not 0.0 <= self.dropout < 1.0:
            raise InvalidInputError(f"dropout = {self.dropout!r}: give a part from 0 to below 1.")
        if min(self.baseline_s, self.infusion_s) < self.bin_s or not self.bin_s > 0.0:
            raise InvalidInputError(
                f"bin_s = {self.bin_s:g}: baseline ({self.baseline_s:g} s) and infusion "
                f"({self.infusion_s:g} s) need at least one time point each."
            )
        super().__post_init__()

    @property
    def time_s(self) -> Array:
        """Start of each time point [s]."""
        return np.arange(0.0, self.baseline_s + self.infusion_s - self.bin_s / 2, self.bin_s)

    @property
    def shape(self) -> Array:
        """Response of each time point, 0 before the infusion and with mean 1 during it."""
        after = self.time_s + self.bin_s / 2 - self.baseline_s
        rising = np.where(after > 0.0, -np.expm1(-after / max(self.rise_s, 1e-9)), 0.0)
        return np.asarray(rising / rising[after > 0.0].mean())

    @property
    def endpoint_sd(self) -> float:
        """SD of an endpoint from its spectra [% of rest], in a session of median quality."""
        during = int((self.shape > 0.0).sum())
        before = self.shape.size - during
        return float(self.time_point_sd * np.sqrt(1.0 / during + 1.0 / before))

    @property
    def difference_sd(self) -> float:
        """SD of the within-person difference of the endpoint [% of rest]."""
        return float(np.sqrt(2.0 * (self.session_sd**2 + self.endpoint_sd**2)))

    @property
    def effect_percent(self) -> float:
        """Treatment effect [% of rest], negative: an attenuation."""
        return -self.effect_size * self.difference_sd


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial(Record):
    """Tables of a simulated trial.

    Parameters
    ----------
    design : TrialDesign
        What it was drawn from.
    timecourses, endpoints : pandas.DataFrame
        As a study run writes them: ratio Glx/tNAA; endpoints "auc" (change from baseline in % of
        rest, integrated over the infusion in minutes) and "mean" (its mean).
    participants : pandas.DataFrame
        participant_id, sex.
    scores : pandas.DataFrame
        subject, session, condition, period, madrs_before, madrs_after, madrs_change.
    """

    design: TrialDesign
    timecourses: "pd.DataFrame"
    endpoints: "pd.DataFrame"
    participants: "pd.DataFrame"
    scores: "pd.DataFrame"


def simulate_trial(
    design: TrialDesign | None = None, *, rng: np.random.Generator | int | None = None
) -> Trial:
    """Simulate the tables of a crossover trial of an infusion.

    Parameters
    ----------
    design : TrialDesign, optional
        What the trial is like; its defaults when not given.
    rng : numpy.random.Generator, int or None, default None
        Source of everything random.

    Returns
    -------
    Trial
        Tables.
    """
    import pandas as pd

    design = TrialDesign() if design is None else design
    rng = np.random.default_rng(rng)
    n = design.participants
    first_active = rng.permutation(np.arange(n) % 2 == 1)
    men = rng.permutation(np.arange(n) % 2 == 1)
    treated = np.stack([first_active, ~first_active], axis=1).astype(float)
    response = _responses(design, treated, men, rng)
    quality = np.exp(design.quality_spread * rng.standard_normal((n, 2)))
    level = 100.0 + design.person_sd * rng.standard_normal((n, 1, 1))
    noise = design.time_point_sd * quality[..., None]
    values = level + response[..., None] * design.shape
    values = values + noise * rng.standard_normal(values.shape)
    keys = _keys(treated, kept=rng.random((n, 2)) >= np.array([0.0, design.dropout]))
    people = [f"sub-{i + 1:02d}" for i in range(n)]
    return Trial(
        design=design,
        timecourses=_timecourses(design, keys, values, noise),
        endpoints=_endpoints(design, keys, values, quality),
        participants=pd.DataFrame(
            {"participant_id": people, "sex": np.where(men, "M", "F").tolist()}
        ),
        scores=_scores(design, keys, response, treated, rng),
    )


def _responses(design: TrialDesign, treated: Array, men: Array, rng: np.random.Generator) -> Array:
    """Return the response of each person and session [% of rest]."""
    n = len(treated)
    sizes = design.effect_size + design.sex_difference * (men.astype(float) - men.mean())
    return np.asarray(
        design.response
        + design.response_sd * rng.standard_normal((n, 1))
        + design.session_sd * rng.standard_normal((n, 2))
        - design.difference_sd * sizes[:, None] * treated
        + design.period_effect * np.array([0.0, 1.0])
    )


def _keys(treated: Array, kept: Array) -> list[dict[str, Any]]:
    """Return what names each session, with its place in the arrays."""
    keys = []
    for i, sessions in enumerate(treated.astype(int)):
        order = "-".join(LABELS[label] for label in sessions)
        keys += [
            {
                "place": (i, j),
                "subject": f"{i + 1:02d}",
                "session": f"{j + 1:02d}",
                "condition": LABELS[label],
                "period": j + 1,
                "sequence": order,
            }
            for j, label in enumerate(sessions)
            if kept[i, j]
        ]
    return keys


def _frame(keys: list[dict[str, Any]], repeats: int, columns: dict[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    names = ("subject", "session", "condition", "period", "sequence")
    named = {name: np.repeat([key[name] for key in keys], repeats) for name in names}
    return pd.DataFrame({**named, **columns})


def _timecourses(
    design: TrialDesign, keys: list[dict[str, Any]], values: Array, noise: Array
) -> "pd.DataFrame":
    scale = design.rest / 100.0
    times = design.time_s
    picked = np.array([values[key["place"]] for key in keys])
    sds = np.array([noise[key["place"]] for key in keys])
    columns = {
        "time_s": np.tile(times, len(keys)),
        "duration_s": design.bin_s,
        "metabolite": "Glx",
        "quantity": "ratio",
        "reference": "tNAA",
        "unit": "1",
        "estimate": (scale * picked).ravel(),
        "sd": scale * np.repeat(sds, times.size),
    }
    return _frame(keys, times.size, columns)


def _endpoints(
    design: TrialDesign, keys: list[dict[str, Any]], values: Array, quality: Array
) -> "pd.DataFrame":
    import pandas as pd

    during = design.shape > 0.0
    changes = values[..., during].mean(axis=-1) - values[..., ~during].mean(axis=-1)
    estimate = np.array([changes[key["place"]] for key in keys])
    sd = design.endpoint_sd * np.array([quality[key["place"]] for key in keys])
    minutes = design.infusion_s / 60.0
    parts = []
    for endpoint, unit, factor in (("auc", "% min", minutes), ("mean", "%", 1.0)):
        columns = {
            "metabolite": "Glx",
            "reference": "tNAA",
            "endpoint": endpoint,
            "unit": unit,
            "estimate": factor * estimate,
            "sd": factor * sd,
        }
        parts.append(_frame(keys, 1, columns))
    return pd.concat(parts, ignore_index=True)


def _scores(
    design: TrialDesign,
    keys: list[dict[str, Any]],
    response: Array,
    treated: Array,
    rng: np.random.Generator,
) -> "pd.DataFrame":
    shape = response.shape
    start = design.madrs_start + design.madrs_start_sd * rng.standard_normal(shape)
    own = response - response.mean(axis=1, keepdims=True)
    fall = (
        design.madrs_fall + design.madrs_slope * own + design.madrs_sd * rng.standard_normal(shape)
    )
    fall = fall - design.madrs_effect_size * np.sqrt(2.0) * design.madrs_sd * treated
    before = np.clip(np.round(start), 0, 60)
    after = np.clip(np.round(start - fall), 0, 60)
    places = [key["place"] for key in keys]
    columns = {
        "madrs_before": [before[place] for place in places],
        "madrs_after": [after[place] for place in places],
        "madrs_change": [after[place] - before[place] for place in places],
    }
    return _frame(keys, 1, columns)
