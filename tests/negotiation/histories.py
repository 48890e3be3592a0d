"""Random histories of one deal, of all kinds of statements with all of their fields, in the form that is simulated.

A move is one number; what it says is read off digits that it seeds, and what it speaks of is chosen among what there is when it is
its turn: mostly something sensible by the right party, and now and then by the wrong one, too late or of nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st

from tradehub.negotiation import model
from tradehub.negotiation.model import Kind, Ledger, Negotiation
from tradehub.negotiation.simulation import World, _read

BUYER, SELLER, STRANGER = "buyer", "seller", "stranger"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOURS = (0, 0, 1, 3, 20, 30, 50, 24 * 4, 24 * 9)
PRICES = ("12.40", "11.90", "9")
AT_ANY_TIME = (*["offer"] * 6, "inquiry", "question", "comment", "retract", "amend")
IN_STATE = {
    "dispatched": ("reach", "reach", "reach", "fail", "withdraw", "withdraw", "disregard"),
    "undelivered": ("reach", "reach", "disregard", "withdraw"),
    "invitation": ("offer", "accept", "reject", "cancel"),
    "effective": (
        *["accept"] * 9,
        "counter",
        "counter",
        *["revoke"] * 4,
        "reject",
        "rely",
        "perform",
        "offer",
        "withdraw",
    ),
    "accepting": ("reach", "reach", "fail", "withdraw_acceptance", "withdraw_acceptance", "revoke", "retract"),
    "late_pending": ("elect_late", "elect_late", "lapse_notice", "offer", "retract"),
    "disputed": ("admit_time", "admit_time", "lapse_notice", "retract"),
    "accepted": (
        "sign",
        "sign",
        "confirm",
        "object",
        "lapse_notice",
        "amend",
        "amend",
        "withdraw_acceptance",
        "retract",
    ),
    "revoked": ("accept", "accept", "offer"),
    "superseded": ("accept", "accept"),
    "lapsed": ("accept", "accept", "elect_late", "offer"),
}
"""What may well be said of an offer in a state."""

OF_CONTRACT = {
    "concluded_objectable": ("object", "object", "lapse_notice", "retract", "sign", "amend"),
    "awaiting_confirmation": ("sign", "sign", "confirm", "confirm", "retract"),
    "awaiting_reach": ("reach", "fail", "withdraw_acceptance", "withdraw_acceptance", "revoke"),
    "awaiting_election": ("elect_late", "lapse_notice", "retract"),
    "disputed_time": ("admit_time", "lapse_notice", "retract"),
    "concluded": ("amend", "amend", "offer", "object"),
}
"""What may well be said of what the latest acceptance brought about."""

CHANGES = (["lines.1.price"], ["notes.1"], ["warranty"], ["document_copies", "marking"], [], ["lines.2.colour"])
SETUPS = st.integers(0, 3 * 3 * 2 * 2 * 3 * 2 * 2 * 2 - 1)
MOVES = st.lists(st.integers(0, 2**32 - 1), max_size=22)

PLACE = {
    "zone": "Asia/Shanghai",
    "weekend": [5, 6],
    "holidays": ["2026-11-30", "2026-12-01"],
    "workdays": ["2026-12-05"],
}


class Digits:
    """A number, read digit by digit, each of its own base. Numbers near each other have nothing in common."""

    def __init__(self, number: int) -> None:
        self.left = Random(number).getrandbits(160)

    def below(self, base: int) -> int:
        self.left, found = divmod(self.left, base)
        return found

    def of(self, choices):
        return choices[self.below(len(choices))]

    def one_in(self, count: int) -> bool:
        return self.below(count) == 1


def setup(number: int, name: str = "n") -> dict:
    digits = Digits(number)
    entry: dict = {"kind": "negotiation", "negotiation": name, "buyer": BUYER, "seller": SELLER}
    entry["regime"] = digits.of(("CISG", "PRC", "UCC"))
    entry["formation"] = digits.of(("agreement", "agreement", "signature"))
    entry["silence_accepts"] = digits.of((False, True))
    entry["performance_accepts"] = digits.of((False, True))
    entry["rounds_max"] = digits.of((None, None, 3))
    entry["battle"] = digits.of(("last_shot", "knock_out"))
    entry["places"] = digits.of(({}, {SELLER: PLACE}))
    entry["materiality"] = digits.of(({}, {"warranty": False, "marking": True}))
    if entry["formation"] == "signature" and entry["battle"] == "knock_out":
        entry["formation"] = "confirmation"
    return entry


@dataclass
class Played:
    """A history, and the negotiation after each statement that was taken, with the moment."""

    entries: list[dict]
    answers: list[dict]
    versions: list[tuple[Negotiation, datetime]] = field(default_factory=list)

    @property
    def latest(self) -> Negotiation:
        return self.versions[-1][0]

    @property
    def now(self) -> datetime:
        return self.versions[-1][1]


def played(number: int, moves: Iterable[int]) -> Played:
    """Return the history that these numbers write, as the rules took it."""
    opening = setup(number)
    world = World()
    history = Played([opening], list(world.take(_read(json.dumps(opening)))))
    now = MONDAY
    history.versions.append((world.negotiations["n"], now))
    for place, move in enumerate(moves):
        digits = Digits(move)
        now += timedelta(hours=digits.of(HOURS))
        entry = written(digits, f"s{place}", world.negotiations["n"], now)
        history.entries.append(entry)
        for answer in world.take(_read(json.dumps(entry))):
            history.answers.append(answer)
        if world.negotiations["n"] is not history.latest:
            history.versions.append((world.negotiations["n"], now))
    history.answers.extend(world.rest())
    if world.negotiations["n"] is not history.latest:
        history.versions.append((world.negotiations["n"], world.negotiations["n"].statements[-1].at))
    return history


def written(digits: Digits, id: str, deal: Negotiation, now: datetime) -> dict:
    """Return a line of the history: what is said, about what, by whom, and how."""
    ledger = Ledger.of(deal, now)
    kind = said(digits, ledger)
    entry: dict = {"kind": kind, "id": id, "at": now.isoformat()}
    if kind in ("reach", "fail"):
        on_its_way = list(ledger.pending) or [each.id for each in deal.statements]
        return {**entry, "about": chosen(digits, on_its_way)}
    if kind == "retract":
        return {**entry, **retraction(digits, deal)}
    about = subject(digits, kind, deal, ledger)
    offer = next((each for each in deal.offers if each.id == about), None)
    owner = owner_of(ledger, about)
    right = (
        deal.other(owner)
        if kind in ("accept", "counter", "reject", "perform", "rely", "withdraw_acceptance")
        else owner
    )
    if kind in ("offer", "inquiry", "amend", "confirm", "sign", "question", "answer", "comment"):
        right = digits.of((BUYER, SELLER))
    entry["by"] = right if digits.below(12) else digits.of((BUYER, SELLER, STRANGER))
    if kind not in ("offer", "inquiry", "amend") or digits.one_in(4):
        entry["about"] = about
    entry |= circumstances(digits, kind, now)
    if digits.one_in(20):
        entry["expected_version"] = max(deal.version - digits.below(2), 0)
    if kind in ("offer", "counter", "amend", "inquiry"):
        entry["offer"] = terms(digits, deal, now, kind)
    elif kind == "accept":
        acceptance(digits, entry, offer, deal, now)
    elif offer is not None and digits.one_in(12):
        entry["terms_hash"] = offer.terms_hash
    return {name: value for name, value in entry.items() if value is not None or name == "reached_at"}


def circumstances(digits: Digits, kind: str, now: datetime) -> dict:
    """How it was said: when it reaches, what is known of its dispatch, and of its author."""
    entry: dict = {}
    transit = digits.below(5)
    if transit == 1:
        entry["reached_at"] = None
    elif transit == 2:
        entry["reached_at"] = (now + timedelta(hours=digits.of((1, 26, 60)))).isoformat()
    if digits.one_in(3 if kind == "accept" else 20):
        entry["sent_at"] = (now - timedelta(hours=digits.of((1, 30, 24 * 5, -3)))).isoformat()
    if digits.one_in(3 if kind == "accept" else 20):
        entry["claimed_at"] = (now - timedelta(hours=digits.of((1, 30, 24 * 5)))).isoformat()
    for name, odds, value in (
        ("delayed", 4, True), ("reviewed", 4, False), ("attributed", 90, False), ("may_bind", 90, False),
        ("limit", 20, "1000"), ("conditional", 20, True),
    ):  # fmt: skip
        if digits.one_in(odds):
            entry[name] = value
    return entry


def retraction(digits: Digits, deal: Negotiation) -> dict:
    mine = [each for each in deal.statements if each.by is not None]
    unseen = [each for each in mine if not each.reviewed]
    about = chosen(digits, [each.id for each in (unseen if unseen and digits.below(4) else mine)])
    by = next((each.by for each in mine if each.id == about), BUYER)
    return {"by": by if digits.below(5) else digits.of((BUYER, SELLER)), "about": about}


def owner_of(ledger: Ledger, about: str | None) -> str:
    """Return who made the offer, or the one that the acceptance is of."""
    taken = ledger.acceptances.get(about or "")
    standing = taken.standing if taken is not None else ledger.standings.get(about or "")
    return standing.offer.by if standing is not None else SELLER


def said(digits: Digits, ledger: Ledger) -> str:
    """Mostly what the state of one of the latest offers asks for; at times anything at all."""
    if digits.one_in(10):
        return digits.of([str(each) for each in Kind])
    if ledger.pending and digits.one_in(6):
        return digits.of(("reach", "reach", "fail"))
    latest = next(reversed(ledger.acceptances.values()), None)
    if latest is not None and latest.is_live and digits.below(2):
        return digits.of(OF_CONTRACT.get(str(latest.state), ("offer",)))
    if not ledger.standings or digits.one_in(7):
        return digits.of(AT_ANY_TIME)
    states = list(ledger.states.values())[-3:]
    return digits.of(IN_STATE.get(states[digits.below(len(states))], ("offer", "offer", "reach")))


def chosen(digits: Digits, ids: list[str]) -> str:
    return ids[-1 - digits.below(len(ids))] if ids and digits.below(30) else "s0"


def subject(digits: Digits, kind: str, deal: Negotiation, ledger: Ledger) -> str | None:
    """What the statement is about: mostly an offer, or acceptance, that has a place for it."""
    fitting = {
        "withdraw": ("dispatched", "undelivered"), "disregard": ("dispatched", "undelivered"),
        "cancel": ("invitation",), "withdraw_acceptance": ("accepting", "effective"), "object": ("accepted",),
        "elect_late": ("late_pending",), "admit_time": ("disputed",), "confirm": ("accepted",), "sign": ("accepted",),
        "lapse_notice": ("late_pending", "disputed", "accepted"),
    }.get(kind, ("effective",))  # fmt: skip
    if kind == "accept" and digits.one_in(3):
        fitting = ("revoked", "superseded", "lapsed", "effective")
    states = ledger.states
    fits = [id for id, state in states.items() if state in fitting]
    if digits.one_in(12) and ledger.acceptances:
        return list(ledger.acceptances)[digits.below(len(ledger.acceptances))]
    pool = fits if fits and digits.below(8) else list(states)
    return pool[-1 - digits.below(len(pool))] if pool else None


def terms(digits: Digits, deal: Negotiation, now: datetime, kind: str) -> dict:
    price = digits.of(PRICES)
    offer: dict = {
        "lines": {
            "1": {"item": "Valve V-22", "quantity": "100", "unit": "C62", "price": price},
            "2": {"item": "Seal kit", "quantity": "200", "unit": "C62", "price": "0.82"},
        },
        "terms": {"currency": "USD", "warranty": "12 months"},
    }
    period = digits.below(6)
    if period == 1:
        offer["accept_within_s"] = 3600 * 24 * 3
    elif period in (2, 3):
        offer["accept_by"] = (now + timedelta(hours=digits.of((4, 24 * 2, 24 * 5, 24 * 12)))).isoformat()
    for name, odds, value in (
        ("irrevocable", 8, True), ("divisible", 3, True), ("as_is_only", 12, True), ("catalogue", 12, True),
        ("performance_accepts", 5, True), ("conditional_on_receipt", 8, True), ("standard_terms", 6, "S"),
    ):  # fmt: skip
        if digits.one_in(odds):
            offer[name] = value
    group = digits.below(4)
    if group:
        offer["group"] = f"g{group}"
    if kind != "inquiry" and digits.one_in(15):
        offer["firm"] = False
    if digits.one_in(25):
        del offer["lines"]["1"]["price"]
    if kind == "amend":
        known = [each for each in Ledger.of(deal, now).contracts() if each.is_live]
        contract = known[digits.below(len(known))] if known else None
        named = (contract.offer.id, contract.id) if contract else ("s0",)
        offer["amends"] = named[digits.below(len(named))]
        if digits.one_in(4):
            offer["terminates"] = True
    return offer


def acceptance(digits: Digits, entry: dict, offer, deal: Negotiation, now: datetime) -> None:
    form = digits.below(8)
    if form in (1, 2):
        entry["changes"] = digits.of(CHANGES)
        if digits.below(4):
            own = terms(digits, deal, now, "accept")
            entry["offer"] = {name: own[name] for name in ("lines", "terms")}
    elif form == 3:
        own = terms(digits, deal, now, "accept")
        entry["offer"] = {name: own[name] for name in ("lines", "terms", "divisible") if name in own}
    elif form in (4, 5):
        line = digits.of(("1", "2", "9"))
        entry["lines"] = {line: digits.of((None, "40", "60", "100", "300"))}
        if digits.one_in(3):
            entry["lines"]["2"] = digits.of((None, "200", "50"))
    if digits.one_in(10):
        entry["standard_terms"] = digits.of(("B", "S"))
    if offer is not None and digits.one_in(10):
        entry["terms_hash"] = digits.of((offer.terms_hash, "0"))


__all__ = ["MONDAY", "MOVES", "SETUPS", "Kind", "Played", "model", "played"]
