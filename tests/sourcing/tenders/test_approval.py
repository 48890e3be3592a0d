"""Awards above what one may bind alone, in a whole hub: asked for, approved and made, or ended by the rule that refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.negotiation.pages import form_fields
from tests.people import CHEAP, PASSWORD
from tests.sourcing.canary import DELTA, HAIDI, NINGBO, PEOPLE, RHEIN, whole_hub
from tests.sourcing.tenders.conftest import COMMERCIAL, inquiry, notice, offer, plan
from tests.web.house import sign_in
from tradehub.approvals.model import Chain, ChainStep, Limit, Policy
from tradehub.approvals.store import RequestRow
from tradehub.documents.parts import DatedEvent
from tradehub.hub import Hub
from tradehub.negotiation import store as negotiation
from tradehub.negotiation.recording import Actor as Speaker
from tradehub.partners.authority import Approver, Asker, Needs
from tradehub.platform import clock
from tradehub.platform.security import Membership, Security
from tradehub.sourcing.tenders.binding import Unauthorised
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Phase, Stage, TenderRefused
from tradehub.sourcing.tenders.sealing import Work
from tradehub.sourcing.tenders.service import TenderDraft
from tradehub.sourcing.tenders.store import TenderRow

ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
BOTH = {(DELTA, "1"): Decimal(1000), (NINGBO, "2"): Decimal(400)}
"""9.00 of each of 1000 and 0.60 of each of 400: EUR 9,240 as one act, of which no part alone is above EUR 9,100."""
LIMITS = Policy("EUR", (Limit("buyer", "EUR", Decimal(9100)), Limit("approver", "EUR", Decimal(500_000))))


@dataclass
class Place:
    hub: Hub
    clients: Callable[[str], FlaskClient]
    people: dict[str, Actor]
    clock: clock.Frozen

    def do(self, name: str | Actor, verb: str, *args, **more):
        actor = self.people[name] if isinstance(name, str) else name
        with self.hub.database.write(actor.party) as session:
            return getattr(self.hub.tenders, verb)(session, actor, *args, **more)

    def asker(self, name: str) -> Asker:
        actor = self.people[name]
        return Asker(actor.party, actor.user_id, actor.name or "")

    def state(self, policy: Policy, version: int) -> None:
        with self.hub.database.write(HAIDI) as session:
            self.hub.approvals.state_policy(session, self.asker("mo"), policy, expected_version=version)

    def opened(self) -> str:
        """Return a tender whose bids are open: Delta's is cheapest for line 1, Ningbo's for line 2."""
        closes = clock.now() + timedelta(hours=2)
        until = (closes + timedelta(days=2)).date()
        told = notice(
            stages=(Stage(kind=COMMERCIAL, closes_at=closes),), questions_until=closes, is_sealed=False,
            valid_until=until, inquiry=inquiry(),
        )  # fmt: skip
        tender = self.do("li", "create", TenderDraft(told, plan(), [DELTA, NINGBO, RHEIN], ()))
        self.do("li", "publish", tender)
        dates = (DatedEvent(type="valid_until", on=until),)
        for bidder, prices in (("dan", ("9.00", None)), ("nina", ("9.50", "0.60"))):
            self.do(bidder, "bid", tender, COMMERCIAL, offer(*prices, dates=dates))
        self.do(Actor(RHEIN), "bid", tender, COMMERCIAL, offer("9.90", "0.70", dates=dates))
        self.clock.at = closes
        self.do("li", "open_unsealed", tender, COMMERCIAL)
        return tender

    def ask(self, tender: str, note: str = "", request_key: str | None = None) -> str:
        li = self.people["li"]
        with self.hub.database.write(HAIDI) as session:
            wanted = self.hub.tenders.to_approve(session, li, tender, BOTH, proposed=None)
            return self.hub.approvals.ask(session, self.asker("li"), wanted, note=note, request_key=request_key)

    def decide(self, request: str, *, approves: bool = True, reason: str = "") -> str:
        with self.hub.database.write(HAIDI) as session:
            asker = self.asker("mo")
            return str(self.hub.approvals.decide(session, asker, request, approves=approves, reason=reason))

    def request(self, id: str) -> RequestRow:
        with self.hub.database.read(HAIDI) as session:
            return session.get_one(RequestRow, id)

    def phase(self, tender: str) -> Phase:
        with self.hub.database.read(HAIDI) as session:
            return self.hub.tenders.buyer_room(session, tender).where.phase

    def said(self, tender: str) -> dict[str, str]:
        """Return the last statement in the deal with each supplier."""
        with self.hub.database.read(HAIDI) as session:
            return {
                seller: negotiation.statement_rows(session, [row.id])[-1].kind
                for seller, row in self.deals(session, tender).items()
            }

    def deals(self, session: Session, tender: str) -> dict[str, negotiation.DealRow]:
        inquiry_id = session.get_one(TenderRow, tender).inquiry_id
        return {row.seller_id: row for row in negotiation.deals_of_inquiry(session, inquiry_id or "").values()}


@contextmanager
def built(database_url: str, folder: Path) -> Iterator[Place]:
    with (
        clock.frozen(datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) as at,
        whole_hub(database_url, folder) as (hub, app, users),
    ):
        hub.tenders.work = Work(1, 8, 1)
        people = {name: Actor(org, users[name], name.capitalize()) for name, org in PEOPLE}
        with hub.database.write() as session:
            for name, roles in (("li", ["buyer"]), ("mo", ["approver"])):
                session.get_one(Membership, (users[name], HAIDI)).roles = roles
        with hub.database.write(HAIDI) as session:
            hub.approvals.state_policy(session, Asker(HAIDI, users["mo"], "Mo"), LIMITS, expected_version=0)

        def client(name: str) -> FlaskClient:
            made = app.test_client()
            assert sign_in(made, f"{name}@example.com", PASSWORD).status_code == 303
            return made

        yield Place(hub, client, people, at)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One hub on SQLite for all of them: each has a tender of its own in it."""
    folder = tmp_path_factory.mktemp("approval")
    with built(f"sqlite:///{folder / 'tradehub.db'}", folder / "data") as place:
        yield place


