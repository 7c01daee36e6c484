"""Declared values: from the tables of a TOML file to options, with errors that name the key."""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from mrsproc.errors import InvalidInputError, suggest

Options = TypeVar("Options")


def options_from(kind: type[Options], table: Mapping[str, Any], where: str) -> Options:
    """Return an options object from declared values.

    Parameters
    ----------
    kind : type
        A frozen dataclass.
    table : mapping
        Values by name, with the types of TOML.
    where : str
        How messages begin, for example ``"recipe.toml, [fit]"``.

    Returns
    -------
    kind
        The options.

    Raises
    ------
    InvalidInputError
        An unknown name, a value of the wrong type, or one that the options refuse.
    """
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in table:
        if name not in names:
            raise InvalidInputError(f"{where}: there is no key {name!r}. {suggest(name, names)}")
    values = {
        name: checked(value, hints[name], f"{where}: {name}") for name, value in table.items()
    }
    try:
        return kind(**values)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}") from error


def checked(value: Any, hint: Any, where: str) -> Any:
    """Return a value as the type that a hint asks for; lists become tuples.

    Parameters
    ----------
    value : object
        What was declared.
    hint : type
        bool, int, float, str, Literal, tuple, a mapping, or a union of them.
    where : str
        How the message begins.

    Returns
    -------
    object
        The value.

    Raises
    ------
    InvalidInputError
        A value of another type, or none of those that are allowed.
    """
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    for option in options:
        found = _matched(value, option)
        if found is not None or (value is None and option is type(None)):
            return found
    literals = [str(word) for option in options for word in get_args(option) if _literal(option)]
    wanted = " or ".join(_described(option) for option in options if option is not type(None))
    hint_text = f" {suggest(str(value), literals)}" if literals else ""
    raise InvalidInputError(f"{where} = {value!r}: give {wanted}.{hint_text}")


def _literal(option: Any) -> bool:
    return get_origin(option) is Literal


def _matched(value: Any, option: Any) -> Any:
    """Return the value where it fits the type, None where it does not."""
    origin, parts = get_origin(option), get_args(option)
    if _literal(option):
        return value if value in parts else None
    if origin is tuple:
        return _sequence(value, parts)
    if option is float:
        return float(value) if _number(value) else None
    if option in {bool, int, str}:
        return value if type(value) is option else None
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return value if isinstance(value, Mapping) else None
    return value if isinstance(option, type) and isinstance(value, option) else None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sequence(value: Any, parts: tuple[Any, ...]) -> Any:
    if not isinstance(value, list | tuple):
        return None
    kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
    found = [_matched(item, kind) for item, kind in zip(value, kinds, strict=False)]
    return tuple(found) if len(value) == len(kinds) and None not in found else None


def _described(option: Any) -> str:
    if _literal(option):
        return "one of " + ", ".join(repr(word) for word in get_args(option))
    parts = get_args(option)
    if get_origin(option) is tuple:
        if parts[-1] is Ellipsis:
            return f"a list, each {_described(parts[0])}"
        return f"a list of {len(parts)}, each {_described(parts[0])}"
    names = {bool: "true or false", float: "a number", int: "a whole number", str: "a text"}
    return names.get(option, "a table")
