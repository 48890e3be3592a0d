"""What two partners agreed about how they negotiate, as a deal keeps it: JSON, frozen when the deal is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tradehub.documents import PartyId
from tradehub.negotiation.calendars import calendar
from tradehub.negotiation.model import REGIMES, Calendar, Ground

_SPANS = {"reasonable": "reasonable_s", "undue_delay": "undue_delay_s", "receipt_within": "receipt_within_s"}
_PLAIN = ("rounds_max", "materiality", "silence_accepts", "performance_accepts", "formation", "battle")


@dataclass(frozen=True)
class Terms:
    """What applies to a new deal: the law, the ground, and the places of business (country, time zone) by party."""

    regime: str = "CISG"
    ground: Ground = field(default_factory=Ground)
    places: Mapping[PartyId, tuple[str | None, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            raise ValueError(f"no such regime: {self.regime}")

    def stored(self) -> dict[str, Any]:
        """Return the ground and the places as a deal keeps them; what is as usual is left out."""
        usual = Ground()
        kept: dict[str, Any] = {
            name: getattr(self.ground, name) for name in _PLAIN if getattr(self.ground, name) != getattr(usual, name)
        }
        for name, stored in _SPANS.items():
            if getattr(self.ground, name) != getattr(usual, name):
                kept[stored] = int(getattr(self.ground, name).total_seconds())
        if self.places:
            kept["places"] = {str(party): list(place) for party, place in self.places.items()}
        return kept


def ground(stored: Mapping[str, Any]) -> Ground:
    """Return the ground of a deal."""
    known: dict[str, Any] = {name: stored[name] for name in _PLAIN if name in stored}
    known |= {name: timedelta(seconds=stored[key]) for name, key in _SPANS.items() if key in stored}
    return Ground(**known)


def calendars(stored: Mapping[str, Any], year: int) -> dict[PartyId, Calendar]:
    """Return the calendars of the parties' places, around ``year``."""
    return {PartyId(party): calendar(place[0], place[1], year) for party, place in stored.get("places", {}).items()}
