"""Texts of XML documents (XML Schema's decimal, date, time, boolean) as values and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, NamedTuple

from tradehub.edi.segments import Fault
from tradehub.edi.xml_map import Binding, Codes

is_plain = re.compile(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?").fullmatch
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})?").fullmatch
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?").fullmatch
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
DIGITS = 100  # of a number: more is no amount, quantity or rate, and costs quadratic time


class Converter(NamedTuple):
    """``read`` gives the value and its canonical text, or raises ValueError; ``write`` the canonical text."""

    read: Callable[[str], tuple[Any, str]]
    write: Callable[[Any], str]
    fault: Fault


def read_decimal(text: str) -> tuple[Decimal, str]:
    """Return an XSD decimal with the exponent it was given."""
    if len(text) > DIGITS:
        raise ValueError("too many digits")
    if is_plain(text):
        return Decimal(text), text
    if not _DECIMAL(text):
        raise ValueError("not a number")
    value = Decimal(text)
    return value, write_decimal(value)


def write_decimal(value: Decimal | int) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def read_int(text: str) -> tuple[int, str]:
    value, _ = read_decimal(text)
    if value != int(value):
        raise ValueError("not a whole number")
    return int(value), str(int(value))


def read_date(text: str) -> tuple[date, str]:
    """Return the day; a time zone is no part of the value."""
    if not _DATE(text):
        raise ValueError("not a date")
    return date.fromisoformat(text[:10]), text[:10]


def read_time(text: str) -> tuple[time, str]:
    if not _TIME(text):
        raise ValueError("not a time")
    value = time.fromisoformat(text)
    return value, value.isoformat()


def read_bool(text: str) -> tuple[bool, str]:
    if text not in _BOOLEANS:
        raise ValueError("neither true nor false")
    return _BOOLEANS[text], write_bool(_BOOLEANS[text])


def write_bool(value: bool) -> str:
    return "true" if value else "false"


CONVERTERS: Mapping[str, Converter] = {
    "decimal": Converter(read_decimal, write_decimal, Fault.NOT_A_NUMBER),
    "amount": Converter(read_decimal, write_decimal, Fault.NOT_A_NUMBER),
    "int": Converter(read_int, str, Fault.NOT_A_NUMBER),
    "date": Converter(read_date, date.isoformat, Fault.INVALID_DATE),
    "time": Converter(read_time, time.isoformat, Fault.INVALID_TIME),
    "bool": Converter(read_bool, write_bool, Fault.INVALID_CODE),
}


def converter(binding: Binding, codes: Mapping[str, Codes]) -> Converter:
    """Return the converter that a binding names."""
    if binding.converter != "code":
        return CONVERTERS[binding.converter]
    table = codes[binding.argument]

    def read(text: str) -> tuple[str, str]:
        word = table.word(text)
        return word, table.code(word)

    return Converter(read, table.code, Fault.INVALID_CODE)


# What a basic element may hold, whether a map binds it or not.
VALUES: Mapping[str, tuple[Callable[[str], Any], Fault]] = {
    "amount": (read_decimal, Fault.NOT_A_NUMBER),
    "quantity": (read_decimal, Fault.NOT_A_NUMBER),
    "measure": (read_decimal, Fault.NOT_A_NUMBER),
    "numeric": (read_decimal, Fault.NOT_A_NUMBER),
    "percent": (read_decimal, Fault.NOT_A_NUMBER),
    "rate": (read_decimal, Fault.NOT_A_NUMBER),
    "date": (read_date, Fault.INVALID_DATE),
    "time": (read_time, Fault.INVALID_TIME),
    "indicator": (read_bool, Fault.INVALID_CODE),
}


def split_qualified(text: str) -> tuple[str | None, str]:
    """Return scheme and value of ``0088:7300010000001``; a text without a colon has no scheme."""
    scheme, colon, value = text.rpartition(":")
    return (scheme, value) if colon else (None, text)


def join_qualified(scheme: str | None, value: str) -> str:
    return f"{scheme}:{value}" if scheme else value
