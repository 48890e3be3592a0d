"""Canonical JSON by RFC 8785 (JCS): one text for one value, so that a hash of it means the value.

Keys are sorted by their UTF-16 code units, strings escape no more than they must, numbers are written as ECMAScript
writes them. There is no white space, and the text is UTF-8.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

SAFE_INTEGER = 2**53 - 1
"""The largest integer that every reader of JSON keeps (RFC 7493, section 2.2)."""

_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES |= {chr(code): f"\\u{code:04x}" for code in range(0x20) if chr(code) not in _ESCAPES}
_TABLE = str.maketrans(_ESCAPES)


class NotCanonical(ValueError):
    """The value has no canonical form: not plain JSON, no number, an integer too large, or half a character."""


def canonical(value: Any) -> bytes:
    """Return the canonical text of ``value``: None, bool, int, float, str, list, tuple or dict with text keys.

    Raises NotCanonical for anything else, for NaN and the infinities, for integers beyond 2**53 - 1 and for lone
    surrogates.
    """
    try:
        return "".join(_written(value)).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a surrogate without its other half") from error


def _written(value: Any) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise NotCanonical(f"an integer that not every reader keeps: {value}")
        yield str(value)
    elif isinstance(value, float):
        yield number(value)
    elif isinstance(value, list | tuple):
        yield "["
        for position, each in enumerate(value):
            yield "," if position else ""
            yield from _written(each)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for position, key in enumerate(sorted(value, key=_utf16)):
            yield f"{',' if position else ''}{_string(key)}:"
            yield from _written(value[key])
        yield "}"
    else:
        raise NotCanonical(f"no JSON: {type(value).__name__}")


def _string(text: str) -> str:
    return f'"{text.translate(_TABLE)}"'


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise NotCanonical(f"a key that is no text: {key!r}")
    return key.encode("utf-16-be")


def number(value: float) -> str:
    """Return a number as ECMAScript's Number::toString writes it (ECMA-262, section 6.1.6.1.20)."""
    if not math.isfinite(value):
        raise NotCanonical(f"no number: {value!r}")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest(abs(value))
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    exponent = point - 1
    mantissa = digits[0] + (f".{digits[1:]}" if count > 1 else "")
    return f"{sign}{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def _shortest(value: float) -> tuple[str, int]:
    """Return the fewest digits that name ``value``, and where the point stands among them: 0.digits * 10**point."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return stripped.rstrip("0"), point
