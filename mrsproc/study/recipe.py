"""`Recipe`: how every session of a study is analysed, declared once."""

import dataclasses
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_type_hints

from mrsproc.data import MRSData, Record
from mrsproc.dynamics.endpoints import UNITS
from mrsproc.errors import FormatError, InvalidInputError, suggest
from mrsproc.files import content_hash
from mrsproc.fitting.options import FitOptions
from mrsproc.preproc import PreprocessOptions
from mrsproc.responses import Infusion, Response, Smooth
from mrsproc.responses.kinetics import PUBLISHED
from mrsproc.study.declared import checked, options_from
from mrsproc.timeline import repetition, transient_onsets

SequenceName = Literal["press", "steam", "slaser", "special", "spin_echo", "pulse_acquire"]
SEQUENCES: Final[tuple[str, ...]] = get_args(SequenceName)
"""Sequences whose basis set can be simulated without more than an echo time."""
_FIXED: Final = ("constant", "free")
_SHAPES: Final = ("rise_and_decay", *PUBLISHED)
RESPONSES: Final = (*_FIXED, "smooth", *_SHAPES)
ENDPOINTS: Final = (*UNITS, "response")
"""Endpoints of a time course, and the response that a shape is scaled by."""
_SECTIONS: Final = {"preprocess": PreprocessOptions, "fit": FitOptions}


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe(Record):
    """How every session of a study is analysed.

    Times are in s since the first transient of a session.

    Parameters
    ----------
    responses : mapping of str to str or Response, optional
        What metabolites do over time: "constant", "free" (an amplitude in each time bin), "smooth",
        "rise_and_decay" (time constants estimated), a drug with published kinetics ("ketamine"),
        or in Python a response of `mrsproc.responses`. Keys are signals, sums, or "*" for all
        others. Glx and tNAA are free when not given. All but "constant" and "free" need the time of
        the infusion.
    metabolites : tuple of str, default ("Glx", "Glu", "Gln")
        What the tables hold.
    reference : str, default "tNAA"
        Denominator of the metabolites; "none" for amplitudes.
    baseline : tuple of float, optional
        Start and end of the baseline [s]; up to the start of the infusion when not given.
    endpoints : tuple of str, default ("mean", "auc", "plateau")
        Of the percent change from baseline after the start of the infusion: mean, plateau, auc,
        slope, peak, time_to_peak; and "response", what is added at the height of the shape of a
        drug's response, in percent of the amplitude at rest.
    bin_width : float, default 60.0
        Width of the time bins [s].
    event : str, optional
        ``trial_type`` of the infusion in the events files; when not given the only event of a file,
        or of several the one called infusion.
    infusion : tuple of float, optional
        Onset and duration of the infusion [s], in place of the events files.
    basis : str, optional
        Basis set: a file or folder; in a TOML file relative to it.
    sequence : str, optional
        "press", "steam", "slaser", "special", "spin_echo" or "pulse_acquire": simulate the basis
        set with ideal pulses. That of the header when not given.
    echo_time : float, optional
        Echo time of the simulated basis set [s]; that of the header when not given.
    water_reference : {"auto", "none"}, default "auto"
        Whether water references are used: with "auto" every session must have one if any has, so
        that all are analysed alike; "none" leaves them all out.
    save_clean : bool, default False
        Whether the clean transients are written as NIfTI-MRS.
    seed : int, default 0
        Of the draws behind the SDs of peak and time_to_peak.
    preprocess : PreprocessOptions, optional
        Options of preprocessing.
    fit : FitOptions, optional
        Options of the fit, such as ``ppm``.

    Raises
    ------
    InvalidInputError
        A value that is not allowed; a function as a response.
    """

    responses: Mapping[str, str | Response] = field(
        default_factory=lambda: {"Glx": "free", "tNAA": "free"}
    )
    metabolites: tuple[str, ...] = ("Glx", "Glu", "Gln")
    reference: str = "tNAA"
    baseline: tuple[float, float] | None = None
    endpoints: tuple[str, ...] = ("mean", "auc", "plateau")
    bin_width: float = 60.0
    event: str | None = None
    infusion: tuple[float, float] | None = None
    basis: str | None = None
    sequence: SequenceName | None = None
    echo_time: float | None = None
    water_reference: Literal["auto", "none"] = "auto"
    save_clean: bool = False
    seed: int = 0
    preprocess: PreprocessOptions = field(default_factory=PreprocessOptions)
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        for name, hint in _hints().items():
            object.__setattr__(self, name, checked(getattr(self, name), hint, name))
        self._check_responses()
        self._check_quantities()
        self._check_times()
        super().__post_init__()

    def _check_responses(self) -> None:
        if not self.responses:
            raise InvalidInputError("responses: give at least one, such as {'Glx': 'free'}.")
        for name, response in self.responses.items():
            where = f"responses: {name} = {response!r}"
            if isinstance(response, Response):
                continue
            if callable(response):
                raise InvalidInputError(
                    f"{where}: a function cannot go to other processes or stand in the record of "
                    "the run. Give a name or a declared response of mrsproc.responses, such as "
                    f"Samples. Known: {', '.join(RESPONSES)}."
                )
            if response not in RESPONSES:
                raise InvalidInputError(f"{where}. {suggest(str(response), RESPONSES)}")

    def _check_quantities(self) -> None:
        if not self.metabolites:
            raise InvalidInputError("metabolites: give at least one, such as ['Glx'].")
        if self.reference in self.metabolites:
            raise InvalidInputError(
                f"reference = {self.reference!r} is among the metabolites: its ratio to itself is "
                "1. Take it out, or give reference = 'none'."
            )
        for endpoint in self.endpoints:
            if endpoint not in ENDPOINTS:
                raise InvalidInputError(
                    f"endpoints: {endpoint!r} is none. {suggest(endpoint, ENDPOINTS)}"
                )
        shaped = [one for one in self.responses.values() if one not in (*_FIXED, "smooth")]
        if "response" in self.endpoints and not shaped:
            raise InvalidInputError(
                "endpoints: 'response' needs a response of given shape, and all are "
                f"{', '.join(sorted({str(one) for one in self.responses.values()}))}. Give for "
                f"example responses = {{'Glx': 'ketamine'}}, one of {', '.join(_SHAPES)}."
            )

    def _check_times(self) -> None:
        if not self.bin_width > 0.0:
            raise InvalidInputError(f"bin_width = {self.bin_width!r}: give seconds above 0.")
        if self.echo_time is not None and not 0.0 <= self.echo_time < 1.0:
            raise InvalidInputError(f"echo_time = {self.echo_time!r}: give seconds, such as 0.035.")
        if self.baseline is not None and not 0.0 <= self.baseline[0] < self.baseline[1]:
            raise InvalidInputError(
                f"baseline = {self.baseline}: give its start and end in s since the first "
                "transient."
            )
        if self.infusion is not None:
            Infusion(onset=self.infusion[0], duration=self.infusion[1])
        if self.seed < 0:
            raise InvalidInputError(f"seed = {self.seed}: give 0 or more.")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Recipe":
        """Read a recipe from a TOML file.

        Parameters
        ----------
        path : path
            Keys are the parameters of `Recipe`; ``[responses]``, ``[preprocess]`` and ``[fit]`` are
            tables.

        Returns
        -------
        Recipe
            The recipe.

        Raises
        ------
        FormatError
            Not TOML; the message names the line.
        InvalidInputError
            An unknown key or a value that is not allowed; the message names it and what is.
        """
        source = Path(path)
        try:
            table = tomllib.loads(source.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FormatError(f"{source}: not a TOML file: {error}.") from error
        for name, kind in _SECTIONS.items():
            if name in table:
                given = checked(table[name], Mapping[str, Any], f"{source}: {name}")
                table[name] = options_from(kind, given, f"{source}, [{name}]")
        if isinstance(table.get("basis"), str):
            table["basis"] = str(source.parent / table["basis"])
        return options_from(cls, table, str(source))

    def to_dict(self) -> dict[str, Any]:
        """Return all values but the place of the basis set, whose content counts."""
        table: dict[str, Any] = {}
        for name in (one.name for one in dataclasses.fields(self) if one.name != "basis"):
            value = getattr(self, name)
            table[name] = dict(vars(value)) if name in _SECTIONS else value
        table["responses"] = {name: _word(one) for name, one in self.responses.items()}
        return table

    def hash(self) -> str:
        """Return what two recipes share only if they give the same results."""
        return content_hash(json.dumps(self.to_dict(), sort_keys=True))

    def asked(self, data: MRSData, infusion: Infusion | None) -> dict[str, str | Response]:
        """Return the responses of a session.

        Parameters
        ----------
        data : MRSData
            The session's transients.
        infusion : Infusion or None
            Its infusion.

        Returns
        -------
        dict
            For `mrsproc.fit_dynamic`.
        """
        return {name: _response(one, data, infusion) for name, one in self.responses.items()}


def _hints() -> dict[str, Any]:
    """Return the types of the fields."""
    hints = get_type_hints(Recipe)
    return {one.name: hints[one.name] for one in dataclasses.fields(Recipe)}


def _word(response: str | Response) -> str:
    return response if isinstance(response, str) else repr(response)


def _response(asked: str | Response, data: MRSData, infusion: Infusion | None) -> str | Response:
    if isinstance(asked, Response) or asked in _FIXED:
        return asked
    if infusion is None:
        raise InvalidInputError(
            f"the response {asked!r} needs the time of the infusion: add an events.tsv, or "
            "infusion = [onset, duration] in the recipe."
        )
    if asked == "smooth":
        onsets = transient_onsets(data)
        return Smooth(duration=float(onsets[-1]) + repetition(onsets), start=infusion.onset)
    if asked == "rise_and_decay":
        return infusion.rise_and_decay()
    return dataclasses.replace(infusion, drug=asked).response()
