"""The composition root: every part made once, and each kind of document given to the capability that understands it.

Capabilities do not know each other. What one tells another passes through a callable handed over here, in the
transaction of the change that it tells of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.billing import web as billing_pages
from tradehub.billing.service import BillingService
from tradehub.contracting import api as contracting_api
from tradehub.contracting import web as contracting_pages
from tradehub.contracting.service import ContractService
from tradehub.documents import Document, Order, PartyId
from tradehub.documents.parts import Address, Identifier, Party
from tradehub.exchange import api as exchange_api
from tradehub.exchange import web as exchange_pages
from tradehub.exchange import wording as exchange_wording
from tradehub.exchange.answers import ACK_OF
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.service import POLL, ExchangeService
from tradehub.fulfilment import web as fulfilment_pages
from tradehub.fulfilment.service import FulfilmentService
from tradehub.negotiation import api as negotiation_api
from tradehub.negotiation import jobs as negotiation_jobs
from tradehub.negotiation import web as negotiation_pages
from tradehub.negotiation import wording as negotiation_wording
from tradehub.negotiation.recording import Hooks
from tradehub.negotiation.service import NegotiationService
from tradehub.ordering import api as ordering_api
from tradehub.ordering import web as ordering_pages
from tradehub.ordering.service import OrderingService
from tradehub.partners import web as partner_pages
from tradehub.partners.handling import Concluded, Handled, Handler, Progress, Received
from tradehub.partners.profile import FolderChannel
from tradehub.partners.service import PartnerService, Suggestion
from tradehub.platform import schedules
from tradehub.platform.db import Database, org_of
from tradehub.platform.files import PayloadStore
from tradehub.platform.jobs import Jobs
from tradehub.platform.outbox import Outbox
from tradehub.platform.schedules import Schedule
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section

LATE_AFTER_S = 300
"""A channel that could not be looked into for so long is late, however often it is looked into."""

REFUSALS = {**negotiation_wording.REFUSALS, **exchange_wording.REFUSALS}
"""Why a capability does not act on a message, as sentences for the exchange's pages."""


