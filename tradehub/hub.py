"""The composition root: every part made once, and each kind of document given to the capability that understands it.

Capabilities do not know each other. What one tells another passes through a callable handed over here, in the
transaction of the change that it tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from flask import Blueprint
from flask_babel.speaklater import LazyString
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.billing import web as billing_pages
from tradehub.billing.service import BillingService
from tradehub.contracting import web as contracting_pages
from tradehub.contracting.service import ContractService
from tradehub.documents import Document, Order, OrderChange, OrderResponse, PartyId
from tradehub.documents.lines import order_number
from tradehub.documents.parts import Address, Identifier, Party
from tradehub.exchange import web as exchange_pages
from tradehub.exchange import wording as exchange_wording
from tradehub.exchange.answers import ACK_OF
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.service import POLL, ExchangeService
from tradehub.fulfilment import web as fulfilment_pages
from tradehub.fulfilment.service import FulfilmentService
from tradehub.negotiation import web as negotiation_pages
from tradehub.negotiation import wording as negotiation_wording
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Contract, ContractState, Ground
from tradehub.negotiation.recording import Hooks
from tradehub.negotiation.service import NegotiationService
from tradehub.ordering import web as ordering_pages
from tradehub.ordering.service import OrderingService
from tradehub.partners import web as partner_pages
from tradehub.partners.handling import Concluded, Handled, Handler, OrderFacts, Progress, Received
from tradehub.partners.model import NoAgreement, agree
from tradehub.partners.profile import FolderChannel, Negotiation
from tradehub.partners.service import PartnerService, Suggestion
from tradehub.platform import clock, schedules
from tradehub.platform.db import Database, org_of
from tradehub.platform.files import PayloadStore
from tradehub.platform.jobs import Jobs
from tradehub.platform.outbox import Outbox
from tradehub.platform.schedules import Schedule
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section

LATE_AFTER_S = 300
"""A channel that could not be looked into for so long is late, however often it is looked into."""

CHANGE_ANSWERS = frozenset({"865"})
"""Messages that answer the change of an order whatever they refer to."""

REFUSALS = {**negotiation_wording.REFUSALS, **exchange_wording.REFUSALS}
"""Why a capability does not act on a message, as sentences for the exchange's pages."""


Translate = Callable[[LazyString], Mapping[str, str]]
"""Return a text that people read in every language it is there in, by the language's tag, English first."""


def in_english(text: LazyString) -> Mapping[str, str]:
    """Return a text as it is written in the code: where no catalogues are at hand."""
    return {"en": str(text._args[0])}  # the text itself: a job has no page whose language it could be in


