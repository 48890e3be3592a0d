"""A second model of the rules of formation, written apart from the first, to be held against it.

It knows the form of a simulated history (docs/negotiation.md) and imports nothing of the hub. Where the first model folds
statements into a ledger, this one replays the whole log for every line: naive, slow, and short on cleverness. Quantities
that are left are counted anew each time, deadlines are looked for one by one, and each rule is spelled out where it acts.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

DAY = 86400
BEFORE_CONTRACT = {"travelling": "awaiting_reach", "late": "awaiting_election", "disputed": "disputed_time",
                   "open": "concluded_objectable", "unsigned": "awaiting_confirmation", "done": "concluded",
                   "nothing": "never_concluded"}  # fmt: skip
STATE_CODES = {
    "dispatched": "NOT_YET_REACHED", "undelivered": "NOT_YET_REACHED", "withdrawn": "WITHDRAWN",
    "rejected": "REJECTED", "countered": "COUNTERED", "revoked": "REVOKED", "superseded": "SUPERSEDED",
    "lapsed": "LAPSED", "accepting": "ACCEPTED", "accepted": "ACCEPTED", "late_pending": "LATE_PENDING",
    "disputed": "DISPUTED_TIME", "invitation": "NOT_ALLOWED", "effective": "NOT_ALLOWED",
}  # fmt: skip
TALK = ("question", "answer", "comment")
NEWS = ("reach", "fail")
PROPOSING = ("inquiry", "offer", "counter", "amend")
TRAVELS = (*PROPOSING, "accept", "reject", "withdraw", "revoke", "withdraw_acceptance", "cancel")
OF_OFFEREE = ("accept", "counter", "reject", "perform", "rely", "withdraw_acceptance")
OF_ACCEPTANCE = ("withdraw_acceptance", "object", "elect_late", "lapse_notice", "admit_time", "confirm", "sign")
MINOR = ("notes", "remarks", "contact", "contacts", "notice_address", "document_format", "documents_required",
         "document_copies", "label_text", "marking")  # fmt: skip
CORE = ("line", "item", "specification", "quality", "unit", "quantity", "min_quantity", "max_quantity", "price",
        "formula", "more_prices", "net_amount", "total", "currency", "exchange_rate", "target_currency")  # fmt: skip
CLASS_OF = {"document_copies": "document_copies", "documents_required": "document_copies", "notes": "remarks",
            "marking": "marking", "delivery": "delivery_date", "price": "price", "warranty": "warranty"}  # fmt: skip


class No(Exception):
    """A refusal."""


def when(text):
    return datetime.fromisoformat(text)


def number(value):
    return None if value is None else Decimal(str(value))


# --- terms --------------------------------------------------------------------------------------


def plain(value):
    return format(value.normalize(), "f") if value else "0"


def flatten(offer):
    flat = dict(offer.get("terms", {}))
    for name, line in offer.get("lines", {}).items():
        for key in ("item", "quantity", "unit", "price", "formula"):
            if line.get(key) is not None:
                flat[f"lines.{name}.{key}"] = plain(number(line[key])) if key in ("quantity", "price") else line[key]
    return flat


def hashed(offer):
    text = json.dumps(flatten(offer), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def what_lacks(offer):
    lines = list(offer.get("lines", {}).values())
    if not lines or any(not line.get("item") for line in lines):
        return "NOT_DEFINITE_ITEM"
    if any(number(line.get("quantity")) is None or number(line["quantity"]) <= 0 for line in lines):
        return "NOT_DEFINITE_QUANTITY"
    if not offer.get("terms", {}).get("currency"):
        return "NOT_DEFINITE_PRICE"
    if any(line.get("price") is None and not line.get("formula") for line in lines):
        return "NOT_DEFINITE_PRICE"
    return None


def offered(offer):
    return {
        name: number(line["quantity"])
        for name, line in offer.get("lines", {}).items()
        if line.get("quantity") is not None and number(line["quantity"]) > 0
    }


def values(offer):
    found = {}
    for name, line in offer.get("lines", {}).items():
        if line.get("price") is None or line.get("quantity") is None:
            return {}
        found[name] = (number(line["price"]) * number(line["quantity"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return found


def is_material(path, agreed):
    name = path.split(".", 2)[2] if path.startswith("lines.") and path.count(".") > 1 else path
    head = name.split(".")[1] if name.startswith("custom.") else name.split(".")[0]
    known = agreed.get(CLASS_OF.get(head, "unknown" if head not in (*MINOR, *CORE) else head))
    return known if known is not None else head not in MINOR


def is_core(path):
    name = path.split(".", 2)[2] if path.startswith("lines.") and path.count(".") > 1 else path
    return name == "lines" or name.split(".")[0] in CORE


# --- one negotiation ----------------------------------------------------------------------------


class Deal:
    def __init__(self, setup):
        self.name, self.buyer, self.seller = setup["negotiation"], setup["buyer"], setup["seller"]
        self.law = setup.get("regime", "CISG")
        self.reasonable = timedelta(seconds=setup.get("reasonable_s", 14 * DAY))
        self.delay = timedelta(seconds=setup.get("undue_delay_s", 2 * DAY))
        self.receipt = timedelta(seconds=setup.get("receipt_within_s", DAY))
        self.rounds = setup.get("rounds_max")
        self.agreed = setup.get("materiality", {})
        self.silence = setup.get("silence_accepts", False)
        self.practice = setup.get("performance_accepts", False)
        self.formation = setup.get("formation", "agreement")
        self.knocks_out = setup.get("battle", "last_shot") == "knock_out"
        self.places = setup.get("places", {})
        self.log = []

    def other(self, party):
        return self.seller if party == self.buyer else self.buyer

    @property
    def version(self):
        return sum(entry["kind"] not in (*TALK, *NEWS) for entry in self.log)

    def rolled(self, moment, party):
        if self.law == "UCC":
            return moment
        place = self.places.get(party, {})
        zone = ZoneInfo(place.get("zone", "UTC"))
        local = moment.astimezone(zone)
        weekend, holidays = place.get("weekend", [5, 6]), place.get("holidays", [])
        day = local.date()
        while (day.weekday() in weekend or day.isoformat() in holidays) and day.isoformat() not in place.get(
            "workdays", []
        ):
            day += timedelta(days=1)
        if day == local.date():
            return moment
        return datetime.combine(day, local.time(), zone)


class Offer:
    def __init__(self, entry, words):
        self.id, self.by, self.words = entry["id"], entry["by"], words
        self.kind, self.about = entry["kind"], entry.get("about")
        self.firm = words.get("firm", entry["kind"] != "inquiry")
        self.state = "dispatched" if self.firm else "invitation"
        self.sent = sent_at(entry)
        self.reached = self.ended = self.ender = None
        self.relied = self.given_up = False
        self.taken = []

    def __getattr__(self, name):
        return self.words.get(name)

    @property
    def accept_by(self):
        text = self.words.get("accept_by")
        return when(text) if text else None

    def left(self):
        if not self.divisible:
            return {}
        found = dict(offered(self.words))
        for each in self.taken:
            if each.lives:
                for line, amount in each.lines.items():
                    found[line] -= amount
        return {line: amount for line, amount in found.items() if amount > 0}

    def standing(self):
        living = [each.phase for each in self.taken if each.lives]
        if not living or self.left():
            return self.state
        for phase, state in (("travelling", "accepting"), ("disputed", "disputed"), ("late", "late_pending")):
            if phase in living:
                return state
        return "accepted"


class Taking:
    """An acceptance."""

    def __init__(self, entry, offer, by, lines):
        self.id, self.entry, self.offer, self.by, self.lines = entry["id"], entry, offer, by, lines
        self.phase, self.lost = "travelling", False
        self.change = self.effective = self.concluded = self.window = None
        self.delayed = self.disputed = self.late = False
        self.signed, self.knocked = set(), []

    @property
    def lives(self):
        return not self.lost and self.phase != "nothing"


def sent_at(entry):
    at = when(entry["at"])
    return min(at, when(entry["sent_at"])) if entry.get("sent_at") else at


class World:
    """How things stand in a deal at a moment: its whole log, replayed."""

    def __init__(self, deal, now):
        self.deal = deal
        self.offers, self.takings, self.travelling, self.failed, self.meant = {}, {}, {}, set(), {}
        self.started = 0
        for entry in deal.log:
            self.clock(when(entry["at"]))
            self.happen(entry)
        self.now = max([now, *(when(entry["at"]) for entry in deal.log[-1:])])
        self.clock(self.now)

    # time

    def next(self):
        """Of two times that end at one moment, the one ends first that began to run first."""
        self.started += 1
        return self.started

    def deadline(self, offer):
        if offer.accept_by is not None:
            return self.deal.rolled(offer.accept_by, offer.by)
        if offer.reached is None:
            return None
        span = timedelta(seconds=offer.accept_within_s) if offer.accept_within_s else self.deal.reasonable
        return self.deal.rolled(offer.reached + span, offer.by)

    def clock(self, at):
        while True:
            due = []
            for offer in self.offers.values():
                if offer.state == "effective" and self.deadline(offer) < at:
                    due.append((self.deadline(offer), offer.order, "offer", offer))
            for taking in self.takings.values():
                waits = taking.lives and taking.phase in ("open", "late", "disputed")
                if waits and taking.window is not None and taking.window < at:
                    due.append((taking.window, taking.order, "taking", taking))
            if not due:
                return
            until, _, what, which = min(due, key=lambda each: each[:2])
            if what == "offer":
                self.expire(which, until)
            elif which.phase == "open":
                self.form(which)
            else:
                self.undo(which, "lapsed")

    def expire(self, offer, until):
        answers = [
            id for id, each in self.travelling.items() if each.get("about") == offer.id and each["by"] != offer.by
        ]
        answered = any(id not in self.failed for id in answers)
        free = not self.is_agreed() if offer.amends is None else self.has_contract(offer.amends)
        if self.deal.silence and offer.standing() == "effective" and offer.reached <= until and free and not answered:
            entry = {"id": f"{offer.id}:silence", "kind": "accept", "at": until.isoformat()}
            taking = Taking(entry, offer, self.deal.other(offer.by), offer.left())
            offer.taken.append(taking)
            self.takings[taking.id] = taking
            taking.effective = until
            self.form(taking)
        offer.state, offer.ended = "lapsed", until

    def has_contract(self, name):
        alive = [each for each in self.contracts() if each["state"] in ("concluded", "concluded_objectable")]
        return any(name in (each["id"], each["offer"]) for each in alive)

    def is_agreed(self):
        living = [each for each in self.takings.values() if each.lives and each.offer.amends is None]
        return bool(living) and not any(self.goes_on(each.offer) for each in living)

    def goes_on(self, offer):
        if offer.standing() == "countered" and offer.ender is not None:
            return self.goes_on(self.offers[offer.ender])
        return offer.standing() == "effective"

    def is_firm_promise(self, offer, at):
        if offer.relied:
            return True
        if offer.irrevocable:
            return self.deal.law != "UCC" or at <= offer.sent + timedelta(days=92)
        return self.deal.law != "UCC" and bool(offer.accept_by or offer.accept_within_s)

    # what was said

    def happen(self, entry):
        kind, about, at = entry["kind"], entry.get("about"), when(entry["at"])
        if kind == "reach" and about in self.travelling:
            self.arrive(self.travelling.pop(about), at)
        elif kind == "fail" and about in self.travelling:
            self.lose(self.travelling[about])
        if kind in NEWS:
            return
        if kind == "accept":
            self.take(entry)
        elif kind in PROPOSING:
            self.offers[entry["id"]] = Offer(entry, entry["offer"])
        elif kind == "withdraw_acceptance":
            self.meant[entry["id"]] = self.taking(about)
        elif kind not in TALK:
            self.act(entry, at)
        if kind in TRAVELS:
            if entry.get("travels"):
                self.travelling[entry["id"]] = entry
            else:
                self.arrive(entry, at)

    def act(self, entry, at):
        kind, about = entry["kind"], entry.get("about")
        offer, taking = self.offers.get(about), self.taking(about)
        if kind == "perform":
            mine = Taking(entry, offer, entry["by"], offer.left())
            offer.taken.append(mine)
            self.takings[mine.id] = mine
            mine.effective = at
            self.form(mine)
        elif kind == "rely":
            offer.relied = True
        elif kind == "disregard":
            self.end(offer, "withdrawn", at)
        elif kind == "retract" and about in self.takings:
            self.forget(self.takings[about])
        elif kind == "retract":
            self.end(offer, "withdrawn", at)
        elif kind == "object":
            self.undo(taking, "countered")
        elif kind == "lapse_notice":
            self.undo(taking, "lapsed")
        elif kind in ("elect_late", "admit_time"):
            self.form(taking)
        elif kind in ("confirm", "sign"):
            taking.signed.add(entry["by"])
            self.form(taking, at)

    def arrive(self, entry, at):
        kind, about = entry["kind"], entry.get("about")
        if entry["id"] in self.takings:
            self.taking_arrives(self.takings[entry["id"]], at)
        elif entry["id"] in self.offers:
            self.offer_arrives(self.offers[entry["id"]], at)
        elif kind == "withdraw_acceptance":
            taking = self.meant[entry["id"]]
            if taking.phase == "nothing":
                return
            if taking.lost:
                self.travelling.pop(taking.id, None)
            elif taking.phase == "travelling" or taking.effective == at:
                self.forget(taking)
        else:
            self.answer_arrives(self.offers[about], kind, at)

    def answer_arrives(self, offer, kind, at):
        state = offer.standing()
        if kind == "reject" and state in ("effective", "invitation"):
            self.end(offer, "rejected", at)
        elif kind == "cancel" and state == "invitation":
            self.end(offer, "withdrawn", at)
        elif kind == "withdraw" and offer.reached is None:
            if state in ("dispatched", "undelivered"):
                self.end(offer, "withdrawn", at)
        elif kind == "withdraw" and offer.reached == at and offer.state == "effective" and not offer.taken:
            self.end(offer, "withdrawn", at)
            for each in self.offers.values():
                if each.ender == offer.id and each.ended == at:
                    each.state, each.ended, each.ender = "effective", None, None
        elif kind in ("withdraw", "revoke") and offer.state == "effective" and not self.is_firm_promise(offer, at):
            self.end(offer, "revoked", at)

    def end(self, offer, state, at, ender=None):
        offer.state, offer.ended, offer.ender = state, at, ender

    def offer_arrives(self, offer, at):
        if not offer.firm or offer.state not in ("dispatched", "undelivered"):
            return
        offer.state, offer.reached, offer.order = "effective", at, self.next()
        if offer.kind in ("counter", "accept") and self.offers[offer.about].standing() == "effective":
            self.end(self.offers[offer.about], "countered", at, offer.id)
        said = list(self.offers)
        for each in self.offers.values():
            same = each is not offer and each.by == offer.by and each.amends == offer.amends
            beside = each.group is not None and each.group == offer.group
            if not same or beside:
                continue
            if said.index(each.id) < said.index(offer.id):
                if each.state == "effective" and not self.is_firm_promise(each, at):
                    self.end(each, "superseded", at, offer.id)
            elif each.reached is not None and each.state != "withdrawn" and not self.is_firm_promise(offer, at):
                self.end(offer, "superseded", at, each.id)

    def lose(self, entry):
        self.failed.add(entry["id"])
        if entry["id"] in self.takings:
            taking = self.takings[entry["id"]]
            if taking.phase == "travelling":
                taking.lost = True
        elif entry["id"] in self.offers and self.offers[entry["id"]].state == "dispatched":
            self.offers[entry["id"]].state = "undelivered"

    # acceptances

    def taking(self, about):
        if about in self.takings:
            return self.takings[about]
        offer = self.offers.get(about)
        return offer.taken[-1] if offer is not None and offer.taken else None

    def changes(self, entry, offer):
        changed = list(entry.get("changes") or ())
        own = entry.get("standard_terms")
        if own is not None and own != offer.standard_terms and not self.falls_away(entry, offer):
            changed.append("standard_terms")
        return changed

    def falls_away(self, entry, offer):
        return self.deal.knocks_out and not (entry.get("conditional") or offer.as_is_only)

    def weigh(self, entry, offer):
        changed = self.changes(entry, offer)
        if entry.get("lines") and not offer.divisible:
            changed.append("lines")
        if not changed:
            return "none"
        if entry.get("conditional") or offer.as_is_only:
            return "counter"
        heavy = [path for path in changed if is_material(path, self.deal.agreed)]
        if not heavy:
            return "minor"
        return "counter" if self.deal.law != "UCC" or any(map(is_core, heavy)) else "knocked"

    def take(self, entry):
        offer = self.offers[entry["about"]]
        change = self.weigh(entry, offer)
        if change == "counter":
            self.offers[entry["id"]] = Offer(entry, entry["offer"])
            return
        left = offer.left()
        lines = left
        if entry.get("lines") and offer.divisible:
            lines = {line: left[line] if amount is None else number(amount) for line, amount in entry["lines"].items()}
        taking = Taking(entry, offer, entry["by"], lines)
        taking.change = change
        own = entry.get("standard_terms")
        if change == "knocked":
            taking.knocked = self.changes(entry, offer)
        if self.falls_away(entry, offer) and own is not None and own != offer.standard_terms:
            taking.knocked = [*taking.knocked, "standard_terms"]
        if offer.state in ("revoked", "superseded"):
            taking.disputed = not sent_at(entry) < offer.ended
        taking.late = offer.given_up
        offer.taken.append(taking)
        self.takings[taking.id] = taking
        posted = entry.get("travels") and self.counts_at_dispatch(offer)
        if posted and not taking.disputed and not taking.late and sent_at(entry) <= self.deadline(offer):
            taking.effective = sent_at(entry)
            if change == "minor":
                taking.phase = "open"
            else:
                self.form(taking)

    def counts_at_dispatch(self, offer):
        return self.deal.law == "UCC" or (self.deal.law == "PRC" and bool(offer.catalogue))

    def taking_arrives(self, taking, at):
        offer, entry = taking.offer, taking.entry
        if taking.lost:
            fits = all(offer.left().get(line, 0) >= amount for line, amount in taking.lines.items())
            early = taking.disputed or (offer.ended is not None and sent_at(entry) < offer.ended)
            possible = ("effective", "lapsed", "revoked", "superseded") if early else ("effective", "lapsed")
            if offer.standing() not in possible or not fits:
                return
            taking.lost = False
        if taking.phase != "travelling":
            self.ask(taking, at)
            return
        posted = self.counts_at_dispatch(offer)
        taking.effective = sent_at(entry) if posted else at
        claimed = when(entry["claimed_at"]) if posted and entry.get("claimed_at") else None
        until = self.deadline(offer)
        if taking.disputed:
            taking.phase, taking.effective = "disputed", claimed or taking.effective
        elif taking.late:
            taking.phase, taking.effective = "late", at
        elif taking.effective <= until:
            if taking.change == "minor":
                taking.phase = "open"
            else:
                self.form(taking)
        elif entry.get("delayed") and sent_at(entry) <= until:
            taking.phase, taking.delayed = "open", True
        elif claimed is not None and claimed <= until:
            taking.phase, taking.effective = "disputed", claimed
        else:
            taking.phase, taking.effective = "late", at
        self.ask(taking, at)

    def ask(self, taking, at):
        """The offeror's time to answer runs from when it has the acceptance before it."""
        if taking.window is None and taking.phase in ("open", "late", "disputed"):
            taking.window, taking.order = at + self.deal.delay, self.next()

    def form(self, taking, at=None):
        if self.deal.formation == "agreement":
            taking.phase = "done"
            taking.concluded = taking.concluded or taking.effective
        elif taking.signed == {self.deal.buyer, self.deal.seller}:
            taking.phase = "done"
            taking.concluded = taking.concluded or at
        else:
            taking.phase = "unsigned"

    def forget(self, taking):
        self.travelling.pop(taking.id, None)
        taking.lost = True

    def undo(self, taking, state):
        taking.phase, taking.concluded = "nothing", None
        taking.offer.state = state
        taking.offer.given_up = state == "lapsed"

    # what is asked of it

    def states(self):
        return {id: offer.standing() for id, offer in self.offers.items()}

    def contracts(self):
        found = []
        for taking in self.takings.values():
            if taking.lost or taking.offer.amends is not None:
                continue
            terms = taking.id if taking.change == "minor" and taking.entry.get("offer") else taking.offer.id
            concluded = taking.concluded
            if taking.phase == "open" and self.deal.formation == "agreement":
                concluded = taking.effective
            whole = taking.lines == (offered(taking.offer.words) if taking.offer.divisible else {})
            found.append({
                "id": taking.id, "offer": taking.offer.id, "terms": terms, "state": BEFORE_CONTRACT[taking.phase],
                "concluded_at": concluded, "version": 1, "knocked_out": list(taking.knocked),
                "lines": {} if whole else taking.lines,
            })  # fmt: skip
        changes = [each for each in self.takings.values() if each.lives and each.offer.amends and each.phase == "done"]
        for change in sorted(changes, key=lambda each: each.concluded):
            for contract in found:
                named = change.offer.amends in (contract["id"], contract["offer"])
                if named and contract["state"] in ("concluded", "concluded_objectable"):
                    contract["version"] += 1
                    own = change.change == "minor" and change.entry.get("offer")
                    contract["terms"] = change.id if own else change.offer.id
                    if change.offer.terminates:
                        contract["state"] = "terminated"
                    break
        return found

    def turn(self):
        agreed = self.is_agreed()
        speaking = [each for each in self.offers.values() if each.amends is not None or not agreed]
        for offer in reversed(speaking):
            if offer.standing() in ("dispatched", "effective"):
                return self.deal.other(offer.by)
        if speaking and speaking[-1].standing() == "invitation":
            return self.deal.other(speaking[-1].by)
        return None


