"""Two firms that trade on the pages: Haidi with a buyer, two approvers and an administrator, and Delta, who sells."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

from tests.negotiation.conftest import DELTA, MONDAY, NAMES, KeptOutbox, draft, terms
from tests.negotiation.pages import Browser, suggest
from tests.negotiation.words import HAIDI
from tests.people import CHEAP, let_in
from tradehub.approvals import api, web
from tradehub.approvals.model import Limit, Policy, Threshold
from tradehub.approvals.service import ApprovalService
from tradehub.documents.parts import Party
from tradehub.negotiation import api as negotiation_api
from tradehub.negotiation import approved, store, wording
from tradehub.negotiation import web as negotiation_web
from tradehub.negotiation.recording import Actor, Hooks
from tradehub.negotiation.service import NegotiationService
from tradehub.negotiation.store import DealRow
from tradehub.partners.authority import Asker, Wanted
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.platform.security import Membership, Security, User
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.web import create_app

PEOPLE = {
    "li": (HAIDI, ("buyer",)),
    "ann": (HAIDI, ("approver",)),
    "bo": (HAIDI, ("approver", "buyer")),
    "max": (HAIDI, ("administrator",)),
    "eve": (HAIDI, ("viewer",)),
    "dana": (DELTA, ("seller", "approver")),
}

LIMITS = Policy(
    "USD",
    (Limit("buyer", "USD", Decimal(1000)), Limit("approver", "USD", Decimal(500000))),
    (Threshold("USD", Decimal(400000)),),
)
"""The deal below, 24,000 valves at 12.40, is USD 297,600: over a buyer's limit, within an approver's, below two."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--approvals", type=int, default=6, help="rounds of the race of two approvals")


@dataclass
class Firm:
    database: Database
    approvals: ApprovalService
    negotiation: NegotiationService
    users: dict[str, str] = field(default_factory=dict)
    concluded: list = field(default_factory=list)

    def asker(self, name: str) -> Asker:
        return Asker(PEOPLE[name][0], self.users[name], name.capitalize())

    def actor(self, name: str) -> Actor:
        return Actor(PEOPLE[name][0], self.users[name], name.capitalize())

    def state(self, policy: Policy, version: int = 0) -> int:
        with self.database.write(HAIDI) as session:
            return self.approvals.state_policy(session, self.asker("max"), policy, expected_version=version)

    def inquired(self) -> str:
        """Return a deal in which Haidi has asked Delta."""
        with self.database.write(HAIDI) as session:
            inquiry = self.negotiation.send_inquiry(session, self.actor("li"), draft(), [DELTA])
            return session.query(DealRow).filter_by(inquiry_id=inquiry).one().id

    def offered(self, price: str = "12.40", **more: object) -> str:
        """Return a deal in which Delta has made Haidi a firm offer on the first line."""
        deal = self.inquired()
        with self.database.write(DELTA) as session:
            self.negotiation.make_offer(session, self.actor("dana"), deal, terms(price, **more))
        return deal

    def wanted(self, session: Session, deal: str) -> Wanted:
        """The acceptance of what stands in a deal, as the page would freeze it."""
        view = self.negotiation.deal(session, deal)
        round = view.rounds[-1]
        return approved.acceptance(view, round, view.version, round.offer.terms_hash)

    def ask(self, deal: str, name: str = "li", **more: object) -> str:
        with self.database.write(HAIDI) as session:
            return self.approvals.ask(session, self.asker(name), self.wanted(session, deal), **more)

    def ask_offer(self, deal: str, price: str = "11.90") -> str:
        with self.database.write(HAIDI) as session:
            view = self.negotiation.deal(session, deal)
            wanted = approved.offer(view, view.rounds[-1], terms(price, valid_until=date(2026, 12, 7)), view.version)
            return self.approvals.ask(session, self.asker("li"), wanted)

    def decide(self, request: str, name: str, *, approves: bool = True, **more: object) -> str:
        with self.database.write(HAIDI) as session:
            return str(self.approvals.decide(session, self.asker(name), request, approves=approves, **more))

    def verdict(self, name: str, deal: str):
        with self.database.read(HAIDI) as session:
            return self.approvals.authorise(session, self.asker(name), self.wanted(session, deal).binding)

    def view(self, request: str, name: str = "li"):
        with self.database.read(HAIDI) as session:
            return self.approvals.view(session, self.asker(name), request)

    def load(self, deal: str):
        with self.database.read() as session:
            return store.load(session, store.deal_row(session, deal))

    def set_roles(self, name: str, *roles: str) -> None:
        with self.database.write() as session:
            session.get_one(Membership, (self.users[name], PEOPLE[name][0])).roles = list(roles)


