"""What people type into forms: numbers and days, read strictly, with the field that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

DIGITS_MAX = 18
"""Digits of a quantity or amount, as many as the canonical model keeps (18, 6)."""


@dataclass
class Entered:
    """A form's fields. ``errors`` says by field what is wrong with it: number, negative, day or missing."""

    form: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, *, most: int = 200) -> str:
        return self.form.get(name, "").strip()[:most]

    def number(self, name: str, *, required: bool = False) -> Decimal | None:
        """Return the number, which may not be negative; None where there is none, or none that can be read."""
        text = self.text(name).replace("\u00a0", "").replace(" ", "")
        if not text:
            self._miss(name, required)
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            self.errors[name] = "number"
            return None
        if not value.is_finite() or len(value.as_tuple().digits) > DIGITS_MAX or abs(value.adjusted()) > DIGITS_MAX:
            self.errors[name] = "number"
        elif value < 0:
            self.errors[name] = "negative"
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