# --- whether it may be said ---------------------------------------------------------------------


class Judge:
    """Asks the questions, in the order of docs/negotiation.md."""

    def __init__(self, world, entry):
        self.world, self.deal, self.said, self.now = world, world.deal, entry, when(entry["at"])
        self.kind = entry["kind"]

    def ask(self):
        said, kind = self.said, self.kind
        if kind in NEWS:
            self.need(any(each["id"] == said.get("about") for each in self.deal.log), "NO_SUCH_OFFER")
        if kind in TALK:
            self.party()
        if kind not in (*NEWS, *TALK):
            self.need(said.get("attributed", True), "UNATTRIBUTED")
        self.need(not said.get("offer") or kind in (*PROPOSING, "accept"), "NOT_ALLOWED")
        if kind not in (*NEWS, *TALK):
            getattr(self, kind)()

    @staticmethod
    def need(fact, code):
        if not fact:
            raise No(code)

    def party(self):
        self.need(self.said.get("by") in (self.deal.buyer, self.deal.seller), "NOT_A_PARTY")

    def addressed(self):
        about = self.said.get("about")
        offer = self.world.offers.get(about)
        if self.kind in OF_ACCEPTANCE and about in self.world.takings:
            offer = self.world.takings[about].offer
        self.need(offer is not None, "NO_SUCH_OFFER")
        if self.kind in OF_OFFEREE:
            self.need(self.said.get("by") == self.deal.other(offer.by), "NOT_OFFEREE")
        else:
            self.need(self.said.get("by") == offer.by, "NOT_OFFEROR")
        return offer

    def authority(self, firm, amount):
        if firm:
            self.need(self.said.get("may_bind", True), "NO_AUTHORITY")
            limit = number(self.said.get("limit"))
            self.need(limit is None or amount is None or amount <= limit, "OVER_LIMIT")

    def own_terms(self):
        words = self.said.get("offer")
        self.need(words, "NO_SUCH_OFFER")
        if words.get("firm", self.kind != "inquiry"):
            lacks = what_lacks(words)
            self.need(lacks is None or words.get("terminates"), lacks)
            until = words.get("accept_by")
            if until and when(until) <= self.now:
                inherits = self.kind == "accept" and self.deal.rolled(when(until), self.said["by"]) > self.now
                self.need(inherits, "ACCEPT_BY_PAST")

    def contract_stands(self, name):
        if name is None and self.kind != "amend":
            return
        self.need(self.world.has_contract(name), "NO_CONTRACT")

    def not_agreed(self, amends):
        self.need(amends is not None or not self.world.is_agreed(), "CONCLUDED")

    def rounds(self):
        counters = [
            each for each in self.deal.log
            if each["kind"] == "counter" or (each["kind"] == "accept" and each["id"] in self.world.offers)
        ]  # fmt: skip
        self.need(self.deal.rounds is None or len(counters) < self.deal.rounds, "ROUND_LIMIT")

    def total(self, words):
        found = values(words)
        return sum(found.values(), Decimal(0)) if found else None

    # proposals

    def inquiry(self):
        self.party()
        words = self.said.get("offer") or {}
        self.need(not words.get("firm", False), "NOT_ALLOWED")
        self.not_agreed(words.get("amends"))
        self.contract_stands(words.get("amends"))
        self.own_terms()

    def offer(self):
        self.party()
        words = self.said.get("offer") or {}
        self.authority(words.get("firm", True), self.total(words))
        self.not_agreed(words.get("amends"))
        self.contract_stands(words.get("amends"))
        self.own_terms()

    def amend(self):
        self.party()
        words = self.said.get("offer") or {}
        self.authority(words.get("firm", True), self.total(words))
        self.contract_stands(words.get("amends"))
        self.own_terms()

    def answerable(self, amends, states):
        offer = self.addressed()
        self.reachable(offer, states)
        self.not_agreed(offer.amends if amends is None else amends[0])
        beside = [
            each for each in self.world.offers.values()
            if offer.group is not None and (each.group, each.by) == (offer.group, offer.by) and each is not offer
        ]  # fmt: skip
        picked = any(taken.lives for each in beside for taken in each.taken)
        self.need((offer.amends if amends is None else amends[0]) is not None or not picked, "CONCLUDED")
        for id, each in self.world.travelling.items():
            ends = each["kind"] in ("counter", "reject") or (each["kind"] == "accept" and id in self.world.offers)
            same = each.get("about") == self.said["about"]
            made = self.world.offers.get(id)
            over = id in self.world.failed or (made is not None and made.standing() == "withdrawn")
            self.need(not ends or not same or over, "COUNTER_UNDER_WAY")
        return offer

    def reachable(self, offer, states):
        state = offer.standing()
        if state in states:
            return
        if self.kind in ("accept", "perform") and state == "invitation":
            raise No("INVITATION_NOT_ACCEPTABLE")
        if self.kind in ("withdraw", "disregard") and state == "effective":
            raise No("TOO_LATE_USE_REVOKE")
        if self.kind == "cancel" and state in ("effective", "dispatched"):
            raise No("NOT_AN_INVITATION")
        raise No(STATE_CODES[state])

    def counter(self):
        words = self.said.get("offer") or {}
        offer = self.answerable([words.get("amends")], ["effective"])
        self.contract_stands(words.get("amends"))
        self.authority(words.get("firm", True), self.total(words))
        self.need(not words or words.get("amends") == offer.amends, "NOT_ALLOWED")
        self.rounds()
        self.own_terms()

    def reject(self):
        self.answerable(None, ["effective", "invitation"])

    def accept(self):
        said, words = self.said, self.said.get("offer")
        offer = self.addressed()
        state = offer.standing()
        counters = self.world.weigh(said, offer) == "counter"
        possible = ["effective", "lapsed"]
        if state in ("revoked", "superseded") and not counters:
            claimed = said.get("claimed_at") and when(said["claimed_at"]) < offer.ended
            if sent_at(said) < offer.ended or claimed:
                possible.append(state)
        self.answerable(None, possible)
        self.contract_stands(offer.amends)
        if counters:
            self.need(state == "effective", STATE_CODES[state])
            strange = any(line not in offered(offer.words) for line in said.get("lines") or {})
            part = "NO_SUCH_LINE" if strange else "INDIVISIBLE"
            self.need(words, part if said.get("lines") else "NOT_ALLOWED")
            self.authority(words.get("firm", True), self.total(words))
        else:
            self.authority(True, self.worth(offer))
        shown = said.get("terms_hash")
        self.need(shown is None or shown == hashed(offer.words), "TERMS_HASH_MISMATCH")
        left = offer.left()
        for line, amount in (said.get("lines") or {}).items() if offer.divisible else ():
            whole = offered(offer.words)
            self.need(line in whole, "NO_SUCH_LINE")
            self.need(amount is None or 0 < number(amount) <= whole[line], "MORE_THAN_OFFERED")
            self.need(line in left and (amount is None or number(amount) <= left[line]), "LINE_TAKEN")
        if counters:
            self.need(words.get("amends") == offer.amends, "NOT_ALLOWED")
            self.rounds()
            self.own_terms()

    def worth(self, offer):
        prices = values(offer.words)
        if not offer.divisible or not prices:
            return self.total(offer.words)
        left, named = offer.left(), self.said.get("lines") if self.kind == "accept" else None
        found = Decimal(0)
        for line in left:
            if not named or line in named:
                amount = number(named[line]) if named and named[line] is not None else left[line]
                found += prices[line] * (amount or left[line]) / offered(offer.words)[line]
        return found

    def worth_taken(self, taking):
        words = taking.offer.words
        prices = values(words)
        if not taking.offer.divisible or not prices:
            return self.total(words)
        return sum((prices[line] * amount / offered(words)[line] for line, amount in taking.lines.items()), Decimal(0))

    def perform(self):
        offer = self.answerable(None, ["effective"])
        self.contract_stands(offer.amends)
        self.need(offer.performance_accepts or self.deal.practice, "PERFORMANCE_NOT_INDICATED")
        self.authority(True, self.worth(offer))
        shown = self.said.get("terms_hash")
        self.need(shown is None or shown == hashed(offer.words), "TERMS_HASH_MISMATCH")

    # taking back, answering

    def withdraw(self):
        self.reachable(self.addressed(), ["dispatched", "undelivered"])

    def revoke(self):
        offer = self.addressed()
        self.reachable(offer, ["effective"])
        self.need(not self.world.is_firm_promise(offer, self.now), "IRREVOCABLE")

    def cancel(self):
        self.reachable(self.addressed(), ["invitation"])

    def disregard(self):
        offer = self.addressed()
        self.reachable(offer, ["dispatched", "undelivered"])
        overdue = self.now > offer.sent + self.deal.receipt
        self.need(offer.conditional_on_receipt or overdue, "RECEIPT_STILL_DUE")

    def rely(self):
        self.reachable(self.addressed(), ["effective"])

    def withdraw_acceptance(self):
        self.addressed()
        taking = self.world.taking(self.said["about"])
        self.need(taking is not None and taking.lives, "NO_ACCEPTANCE")
        self.need(taking.phase == "travelling", "TOO_LATE_ACCEPTANCE_EFFECTIVE")

    def object(self):
        self.addressed()
        taking = self.world.taking(self.said["about"])
        self.need(taking is not None and taking.lives and taking.change == "minor", "NOTHING_TO_OBJECT_TO")
        self.need(taking.phase != "travelling", "NOT_YET_REACHED")
        self.need(taking.phase == "open", "TOO_LATE_TO_OBJECT")

    def waiting(self, phase):
        self.addressed()
        taking = self.world.taking(self.said["about"])
        if taking is None or taking.lost or taking.phase != phase:
            missed = taking is not None and taking.phase == "nothing" and taking.window is not None
            raise No("TOO_LATE_TO_ELECT" if missed else "NOT_LATE")
        self.authority(True, self.worth_taken(taking))

    def elect_late(self):
        self.waiting("late")

    def admit_time(self):
        self.waiting("disputed")

    def lapse_notice(self):
        self.addressed()
        taking = self.world.taking(self.said["about"])
        self.need(taking is not None and taking.lives, "NOT_LATE")
        if taking.phase not in ("late", "disputed"):
            self.need(taking.delayed, "NOT_LATE")
            self.need(taking.phase == "open", "TOO_LATE_TO_OBJECT")

    def seal(self, formation):
        self.party()
        about = self.said.get("about")
        taking = self.world.taking(about)
        wanted = taking is not None and taking.lives and self.deal.formation == formation
        self.need(wanted, "NOT_AWAITING_CONFIRMATION")
        self.need(self.said["by"] not in taking.signed, "ALREADY_CONFIRMED")
        self.need(taking.phase == "unsigned", "NOT_AWAITING_CONFIRMATION")
        own = taking.change == "minor" and taking.entry.get("offer")
        agreed = hashed(taking.entry["offer"] if own else taking.offer.words)
        shown = self.said.get("terms_hash")
        self.need(shown is None or shown == agreed, "TERMS_HASH_MISMATCH")
        self.authority(True, self.worth_taken(taking))

    def confirm(self):
        self.seal("confirmation")

    def sign(self):
        self.seal("signature")

    def retract(self):
        about = self.said.get("about")
        meant = next((each for each in self.deal.log if each["id"] == about), None)
        self.need(meant is not None, "NO_SUCH_OFFER")
        self.need(meant.get("by") == self.said.get("by"), "NOT_OFFEROR")
        binds = meant["kind"] in (*PROPOSING, "accept")
        self.need(binds and not meant.get("reviewed", True), "CORRECTION_WAS_OFFERED")
        offer = self.world.offers.get(about)
        if offer is not None:
            self.need(not offer.relied and not any(each.lives for each in offer.taken), "ALREADY_RELIED_ON")
            self.need(offer.standing() in ("dispatched", "effective"), STATE_CODES[offer.standing()])
        else:
            taking = self.world.takings[about]
            used = not taking.lives or taking.offer.relied or taking.signed
            self.need(not used, "ALREADY_RELIED_ON")


