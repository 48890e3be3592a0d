"""How values read in the reader's language: amounts, quantities, units, days, moments."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_datetime, format_skeleton, format_timedelta
from babel.numbers import parse_pattern
from flask import Flask
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.platform import clock
from tradehub.web.language import formats, zone

UNITS: dict[str, LazyString] = {
    "C62": lazy_gettext("pcs"),
    "EA": lazy_gettext("pcs"),
    "H87": lazy_gettext("pcs"),
    "PCE": lazy_gettext("pcs"),
    "PR": lazy_gettext("pairs"),
    "SET": lazy_gettext("sets"),
    "DZN": lazy_gettext("dozen"),
    "BX": lazy_gettext("boxes"),
    "CT": lazy_gettext("cartons"),
    "PK": lazy_gettext("packs"),
    "RO": lazy_gettext("rolls"),
    "HUR": lazy_gettext("h"),
    "DAY": lazy_gettext("days"),
    "GRM": lazy_gettext("g"),
    "KGM": lazy_gettext("kg"),
    "TNE": lazy_gettext("t"),
    "LBR": lazy_gettext("lb"),
    "MMT": lazy_gettext("mm"),
    "MTR": lazy_gettext("m"),
    "MTK": lazy_gettext("m²"),
    "MTQ": lazy_gettext("m³"),
    "LTR": lazy_gettext("l"),
}
"""Units of UN/ECE Recommendation 20 that have a word of their own; any other is shown by its code."""

_UNIT_IN_SUM = re.compile(r"(?<=\d )[A-Z][A-Z0-9]{1,2}\b|\b[A-Z][A-Z0-9]{1,2}(?= →)|(?<=→ )[A-Z][A-Z0-9]{1,2}\b")

ROLES: dict[str, LazyString] = {
    "buyer": lazy_gettext("Buyer"),
    "seller": lazy_gettext("Seller"),
    "approver": lazy_gettext("Approver"),
    "partner_manager": lazy_gettext("Partner manager"),
    "operator": lazy_gettext("Operator"),
    "viewer": lazy_gettext("Viewer"),
    "administrator": lazy_gettext("Administrator"),
    "api_token": lazy_gettext("Programs (API tokens)"),
}


def install(app: Flask) -> None:
    filters: dict[str, Callable[..., object]] = {
        "amount": amount,
        "number": number,
        "unit": unit,
        "in_units": in_units,
        "day": day,
        "moment": moment,
        "moment_long": moment_long,
        "ago": ago,
        "role_name": role_name,
    }
    app.jinja_env.filters.update(filters)


def amount(value: Decimal | int) -> str:
    """At least two decimals, and as many as were given: 12.5 is 12.50, 0.1234 stays."""
    exact = Decimal(value)
    return _decimal(exact, max(2, -int(exact.as_tuple().exponent)))


def number(value: Decimal | int) -> str:
    """No more decimals than it needs: 24000.00 is 24,000."""
    exact = Decimal(value).normalize()
    return _decimal(exact, max(0, -int(exact.as_tuple().exponent)))


def _decimal(value: Decimal, places: int) -> str:
    return _formatted(value, places, formats())


@lru_cache(maxsize=10_000)
def _formatted(value: Decimal, places: int, locale: Locale) -> str:
    pattern = parse_pattern("#,##0." + "0" * places if places else "#,##0")
    return str(pattern.apply(value, locale, decimal_quantization=False))


def unit(code: str) -> str:
    return str(UNITS.get(code, code))


def in_units(calculation: str) -> str:
    """Name the units in a calculation: ``12 EUR ÷ (1 BX × 50 C62)`` is divided by boxes of so many pieces."""
    return _UNIT_IN_SUM.sub(lambda found: unit(found[0]), calculation)


def role_name(role: str) -> str:
    return str(ROLES.get(role, role))


def day(on: date) -> str:
    """A calendar day, which has no zone: 28 Nov 2026."""
    return str(format_skeleton("yMMMd", on, locale=formats()))


def moment(at: datetime) -> str:
    """Day and minute in the reader's zone; the year only where it is another one."""
    here = at.astimezone(zone())
    skeleton = "MMMd" if here.year == clock.now().astimezone(zone()).year else "yMMMd"
    return f"{format_skeleton(skeleton, here, locale=formats())} {here:%H:%M}"


def moment_long(at: datetime) -> str:
    """To the second, with the zone: for the title of a moment."""
    here = at.astimezone(zone())
    clock_time = format_datetime(at, "HH:mm:ss z", tzinfo=zone(), locale=formats())
    return f"{format_skeleton('yMMMd', here, locale=formats())} {clock_time}"


def ago(at: datetime) -> str:
    """How far away it is: 3 hours ago, in 2 days."""
    apart = at - clock.now()
    if abs(apart.total_seconds()) < 45:
        return str(gettext("now"))
    return str(format_timedelta(apart, add_direction=True, threshold=2, granularity="minute", locale=formats()))