def build(database: Database) -> Firm:
    """Return the two services wired to each other as the hub wires them."""
    concluded: list = []

    def authorise(session, actor, binding):
        asker = Asker(actor.party, actor.user_id, actor.name or "", actor.channel, actor.approval)
        return firm.approvals.authorise(session, asker, binding)

    hooks = Hooks(
        is_web=lambda session, party: party in (HAIDI, DELTA),
        on_concluded=lambda session, what: concluded.append(what),
        party=lambda session, party: Party(role="", name=NAMES.get(party, party)),
        authorise=authorise,
    )
    negotiation = NegotiationService(KeptOutbox(), hooks)
    firm = Firm(database, ApprovalService(partial(approved.carry_out, negotiation)), negotiation, concluded=concluded)
    with database.read() as session:
        firm.users = {user.name.lower(): user.id for user in session.query(User)}
    return firm


def settle(database: Database) -> None:
    """Let the two organisations and their people in."""
    security = Security(database, CHEAP)
    with database.write() as session:
        for org in (HAIDI, DELTA):
            security.add_organisation(session, org, NAMES[org])
        for name, (org, roles) in PEOPLE.items():
            let_in(security, session, org, f"{name}@{org}.example", roles)


@dataclass
class Hub:
    firm: Firm
    settings: Settings

    @property
    def database(self) -> Database:
        return self.firm.database

    def blueprints(self) -> Sequence[Blueprint]:
        approvals, negotiation = self.firm.approvals, self.firm.negotiation

        def ask(session, asker, wanted, note, key) -> str:
            return f"/approvals/{approvals.ask(session, asker, wanted, note=note, request_key=key)}"

        return (
            negotiation_api.blueprint(negotiation, self.database, suggest=suggest, ask=ask),
            api.blueprint(approvals, self.database),
            negotiation_web.blueprint(
                negotiation, self.database, suggest=suggest, panels=(web.panel(approvals, wording.REFUSALS),),
                ask=ask,
            ),
            web.blueprint(
                approvals, self.database, shows=negotiation_web.approval_view(negotiation),
                partners=lambda session: [(id, name) for id, name in NAMES.items() if id != HAIDI],
                refusals=wording.REFUSALS,
            ),
        )  # fmt: skip

    def sections(self) -> Sequence[Section]:
        return (*web.sections(self.firm.approvals), *negotiation_web.sections(self.firm.negotiation))

    def searches(self) -> Sequence[Search]:
        return (negotiation_web.search(self.firm.negotiation),)


def serve_pages(firm: Firm, folder: Path) -> Flask:
    return create_app(Hub(firm, Settings(data_dir=folder, _env_file=None)), hasher=CHEAP)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all tests: an application of its own would compile them anew."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled")))


@pytest.fixture
def at_monday():
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the people in it, to be copied: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("settled") / "tradehub.db"
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    with clock.frozen(MONDAY):
        settle(database)
    with database.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA journal_mode=DELETE")  # all of it into the one file
    database.dispose()
    return path


@pytest.fixture
def firm(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, at_monday) -> Iterator[Firm]:
    if database_kind == "postgres":
        database = request.getfixturevalue("database")
        settle(database)
        yield build(database)
        return
    shutil.copy(request.getfixturevalue("settled"), tmp_path / "tradehub.db")
    database = Database(f"sqlite:///{tmp_path / 'tradehub.db'}")
    yield build(database)
    database.dispose()


@pytest.fixture
def app(firm: Firm, tmp_path: Path, compiled: FileSystemBytecodeCache) -> Flask:
    made = serve_pages(firm, tmp_path)
    made.jinja_env.bytecode_cache = compiled
    return made


@pytest.fixture
def browse(app: Flask):
    """Return a browser of one of the people, by name."""
    return lambda name: Browser(app, f"{name}@{PEOPLE[name][0]}.example")