# --- a history ----------------------------------------------------------------------------------


class History:
    def __init__(self):
        self.deals, self.coming, self.count = {}, [], 0

    def take(self, entry):
        kind = entry["kind"]
        if kind == "negotiation":
            self.deals[entry["negotiation"]] = Deal(entry)
            return [{"outcome": "accepted"}]
        out = self.arrivals(when(entry["at"]))
        if kind == "now":
            return out + [self.shown(deal, when(entry["at"])) for deal in self.named(entry)]
        if kind == "award":
            return [*out, self.award(entry)]
        deal = self.named(entry)[0]
        said = self.prepared(deal, entry)
        answer = self.say(deal, said)
        if answer["outcome"] == "accepted" and kind == "reach":
            self.coming = [each for each in self.coming if (each[2], each[3]) != (deal, entry.get("about"))]
        if answer["outcome"] == "accepted" and said.get("travels") and entry.get("reached_at"):
            self.count += 1
            self.coming.append((when(entry["reached_at"]), self.count, deal, entry["id"]))
        return [*out, answer]

    def named(self, entry):
        return [self.deals[entry["negotiation"]]] if entry.get("negotiation") else list(self.deals.values())

    def arrivals(self, at):
        out = []
        while True:
            due = sorted((each for each in self.coming if at is None or each[0] <= at), key=lambda each: each[:2])
            if not due:
                return out
            self.coming.remove(due[0])
            moment, _, deal, id = due[0]
            out.append(self.say(deal, {"kind": "reach", "id": f"{id}:reach", "about": id, "at": moment.isoformat()}))

    def prepared(self, deal, entry):
        """Fill in what the form leaves out."""
        said = dict(entry)
        at = when(entry["at"])
        later = "reached_at" in entry and (entry["reached_at"] is None or when(entry["reached_at"]) > at)
        said["travels"] = later
        parent = next((each for each in deal.log if each["id"] == entry.get("about") and each.get("offer")), None)
        if said["kind"] == "accept" and parent is not None:
            self.complete(deal, said, parent["offer"])
        if said.get("offer"):
            words = dict(said["offer"])
            if words.get("amends") is None and parent is not None and parent["offer"].get("amends"):
                words["amends"] = parent["offer"]["amends"]
            inherits = not words.get("accept_by") and not words.get("accept_within_s")
            if said["kind"] == "accept" and parent is not None and inherits:
                words["accept_by"] = parent["offer"].get("accept_by")
            said["offer"] = {name: value for name, value in words.items() if value is not None}
        return said

    def complete(self, deal, said, theirs):
        """An acceptance agrees where it is silent. A counter-offer is of the lines it names, as far as they are left."""
        own, named, whole = said.get("offer"), said.get("lines") or {}, offered(theirs)
        names_changes = said.get("changes") is not None
        if own and own.get("standard_terms") and not said.get("standard_terms"):
            said["standard_terms"] = own["standard_terms"]
        if own and not names_changes:
            ours, before = flatten(own), flatten(theirs)
            said["changes"] = [path for path in ours if before.get(path) != ours[path]]
        if not theirs.get("divisible"):
            if {line: whole.get(line) if each is None else number(each) for line, each in named.items()} == whole:
                said["lines"] = named = {}
            if any(line not in whole for line in named):
                said.pop("offer", None)
                return
        merged = self.merged(said, own or {}, theirs)
        if own is not None and not names_changes:
            said["offer"] = merged
        world = World(deal, when(said["at"]))
        parent = world.offers.get(said["about"])
        if names_changes and (own is not None or said["changes"]):
            return
        if parent is not None and world.weigh(said, parent) == "counter":
            known = next((each for each in deal.log if each["id"] == said["id"] and each.get("offer")), None)
            left = parent.left() if parent.divisible else whole
            left = offered(known["offer"]) if known else left
            lines = {}
            for name, line in merged["lines"].items():
                states = own and (own.get("lines") or {}).get(name, {}).get("quantity") is not None
                amount = number(named[name]) if named.get(name) is not None else None
                fresh = states or name not in theirs["lines"]
                if amount is None:
                    amount = number(line.get("quantity")) if fresh else left.get(name)
                if (amount is not None or fresh) and (not named or name in named):
                    lines[name] = {**line, "quantity": None if amount is None else str(amount)}
            said["offer"] = {**merged, "lines": lines}

    @staticmethod
    def merged(said, own, theirs):
        lines = {name: dict(line) for name, line in theirs.get("lines", {}).items()}
        for name, line in own.get("lines", {}).items():
            lines[name] = {**lines.get(name, {}), **{key: value for key, value in line.items() if value is not None}}
        return {
            **own, "lines": lines, "terms": {**theirs.get("terms", {}), **own.get("terms", {})},
            "standard_terms": said.get("standard_terms") or theirs.get("standard_terms"),
        }  # fmt: skip

    def say(self, deal, said):
        at = when(said["at"])
        known = next((each for each in deal.log if each["id"] == said["id"]), None)
        if known is not None:
            if signature(known) != signature(said):
                return {"outcome": "refused", "code": "SAME_NUMBER_OTHER_CONTENT", **self.shown(deal, at)}
            return {"outcome": "unchanged", **self.shown(deal, at)}
        expected = said.get("expected_version")
        if expected is not None and expected != deal.version:
            return {"outcome": "refused", "code": "STALE_VERSION", **self.shown(deal, at)}
        try:
            Judge(World(deal, at), said).ask()
        except No as no:
            return {"outcome": "refused", "code": no.args[0], **self.shown(deal, at)}
        deal.log.append(said)
        return {"outcome": "accepted", **self.shown(deal, at)}

    def shown(self, deal, at):
        world = World(deal, at)
        return {"version": deal.version, "turn": world.turn(), "states": world.states(), "contracts": world.contracts()}

    def award(self, entry):
        kept = {name: list(deal.log) for name, deal in self.deals.items()}
        try:
            self.check_demand(entry)
            for place, pick in enumerate(entry["picks"]):
                self.must(self.deals[pick["negotiation"]], {
                    "kind": "accept", "id": f"{entry['id']}:{place}", "by": entry["by"], "about": pick["about"],
                    "at": entry["at"], "lines": self.picked(pick),
                })  # fmt: skip
            taken = {pick["negotiation"] for pick in entry["picks"]}
            for name in entry["among"] if entry.get("among") is not None else list(self.deals):
                deal = self.deals[name]
                if name in taken or deal.buyer != entry["by"]:
                    continue
                for id in list(World(deal, when(entry["at"])).offers):
                    offer = World(deal, when(entry["at"])).offers[id]
                    if offer.by != entry["by"] and offer.standing() == "effective":
                        self.must(deal, {"kind": "reject", "id": f"{entry['id']}:no:{id}", "by": entry["by"],
                                         "about": id, "at": entry["at"]})  # fmt: skip
        except No as no:
            for name, log in kept.items():
                self.deals[name].log = log
            return {"outcome": "refused", "code": no.args[0]}
        return {"outcome": "accepted"}

    def words_of(self, pick):
        for each in self.deals[pick["negotiation"]].log:
            if each["id"] == pick["about"] and each.get("offer"):
                return each["offer"]
        raise No("NO_SUCH_OFFER")

    def picked(self, pick):
        words, named = self.words_of(pick), dict(pick.get("lines", {}))
        if words.get("divisible"):
            return named
        whole = offered(words)
        wanted = {line: whole.get(line) if amount is None else number(amount) for line, amount in named.items()}
        return {} if wanted == whole else named

    def check_demand(self, entry):
        sums = {}
        for pick in entry["picks"]:
            whole = offered(self.words_of(pick))
            for line, amount in (pick.get("lines") or dict.fromkeys(whole)).items():
                sums[line] = sums.get(line, 0) + (whole.get(line, Decimal(0)) if amount is None else number(amount))
        for line, amount in sums.items():
            if line in entry.get("demand", {}) and amount > number(entry["demand"][line]):
                raise No("MORE_THAN_DEMANDED")

    def must(self, deal, said):
        answer = self.say(deal, said)
        if answer["outcome"] == "refused":
            raise No(answer["code"])


def signature(entry):
    """What a statement says, apart from when and how it came."""
    words = entry.get("offer")
    stated = entry.get("terms_hash")
    if words:
        names = ("accept_by", "accept_within_s", "irrevocable", "as_is_only", "divisible", "group", "amends",
                 "terminates", "standard_terms")  # fmt: skip
        firm = words.get("firm", entry["kind"] != "inquiry")
        stated = (hashed(words), firm, *(words.get(name) or None for name in names))
    lines = tuple((line, number(amount)) for line, amount in (entry.get("lines") or {}).items())
    return (
        entry["kind"], entry.get("by"), entry.get("about"), stated, lines, tuple(entry.get("changes") or ()),
        bool(entry.get("conditional")),
    )  # fmt: skip


def simulate(entries):
    """Return what becomes of each entry, as the hub's own simulation says it."""
    history = History()
    for entry in entries:
        yield from history.take(entry)
    yield from history.arrivals(None)
