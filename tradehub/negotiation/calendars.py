"""Which days are worked at a place: the holidays of its country, and the weekends that its calendar moves."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from tradehub.negotiation.model import Calendar

YEARS_AROUND = 3
"""An offer stays open for months, not years; a deadline further away than this falls on no known holiday."""


def calendar(country: str | None, zone: str | None, year: int) -> Calendar:
    """Return the calendar of a place around ``year``; of an unknown country only Saturdays and Sundays are off.

    ``country`` is ISO 3166-1 alpha-2, with a subdivision where it matters (``DE-BY``); ``zone`` is an IANA name.
    """
    return _calendar(country or "", zone or "", year)


@lru_cache(maxsize=256)
def _calendar(country: str, zone: str, year: int) -> Calendar:
    nation, _, part = country.partition("-")
    years = range(year - 1, year + YEARS_AROUND)
    try:
        known = holidays.country_holidays(nation, subdiv=part or None, years=years)
    except NotImplementedError:
        return Calendar(zone=_zone(zone))
    moved = frozenset(day for day in known.weekend_workdays if day.year in years)
    return Calendar(frozenset(known.weekend), frozenset(known), moved, _zone(zone))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zone files is no zone
        return UTC
