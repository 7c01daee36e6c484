"""`Record`: what the frozen dataclasses have in common."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np


def _frozen(value: object) -> object:
    """Return a read-only view of an array or mapping; other values as they are."""
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return value


def _thawed(value: object) -> object:
    """Return mappings as plain dicts, which pickle; other values as they are."""
    if isinstance(value, Mapping):
        return {key: _thawed(item) for key, item in value.items()}
    return value


class Record:
    """Base of the frozen dataclasses, with read-only content.

    Arrays and mappings inside stay read-only after unpickling.
    """

    def _freeze(self) -> None:
        for key, value in vars(self).items():
            object.__setattr__(self, key, _frozen(value))

    def __post_init__(self) -> None:
        self._freeze()

    def __getstate__(self) -> dict[str, Any]:
        return {key: _thawed(value) for key, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, value)
        self._freeze()
