"""Every route of the whole hub and every id in it, tried as its people, as a rival, as a stranger and by nobody.

A trade stands in it: an inquiry to Delta (people on the pages) and Ningbo (X12), an offer of each, Delta's accepted and
ordered, messages sent, and one that came in broken. What a rival may never learn carries a mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import product
from typing import Any, get_args

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from tests import databases
from tests.fakes import FakeJobs
from tests.people import CHEAP, PASSWORD, let_in
from tests.web.house import post, sign_in
from tradehub.cli import demo
from tradehub.contracting import clauses, keyring, keys
from tradehub.documents import PartyId
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.store import MessageRow
from tradehub.fulfilment.service import Shipment
from tradehub.hub import Hub
from tradehub.negotiation import approved
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow
from tradehub.partners.authority import Asker
from tradehub.platform import clock, http, openapi
from tradehub.platform.db import Base, to_json
from tradehub.platform.problems import PROBLEMS
from tradehub.platform.security import ROLES, TOKEN_SCOPES, Security
from tradehub.platform.settings import Settings
from tradehub.sourcing.auctions import service as auctions
from tradehub.sourcing.auctions.drafting import Draft as AuctionDraft
from tradehub.sourcing.auctions.drafting import DraftLine
from tradehub.sourcing.auctions.rules import Increment, Kind, Rules
from tradehub.sourcing.tenders import hooks as tenders
from tradehub.sourcing.tenders.model import Criterion, Notice, Stage, StageKind
from tradehub.sourcing.tenders.plan import Plan
from tradehub.sourcing.tenders.service import Opener, TenderDraft
from tradehub.web import create_app

HAIDI, NINGBO, DELTA, ZETA = (PartyId(each) for each in ("haidi", "ningbo", "delta", "zeta"))
NOTE, RIVAL_TEXT, RIVAL_PRICE = "MARK-NOTE-31415", "MARK-RIVAL-27182", "9876.54"
SECRETS = (NOTE, RIVAL_TEXT, RIVAL_PRICE, "9,876.54", "MARK-BROKEN-16180")
BROKEN = (
    "ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261123*0900*U*00401*000000901*0*P*>~\n"
    "GS*SH*NINGBOVALVES*HAIDITRADING*20261123*0900*901*X*004010~\nST*856*0001~\nBSN*00*MARK-BROKEN-16180*20261340*0900~\n"
    "SE*3*0001~\nGE*1*901~\nIEA*1*000000901~\n"
)

OPEN_TO_ALL = {
    "home.health", "metrics", "signin.sign_in", "signin.sign_in_by_password", "signin.ask_passkey",
    "signin.sign_in_by_passkey", "signin.link", "signin.open_link", "signin.speak", "signin.colours", "static",
    "apidoc.openapi", "apidoc.reference", "notices.stop", "notices.stopped",
}  # fmt: skip
"""The only doors that open without signing in. A new one is a decision, so it is written here too."""

OPENAPI = "/api/v1/openapi.json"

DRAWING = b"%PDF-drawing"
IN_ONE_DEAL = ("negotiation.file", "negotiation_api.file")
"""Doors to what is in one deal alone, and not there in the others."""

TERMS = {
    "format": "tradehub-standard-terms/1", "organisation": "haidi", "version": 1, "texts": {"en": "1. Payment\nNet 60."},
    "file": {"sha256": sha256(b"%PDF-terms").hexdigest(), "name": "terms.pdf", "media_type": "application/pdf"},
}  # fmt: skip
"""Standard terms that Haidi publishes to all."""

TERMS_HASH = sha256(to_json(TERMS).encode()).hexdigest()

OWN_IDS = {
    "code": ["en"], "secret": ["no-such-link"], "filename": ["skin.css"], "partner": ["nordic"], "number": ["1"],
    "name": ["cancel"], "passkey_id": ["no-such-passkey"], "terms_hash": [TERMS_HASH],
}  # fmt: skip
"""Parts of addresses that name nothing that an organisation owns."""

PEOPLE = {
    "lin": (HAIDI, tuple(ROLES)),
    "mei": (HAIDI, ("buyer",)),
    "eve": (HAIDI, ()),
    "vera": (HAIDI, ("viewer",)),
    "dana": (DELTA, tuple(ROLES)),
    "zoe": (ZETA, tuple(ROLES)),
}


@dataclass
class Trade:
    app: Flask
    hub: Hub
    users: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, list[str]] = field(default_factory=dict)
    """Part of an address -> every id of Haidi's that it may name."""
    hidden: dict[str, list[str]] = field(default_factory=dict)
    """The same, without what Delta takes part in."""
    form: dict[str, str] = field(default_factory=dict)
    """What a form about the rival's offer would carry: a guess that is right in all."""
    windows: dict[str, FlaskClient] = field(default_factory=dict)
    tenders: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    openapi: dict[str, Any] = field(default_factory=dict)

    def token(self, org: PartyId, *scopes: str) -> str:
        with self.hub.database.write() as session:
            life = timedelta(days=1)
            return Security(self.hub.database, CHEAP).issue_token(session, org, "test", scopes, life=life)

    def knock(self, token: str | None, endpoint: str, method: str, url: str) -> TestResponse:
        """Ask the REST API with the very example of its OpenAPI document for a body."""
        described = openapi.described_of(self.app.view_functions[endpoint])
        assert described is not None, endpoint
        body = None
        if described.body is not None:
            (body,) = self.openapi["components"]["schemas"][described.body.__name__]["examples"]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.app.test_client().open(url, method=method, json=body, headers=headers)
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", (method, url)
            assert answer.json["status"] == answer.status_code
            assert answer.json["type"].startswith("/api/docs#problem-")
            assert answer.json["instance"] == url
        return answer

    def window(self, name: str) -> FlaskClient:
        """Return a browser in which the person is signed in."""
        if name not in self.windows:
            self.windows[name] = self.app.test_client()
            assert sign_in(self.windows[name], f"{name}@example.com", PASSWORD).status_code == 303
        return self.windows[name]

    def routes(self, ids: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
        """Give (endpoint, method, url) of every route with every id of ``ids``.

        The REST API, where no session counts, is tried with tokens (``doors``).
        """
        yield from self._addresses(ids, lambda rule: not rule.startswith("/api/v1/") or rule == OPENAPI)

    def doors(self, ids: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
        """The same for the endpoints of the REST API."""
        yield from self._addresses(ids, lambda rule: rule.startswith("/api/v1/") and rule != OPENAPI)

    def _addresses(self, ids: dict[str, list[str]], wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
        bound = self.app.url_map.bind("localhost")
        for rule in self.app.url_map.iter_rules():
            if not wanted(rule.rule):
                continue
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            choices = [{}] if not rule.arguments else self._choices(rule.arguments, ids)
            for chosen in choices:
                url = bound.build(rule.endpoint, chosen)
                yield from ((rule.endpoint, method, url) for method in methods)

    def permission(self, endpoint: str) -> str | None:
        access = http.access_of(self.app.view_functions[endpoint])
        return access.permission if access else None

    @staticmethod
    def _choices(names: set[str], ids: dict[str, list[str]]) -> list[dict[str, str]]:
        ordered = sorted(names)
        return [dict(zip(ordered, each, strict=True)) for each in product(*(ids[name] for name in ordered))]


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tradehub.hub.Jobs", lambda database, poll_s: FakeJobs(database))
        hub = Hub(Settings(data_dir=tmp_path_factory.mktemp("hub"), demo=True, _env_file=None))
    databases.make_whole(hub.database)
    demo.settle(hub)
    made = Trade(create_app(hub, hasher=CHEAP), hub)
    _let_in(made)
    _deal(hub)
    _approval(made)
    _tenders(made)
    _auction(hub)
    _list_ids(made)
    made.openapi = made.app.test_client().get(OPENAPI).json
    yield made
    hub.database.dispose()


def _let_in(trade: Trade) -> None:
    security = Security(trade.hub.database, CHEAP)
    for name, (org, roles) in PEOPLE.items():
        with trade.hub.database.write() as session:
            security.add_organisation(session, org, org.capitalize())
            trade.users[name] = let_in(security, session, org, f"{name}@example.com", roles)
    with trade.hub.database.write() as session:
        security.issue_token(session, HAIDI, "ERP", ["deal.read"], life=timedelta(days=1))
        (token,) = security.tokens(session, HAIDI)
        trade.tokens = [token.id]


def _deal(hub: Hub) -> None:
    lines = (LineDraft("1", Decimal(240), "C62", name="Gate valve DN50", item_number="V-22"),)
    asked = Draft(lines=lines, currency="USD", delivery_on=clock.now().date() + timedelta(days=30))
    with hub.database.write(org=HAIDI) as session:
        hub.negotiation.send_inquiry(session, Actor(HAIDI, name="Lin"), asked, [DELTA, NINGBO], note=NOTE)
    _drain(hub)
    with hub.database.write(org=HAIDI) as session:
        published = hub.negotiation.publish(session, HAIDI, TERMS["texts"], file=("terms.pdf", b"%PDF-terms"))
        assert published.sha256 == TERMS_HASH
        hub.negotiation.attach(session, Actor(HAIDI), _deal_with(hub, DELTA), "drawing.pdf", DRAWING)
    _offer(hub, DELTA, "77.01", "Ours to you")
    _offer(hub, NINGBO, RIVAL_PRICE, RIVAL_TEXT)
    with hub.database.write(org=HAIDI) as session:
        view = hub.negotiation.deal(session, _deal_with(hub, DELTA))
        offer = view.standing.offer
        hub.negotiation.accept(
            session, Actor(HAIDI, name="Lin"), view.row.id, offer.id,
            expected_version=view.version, terms_hash=offer.terms_hash,
        )  # fmt: skip
    _drain(hub)
    with hub.database.write(org=DELTA) as session:
        (order,) = hub.ordering.of_deal(session, _deal_with(hub, DELTA))
        shipment = Shipment(quantities={"1": Decimal(100)}, shipped_on=clock.now().date())
        hub.fulfilment.ship(session, order.id, shipment, by=DELTA)
    with hub.database.write(org=HAIDI) as session:
        made = keys.make("Haidi Trading", HAIDI, at=clock.now())
        keyring.keep(session, hub.contracts.parts.sealer(), made, org=HAIDI, origin="made", by=None, at=clock.now())
        clauses.save(session, org=HAIDI, text="# {{buyer}}", by=None, at=clock.now(), name="Frame", language="en")
    hub.exchange.inbound.receive(Arrived(BROKEN.encode(), HAIDI, NINGBO, "drop"))
    _drain(hub)


def _approval(trade: Trade) -> None:
    """Mei, who may not bind Haidi, asks to accept the rival's offer; Lin lets her stand in for him."""
    hub, today = trade.hub, clock.now().date()
    asker = {name: Asker(HAIDI, trade.users[name], name.capitalize()) for name in ("mei", "lin")}
    with hub.database.write(org=HAIDI) as session:
        view = hub.negotiation.deal(session, _deal_with(hub, NINGBO))
        assert view.standing is not None
        wanted = approved.acceptance(view, view.standing, view.version, view.standing.offer.terms_hash)
        request = hub.approvals.ask(session, asker["mei"], wanted)
        delegation = hub.approvals.delegate(session, asker["lin"], trade.users["mei"], today, today)
    trade.theirs |= {"request_id": [request], "delegation_id": [delegation]}


def _tenders(trade: Trade) -> None:
    """A sealed tender to Delta and Ningbo, and one to Ningbo alone; both take bids."""
    hub, closes = trade.hub, clock.now() + timedelta(days=7)
    with hub.database.read(org=HAIDI) as session:
        asked = hub.negotiation.deal(session, _deal_with(hub, NINGBO)).rounds[0].document
    price = Criterion(key="price", name="Price", stage=StageKind.COMMERCIAL, weight=Decimal(100), is_price=True)
    lin, vera = (tenders.Actor(HAIDI, trade.users[name], name) for name in ("lin", "vera"))
    for suppliers, is_sealed in (((DELTA, NINGBO), True), ((NINGBO,), False)):
        notice = Notice(
            number="", title="Valves", inquiry=asked, stages=(Stage(kind=StageKind.COMMERCIAL, closes_at=closes),),
            criteria=(price,), is_sealed=is_sealed, questions_until=closes, valid_until=closes.date(),
        )  # fmt: skip
        openers = [Opener(each.user_id or "", each.name or "") for each in (lin, vera)]
        with hub.database.write(org=HAIDI) as session:
            draft = TenderDraft(
                notice, Plan(note=NOTE, limit_prices=(("1", Decimal(RIVAL_PRICE)),)), suppliers, openers
            )
            tender = hub.tenders.create(session, lin, draft)
            for each in (lin, vera) if is_sealed else ():
                hub.tenders.set_passphrase(session, each, tender, f"a long way to say {each.name} 1987")
            hub.tenders.publish(session, lin, tender)
        trade.tenders.append(tender)
    _drain(hub)


def _auction(hub: Hub) -> None:
    """An auction of Haidi's to which neither Delta nor the stranger is invited, with a bid and its secret limit."""
    now = clock.now()
    rules = Rules(Kind.REVERSE, "USD", now, now + timedelta(hours=1), Increment(Decimal(1)))
    lines = (DraftLine(RIVAL_TEXT, Decimal(1), "C62", Decimal(20_000)),)
    with hub.database.write(org=HAIDI) as session:
        draft = AuctionDraft(RIVAL_TEXT, rules, lines, (NINGBO,))
        auction = hub.auctions.hold(session, auctions.Actor(HAIDI, name="Lin"), draft)
    with hub.database.write(org=NINGBO) as session:
        ningbo = auctions.Actor(NINGBO, name="Ningbo")
        hub.auctions.bid(session, ningbo, auction, lot=1, amount=Decimal(RIVAL_PRICE), confirmed=True)


def _offer(hub: Hub, seller: PartyId, price: str, text: str) -> None:
    until = clock.now().date() + timedelta(days=9)
    draft = Draft(lines=(LineDraft("1", price=Decimal(price)),), currency="USD", valid_until=until, text=text)
    with hub.database.write(org=seller) as session:
        hub.negotiation.make_offer(session, Actor(seller, name=seller), _deal_with(hub, seller), draft)


def _deal_with(hub: Hub, seller: PartyId) -> str:
    """Return the first deal with a supplier; tenders make further ones."""
    with hub.database.read() as session:
        return session.scalars(select(DealRow.id).where(DealRow.seller_id == seller).order_by(DealRow.id)).first() or ""


def _drain(hub: Hub) -> None:
    assert isinstance(hub.jobs, FakeJobs)
    hub.jobs.drain()


def _list_ids(trade: Trade) -> None:
    hub = trade.hub
    with hub.database.read(org=HAIDI) as session:
        orders = [each.id for each in hub.ordering.find(session).orders]
        found = {
            "inquiry_id": [each.id for each in hub.negotiation.inquiries(session)[0]],
            "deal_id": [each.row.id for each in hub.negotiation.deals(session).lines],
            "tender_id": trade.tenders,
            "contract_id": [each.id for each in hub.contracts.find(session)],
            "order_id": orders,
            "key_id": [each.id for each in keyring.listed(session, HAIDI)],
            "template_id": [each.id for each in clauses.listed(session, HAIDI)],
            "message_id": list(session.scalars(select(MessageRow.id))),
            "auction_id": [each.row.id for each in hub.auctions.listed(session, HAIDI)],
            "file_hash": [sha256(DRAWING).hexdigest()],
            "schedule_id": [each.id for each in hub.exchange.polled_channels(session)],
        }
        view = hub.negotiation.deal(session, _deal_with(hub, NINGBO))
        offer = view.standing.offer
    assert all(found.values()), found
    trade.form = {
        "offer": offer.id, "terms_hash": offer.terms_hash, "expected_version": str(view.version), "text": "hello",
        "step": "send", "kind": "question", "word": "approve", "expected_revision": "1", "about": offer.id,
    }  # fmt: skip
    trade.theirs |= OWN_IDS | found | {"user_id": [trade.users["eve"]], "party": [NINGBO], "token_id": trade.tokens}
    shared = {"contract_id": [], "order_id": [], "deal_id": [_deal_with(hub, NINGBO)], "tender_id": trade.tenders[1:]}
    trade.hidden = trade.theirs | shared


def ask(client: FlaskClient, method: str, url: str, **form: object) -> TestResponse:
    return client.get(url, buffered=True, follow_redirects=True) if method == "GET" else post(client, url, **form)


def rows(engine: Engine, but: Sequence[str]) -> dict[str, int]:
    with engine.connect() as connection:
        tables = [each for each in Base.metadata.sorted_tables if each.name not in but and "test_" not in each.name]
        return {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables}


def test_nobody_gets_in_without_signing_in(trade: Trade) -> None:
    for endpoint, method, url in trade.routes(trade.theirs):
        answer = trade.app.test_client().open(url, method=method, buffered=True)
        if endpoint in OPEN_TO_ALL:
            assert answer.status_code not in (302, 401, 403), (method, url)
        else:
            assert answer.status_code in (302, 401), (method, url, answer.status_code)


def test_a_form_without_the_sessions_token_is_refused(trade: Trade) -> None:
    for endpoint, method, url in trade.routes(trade.theirs):
        if method != "GET" and endpoint != "exchange.intake":
            assert trade.window("lin").open(url, method=method).status_code == 400, (method, url)


def test_the_people_of_the_trade_see_their_pages(trade: Trade) -> None:
    sellers_own = {"ordering.confirmation", "fulfilment.form", "billing.form", "tenders.bid_form"}
    not_now = {
        "negotiation.accept_form",
        "negotiation.answer_form",
        "negotiation.reject_form",
        "exchange.fix",
        "negotiation.act_form",
        "negotiation.alternatives",
        "negotiation.changes_form",
        "negotiation.amend_form",
        "negotiation.end_form",
        *IN_ONE_DEAL,
    }
    not_yet = {"contracting.of_deal", "ordering.of_deal"}
    for endpoint, method, url in trade.routes(trade.theirs):
        if method == "GET" and endpoint not in {
            *sellers_own,
            *not_now,
            *not_yet,
            "signin.sign_in",
            "signin.link",
            "notices.stop",
        }:
            answer = ask(trade.window("lin"), method, url)
            assert answer.status_code == 200, (url, answer.status_code)
    for endpoint, _method, url in trade.routes(trade.theirs):
        if endpoint in sellers_own and not any(each in url for each in trade.hidden["tender_id"]):
            assert ask(trade.window("dana"), "GET", url).status_code != 404, url


def test_a_member_without_roles_may_do_nothing_that_needs_one(trade: Trade) -> None:
    for endpoint, method, url in trade.routes(trade.theirs):
        if trade.permission(endpoint):
            assert ask(trade.window("eve"), method, url).status_code == 403, (method, url)


def test_a_viewer_changes_nothing(trade: Trade) -> None:
    for endpoint, method, url in trade.routes(trade.theirs):
        if method != "GET" and trade.permission(endpoint):
            assert ask(trade.window("vera"), method, url).status_code == 403, (method, url)


def assert_unknown(trade: Trade, name: str, ids: dict[str, list[str]]) -> None:
    """Hold that to this person each of the ids is as good as one that never was."""
    named = [each for each in ids if each not in OWN_IDS]
    for endpoint, method, url in trade.routes(ids):
        id = next((each for key in named for each in ids[key] if f"/{each}" in url), None)
        if id is not None and trade.permission(endpoint):
            answer = ask(trade.window(name), method, url, **trade.form)
            nowhere = ask(trade.window(name), method, url.replace(id, "never-was"), **trade.form)
            assert answer.status_code == nowhere.status_code, (method, url, answer.status_code)
            assert answer.status_code == 404 or (method == "POST" and answer.status_code in (400, 422)), (method, url)


def test_to_a_stranger_with_every_role_nothing_is_there(trade: Trade) -> None:
    trade.window("zoe")
    engine, ours = trade.hub.database.engine, ("form_post",)
    before = rows(engine, ours)
    assert_unknown(trade, "zoe", trade.theirs)
    assert rows(engine, ours) == before


def test_to_a_rival_nothing_is_there_that_it_takes_no_part_in(trade: Trade) -> None:
    assert_unknown(trade, "dana", trade.hidden)


def seen(trade: Trade, name: str, url: str) -> str:
    """Return all that a page or a file tells this person."""
    return trade.window(name).get(url, buffered=True).data.decode("utf-8", "replace")


@pytest.mark.parametrize("name", ["dana", "zoe"])
def test_no_page_tells_a_rival_the_buyers_note_or_another_offer(trade: Trade, name: str) -> None:
    for endpoint, method, url in trade.routes(trade.theirs):
        if method == "GET" and endpoint != "static":
            text = seen(trade, name, url)
            assert not any(secret in text for secret in SECRETS), url
    for secret in SECRETS:
        found = trade.window(name).get(f"/search?q={secret}")
        assert found.status_code == 200, secret
        assert "data-row" not in found.text, secret


def test_the_buyer_does_see_what_is_marked(trade: Trade) -> None:
    pages = [url for _endpoint, method, url in trade.routes(trade.theirs) if method == "GET"]
    found = "".join(seen(trade, "lin", url) for url in pages)
    assert [secret for secret in SECRETS if secret not in found] in ([], [RIVAL_PRICE], ["9,876.54"])


# --- the REST API ---------------------------------------------------------------------------------


def test_no_endpoint_opens_without_a_token_or_without_its_scope(trade: Trade) -> None:
    bare = trade.token(HAIDI, "metrics.read")
    doors = list(trade.doors(trade.theirs))
    assert len({endpoint for endpoint, _method, _url in doors}) > 35
    for door in doors:
        without = trade.knock(None, *door)
        assert (without.status_code, without.headers["WWW-Authenticate"]) == (401, 'Bearer realm="tradehub"')
        assert "invalid_token" in trade.knock("th_never_was", *door).headers["WWW-Authenticate"]
        lacking = trade.knock(bare, *door)
        assert (lacking.status_code, lacking.json["scope"]) == (403, trade.permission(door[0])), door
    nobody = trade.window("lin")
    for endpoint, method, url in doors:
        assert nobody.open(url, method=method).status_code == 401, f"a session opened {endpoint}"


@pytest.mark.parametrize(("org", "ids"), [(ZETA, "theirs"), (DELTA, "hidden")])
def test_to_another_organisations_program_nothing_is_there(trade: Trade, org: PartyId, ids: str) -> None:
    token, hidden = trade.token(org, *TOKEN_SCOPES), getattr(trade, ids)
    named = {each for key, values in hidden.items() if key not in OWN_IDS for each in values}
    assert trade.knock(token, "negotiation_api.deals", "GET", "/api/v1/deals").status_code == 200
    before = rows(trade.hub.database.engine, ("api_request",))
    tried = [door for door in trade.doors(hidden) if any(f"/{each}" in door[2] for each in named)]
    assert len(tried) > 20
    for door in tried:
        assert trade.knock(token, *door).status_code == 404, door
    assert rows(trade.hub.database.engine, ("api_request",)) == before


def test_the_organisations_own_program_sees_all_that_is_its_own(trade: Trade) -> None:
    token = trade.token(HAIDI, *TOKEN_SCOPES)
    for endpoint, method, url in trade.doors(trade.theirs):
        if method == "GET" and endpoint not in IN_ONE_DEAL:
            answer = trade.knock(token, endpoint, method, url)
            assert answer.status_code == 200, url
            media = trade.openapi["paths"][_templated(trade.app, url)]["get"]["responses"]["200"]["content"]
            assert [answer.mimetype] == list(media), url
            if answer.mimetype != "application/json" or url.endswith("/json"):
                assert answer.headers["Content-Disposition"].startswith("attachment;")
                assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("org", [DELTA, ZETA])
def test_no_answer_tells_a_rival_the_buyers_note_or_another_offer(trade: Trade, org: PartyId) -> None:
    token = trade.token(org, *TOKEN_SCOPES)
    for endpoint, method, url in trade.doors(trade.theirs):
        if method == "GET":
            found = trade.knock(token, endpoint, method, url).data.decode("utf-8", "replace")
            assert not [each for each in SECRETS if each in found], url


def test_the_openapi_document_is_whole(trade: Trade) -> None:
    made = trade.openapi
    assert made["openapi"].startswith("3.1.")
    assert made["info"]["title"]
    assert made["info"]["version"]
    operations = {(path, method): each for path, methods in made["paths"].items() for method, each in methods.items()}
    for reference in _references(made):
        found = made
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]
    ids = [each["operationId"] for each in operations.values()]
    assert len(ids) == len(set(ids))
    served = set()
    for rule in trade.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and rule.rule != OPENAPI:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            (method,) = rule.methods - {"HEAD", "OPTIONS"}
            served.add((path, method.lower()))
    assert served == operations.keys()
    for (path, method), each in operations.items():
        place = f"{method} {path}"
        assert each["summary"].endswith((".", ".)")), place
        assert {name["name"] for name in each["parameters"] if name.get("in") == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )
        (scopes,) = (each for needs in each["security"] for each in needs.values())
        assert set(scopes) <= TOKEN_SCOPES, place
        assert {"401", "403", "404", "429", "500"} <= each["responses"].keys(), place
        assert ("requestBody" in each) == (method == "post"), place
    problems = made["components"]["responses"].keys()
    assert made["components"]["responses"]["429"]["headers"].keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    assert {str(row.status) for row in PROBLEMS.values()} - {"405"} <= problems


def test_no_two_schemas_share_a_name(trade: Trade) -> None:
    """In the document the one would stand in for the other."""
    found: dict[str, set[type]] = {}
    for view in trade.app.view_functions.values():
        if (each := openapi.described_of(view)) is not None:
            for model in (each.answer, each.query, each.body):
                _collect(model, found)
    assert {name: models for name, models in found.items() if len(models) > 1} == {}
    (schema,) = (
        each["responses"]["200"]["content"]["application/json"]["schema"]
        for path, methods in trade.openapi["paths"].items()
        if path.endswith("/json")
        for each in methods.values()
    )
    assert schema == {"type": "object"}


def _collect(wanted: Any, found: dict[str, set[type]]) -> None:
    is_model = isinstance(wanted, type) and issubclass(wanted, BaseModel)
    if is_model and wanted not in found.setdefault(wanted.__name__, set()):
        found[wanted.__name__].add(wanted)
        for each in wanted.model_fields.values():
            _collect(each.annotation, found)
    for part in get_args(wanted):
        _collect(part, found)


def test_the_reference_page_names_every_endpoint_and_every_problem(trade: Trade) -> None:
    page = trade.app.test_client().get("/api/docs").text
    assert all(path in page for path in trade.openapi["paths"])
    assert all(f'id="problem-{name}"' in page for name in PROBLEMS)


# --- what moves the trade on comes last -----------------------------------------------------------


def test_the_last_approval_concludes_the_deal_and_orders(trade: Trade) -> None:
    """Lin approves what Mei asked for."""
    (request,) = trade.theirs["request_id"]
    deal = _deal_with(trade.hub, NINGBO)
    refused = post(trade.window("mei"), f"/deals/{deal}/accept", **trade.form)
    assert refused.status_code == 403
    assert "Ask for approval" in refused.text
    answer = post(trade.window("lin"), f"/approvals/{request}/decide", word="approve")
    assert answer.status_code == 303, answer.text
    with trade.hub.database.read(org=HAIDI) as session:
        assert len(trade.hub.contracts.of_deal(session, deal)) == 1
        assert len(trade.hub.ordering.of_deal(session, deal)) == 1
    assert "Approved and done" in trade.window("mei").get("/").text


def test_the_examples_of_the_openapi_document_are_taken(trade: Trade) -> None:
    """Not refused as malformed or unfit, whatever the state of the deal then says to them."""
    token = trade.token(HAIDI, *TOKEN_SCOPES)
    for endpoint, method, url in trade.doors(trade.theirs):
        if method == "POST":
            answer = trade.knock(token, endpoint, method, url)
            assert answer.status_code in (201, 404, 409), (url, answer.text)


def _templated(app: Flask, url: str) -> str:
    """Return the path as the OpenAPI document has it."""
    rule, _values = app.url_map.bind("localhost").match(url, return_rule=True)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