@pytest.fixture
def place(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if database_kind == "sqlite":
        yield request.getfixturevalue("ground")
        return
    with built(request.getfixturevalue("database_url"), tmp_path / "data") as place:
        yield place


def rejects(place: Place, tender: str) -> None:
    """The buyer declines one of the bids in its deal, while others look at the award."""
    with place.hub.database.write(HAIDI) as session:
        row = place.deals(session, tender)[NINGBO]
        speaker = Speaker(HAIDI, place.people["mo"].user_id, "Mo")
        place.hub.negotiation.reject(session, speaker, row.id, negotiation.load(session, row).offers[-1].id)


def nothing(place: Place, tender: str) -> None:
    """Nothing comes in between."""


OUTCOMES = (
    (nothing, "done", None, {DELTA: "accept", NINGBO: "accept", RHEIN: "reject"}),
    (lambda place, tender: place.do("li", "cancel", tender), "overtaken", ("AWARD_CANCELLED", "T23"), None),
    (lambda place, tender: place.do("mo", "award", tender, {(RHEIN, "1"): Decimal(1)}), "overtaken",
     ("AWARD_AWARDED", "T22"), None),
    (rejects, "overtaken", ("COUNTER_UNDER_WAY", "R11"), None),
    (lambda place, tender: place.clock.move(timedelta(days=4)), "overtaken", ("LAPSED", "R17"), None),
)  # fmt: skip


def comes_to(place: Place, meanwhile, state: str, why: tuple[str, str] | None, said: dict[str, str] | None) -> None:
    tender = place.opened()
    request = place.ask(tender)
    meanwhile(place, tender)
    before = place.said(tender)
    assert place.decide(request) == state
    ended = place.request(request)
    assert (ended.why and (ended.why["code"], ended.why["rule"])) == why
    assert place.said(tender) == (said or before)
    assert (place.phase(tender) is Phase.AWARDED) == (state == "done" or why == ("AWARD_AWARDED", "T22"))


@ON_SQLITE
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda each: each[2][0] if each[2] else each[1])
def test_an_award_that_is_approved_is_made_whole_or_not_at_all(place: Place, outcome) -> None:
    comes_to(place, *outcome)


