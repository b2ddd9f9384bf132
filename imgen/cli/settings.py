"""Fields of a config by name and text: what ``--set name=value`` means."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from imgen.errors import UsageError
from imgen.lookup import find

_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def split(texts: Sequence[str]) -> dict[str, str]:
    """``name=value`` texts as a dict.

    Raises:
        UsageError: one has no name or no equals sign, or comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not name or not equals:
            raise UsageError(f"--set {text}: write name=value, as in --set width=32")
        if name in found:
            raise UsageError(f"--set {name} is given twice; leave one out")
        found[name] = value
    return found


def values_for(config: type[Any], texts: dict[str, str], kind: str) -> dict[str, Any]:
    """Values of the fields of a config class, from texts.

    Args:
        config: a dataclass of plain values.
        texts: name to text.
        kind: what the config is of, for messages ("vae").

    Raises:
        UnknownNameError: no field is called so.
        UsageError: the text is no value of its type.
    """
    hints = get_type_hints(config)
    table = {field.name: hints[field.name] for field in fields(config)}
    return {name: _value(name, text, find(table, name, f"setting of {kind}")) for name, text in texts.items()}


def _value(name: str, text: str, wanted: Any) -> Any:
    choices = get_args(wanted) if get_origin(wanted) is Literal else ()
    if choices:
        if text not in choices:
            raise UsageError(f"--set {name}={text}: {name} is one of {', '.join(choices)}")
        return text
    if wanted is bool:
        return find(_BOOLS, text.lower(), f"value of {name} (true or false)", UsageError)
    try:
        return wanted(text)
    except ValueError as error:
        what = {int: "a whole number", float: "a number"}.get(wanted, wanted.__name__)
        raise UsageError(f"--set {name}={text}: {name} is {what}") from error