class Hub:
    """One hub: its database and payloads, its services, and who handles what."""

    def __init__(self, settings: Settings, translate: Translate = in_english) -> None:
        self.settings = settings
        self.translate = translate
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
            on_amended=self._agreed,
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
            Hooks(
                is_web=self.partners.is_web,
                on_concluded=self._concluded,
                party=self._party_of,
                on_undone=self._undone,
                on_amended=self._amended,
                order=self._order_of,
                on_ordered=self._ordered,
                carries=self._carries,
                stop=self._stop,
                terms=self._terms,
            ),
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
            on_reached=self._reached,
            on_failed=self.negotiation.on_failed,
            explain=self._explain,
        )
        self.exchange.register()

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """Which capability takes which kind of document."""
        return {
            "inquiry": self.negotiation.receive_inquiry,
            "offer": self.negotiation.receive_offer,
            "order": self.negotiation.receive_order,
            "order_change": self._changed,
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
        """Let the clock look into every polled channel by its own schedule, and into no other."""
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

    def _stop(self, session: Session, key: str) -> bool:
        return self.exchange.outbound.withdraw(session, key)

    def _explain(self, code: str, standard: str) -> str:
        """Return why a message was not acted on as its sender reads it: XML holds every language, the others English."""
        sentence = REFUSALS.get(code)
        if sentence is None:
            return ""
        texts = self.translate(sentence)
        return " / ".join(texts.values()) if standard == "ubl" else texts["en"]

    def _reached(self, session: Session, key: str, at: datetime) -> None:
        """What left under this key has reached the partner; the outbox knows since when it was on its way."""
        self.negotiation.on_reached(session, key, at, tried_at=self.exchange.outbound.first_attempt(session, key))

    def _terms(self, session: Session, buyer: PartyId, seller: PartyId) -> Terms:
        """What the two agreed about how they negotiate: as the profile of the one that is a partner has it."""
        profiles = [self.partners.profile(session, each) for each in (buyer, seller)]
        agreed = next((each.negotiation for each in profiles if each is not None and each.id != each.owner), None)
        places = {
            party: (profile.country, profile.timezone)
            for party, profile in zip((buyer, seller), profiles, strict=True)
            if profile is not None and (profile.country or profile.timezone)
        }
        agreed = agreed or Negotiation()
        ground = Ground(
            reasonable=agreed.reasonable_time,
            undue_delay=agreed.undue_delay,
            receipt_within=agreed.receipt_within,
            rounds_max=agreed.rounds_max,
            materiality={str(name): is_material for name, is_material in agreed.materiality.items()},
            silence_accepts=agreed.silence_accepts,
            performance_accepts=agreed.performance_accepts,
            formation=agreed.formation,
            battle=agreed.battle,
        )
        return Terms(agreed.law, ground, places)

    def _changed(self, session: Session, document: Document, received: Received) -> Handled:
        """A buyer changes its order: it proposes other terms for the contract, or answers the seller's."""
        if not isinstance(document, OrderChange):
            raise TypeError(document.kind)
        facts = self._order_named(session, document, buyer=received.partner, seller=received.owner)
        proposal = self.ordering.proposal(session, facts.deal_id) if facts is not None else None
        if facts is not None and proposal is not None and document.action == "confirmation":
            # the buyer agrees to what we answered to its order
            self.negotiation.agreed(session, facts.deal_id, proposal, by=received.partner)
            return Handled(facts.deal_id, facts.order_id)
        return self.negotiation.receive_change(session, document, received, facts.deal_id if facts else None)

    def _answered(self, session: Session, document: Document, received: Received) -> Handled:
        """An answer to an order came: it shows that the acceptance which the order carried has arrived."""
        if isinstance(document, OrderResponse) and (document.reference("change") or received.type in CHANGE_ANSWERS):
            facts = self._order_named(session, document, buyer=received.owner, seller=received.partner)
            return self.negotiation.receive_change(session, document, received, facts.deal_id if facts else None)
        handled = self.ordering.receive_order_response(session, document, received)
        if handled.deal is not None and handled.refusal is None and isinstance(document, OrderResponse):
            self.negotiation.on_answered(session, handled.deal, received.received_at)
            self.negotiation.on_order_answered(session, handled.deal, document, received)
        return handled

    def _order_named(
        self, session: Session, document: Document, *, buyer: PartyId, seller: PartyId
    ) -> OrderFacts | None:
        number = order_number(document)
        return self.ordering.facts_by_number(session, buyer, seller, number) if number else None

    def _agreed(self, session: Session, order_id: str, deal_id: str, order: Order, by: PartyId, at: datetime) -> None:
        """The buyer agreed to the terms of an order response: that changes the contract, and stands among its statements."""
        if not self.negotiation.agreed(session, deal_id, order, by=by):
            self.contracts.amend(session, deal_id, order, by, at)
        self.billing.rematch(session, order_id)

    def _amended(self, session: Session, deal_id: str, contract: Contract, at: datetime) -> None:
        """The parties agreed on other terms after the contract, or on its end: the old version stays beside the new."""
        order = self.ordering.of_deal(session, deal_id)
        by = contract.terms.by
        if order is not None:
            by = PartyId(order.seller if by == order.buyer else order.buyer)
        if contract.state is ContractState.TERMINATED:
            self.contracts.move_on(session, deal_id, "terminated", at)
            self.ordering.undo(session, deal_id, at)
            return
        self.contracts.amend(session, deal_id, contract.terms.document, by, at)
        changed = self.ordering.amend(session, deal_id, contract.terms.document, by=by, at=at)
        if changed is not None:
            self.billing.rematch(session, changed)

    def _undone(self, session: Session, deal_id: str, contract: str, at: datetime) -> None:
        """An acceptance was withdrawn, objected to or never arrived: there is no contract, and nothing is ordered."""
        self.contracts.move_on(session, deal_id, "objected", at)
        self.ordering.undo(session, deal_id, at)

    def _order_of(self, session: Session, deal_id: str) -> Order | None:
        row = self.ordering.of_deal(session, deal_id)
        return row.order if row is not None else None

    def _ordered(self, session: Session, deal_id: str, order: Order, received: Received) -> None:
        """The buyer's own order came on what we had accepted: it has the number that the buyer will use."""
        self.ordering.adopt(session, deal_id, order, at=received.received_at, message_id=received.message_id)

    def _carries(self, session: Session, sender: PartyId, to: PartyId, kind: str) -> bool:
        """Whether the two have agreed on a message for this kind of document."""
        agreements = self.partners.agreements(session, to)
        try:
            agree(agreements, sender=sender, receiver=to, document=kind, on=clock.now().date(), of_change=True)
        except NoAgreement:
            return False
        return True

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
