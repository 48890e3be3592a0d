"""What is wrong with a body or a query of a program: for each place a pointer, a code, a sentence and the value there.

Pydantic says most of it, in English and in words of Python; here it is said in the reader's language. What it lets
through although no document can hold it is looked for afterwards (``odd``): a moment without an offset, a year that
nobody can reckon with, a number of absurd size or in digits of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from pydantic import BaseModel, ValidationError

NUMBER_DIGITS = 40
"""Digits of a number before or after the point: no price or quantity has half of them."""

YEARS = range(1900, 2900)
"""Years of days and moments, as in a simulation: periods and zones can be added to them."""

FAULTS_MAX = 100
"""Faults named in one problem document; who mends these may ask for the rest."""

VALUE_MAX = 100
"""Characters of a value that is told back."""

Fault = dict[str, Any]


def found(error: ValidationError, *, tells: bool = True) -> list[Fault]:
    """Return the faults that a model found, at most ``FAULTS_MAX``; the values in them if it ``tells``."""
    faults = []
    for each in error.errors(include_url=False)[:FAULTS_MAX]:
        code = str(each["type"])
        value = {} if code in _WITHOUT_VALUE or not tells else _told(each.get("input"))
        faults.append({"pointer": pointer(each["loc"]), "code": code, "detail": _sentence(each), **value})
    return faults


def odd(model: BaseModel, raw: Mapping[str, Any], *, tells: bool = True) -> list[Fault]:
    """Return the places of a valid body that hold a moment or a number as no document does."""
    return [
        {"pointer": pointer(at), "code": code, "detail": str(WORDS[code]), **(_told(given) if tells else {})}
        for at, code, given in _odd(model, raw, ())
    ][:FAULTS_MAX]


def fault(at: str, code: str, detail: object, value: object = None) -> Fault:
    """Return one fault that a service found, at a pointer."""
    return {"pointer": at, "code": code, "detail": str(detail), **_told(value)}


def pointer(place: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901); empty for the whole body."""
    return "".join(f"/{escaped(str(each))}" for each in place)


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _odd(value: object, raw: Any, at: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str, Any]]:
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            if isinstance(raw, dict) and name in raw:
                yield from _odd(getattr(value, name), raw[name], (*at, name))
    elif isinstance(value, dict) and isinstance(raw, dict):
        for name, each in value.items():
            yield from _odd(each, raw.get(name), (*at, str(name)))
    elif isinstance(value, (list, tuple)) and isinstance(raw, list):
        for place, (each, given) in enumerate(zip(value, raw, strict=False)):
            yield from _odd(each, given, (*at, place))
    elif (code := _code(value, raw)) is not None:
        yield at, code, raw


def _code(value: object, raw: object) -> str | None:
    if isinstance(value, Decimal):
        if isinstance(raw, str) and not _DIGITS.fullmatch(raw):
            return "decimal_parsing"
        exponent = value.as_tuple().exponent
        is_fine = isinstance(exponent, int) and value.adjusted() < NUMBER_DIGITS and exponent >= -NUMBER_DIGITS
        return None if is_fine else "number_size"
    if isinstance(value, datetime):
        if value.tzinfo is None or not isinstance(raw, str):
            return "moment_without_offset"
        return None if value.year in YEARS else "year_out_of_range"
    if isinstance(value, date):
        if not isinstance(raw, str) or not _DAY.fullmatch(raw):
            return "date_parsing"
        return None if value.year in YEARS else "year_out_of_range"
    return None


def _sentence(error: Any) -> str:
    words = WORDS.get(error["type"])
    if words is None:
        return str(error["msg"])
    context = {name: str(value) for name, value in error.get("ctx", {}).items()}
    # A sentence without a figure in it is not formatted, so a percent sign in one stands for itself.
    return str(words) % context if context and "%(" in str(words) else str(words)


def _told(value: object) -> dict[str, Any]:
    """Tell a plain value back; of a long one its beginning."""
    if isinstance(value, str):
        return {"value": value if len(value) <= VALUE_MAX else f"{value[:VALUE_MAX]}…"}
    if isinstance(value, Decimal):
        return {"value": str(value)[:VALUE_MAX]}
    if isinstance(value, (bool, int, float)):
        return {"value": value if abs(value) < 2**53 else f"{value:.6e}"}
    return {}


_WITHOUT_VALUE = {"missing", "extra_forbidden"}

_DIGITS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_NUMBER = lazy_gettext("Not a number: write digits, with a point before decimals.")
_WHOLE = lazy_gettext("Not a whole number.")
_DATE = lazy_gettext("Not a day: write it as 2026-12-31.")
_MOMENT = lazy_gettext("Not a moment: write day, time and offset, as in 2026-12-31T17:00:00+08:00.")
_OBJECT = lazy_gettext("Not an object in braces.")
_LIST = lazy_gettext("Not a list in brackets.")
_TRUTH = lazy_gettext("Neither true nor false.")

WORDS: Mapping[str, LazyString] = {
    "missing": lazy_gettext("This is needed and not there."),
    "extra_forbidden": lazy_gettext("There is no such name here."),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "string_type": lazy_gettext("Not a text in quotes."),
    "string_too_short": lazy_gettext("At least %(min_length)s characters."),
    "string_too_long": lazy_gettext("At most %(max_length)s characters."),
    "string_pattern_mismatch": lazy_gettext("It has to look like this: %(pattern)s"),
    "too_short": lazy_gettext("At least %(min_length)s of them."),
    "too_long": lazy_gettext("At most %(max_length)s of them."),
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_max_digits": lazy_gettext("At most %(max_digits)s digits."),
    "decimal_max_places": lazy_gettext("At most %(decimal_places)s decimals."),
    "decimal_whole_digits": lazy_gettext("At most %(whole_digits)s digits before the point."),
    "number_size": lazy_gettext("At most 40 digits before the point, and 40 after it."),
    "greater_than": lazy_gettext("More than %(gt)s, please."),
    "greater_than_equal": lazy_gettext("At least %(ge)s."),
    "less_than": lazy_gettext("Less than %(lt)s, please."),
    "less_than_equal": lazy_gettext("At most %(le)s."),
    "enum": lazy_gettext("One of these: %(expected)s"),
    "literal_error": lazy_gettext("One of these: %(expected)s"),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_naive": _MOMENT,
    "moment_without_offset": _MOMENT,
    "year_out_of_range": lazy_gettext("A year from 1900 to 2899, please."),
    "cursor": lazy_gettext("Not a cursor that was answered."),
    "given_twice": lazy_gettext("Given more than once."),
    "not_base64": lazy_gettext("Not base64."),
}
"""Code -> what is said of it. Most codes are Pydantic's."""