class Hub:
    """One hub: its database and payloads, its services, and who handles what."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database)
        self.payloads = PayloadStore(settings.payload_dir)
        self.jobs = Jobs(self.database, poll_s=settings.poll_s)
        self.outbox = Outbox(self.jobs)
        self.partners = PartnerService()
        self.contracts = ContractService()
        self.ordering = OrderingService(
            self.outbox,
            is_web=self.partners.is_web,
            party_of=self._party_of,
            on_contract=self.contracts.move_on,
            on_amended=self._amended,
        )
        self.billing = BillingService(
            self.outbox,
            order_by_number=self.ordering.facts_by_number,
            order_by_id=self.ordering.facts,
            on_progress=self.ordering.advance,
            on_state=self.ordering.flag,
            is_web=self.partners.is_web,
        )
        self.fulfilment = FulfilmentService(
            self.outbox,
            order_by_number=self.ordering.facts_by_number,
            order_by_id=self.ordering.facts,
            on_progress=self._despatched,
            is_web=self.partners.is_web,
        )
        self.negotiation = NegotiationService(
            self.outbox,
            Hooks(is_web=self.partners.is_web, on_concluded=self._concluded, party=self._party_of),
        )
        self.codec = engine_codec()
        self.exchange = ExchangeService(
            database=self.database,
            payloads=self.payloads,
            jobs=self.jobs,
            partners=self.partners,
            codec=self.codec,
            data_dir=settings.data_dir,
            handlers=self.handlers,
            on_reached=self.negotiation.on_reached,
            on_failed=self.negotiation.on_failed,
        )
        self.exchange.register()
        negotiation_jobs.register(self.jobs, self.negotiation)

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """Which capability takes which kind of document."""
        return {
            "inquiry": self.negotiation.receive_inquiry,
            "offer": self.negotiation.receive_offer,
            "order": self.negotiation.receive_order,
            "order_response": self._answered,
            "despatch": self.fulfilment.receive_despatch,
            "invoice": self.billing.receive_invoice,
        }

    def blueprints(self) -> Sequence[Blueprint]:
        """Return the pages of every capability, each with the parts that others show on them."""
        order_panels = (fulfilment_pages.panel(self.fulfilment), billing_pages.panel(self.billing))
        return (
            negotiation_pages.blueprint(
                self.negotiation,
                self.database,
                suggest=self._suppliers,
                panels=(contracting_pages.panel(self.contracts), exchange_pages.panel()),
            ),
            negotiation_api.blueprint(self.negotiation, self.database, suggest=self._suppliers),
            contracting_api.blueprint(self.contracts, self.database),
            ordering_api.blueprint(self.ordering, self.database),
            exchange_api.blueprint(self.exchange, self.database),
            contracting_pages.blueprint(self.contracts, self.database, name_of=self.partners.name_of),
            ordering_pages.blueprint(self.ordering, self.database, name_of=self.partners.name_of, panels=order_panels),
            fulfilment_pages.blueprint(self.fulfilment, self.database),
            billing_pages.blueprint(self.billing, self.database),
            exchange_pages.blueprint(self.exchange, self.database, name_of=self.partners.name_of, refusals=REFUSALS),
            partner_pages.blueprint(self.partners, self.database, on_changed=self.schedule_polls),
        )

    def sections(self) -> Sequence[Section]:
        """Return the parts of the work queue, the most urgent first."""
        return (
            *negotiation_pages.sections(self.negotiation),
            *ordering_pages.sections(self.ordering, self.partners.name_of),
            exchange_pages.section(REFUSALS),
            exchange_pages.late_section(self.partners.name_of),
        )

    def searches(self) -> Sequence[Search]:
        return (
            negotiation_pages.search(self.negotiation),
            contracting_pages.search(self.contracts, self.partners.name_of),
            ordering_pages.search(self.ordering, self.partners.name_of),
            fulfilment_pages.search(),
            billing_pages.search(),
            exchange_pages.search(REFUSALS),
            partner_pages.search(self.partners),
        )

    def warm(self) -> None:
        """Compile the maps of every agreement and of what we answer; a worker does so before it takes its first job."""
        with self.database.read() as session:
            parties = self.partners.parties(session)
            agreed = {each.message for party in parties for each in self.partners.agreements(session, party.id)}
        self.codec.warm(sorted(agreed | set(ACK_OF.values())))

    def schedule_polls(self, session: Session) -> None:
        """Let the clock look into every polled channel by its own schedule, and into no other; and at deals it moved."""
        schedules.put(
            session, negotiation_jobs.TIME_PASSES, kind=negotiation_jobs.TIME_PASSES, every_s=negotiation_jobs.EVERY_S
        )
        wanted = {f"poll:{each.id}": each for each in self.exchange.polled_channels(session)}
        for row in session.scalars(select(Schedule).where(Schedule.kind == POLL)):
            if row.id not in wanted:
                schedules.remove(session, row.id)
        for id, each in wanted.items():
            channel = each.channel
            if not isinstance(channel, FolderChannel):
                continue
            every_s = int(channel.every.total_seconds()) if channel.every else None
            schedules.put(
                session,
                id,
                kind=POLL,
                target=each.id,
                owner=each.owner,
                cron=channel.cron,
                every_s=every_s,
                late_after_s=max(LATE_AFTER_S, 3 * (every_s or 0)),
            )

    def _concluded(self, session: Session, concluded: Concluded) -> None:
        """A contract came about: keep its terms, then order on them."""
        self.contracts.record(session, concluded)
        self.ordering.place(session, concluded)

    def _suppliers(self, session: Session, text: str) -> Sequence[Suggestion]:
        """Find whom the session's organisation may ask for an offer."""
        return self.partners.suggest(session, text, "supplier", of=org_of(session))

    def _answered(self, session: Session, document: Document, received: Received) -> Handled:
        """An answer to an order came: it shows that the acceptance which the order carried has arrived."""
        handled = self.ordering.receive_order_response(session, document, received)
        if handled.deal is not None and handled.refusal is None:
            self.negotiation.on_answered(session, handled.deal, received.received_at)
        return handled

    def _amended(self, session: Session, order_id: str, deal_id: str, order: Order, by: PartyId, at: datetime) -> None:
        """The parties agreed on other terms after the contract: it gets a new version, the old one stays."""
        self.contracts.amend(session, deal_id, order, by, at)
        self.billing.rematch(session, order_id)

    def _despatched(self, session: Session, progress: Progress) -> None:
        """Goods are on their way: the order has less to deliver, and an invoice that was early may match now."""
        self.ordering.advance(session, progress)
        self.billing.rematch(session, progress.order_id)

    def _party_of(self, session: Session, party: PartyId) -> Party:
        """Return a party as documents name it; its role is the document's to say."""
        row = self.partners.party(session, party)
        gln = self.partners.identity(session, party, "gln")
        return Party(
            role="",
            name=row.name if row else str(party),
            ids=(Identifier(scheme="gln", value=gln.value),) if gln else (),
            address=Address(country=row.country) if row and row.country else None,
        )
