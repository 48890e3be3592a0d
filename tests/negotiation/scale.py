"""Deals in bulk, written as the service would have written them, only faster."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests.negotiation.words import HAIDI, MONDAY, NINGBO, line, quoted
from tradehub.negotiation import drafting, model
from tradehub.negotiation.store import FIRST, DealRow, OfferRow, StatementRow
from tradehub.platform.db import Database, to_json

STATUSES = ("your_turn", "waiting", "concluded", "lapsed", "sending")


def long_deal(database: Database, rounds: int, lines: int) -> str:
    """Write a deal of so many rounds over so many lines, the price of the first line moving, and return its id."""
    document = quoted(until=None, lines=tuple(line(number, f"Part {number}", "10") for number in range(1, lines + 1)))
    plain, shown, lacking = document.model_dump(mode="json"), drafting.summary(document), model.indefinite(document)
    said, offers, deal, previous = [], [], "d-long", FIRST
    for round in range(rounds):
        price = Decimal("12.40") - Decimal(round) / 1000
        moved = [
            {**plain["lines"][0], "price": {**plain["lines"][0]["price"], "amount": str(price)}},
            *plain["lines"][1:],
        ]
        stored, total = {**plain, "number": f"Q-{round}", "lines": moved}, str(Decimal(shown["total"]) - round)
        id, at, parent = f"s{round:05}", MONDAY + timedelta(minutes=round), f"s{round - 1:05}" if round else None
        by = NINGBO if round % 2 == 0 else HAIDI
        both = {
            "deal_id": deal,
            "buyer_id": HAIDI,
            "seller_id": NINGBO,
            "terms_hash": sha256(str(price).encode()).hexdigest(),
        }
        particulars = {"amount": total, "currency": "USD", **({"lacking": lacking} if lacking else {})}
        digest = sha256(to_json(stored).encode()).hexdigest()
        row = StatementRow(
            **both, id=id, number=round + 1, kind="counter" if round else "offer", by_id=by, about=parent, offer_id=id,
            text="", at=at, reached_at=at, particulars={"offer": particulars}, channel="web", document_kind="offer",
            document_number=f"Q-{round}", document_sha256=digest, source_sha256=digest, previous=previous,
        )  # fmt: skip
        row.hash = previous = row.computed_hash()
        said.append(row)
        offers.append(
            OfferRow(
                **both, id=id, by_id=by, kind="offer", number=f"Q-{round}", revision=1, document=stored, firm=True,
                irrevocable=False, parent_id=parent, particulars=particulars, summary={**shown, "total": total},
            )
        )  # fmt: skip
    with database.write() as session:
        session.add(_deal(deal, 0, version=rounds, head=previous, length=rounds))
        session.flush()
        session.add_all([*offers, *said])
    return deal


def many_deals(database: Database, count: int) -> None:
    """Write so many deals of one buyer with their outlooks, without anything said in them."""
    with database.write() as session:
        _insert(session, count)


def _insert(session: Session, count: int) -> None:
    step = 5000
    for start in range(0, count, step):
        rows = [_values(number) for number in range(start, min(start + step, count))]
        session.execute(insert(DealRow), rows)


def _values(number: int) -> dict[str, object]:
    status = STATUSES[number % len(STATUSES)]
    due = MONDAY + timedelta(hours=1 + number % 2000) if status in ("your_turn", "waiting", "sending") else None
    return {
        "id": f"d{number:07}", "number": f"N-2026-{number:07}", "title": f"Part {number}", "buyer_id": HAIDI,
        "seller_id": NINGBO, "regime": "CISG", "ground": {}, "state": "open", "version": 0, "head": FIRST, "length": 0,
        "created_at": MONDAY, "updated_at": MONDAY - timedelta(seconds=number), "words": f"n-2026-{number:07} part",
        "buyer_status": status, "seller_status": "waiting" if status == "your_turn" else "your_turn", "due_at": due,
        "changes_at": due, "seen_at": MONDAY - timedelta(hours=1), "rounds": 2, "total": Decimal("1240.00"),
        "currency": "USD",
    }  # fmt: skip


def _deal(id: str, number: int, **more: object) -> DealRow:
    return DealRow(**{**_values(number), "id": id, "changes_at": None, **more})
