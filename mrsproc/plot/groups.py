"""Groups of people: mean time courses, every person as a small multiple, quality by condition."""

from typing import TYPE_CHECKING, Final

from mrsproc import stats
from mrsproc.errors import InvalidInputError
from mrsproc.plot.style import new_axes, style
from mrsproc.stats.observations import CONTROLS, pick, require, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from mrsproc.preproc.over_time import Interval

SERIES: Final = (
    ("#0072b2", "-", "o"),
    ("#d55e00", "--", "D"),
    ("#007a5a", ":", "s"),
    ("#b0568c", "-.", "^"),
)
"""Colour, line and marker of each condition, the control first."""
_MINUTE_S: Final = 60.0
_SHADE: Final = "#f3ead1"
_PREFERRED: Final = "percent_change"
_QUALITY: Final = {"linewidth_hz": "linewidth (Hz)", "snr": "SNR", "rejected": "left out (%)"}


def group_timecourse(
    timecourses: "pd.DataFrame",
    metabolite: str = "Glx",
    *,
    quantity: str | None = None,
    reference: str | None = None,
    treatment: str = "condition",
    infusion: "Interval | None" = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the mean time course of each condition over people, with 95 % intervals.

    Parameters
    ----------
    timecourses : pandas.DataFrame
        Rows of the study's ``timecourses.tsv``.
    metabolite : str, default "Glx"
        Which metabolite.
    quantity : str, optional
        What to draw; "percent_change" where there are several.
    reference : str, optional
        Denominator, where there are several.
    treatment : str, default "condition"
        Column of the conditions.
    infusion : Infusion or other object with onset and duration [s], optional
        Shaded; minutes then count from its start.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.

    Raises
    ------
    InvalidInputError
        Missing columns, or a metabolite, quantity or reference that is not there.
    """
    rows = _rows(timecourses, metabolite, quantity, reference)
    rows = rows.assign(time_s=rows["time_s"] - _onset(infusion))
    table = stats.group_course(rows, treatment=treatment)
    with style():
        ax = new_axes(ax, (6.0, 3.4))
        _draw_means(ax, table, infusion)
        if _is_change(rows):
            ax.axhline(0.0, color="0.7", lw=0.7, zorder=0)
        ax.set_ylabel(_label(rows, metabolite))
        ax.set_xlabel(_time_label(infusion))
        _legend(ax)
        return ax


def participants(
    timecourses: "pd.DataFrame",
    metabolite: str = "Glx",
    *,
    quantity: str | None = None,
    reference: str | None = None,
    treatment: str = "condition",
    infusion: "Interval | None" = None,
    columns: int = 5,
    axs: "Sequence[Axes] | None" = None,
) -> "list[Axes]":
    """Draw the time courses of every person, one small drawing each, on the same axes.

    Parameters
    ----------
    timecourses : pandas.DataFrame
        Rows of the study's ``timecourses.tsv``.
    metabolite : str, default "Glx"
        Which metabolite.
    quantity : str, optional
        What to draw; "percent_change" where there are several.
    reference : str, optional
        Denominator, where there are several.
    treatment : str, default "condition"
        Column of the conditions.
    infusion : Infusion or other object with onset and duration [s], optional
        Shaded; minutes then count from its start.
    columns : int, default 5
        Drawings side by side.
    axs : sequence of matplotlib Axes, optional
        Where to draw, one for each person; a new figure when not given.

    Returns
    -------
    list of matplotlib Axes
        One for each person, in the order of their labels; bands are the 95 % intervals of the
        spectra alone.

    Raises
    ------
    InvalidInputError
        Missing columns, or a metabolite, quantity or reference that is not there; fewer axes than
        people.
    """
    rows = _rows(timecourses, metabolite, quantity, reference)
    require(rows, ["subject", "session", "sd"], what="timecourses")
    people = sorted(rows["subject"].astype(str).unique())
    with style():
        if axs is None:
            axs = _grid(len(people), columns)
        if len(axs) < len(people):
            raise InvalidInputError(f"{len(axs)} axes for {len(people)} people: give one for each.")
        places = _places(rows, treatment)
        for ax, person in zip(axs, people, strict=False):
            own = rows[rows["subject"].astype(str) == person]
            _draw_person(ax, own, treatment, places, infusion)
            ax.set_title(f"sub-{person}", fontsize=8)
        drawn = list(axs[: len(people)])
        figure = drawn[0].get_figure(root=True)
        assert figure is not None
        figure.supylabel(_label(rows, metabolite), fontsize=9)
        figure.supxlabel(_time_label(infusion), fontsize=9)
        seen = {label: one for ax in drawn for one, label in zip(*_handles(ax), strict=True)}
        handles = [seen[label] for label in places if label in seen]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(SERIES))
        return drawn


def group_quality(
    qc: "pd.DataFrame",
    *,
    treatment: str = "condition",
    infusion: "Interval | None" = None,
    axs: "Sequence[Axes] | None" = None,
) -> "Sequence[Axes]":
    """Draw linewidth, SNR and transients left out over time, by condition.

    Parameters
    ----------
    qc : pandas.DataFrame
        Rows of the study's ``qc.tsv``.
    treatment : str, default "condition"
        Column of the conditions.
    infusion : Infusion or other object with onset and duration [s], optional
        Shaded; minutes then count from its start.
    axs : sequence of three matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    sequence of matplotlib Axes
        Means over people with 95 % intervals.
    """
    import matplotlib.pyplot as plt

    table = stats.quality_course(qc, _onset(infusion), treatment=treatment)
    with style():
        if axs is None:
            axs = plt.subplots(3, 1, figsize=(6.0, 5.4), sharex=True, layout="constrained")[1]
        for ax, (name, label) in zip(axs, _QUALITY.items(), strict=True):
            _draw_means(ax, table[table["outcome"] == name], infusion)
            ax.set_ylabel(label)
        _legend(axs[0])
        axs[-1].set_xlabel(_time_label(infusion))
        return axs


def _rows(
    table: "pd.DataFrame", metabolite: str, quantity: str | None, reference: str | None
) -> "pd.DataFrame":
    require(
        table, ["subject", "time_s", "duration_s", "metabolite", "estimate"], what="timecourses"
    )
    if quantity is None and "quantity" in table and (table["quantity"] == _PREFERRED).any():
        quantity = _PREFERRED
    return pick(
        table, what="timecourses", metabolite=metabolite, quantity=quantity, reference=reference
    )


def _is_change(rows: "pd.DataFrame") -> bool:
    kinds = {"percent_change", "difference", "log_ratio", "change"}
    return "quantity" in rows and rows["quantity"].iloc[0] in kinds


def _label(rows: "pd.DataFrame", metabolite: str) -> str:
    known = list(rows["reference"].dropna().unique()) if "reference" in rows else []
    name = f"{metabolite}/{known[0]}" if known else metabolite
    unit = unit_of(rows, what="timecourses")
    what = ", change from baseline" if _is_change(rows) else ""
    return f"{name}{what}" + (f" ({unit})" if unit not in {"", "1"} else "")


def _time_label(infusion: "Interval | None") -> str:
    return f"time since {'first transient' if infusion is None else 'infusion'} (min)"


def _places(table: "pd.DataFrame", treatment: str) -> dict[str, int]:
    """Return the place of each condition in the colours, the control first."""
    labels = sorted({str(label) for label in table[treatment]}) if treatment in table else ["all"]
    ordered = sorted(labels, key=lambda label: (label.lower() not in CONTROLS, label))
    return {label: place % len(SERIES) for place, label in enumerate(ordered)}


def _onset(infusion: "Interval | None") -> float:
    """Return what counts as time 0 [s]."""
    return 0.0 if infusion is None else float(infusion.onset)


def _shade(ax: "Axes", infusion: "Interval | None") -> None:
    if infusion is not None:
        ax.axvspan(0.0, infusion.duration / _MINUTE_S, color=_SHADE, lw=0, zorder=0)


def _legend(ax: "Axes") -> None:
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(SERIES))


def _draw_means(ax: "Axes", table: "pd.DataFrame", infusion: "Interval | None") -> None:
    _shade(ax, infusion)
    for label, place in _places(table, "condition").items():
        part = table[table["condition"] == label]
        minutes = part["time_s"] / _MINUTE_S
        colour, line, marker = SERIES[place]
        ax.fill_between(minutes, part["ci_low"], part["ci_high"], color=colour, alpha=0.15, lw=0)
        people = f"{label} (n = {int(part['people'].max())})"
        ax.plot(minutes, part["estimate"], ls=line, marker=marker, ms=3, color=colour, label=people)


def _grid(count: int, columns: int) -> "list[Axes]":
    import matplotlib.pyplot as plt

    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    size = (1.6 * columns + 0.5, 1.3 * rows + 0.5)
    axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False,
                        layout="constrained")[1].ravel()  # fmt: skip
    for ax in axes[count:]:
        ax.set_visible(False)
    for ax in axes[max(count - columns, 0) : count]:
        ax.xaxis.set_tick_params(labelbottom=True)
    return list(axes)


def _handles(ax: "Axes") -> "tuple[list[Artist], list[str]]":
    handles, labels = ax.get_legend_handles_labels()
    return list(handles), list(labels)


def _draw_person(
    ax: "Axes",
    rows: "pd.DataFrame",
    treatment: str,
    places: dict[str, int],
    infusion: "Interval | None",
) -> None:
    _shade(ax, infusion)
    if _is_change(rows):
        ax.axhline(0.0, color="0.7", lw=0.6, zorder=0)
    keys = [treatment, "session"] if treatment in rows else ["session"]
    for key, own in rows.sort_values("time_s").groupby(keys, dropna=False):
        label = str(key[0]) if treatment in rows else "all"
        colour, line, _ = SERIES[places[label]]
        minutes = (own["time_s"] + own["duration_s"] / 2.0 - _onset(infusion)) / _MINUTE_S
        half = 1.96 * own["sd"]
        low, high = own["estimate"] - half, own["estimate"] + half
        ax.fill_between(minutes, low, high, color=colour, alpha=0.15, lw=0)
        ax.plot(minutes, own["estimate"], ls=line, lw=1.1, color=colour, label=label)
