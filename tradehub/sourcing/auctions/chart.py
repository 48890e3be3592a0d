"""How a price went, as the points of a line in a picture of fixed size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

WIDTH, HEIGHT = 640, 120
LEFT, RIGHT, TOP, BOTTOM = 6, 634, 7, 113
"""Where the line may run, with room for the mark at its end."""


@dataclass(frozen=True)
class Chart:
    """``points`` are those of an SVG polyline, a staircase; ``last`` is where the newest price stands."""

    points: str = ""
    last: tuple[int, int] | None = None
    high: Decimal | None = None
    low: Decimal | None = None


def chart(line: Sequence[tuple[datetime, Decimal]], *, since: datetime, until: datetime, now: datetime) -> Chart:
    """Return the picture of a price since a moment: each stands until the next one comes, and the last until now.

    ``until`` is the end, past which nothing is drawn. The picture is as wide as the time that has gone by.
    """
    if not line:
        return Chart()
    now = min(now, until)
    low, high = min(price for _, price in line), max(price for _, price in line)
    whole = max((now - since).total_seconds(), 1.0)

    def x(at: datetime) -> int:
        return LEFT + round((RIGHT - LEFT) * min(max((at - since).total_seconds() / whole, 0.0), 1.0))

    def y(price: Decimal) -> int:
        return (TOP + BOTTOM) // 2 if high == low else BOTTOM - round((BOTTOM - TOP) * (price - low) / (high - low))

    points = [(x(line[0][0]), y(line[0][1]))]
    for at, price in line[1:]:
        points += [(x(at), points[-1][1]), (x(at), y(price))]
    points.append((x(now), points[-1][1]))
    return Chart(" ".join(f"{left},{top}" for left, top in points), points[-1], high, low)
