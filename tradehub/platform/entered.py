"""What people type into forms: numbers and days, read strictly, with the field that is wrong.

A number is read in one way on every page, whatever the reader's language: a point before the decimals, as the pages
show them, or a comma where nothing but decimals can follow it. What would be a thousand here and one there is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

DIGITS_MAX = 18
"""Digits of a quantity or amount, as many as the canonical model keeps (18, 6)."""

FAULTS: Mapping[str, LazyString] = {
    "number": lazy_gettext("Write a number, for example 12.50."),
    "comma": lazy_gettext("Write it without a comma: 1010, or 1.010 if you mean decimals."),
    "negative": lazy_gettext("Not less than zero, please."),
    "day": lazy_gettext("Write a day, for example 2026-11-28."),
    "missing": lazy_gettext("This is needed."),
}
"""What is wrong with a field, by the word that ``Entered.errors`` has for it."""

_PLAIN = re.compile(r"\d+([.,]\d+)?", re.ASCII)
_GROUPED = re.compile(r"[1-9]\d{0,2}((,\d{3})+(\.\d+)?|([ \u00a0\u202f]\d{3})+(\.\d+|,(?!\d{3}$)\d+)?)", re.ASCII)
_BOTH_WAYS = re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII)


def read_number(text: str) -> Decimal | None:
    """Read ``24000``, ``24 000.5``, ``24,000.50`` and ``12,40``; None for anything else, or what reads both ways."""
    text = text.strip()
    if reads_both_ways(text):
        return None
    if _GROUPED.fullmatch(text):
        closed = re.sub(r"[ \u00a0\u202f]", "", text)
        return Decimal(closed.replace(",", "" if closed == text else "."))  # where spaces group, a comma does not
    return Decimal(text.replace(",", ".")) if _PLAIN.fullmatch(text) else None


def reads_both_ways(text: str) -> bool:
    """True for ``1,010``: a thousand and ten to one reader, a little more than one to another."""
    return _BOTH_WAYS.fullmatch(text.strip()) is not None


def not_read(text: str) -> str:
    """Return why ``read_number`` reads nothing in a text."""
    if reads_both_ways(text):
        one, other = text.strip().replace(",", ""), text.strip().replace(",", ".")
        return str(gettext("Write it without a comma: %(one)s or %(other)s.", one=one, other=other))
    return str(gettext("This is not a number.") if text.strip() else gettext("This is needed."))


@dataclass
class Entered:
    """A form's fields. ``errors`` says by field what is wrong with it, in a word of ``FAULTS``."""

    form: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, *, most: int = 200) -> str:
        return self.form.get(name, "").strip()[:most]

    def number(self, name: str, *, required: bool = False) -> Decimal | None:
        """Return the number, which may not be negative; None where there is none, or none that can be read."""
        text = self.text(name)
        if not text:
            self._miss(name, required)
            return None
        value = read_number(text)
        if value is None:
            is_negative = read_number(text.lstrip("-\u2212")) is not None
            self.errors[name] = "comma" if reads_both_ways(text) else "negative" if is_negative else "number"
        elif len(value.as_tuple().digits) > DIGITS_MAX or abs(value.adjusted()) > DIGITS_MAX:
            self.errors[name] = "number"
        return None if name in self.errors else value

    def day(self, name: str, *, required: bool = False) -> date | None:
        """Return the day (ISO 8601, as a browser's date field sends it); None where there is none that can be read."""
        text = self.text(name)
        if not text:
            self._miss(name, required)
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors[name] = "day"
            return None

    def _miss(self, name: str, required: bool) -> None:
        if required:
            self.errors[name] = "missing"