@pytest.mark.parametrize("database_kind", [pytest.param("postgres", marks=pytest.mark.postgres)])
def test_on_the_other_database_too_what_was_begun_is_taken_back(place: Place) -> None:
    """Of the outcomes these two write: all of the award, and a part of it that a refusal then takes back."""
    comes_to(place, *OUTCOMES[0])
    comes_to(place, *OUTCOMES[3])


@ON_SQLITE
def test_what_is_above_the_own_limit_is_asked_for_once_as_one_act(place: Place) -> None:
    tender = place.opened()
    with pytest.raises(Unauthorised) as refused:
        place.do("li", "award", tender, BOTH)
    assert (refused.value.code, refused.value.value) == ("OVER_LIMIT", "EUR 9,100.00")
    request = place.ask(tender)
    assert place.ask(tender) == request
    row = place.request(request)
    assert (row.amount, row.currency, row.partner_name) == (Decimal("9240.00"), "EUR", "Delta Fluid, Ningbo Valves")


@ON_SQLITE
def test_requests_without_a_key_are_not_taken_for_the_same(place: Place) -> None:
    """A program that sends no Idempotency-Key asks with an empty one."""
    assert place.ask(place.opened(), request_key="") != place.ask(place.opened(), request_key="")


@ON_SQLITE
def test_an_award_that_is_not_approved_is_not_made(place: Place) -> None:
    tender = place.opened()
    request = place.ask(tender)
    assert place.decide(request, approves=False, reason="Wait for Rhein.") == "declined"
    assert place.phase(tender) is Phase.TO_AWARD
    place.do("mo", "award", tender, BOTH)
    assert place.phase(tender) is Phase.AWARDED


@ON_SQLITE
def test_a_rule_for_one_of_the_suppliers_counts_for_the_whole_award(place: Place) -> None:
    """Ningbo is the second one of the act: whoever must approve what binds to it approves the award."""
    chain = Chain(
        "Ningbo", Decimal(0), None, (ChainStep((Approver("role", "approver"),)),), partner=NINGBO, always=True
    )
    wide = Policy("EUR", (Limit("buyer", "EUR", None), Limit("approver", "EUR", None)), chains=(chain,))
    place.state(wide, 1)
    try:
        tender = place.opened()
        with place.hub.database.read(HAIDI) as session:
            verdict = place.hub.tenders.may_award(session, place.people["li"], tender, BOTH)
        assert isinstance(verdict, Needs)
        assert [each.name for each in verdict.steps] == ["Ningbo"]
        place.do("li", "award", tender, {(DELTA, "1"): Decimal(1000)})
    finally:
        place.state(LIMITS, 2)


