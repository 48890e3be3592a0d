"""A view of an auction as a page's script reads it: plain values, amounts as text, moments in milliseconds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from tradehub.sourcing.auctions.chart import chart
from tradehub.sourcing.auctions.views import LotView, View


def payload(view: View) -> dict[str, Any]:
    """Return what a screen needs. ``at`` is the hub's time: a countdown goes by it, whatever the reader's clock says."""
    return {
        "v": view.version,
        "at": _ms(view.at),
        "status": str(view.status),
        "acts": view.acts,
        "starts": _ms(view.starts_at),
        "ends": _ms(view.ends_at),
        "lots": [_lot(each, view) for each in view.lots],
    }


def _lot(lot: LotView, view: View) -> dict[str, Any]:
    picture = chart(lot.line, since=view.starts_at, until=lot.ends_at, now=view.at)
    return {
        "n": lot.number,
        "status": str(lot.status),
        "ends": _ms(lot.ends_at),
        "price": _text(lot.price),
        "leader": lot.leader,
        "leads": lot.is_leading,
        "rank": lot.rank,
        "own": _text(lot.own),
        "limit": _text(lot.limit),
        "given": _ms(lot.given_at),
        "next": _text(lot.next),
        "met": lot.reserve_met,
        "bids": lot.bids,
        "bidders": lot.bidders,
        "steps": _ms(lot.steps_at),
        "moves": [[_ms(each.at), each.bidder, str(each.amount), each.is_automatic] for each in lot.moves],
        "chart": [picture.points, picture.last, _text(picture.high), _text(picture.low)],
    }


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
