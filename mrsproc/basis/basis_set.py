"""`BasisSet`: the spectra of single metabolites that a fit combines."""

import dataclasses
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis.names import BROAD_PREFIXES, SYNONYMS
from mrsproc.basis.resampling import band_limited
from mrsproc.basis.singlets import METHYL_SINGLETS, Axis, signal_of_proton, singlet_position
from mrsproc.constants import MACROMOLECULES, BroadLine
from mrsproc.data import Acquisition, Record
from mrsproc.errors import BasisError, DataWarning, InvalidInputError, suggest
from mrsproc.lineshape import voigt_decay

_FIELD_TOLERANCE: Final = 0.01
_DECAYED: Final = 0.02  # part of the largest magnitude that may be left where zeros follow


@dataclass(frozen=True, eq=False, kw_only=True)
class BasisSet(Record):
    """FIDs of single signals at unit amplitude.

    Parameters
    ----------
    names : sequence of str
        A name for each signal, kept as given.
    fid : array_like of complex, shape (n_basis, n_points)
        FIDs, first point whole. An amplitude of 1 in a fit means: this FID, times 1.
    dwell_time : float
        Sampling interval [s].
    spectrometer_frequency : float
        Larmor frequency [MHz].
    ppm_reference : float, default 4.65
        Chemical shift at zero frequency [ppm].
    source : str, default ""
        Where it comes from and what was done to it.

    Raises
    ------
    BasisError
        Names that do not fit the FIDs or stand twice, FIDs that are empty, not finite or all zero.
    """

    names: tuple[str, ...]
    fid: Array
    dwell_time: float
    spectrometer_frequency: float
    ppm_reference: float = 4.65
    source: str = ""

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        fid = np.asarray(self.fid)
        if (
            fid.ndim != 2
            or fid.dtype.kind not in "iufc"
            or fid.shape[0] != len(names)
            or fid.size == 0
        ):
            raise BasisError(
                f"fid of shape {fid.shape} for {len(names)} names: give one complex FID (a "
                "row) for each name."
            )
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise BasisError(
                f"the names {', '.join(doubled)} stand more than once: each signal needs its own."
            )
        finite, zero = np.isfinite(fid).all(axis=1), ~fid.any(axis=1)
        for bad, what in ((~finite, "hold NaN or infinite values"), (zero, "are zero everywhere")):
            if bad.any():
                raise BasisError(
                    f"the FIDs of {', '.join(np.array(names)[bad])} {what}: leave them out or "
                    "simulate them again."
                )
        Acquisition(
            spectrometer_frequency=self.spectrometer_frequency, dwell_time=self.dwell_time
        )  # the same limits hold
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "fid", fid.astype(np.complex128, copy=False))
        super().__post_init__()

    @property
    def n_points(self) -> int:
        """Number of time points."""
        return int(self.fid.shape[1])

    @property
    def time(self) -> Array:
        """Time since the start of the FIDs [s]."""
        return axes.time_axis(self.n_points, self.dwell_time)

    @property
    def ppm(self) -> Array:
        """Chemical shift of the points of the spectra [ppm], descending."""
        frequency = axes.frequency_axis(self.n_points, self.dwell_time)
        return axes.hz_to_ppm(frequency, self.spectrometer_frequency, self.ppm_reference)

    @property
    def spectrum(self) -> Array:
        """Complex spectra, first point of the FIDs halved."""
        return axes.fid_to_spectrum(self.fid)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def _find(self, name: str) -> int | None:
        if name in self.names:
            return self.names.index(name)
        for group in SYNONYMS:
            if name in group:
                return next((i for i, known in enumerate(self.names) if known in group), None)
        return None

    def index(self, name: str) -> int:
        """Return the row of a signal, found by its name or a synonym.

        Parameters
        ----------
        name : str
            Name, for example "Ins" or "mI".

        Returns
        -------
        int
            Row of `fid`.

        Raises
        ------
        BasisError
            There is no such signal.
        """
        found = self._find(name)
        if found is None:
            raise BasisError(f"no signal {name!r} in the basis set. {suggest(name, self.names)}")
        return found

    def select(self, names: Sequence[str]) -> Self:
        """Return a basis set of some signals, in the order given.

        Parameters
        ----------
        names : sequence of str
            Names or synonyms.

        Returns
        -------
        BasisSet
            The part.
        """
        rows = [self.index(name) for name in names]
        return dataclasses.replace(
            self, names=tuple(self.names[i] for i in rows), fid=self.fid[rows]
        )

    def without(self, names: Iterable[str]) -> Self:
        """Return a basis set that lacks some signals.

        Parameters
        ----------
        names : iterable of str
            Names or synonyms.

        Returns
        -------
        BasisSet
            The rest.
        """
        drop = {self.index(name) for name in names}
        return self.select([name for i, name in enumerate(self.names) if i not in drop])

    def combined_with(self, other: "BasisSet") -> Self:
        """Return a basis set with the signals of another one added.

        Parameters
        ----------
        other : BasisSet
            Signals on the same time axis, with other names.

        Returns
        -------
        BasisSet
            Both.

        Raises
        ------
        BasisError
            Time axes or fields differ (resample one to the other), or a name stands in both.
        """
        same = (
            self.n_points == other.n_points
            and np.isclose(self.dwell_time, other.dwell_time, rtol=1e-6)
            and np.isclose(self.spectrometer_frequency, other.spectrometer_frequency, rtol=1e-6)
            and np.isclose(self.ppm_reference, other.ppm_reference)
        )
        if not same:
            raise BasisError(
                "the two basis sets have different axes: bring both to one acquisition with "
                "resampled_to()."
            )
        source = "; ".join(part for part in (self.source, other.source) if part)
        return dataclasses.replace(
            self,
            names=(*self.names, *other.names),
            fid=np.concatenate([self.fid, other.fid]),
            source=source,
        )

    @property
    def has_broad_signals(self) -> bool:
        """Whether a signal is named like a macromolecule or lipid."""
        return any(name.startswith(BROAD_PREFIXES) for name in self.names)

    def with_macromolecules(self, names: Iterable[str] = tuple(MACROMOLECULES)) -> Self:
        """Return a basis set with Gaussian macromolecule and lipid signals added.

        Parameters
        ----------
        names : iterable of str
            Which of `mrsproc.constants.MACROMOLECULES`; all when not given.

        Returns
        -------
        BasisSet
            With unit amplitude meaning the number of protons of the table, scaled as a singlet of
            as many protons.

        Raises
        ------
        BasisError
            Unknown name.
        """
        chosen = list(names)
        for name in chosen:
            if name not in MACROMOLECULES:
                raise BasisError(
                    f"no built-in macromolecule {name!r}. {suggest(name, MACROMOLECULES)}"
                )
        unit = self._proton() or 1.0
        fid = unit * np.array([self._broad_fid(MACROMOLECULES[name]) for name in chosen])
        broad = dataclasses.replace(
            self, names=tuple(chosen), fid=fid, source="macromolecules: LCModel manual"
        )
        return self.combined_with(broad)

    def _broad_fid(self, lines: Iterable[BroadLine]) -> Array:
        time = self.time
        fid = np.zeros(self.n_points, complex)
        for line in lines:
            frequency = float(
                axes.ppm_to_hz(line.ppm, self.spectrometer_frequency, self.ppm_reference)
            )
            decay = voigt_decay(time, 0.0, line.fwhm_ppm * self.spectrometer_frequency)
            fid += line.protons * decay * np.exp(2j * np.pi * frequency * time)
        return fid

    def _axis(self) -> Axis:
        return Axis(self.dwell_time, self.spectrometer_frequency, self.ppm_reference)

    def _proton(self) -> complex | None:
        """Return the first point of the FID of one proton; None without a methyl singlet."""
        for name, ppm in METHYL_SINGLETS.items():
            if name in self:
                return signal_of_proton(np.asarray(self.fid[self.index(name)]), self._axis(), ppm)
        return None

    @property
    def signal_per_proton(self) -> float:
        """Magnitude of the first point of one proton's FID, from the singlet of Cr, PCr or NAA.

        NaN where the set holds none of them.
        """
        unit = self._proton()
        return float("nan") if unit is None else abs(unit)

    def checked_against(self, acquisition: Acquisition) -> None:
        """Refuse a basis set of another field strength or nucleus.

        Parameters
        ----------
        acquisition : Acquisition
            How the data were recorded.

        Raises
        ------
        BasisError
            The Larmor frequencies differ by more than 1 %.
        """
        ratio = self.spectrometer_frequency / acquisition.spectrometer_frequency
        if abs(ratio - 1.0) > _FIELD_TOLERANCE:
            raise BasisError(
                f"the basis set is for {self.spectrometer_frequency:.6g} MHz, the data were "
                "recorded at "
                f"{acquisition.spectrometer_frequency:.6g} MHz ({acquisition.nucleus}): field "
                "strength or nucleus differ. "
                "Use a basis set for this scanner, or simulate one for the acquisition."
            )

    def dwell_time_for(self, acquisition: Acquisition) -> float:
        """Return the sampling interval [s] at which the ppm axis is that of the data.

        Larmor frequencies of scanners of one make differ by parts per thousand; chemical shifts,
        not frequencies, are what a basis set predicts.
        """
        return self.dwell_time * self.spectrometer_frequency / acquisition.spectrometer_frequency

    def covers(self, acquisition: Acquisition, ppm: tuple[float, float]) -> bool:
        """Tell whether the band of the basis set holds a range of chemical shifts.

        Parameters
        ----------
        acquisition : Acquisition
            How the data were recorded.
        ppm : tuple of float
            Range [ppm].

        Returns
        -------
        bool
            True where both ends lie inside.
        """
        half_width = 0.5 / self.dwell_time_for(acquisition)
        edges = axes.ppm_to_hz(ppm, acquisition.spectrometer_frequency, self.ppm_reference)
        return bool((np.abs(edges) <= half_width * (1 + 1e-9)).all())

    def resampled_to(self, acquisition: Acquisition, n_points: int | None = None) -> Self:
        """Return the basis set on the time axis of an acquisition.

        The result holds the values of the same signals at the new sampling times; signals outside
        the new spectral width are filtered out (the outer 5 % of it on either side is the filter's
        edge), so that nothing folds back.

        Parameters
        ----------
        acquisition : Acquisition
            Gives dwell time, Larmor frequency and ppm reference.
        n_points : int, optional
            Length; that which covers the same duration when not given.

        Returns
        -------
        BasisSet
            With whole first points.

        Raises
        ------
        BasisError
            Other field or nucleus; a band that does not hold 0 to 5 ppm; FIDs that end before they
            have decayed and would have to be continued.
        """
        self.checked_against(acquisition)
        if acquisition.nucleus == "1H" and not self.covers(acquisition, (0.0, 5.0)):
            raise BasisError(
                f"the basis set has a spectral width of {1 / self.dwell_time:.6g} Hz around "
                f"{self.ppm_reference:.4g} ppm, "
                "which does not hold 0 to 5 ppm: use one with a larger spectral width."
            )
        old, new = self.dwell_time_for(acquisition), acquisition.dwell_time
        length = round(self.n_points * old / new) if n_points is None else int(n_points)
        if length < 2:
            raise InvalidInputError(f"n_points = {n_points}: a FID has at least 2 points.")
        self.check_end(length * new, old)
        fid = self.fid * np.exp(
            2j * np.pi * self._reference_shift(acquisition) * np.arange(self.n_points) * old
        )
        if abs(old / new - 1) > 1e-3 / length:
            fid = band_limited(fid, old, new, length)
        elif length <= self.n_points:
            fid = fid[:, :length]
        else:
            fid = np.pad(fid, ((0, 0), (0, length - self.n_points)))
        return dataclasses.replace(
            self,
            fid=fid,
            dwell_time=new,
            spectrometer_frequency=acquisition.spectrometer_frequency,
            ppm_reference=acquisition.ppm_reference,
            source=f"{self.source}; resampled to {1 / new:.6g} Hz".lstrip("; "),
        )

    def _reference_shift(self, acquisition: Acquisition) -> float:
        """Return the frequency [Hz] to add so that zero is the reference of the acquisition."""
        offset = acquisition.ppm_reference - self.ppm_reference
        return offset * acquisition.spectrometer_frequency

    def visible_part(self, low: float, high: float) -> Array:
        """Return which part of the norm of each spectrum lies within a range of chemical shifts.

        Parameters
        ----------
        low, high : float
            Range [ppm].

        Returns
        -------
        ndarray, shape (n_basis,)
            Between 0 and 1.
        """
        power = np.abs(self.spectrum) ** 2
        inside = (self.ppm >= low) & (self.ppm <= high)
        return np.asarray(np.sqrt(power[:, inside].sum(axis=1) / power.sum(axis=1)))

    def check_end(self, duration: float, dwell: float) -> None:
        """Refuse to continue FIDs by zeros that have not decayed.

        Parameters
        ----------
        duration : float
            How long they have to last [s].
        dwell : float
            Their sampling interval on the ppm axis of the data [s].

        Raises
        ------
        BasisError
            A signal is cut off before that.
        """
        if duration <= self.n_points * dwell * (1 + 1e-9):
            return
        tail = np.abs(self.fid[:, -max(2, self.n_points // 32) :]).max(axis=1)
        cut = tail > _DECAYED * np.abs(self.fid).max(axis=1)
        if cut.any():
            raise BasisError(
                f"the basis FIDs last {self.n_points * dwell:.3g} s, the data {duration:.3g} "
                "s, and "
                f"{', '.join(np.array(self.names)[cut][:5])} have not decayed by then: use a "
                "longer basis set, or cut the data."
            )

    def referenced(self) -> Self:
        """Return the basis set with its ppm axis set by the singlet of NAA or creatine.

        Returns
        -------
        BasisSet
            Shifted so that the singlet stands at 2.008 (NAA) or 3.027 ppm (Cr); the offset is in
            `source`.

        Raises
        ------
        BasisError
            Neither NAA nor Cr is in the set, or the singlet is not within 0.3 ppm of its place.
        """
        offset = self.axis_offset()
        time = self.time
        fid = self.fid * np.exp(2j * np.pi * offset * self.spectrometer_frequency * time)
        return dataclasses.replace(
            self, fid=fid, source=f"{self.source}; axis moved by {-offset:+.4f} ppm".lstrip("; ")
        )

    def axis_offset(self) -> float:
        """Return how far the NAA (or Cr) singlet stands from its literature shift [ppm].

        Returns
        -------
        float
            Position found minus literature [ppm].

        Raises
        ------
        BasisError
            As for `referenced`.
        """
        for name in ("NAA", "Cr", "PCr"):
            if name in self:
                fid, literature = np.asarray(self.fid[self.index(name)]), METHYL_SINGLETS[name]
                return singlet_position(fid, self._axis(), name, literature) - literature
        raise BasisError("the axis cannot be checked: the basis set holds neither NAA nor Cr.")

    def warn_if_offset(self) -> None:
        """Warn where the axis is off by more than 0.015 ppm, naming `referenced` as the way out."""
        if not any(name in self for name in METHYL_SINGLETS):
            return
        offset = self.axis_offset()
        if abs(offset) > 0.015:
            warnings.warn(
                f"the ppm axis of the basis set is off by {offset:+.3f} ppm (singlet of NAA or "
                "Cr); correct it with basis.referenced().",
                DataWarning,
                stacklevel=3,
            )

    def __repr__(self) -> str:
        return (
            f"BasisSet({len(self.names)} signals: {', '.join(self.names)}; {self.n_points} points, "
            f"spectral width {1 / self.dwell_time:.6g} Hz, {self.spectrometer_frequency:.6g} MHz)"
        )