def test_an_approval_and_a_cancellation_at_the_same_moment_leave_one_of_them(place: Place) -> None:
    tender = place.opened()
    request = place.ask(tender)
    start, outcomes = threading.Barrier(2), {}

    def approve() -> None:
        start.wait(30)
        outcomes["approval"] = place.decide(request)

    def cancel() -> None:
        start.wait(30)
        try:
            place.do("li", "cancel", tender)
            outcomes["cancel"] = "cancelled"
        except TenderRefused as refused:
            outcomes["cancel"] = refused.code

    threads = [threading.Thread(target=each) for each in (approve, cancel)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert outcomes in (
        {"approval": "done", "cancel": "AWARDED"}, {"approval": "overtaken", "cancel": "cancelled"},
    )  # fmt: skip
    assert place.phase(tender) is (Phase.AWARDED if outcomes["approval"] == "done" else Phase.CANCELLED)
    assert ("accept" in place.said(tender).values()) == (outcomes["approval"] == "done")


def sent(client: FlaskClient, page: str, action: str, **changes: object):
    """Send a form of a page with its fields as they stand, but for what is changed."""
    data: dict[str, object] = {}
    for name, value in form_fields(page, action):
        data.setdefault(name, [])
        data[name].append(value)
    return client.post(action, data=data | changes)


@ON_SQLITE
def test_the_pages_ask_show_and_carry_out(place: Place) -> None:
    tender = place.opened()
    room = f"/tenders/{tender}"
    li, mo = place.clients("li"), place.clients("mo")
    page = li.get(room).text
    review = sent(li, page, f"{room}/award", step="review").text
    for told in ("Approval needed", "Your own limit is", "9,100.00", "Lin Hai, Mo", "9,300.00"):
        assert told in review
    assert "Award now" not in review
    fields: dict[str, list[str]] = {}
    for name, value in form_fields(review, f"{room}/award/ask"):
        fields.setdefault(name, []).append(value)
    assert li.post(f"{room}/award/make", data=fields).status_code == 409
    asked = sent(li, review, f"{room}/award/ask", approval_note="Cheapest of three.")
    assert asked.status_code == 303
    request = asked.headers["Location"]
    assert request in li.get(room).text
    shown = mo.get(request).text
    for told in ("Cheapest of three.", "Valves 2027", "Delta Fluid", "Ningbo Valves", "Bids at landed cost", "9,300.00",
                 "Rhein Armaturen", "9,900.00", "1,000", "These are told that they are declined"):  # fmt: skip
        assert told in shown
    done = sent(mo, shown, f"{request}/decide", word="approve", password=PASSWORD)
    assert done.status_code == 303
    assert place.phase(tender) is Phase.AWARDED
    assert "Approved and done" in mo.get(request).text


@ON_SQLITE
def test_a_program_is_told_who_may_approve_and_asks_them(place: Place) -> None:
    tender = place.opened()
    with place.hub.database.write() as session:
        token = Security(place.hub.database, CHEAP).issue_token(
            session, HAIDI, "erp", ["deal.bind", "deal.read"], life=timedelta(days=30)
        )
    at = f"/api/v1/tenders/{tender}/award"
    client = place.clients("li").application.test_client()
    head = {"Authorization": f"Bearer {token}"}
    found = client.get(at, headers=head).json
    assert (found["phase"], found["proposal"]["is_proven"], found["proposal"]["at_most_above"]) == (
        "to_award",
        True,
        None,
    )
    picks = [{"supplier": s, "line": line, "quantity": str(q)} for (s, line), q in BOTH.items()]
    refused = client.post(at, json={"picks": picks}, headers=head)
    assert refused.status_code == 403
    assert refused.json["approvers"] == ["Lin Hai", "Mo"]
    assert refused.json["code"] == "OVER_LIMIT"
    asked = client.post(f"{at}/approval", json={"picks": picks, "note": "By the ERP."}, headers=head)
    assert asked.status_code == 201
    assert place.decide(asked.json["request"].removeprefix("/approvals/")) == "done"
    assert client.get(at, headers=head).json["awarded"] == picks


@ON_SQLITE
def test_an_award_of_an_inquiry_by_api_is_asked_for_likewise(place: Place) -> None:
    tender = place.opened()
    with place.hub.database.write(HAIDI) as session:
        token = Security(place.hub.database, CHEAP).issue_token(
            session, HAIDI, "erp", ["deal.bind", "deal.read"], life=timedelta(days=30)
        )
        deals = place.deals(session, tender)
        inquiry_id = deals[DELTA].inquiry_id
        offers = {seller: negotiation.load(session, deals[seller]).offers[-1] for seller in (DELTA, NINGBO)}
    client = place.clients("li").application.test_client()
    head, at = {"Authorization": f"Bearer {token}"}, f"/api/v1/inquiries/{inquiry_id}/award"
    picks = [
        {"deal": deals[DELTA].id, "offer": offers[DELTA].id, "terms_hash": offers[DELTA].terms_hash},
        {"deal": deals[NINGBO].id, "offer": offers[NINGBO].id, "terms_hash": offers[NINGBO].terms_hash,
         "lines": {"2": "400"}},
    ]  # fmt: skip
    refused = client.post(at, json={"picks": picks}, headers=head)
    assert (refused.status_code, refused.json["approvers"]) == (403, ["Lin Hai", "Mo"])
    asked = client.post(f"{at}/approval", json={"picks": picks, "note": "By the ERP."}, headers=head)
    assert asked.status_code == 201, asked.text
    shown = place.clients("mo").get(asked.json["request"]).text
    assert "To be accepted from Ningbo Valves" in shown
    assert place.decide(asked.json["request"].removeprefix("/approvals/")) == "done"
    assert place.said(tender) == {DELTA: "accept", NINGBO: "accept", RHEIN: "reject"}
