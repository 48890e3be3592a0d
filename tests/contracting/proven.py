"""A hub with two contracts to sign: one with people on the pages (Delta), one made by messages with Ningbo (X12)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import databases, people
from tests.device import Device
from tests.exchange.test_bad_input import X12
from tests.fakes import FakeJobs
from tests.people import CHEAP, PASSWORD
from tests.web.house import sign_in
from tradehub.cli import demo
from tradehub.contracting import keys, stepup
from tradehub.contracting.keys import SigningKey
from tradehub.contracting.store import BundleRow, ContractRow
from tradehub.documents import PartyId
from tradehub.documents.parts import Attachment
from tradehub.exchange.inbound import Arrived
from tradehub.hub import Hub
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow
from tradehub.platform import clock
from tradehub.platform.http import Principal
from tradehub.platform.passkeys import Passkeys, Presence, Site
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.web import create_app

HAIDI, NINGBO, DELTA = PartyId("haidi"), PartyId("ningbo"), PartyId("delta")
SITE = Site("hub.example")
NAMES = {HAIDI: "Haidi Trading", NINGBO: "Ningbo Valves", DELTA: "Delta Fluid"}
ASKED = Draft(
    lines=(LineDraft("1", Decimal(240), "C62", name="Gate valve DN50", item_number="V-22"),
           LineDraft("2", Decimal(600), "C62", name="Flange gasket DN50", item_number="G-50")),
    currency="USD",
)  # fmt: skip


def person(org: PartyId, *, name: str = "Lin Hai") -> Principal:
    """Somebody of ``org`` who has just typed the password."""
    return stepup.freshened(Principal(f"u-{org}", org, name, email=f"lin@{org}.example", session="s"), at=clock.now())


DRAWING = b"%PDF-1.7\nvalve V-22, revision C\n"
STANDING = "1. Payment\nThirty days net.\n2. Governing law\nCISG."
SHEET = b"seal;size\nS-9;22\n"


@dataclass
class Proven:
    hub: Hub
    app: Flask
    keys: dict[PartyId, SigningKey]

    def contract(self, seller: PartyId) -> ContractRow:
        with self.hub.database.read() as session:
            row = session.scalars(select(ContractRow).where(ContractRow.seller == seller)).one()
            _ = row.versions
            return row

    def prepare(self, contract: ContractRow, org: PartyId = HAIDI) -> BundleRow:
        with self.app.app_context():
            return self.hub.contracts.prepare(person(org), contract.id)

    def sign(self, contract: ContractRow, org: PartyId, bundle: BundleRow) -> None:
        """Sign with the organisation's own key; Haidi's people confirm it with a passkey."""
        presence = self.presence(person(org), bundle.json_sha256).as_record() if org == HAIDI else None
        self.hub.contracts.sign(
            person(org), contract.id, version=bundle.version, expected_sha256=bundle.json_sha256, key=self.keys[org],
            presence=presence,
        )  # fmt: skip

    def presence(self, who: Principal, contract_sha256: str) -> Presence:
        """Return what a new passkey of the person signs of a contract."""
        passkeys, device, subject = Passkeys(self.hub.database), Device(SITE), bytes.fromhex(contract_sha256)
        passkeys.add(who, SITE, device.make(passkeys.invite(who, SITE)), "Phone")
        return passkeys.confirm(who, SITE, device.answer(passkeys.ask(who, SITE, subject)), subject)

    def evidence(self, contract: ContractRow) -> bytes:
        with self.app.app_context():
            return self.hub.contracts.evidence(contract.deal_id)


def build(folder: Path) -> Proven:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tradehub.hub.Jobs", lambda database, poll_s: FakeJobs(database))
        hub = Hub(Settings(data_dir=folder, demo=True, _env_file=None))
    databases.make_whole(hub.database)
    demo.settle(hub)
    made = {org: keys.make(name, org, at=clock.now()) for org, name in NAMES.items()}
    proven = Proven(hub, create_app(hub, hasher=CHEAP), made)
    by_hand(hub)
    _by_message(hub)
    return proven


def by_hand(hub: Hub) -> None:
    """Haidi asks Delta, and accepts what Delta offers."""
    with hub.database.write(org=HAIDI) as session:
        hub.negotiation.send_inquiry(session, Actor(HAIDI, name="Lin Hai"), ASKED, [DELTA])
    until = clock.now().date() + timedelta(days=9)
    prices = (LineDraft("1", price=Decimal("77.05")), LineDraft("2", price=Decimal("0.82")))
    terms = Draft(
        lines=prices, currency="USD", valid_until=until, incoterm="FOB", place="Ningbo", payment="net 30",
        delivery_on=clock.now().date() + timedelta(days=40), text="As discussed: <b>海运</b> & air",
    )  # fmt: skip
    with hub.database.write(org=DELTA) as session:
        deal = session.scalars(select(DealRow.id).where(DealRow.seller_id == DELTA).order_by(DealRow.id.desc())).first()
        assert deal is not None
        dana = Actor(DELTA, name="Dana Whitfield")
        drawing = hub.negotiation.attach(session, dana, deal, "V-22 rev C.pdf", DRAWING)
        named = Attachment(name=drawing.name, sha256=drawing.sha256)
        standing = hub.negotiation.publish(session, DELTA, {"en": STANDING})
        terms = replace(terms, attachments=(named,), standard_terms=standing.sha256)
        hub.negotiation.make_offer(session, dana, deal, terms)
        sheet = hub.negotiation.attach(session, dana, deal, "seals.csv", SHEET)
        hub.negotiation.comment(session, dana, deal, "The seals, one by one.", files=[sheet.sha256])
    _accept(hub, HAIDI, deal)


def _by_message(hub: Hub) -> None:
    """Ningbo orders from Haidi by X12; Haidi accepts."""
    hub.exchange.inbound.receive(Arrived(X12.encode(), HAIDI, NINGBO, "drop"))
    _drain(hub)
    with hub.database.read() as session:
        deal = session.scalars(select(DealRow.id).where(DealRow.buyer_id == NINGBO)).one()
    _accept(hub, HAIDI, deal)


def _accept(hub: Hub, org: PartyId, deal: str) -> None:
    with hub.database.write(org=org) as session:
        view = hub.negotiation.deal(session, deal)
        assert view.standing is not None
        offer = view.standing.offer
        hub.negotiation.accept(
            session, Actor(org, name="Lin Hai"), deal, offer.id, expected_version=view.version,
            terms_hash=offer.terms_hash,
        )  # fmt: skip
    _drain(hub)


def _drain(hub: Hub) -> None:
    assert isinstance(hub.jobs, FakeJobs)
    hub.jobs.drain()


PEOPLE = {"lin": (HAIDI, tuple(ROLES)), "vera": (HAIDI, ("viewer",)), "dana": (DELTA, tuple(ROLES)),
          "zoe": (PartyId("zeta"), tuple(ROLES)),
          "max": (PartyId("zeta"), tuple(ROLES))}  # fmt: skip


def let_in(proven: Proven) -> None:
    """Give each of ``PEOPLE`` a password."""
    security = Security(proven.hub.database, CHEAP)
    for name, (org, roles) in PEOPLE.items():
        with proven.hub.database.write() as session:
            security.add_organisation(session, org, NAMES.get(org, org))
            people.let_in(security, session, org, f"{name}@example.com", roles)


def window(proven: Proven, name: str) -> FlaskClient:
    """Return a browser in which the person is signed in."""
    client = proven.app.test_client()
    assert sign_in(client, f"{name}@example.com", PASSWORD).status_code == 303
    return client
