"""The composition root: every part made once, and each kind of document given to the capability that understands it.

Capabilities do not know each other. What one tells another passes through a callable handed over here, in the
transaction of the change that it tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Blueprint
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.approvals import api as approval_api
from tradehub.approvals import web as approval_pages
from tradehub.approvals.service import ApprovalService
from tradehub.billing import web as billing_pages
from tradehub.billing.service import BillingService
from tradehub.contracting import api as contracting_api
from tradehub.contracting import blanket_pages, typesetting
from tradehub.contracting import saying as contracting_saying
from tradehub.contracting import web as contracting_pages
from tradehub.contracting.evidence import Message, Record
from tradehub.contracting.execution import Parts, Placed
from tradehub.contracting.service import ContractService
from tradehub.contracting.store import ContractRow
from tradehub.documents import Document, Inquiry, Offer, Order, OrderChange, OrderResponse, PartyId, TradeDocument
from tradehub.documents.lines import order_number
from tradehub.documents.parts import Address, Identifier, Party
from tradehub.documents.terms import terms_hash
from tradehub.exchange import api as exchange_api
from tradehub.exchange import evidence as exchange_evidence
from tradehub.exchange import web as exchange_pages
from tradehub.exchange import wording as exchange_wording
from tradehub.exchange.answers import ACK_OF
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.sealed import Sealing
from tradehub.exchange.service import POLL, ExchangeService
from tradehub.fulfilment import web as fulfilment_pages
from tradehub.fulfilment.service import FulfilmentService
from tradehub.negotiation import api as negotiation_api
from tradehub.negotiation import approved as negotiation_approved
from tradehub.negotiation import evidence as negotiation_evidence
from tradehub.negotiation import jobs as negotiation_jobs
from tradehub.negotiation import service as negotiation_service
from tradehub.negotiation import store as negotiation_store
from tradehub.negotiation import web as negotiation_pages
from tradehub.negotiation import wording as negotiation_wording
from tradehub.negotiation.drafting import as_offer
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Contract, ContractState, Ground, Kind, Refused
from tradehub.negotiation.recording import Actor, Hooks, Misfit, Unauthorised
from tradehub.negotiation.service import NegotiationService
from tradehub.ordering import api as ordering_api
from tradehub.ordering import web as ordering_pages
from tradehub.ordering.service import OrderingService
from tradehub.partners import web as partner_pages
from tradehub.partners.authority import Act, Asker, Binding, Verdict, Wanted
from tradehub.partners.handling import Concluded, Handled, Handler, OrderFacts, Progress, Received
from tradehub.partners.model import NoAgreement, agree
from tradehub.partners.profile import FolderChannel, Negotiation
from tradehub.partners.service import PartnerService, Suggestion
from tradehub.platform import clock, schedules
from tradehub.platform.db import Database, org_of, to_json
from tradehub.platform.files import DamagedPayload, NoPayload, PayloadStore
from tradehub.platform.http import Principal
from tradehub.platform.jobs import Jobs
from tradehub.platform.mail import Mail, MailServer
from tradehub.platform.outbox import Outbox
from tradehub.platform.passkeys import Passkeys
from tradehub.platform.schedules import Schedule
from tradehub.platform.sealing import Sealer
from tradehub.platform.security import Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.sourcing.auctions import api as auction_api
from tradehub.sourcing.auctions import service as auctions
from tradehub.sourcing.auctions import web as auction_pages
from tradehub.sourcing.auctions import wording as auction_wording
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.service import AuctionService
from tradehub.sourcing.tenders import api as tender_api
from tradehub.sourcing.tenders import hooks as tender_hooks
from tradehub.sourcing.tenders import web as tender_pages
from tradehub.sourcing.tenders import wording as tender_wording
from tradehub.sourcing.tenders.binding import RefusedByDeal, is_award
from tradehub.sourcing.tenders.binding import Unauthorised as AwardUnauthorised
from tradehub.sourcing.tenders.hooks import Entered, Pick
from tradehub.sourcing.tenders.messages import BidsByMessage
from tradehub.sourcing.tenders.service import TenderService

LATE_AFTER_S = 300
"""A channel that could not be looked into for so long is late, however often it is looked into."""

CHANGE_ANSWERS = frozenset({"865"})
"""Messages that answer the change of an order whatever they refer to."""
CHINESE = frozenset({"CN"})
"""Countries whose companies read contracts in simplified Chinese."""

HEADED = frozenset({"inquiry", "offer", "order", "order_change", "order_response"})
"""Documents that state something in a deal, and so say which history of it their sender has."""

REFUSALS = {**negotiation_wording.REFUSALS, **exchange_wording.REFUSALS, **tender_wording.BY_MESSAGE}
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
        self.mail = Mail(
            self.jobs,
            MailServer.named(server) if (server := settings.mail_server.get_secret_value()) else None,
            sender=settings.mail_sender,
            host=str(urlsplit(settings.public_url).hostname),
        )
        self.partners = PartnerService()
        self.outbox = Outbox(self.jobs, self._with_history)
        self.approvals = ApprovalService(self._carry_out)
        self.contracts = ContractService(
            Parts(
                database=self.database,
                payloads=self.payloads,
                sealer=lambda: Sealer(settings.secret_key),
                record=self.record_of,
                party=self._party_of,
                language=self._language_of,
                typesetter=typesetting,
                on_call_off=self._called_off,
                on_signed=self._signed,
                authorise=self.approvals.authorise,
            )
        )
        self.ordering = OrderingService(
            self.outbox,
            is_web=self.partners.is_web,
            party_of=self._party_of,
            on_contract=self.contracts.move_on,
            on_amended=self._agreed,
            authorise=self.approvals.authorise,
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
                on_awaiting=self._awaiting,
                on_undone=self._undone,
                on_amended=self._amended,
                order=self._order_of,
                on_ordered=self._ordered,
                carries=self._carries,
                misfit=self._misfit,
                authorise=self._authorise,
                before=self._may_state_terms,
                stop=self._stop,
                terms=self._terms,
            ),
            self.payloads,
        )
        deals = TenderDeals(self.negotiation)
        self.tenders = TenderService(
            tender_hooks.Hooks(
                send_inquiry=deals.send_inquiry,
                deal_with=deals.deal_with,
                propose=deals.propose,
                award=deals.award,
                bound=deals.bound,
                authorise=self._authorise,
                name_of=self.partners.name_of,
                unseal=self._unseal,
            )
        )
        self.bids_by_message = BidsByMessage(self.tenders, deals.numbers)
        self.auctions = AuctionService(
            self.jobs,
            lambda: Sealer(settings.secret_key),
            auctions.Hooks(self._won, self._party_of, self.partners.name_of, self._authorise),
        )
        self.auctions.register()
        self.codec = engine_codec()
        self.exchange = ExchangeService(
            database=self.database,
            payloads=self.payloads,
            jobs=self.jobs,
            partners=self.partners,
            codec=self.codec,
            data_dir=settings.data_dir,
            handlers=self.handlers,
            witness=self._compare_histories,
            on_reached=self._reached,
            on_failed=self._failed,
            explain=self._explain,
            sealing=Sealing(self.bids_by_message, lambda payload: Sealer(settings.secret_key).fingerprint(payload)),
        )
        self.exchange.register()
        negotiation_jobs.register(self.jobs, self.negotiation)

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """Which capability takes which kind of document."""
        taking: dict[str, Handler] = {
            "inquiry": self.negotiation.receive_inquiry,
            "offer": self._offered,
            "order": self.negotiation.receive_order,
            "order_change": self._changed,
            "order_response": self._answered,
            "despatch": self.fulfilment.receive_despatch,
            "invoice": self.billing.receive_invoice,
        }
        return {kind: _without_history(handle) if kind in HEADED else handle for kind, handle in taking.items()}

    def _offered(self, session: Session, document: Document, received: Received) -> Handled:
        """A quotation came: a bid, where it answers a sealed tender, else an offer in its deal."""
        bid = self.bids_by_message.take(session, document, received)
        return bid if bid is not None else self.negotiation.receive_offer(session, document, received)

    def _unseal(self, session: Session, transmission: str, key: bytes) -> None:
        """The exchange is made after tenders, so it is asked when needed."""
        self.exchange.unseal(session, transmission, key)

    def _with_history(
        self, session: Session, document: Document, sender: PartyId, to: PartyId, deal_id: str | None
    ) -> Document:
        """Let a message of a deal say which history of it its sender has, where the two agreed that it does.

        Nobody else says it: what a document brought along of the kind does not leave.
        """
        if not isinstance(document, TradeDocument):
            return document
        heads = None
        if document.kind in HEADED and deal_id is not None:
            profile = self.partners.profile(session, to)
            if profile is not None and profile.negotiation.chain_heads:
                heads = self.negotiation.claim(session, deal_id, sender)
        return document.model_copy(update={"heads": heads})

    def _compare_histories(self, session: Session, document: Document, received: Received, deal: str | None) -> None:
        """Hold what a message says of its sender's history to ours, whatever became of the message."""
        if not isinstance(document, TradeDocument) or document.heads is None:
            return
        named = deal or self._deal_spoken_of(session, document, received)
        if named is not None:
            self.negotiation.compare_histories(session, named, document.heads, received)

    def _deal_spoken_of(self, session: Session, document: TradeDocument, received: Received) -> str | None:
        """Return the deal of a message that was not acted on, by the numbers that it refers to."""
        is_sellers = document.kind in ("offer", "order_response")
        buyer, seller = (received.owner, received.partner) if is_sellers else (received.partner, received.owner)
        if isinstance(document, OrderChange | OrderResponse):
            facts = self._order_named(session, document, buyer=buyer, seller=seller)
            return facts.deal_id if facts is not None else None
        return self.negotiation.deal_named(session, document, buyer=buyer, seller=seller)

    def blueprints(self) -> Sequence[Blueprint]:
        """Return the pages of every capability, each with the parts that others show on them."""
        order_panels = (fulfilment_pages.panel(self.fulfilment), billing_pages.panel(self.billing))
        deal_panels = (
            tender_pages.panel(self.tenders),
            contracting_pages.panel(self.contracts),
            approval_pages.panel(self.approvals, {**contracting_saying.OVERTAKEN, **negotiation_wording.REFUSALS}),
            exchange_pages.panel(),
        )
        return (
            negotiation_pages.blueprint(
                self.negotiation,
                self.database,
                suggest=self._suppliers,
                panels=deal_panels,
                ask=self._ask_approval,
            ),
            approval_pages.blueprint(
                self.approvals,
                self.database,
                shows=self._shown,
                partners=self._partner_names,
                refusals={
                    **auction_wording.OVERTAKEN,
                    **tender_wording.OVERTAKEN,
                    **contracting_saying.OVERTAKEN,
                    **negotiation_wording.REFUSALS,
                },
            ),
            tender_pages.blueprint(
                self.tenders,
                self.database,
                suggest=self._suppliers,
                ask=self._ask_approval,
                panel=approval_pages.panel(
                    self.approvals, {**tender_wording.OVERTAKEN, **negotiation_wording.REFUSALS}
                ),
            ),
            tender_api.blueprint(self.tenders, self.database, suggest=self._suppliers, ask=self._ask_approval),
            negotiation_api.blueprint(self.negotiation, self.database, suggest=self._suppliers, ask=self._ask_approval),
            contracting_api.blueprint(self.contracts, self.database, ask=self._ask_approval),
            ordering_api.blueprint(self.ordering, self.database),
            exchange_api.blueprint(self.exchange, self.database),
            approval_api.blueprint(self.approvals, self.database),
            auction_api.blueprint(self.auctions, self.database, suggest=self._bidders, ask=self._ask_approval),
            auction_pages.blueprint(
                self.auctions,
                self.database,
                suggest=self._bidders,
                name_of=self.partners.name_of,
                streams=auction_pages.Streams(
                    self.settings.secret_key, self.settings.live_port, self.settings.live_url
                ),
                ask=self._ask_approval,
            ),
            contracting_pages.blueprint(
                self.contracts,
                self.database,
                name_of=self.partners.name_of,
                confirm=self._confirm,
                present=Passkeys(self.database).confirm,
                amendments=self._amendments,
                ask=self._ask_approval,
            ),
            ordering_pages.blueprint(self.ordering, self.database, name_of=self.partners.name_of, panels=order_panels),
            fulfilment_pages.blueprint(self.fulfilment, self.database),
            billing_pages.blueprint(self.billing, self.database),
            exchange_pages.blueprint(self.exchange, self.database, name_of=self.partners.name_of, refusals=REFUSALS),
            partner_pages.blueprint(self.partners, self.database, on_changed=self.schedule_polls),
        )

    def sections(self) -> Sequence[Section]:
        """Return the parts of the work queue, the most urgent first."""
        return (
            *approval_pages.sections(self.approvals),
            *negotiation_pages.sections(self.negotiation),
            contracting_pages.section(self.contracts, self.partners.name_of),
            tender_pages.section(self.tenders),
            *auction_pages.sections(self.auctions),
            *ordering_pages.sections(self.ordering, self.partners.name_of),
            exchange_pages.section(REFUSALS),
            exchange_pages.late_section(self.partners.name_of),
        )

    def searches(self) -> Sequence[Search]:
        return (
            negotiation_pages.search(self.negotiation),
            tender_pages.search(self.tenders),
            auction_pages.search(self.auctions),
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

    def _awaiting(self, session: Session, agreed: Concluded) -> None:
        """The parties are agreed, and the contract comes about when both have signed or confirmed it (R21)."""
        self.contracts.record(session, agreed, is_awaiting=True)

    def _amendments(self, session: Session, contract: ContractRow) -> Markup:
        """Show on a contract's page how it is changed: that is negotiated as any terms are (R25)."""
        return negotiation_pages.amendments(self.negotiation)(session, contract.deal_id, contract.acceptance)

    def _signed(self, session: Session, contract: ContractRow, party: PartyId, _at: datetime) -> None:
        self.negotiation.signed(session, contract.deal_id, party, acceptance=contract.acceptance)

    def _stop(self, session: Session, key: str) -> bool:
        """Keep from leaving what has not left: the exchange is made after negotiation, so it is asked when needed."""
        return self.exchange.outbound.withdraw(session, key)

    def _may_state_terms(self, session: Session, deal: negotiation_store.DealRow, by: PartyId) -> None:
        """No channel lets a supplier say in clear what its tender wants sealed (T24). Raises SealedTender."""
        if by == deal.seller_id and self.tenders.is_sealed(session, deal.id):
            raise SealedTender

    def record_of(self, deal_id: str) -> Record:
        """Return all that was said and sent in a deal, for its evidence. Whoever asks has shown that he may see it.

        Raises LookupError where there is no such deal.
        """
        with self.database.read() as session:
            deal = negotiation_evidence.deal(session, deal_id)
            if deal is None:
                raise LookupError(deal_id)
            said = negotiation_evidence.statements(session, deal_id)
            claims = negotiation_evidence.claims(session, deal_id)
            standing = negotiation_evidence.standard_terms(session, deal_id)
            attached = dict(self._kept(negotiation_evidence.attachments(session, deal_id)))
            texts = negotiation_evidence.documents(session, deal_id)
            for carried in exchange_evidence.documents(session, deal_id):
                text = to_json(carried).encode()
                texts.setdefault(sha256(text).hexdigest(), text)
            stated = {each["statement"][name] for each in said for name in ("document_sha256", "source_sha256")}
            named = {each["statement"]["message_id"] for each in said} - {None}
            kept = exchange_evidence.messages(
                session, self.payloads, deal_id, between=(deal["buyer"], deal["seller"]), named=named
            )
        return Record(
            deal,
            tuple(said),
            {digest: text for digest, text in texts.items() if digest in stated},
            tuple(Message(facts, raw) for facts, raw in kept.messages),
            kept.not_kept,
            tuple(claims),
            attached,
            standing,
        )

    def _kept(self, digests: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Give the payloads that are still what they were: of the others the evidence says that they are missing."""
        for digest in digests:
            try:
                yield digest, self.payloads.get(digest)
            except (NoPayload, DamagedPayload):
                continue

    @cached_property
    def _security(self) -> Security:
        return Security(self.database)

    def _confirm(self, who: Principal, password: str) -> None:
        """Hold a person to the password. Raises SignInRefused or TooManyAttempts."""
        self._security.confirm_password(who, password)

    def _language_of(self, session: Session, party: PartyId) -> str:
        """Return the language that a party's contracts are written in: Chinese in China, else English."""
        row = self.partners.party(session, party)
        return "zh_Hans" if row is not None and row.country in CHINESE else "en"

    def _concluded(self, session: Session, concluded: Concluded) -> None:
        """A contract came about: keep its terms, then order on them."""
        taken_up = self.contracts.taken_up(session, concluded)
        instead_of = taken_up.acceptance if taken_up is not None else None
        self.contracts.record(session, concluded)
        self.ordering.place(session, concluded, instead_of=instead_of)

    def _authorise(
        self, session: Session, actor: Actor | auctions.Actor | tender_hooks.Actor, binding: Binding
    ) -> Verdict:
        asker = Asker(actor.party, actor.user_id, actor.name or "", actor.channel, actor.approval)
        return self.approvals.authorise(session, asker, binding)

    def _ask_approval(self, session: Session, asker: Asker, wanted: Wanted, note: str, key: str) -> str:
        return f"/approvals/{self.approvals.ask(session, asker, wanted, note=note, request_key=key)}"

    def _carry_out(self, session: Session, asker: Asker, wanted: Wanted) -> None:
        """Do what was approved: each act is led to its capability here."""
        if wanted.binding.act is Act.BID:
            bidder = auctions.Actor(asker.org, asker.user_id, asker.name, asker.channel, asker.approval)
            self.auctions.carry_out(session, bidder, wanted)
            return
        if wanted.binding.act is Act.CALL_OFF:
            self.contracts.carry_out(session, asker, wanted)
            return
        if is_award(wanted):
            buyer = tender_hooks.Actor(asker.org, asker.user_id, asker.name, asker.channel, asker.approval)
            self.tenders.carry_out(session, buyer, wanted)
            return
        negotiation_approved.carry_out(self.negotiation, session, asker, wanted)

    def _shown(self, session: Session, wanted: Wanted) -> Markup:
        if wanted.binding.act is Act.BID:
            return auction_pages.approval_view(self.auctions)(session, wanted)
        if wanted.binding.act is Act.CALL_OFF:
            return blanket_pages.approval_view(self.contracts, session, wanted)
        if is_award(wanted):
            return tender_pages.approval_view(self.tenders)(session, wanted)
        return negotiation_pages.approval_view(self.negotiation)(session, wanted)

    def _partner_names(self, session: Session) -> Sequence[tuple[str, str]]:
        return [(row.id, row.name) for row in self.partners.parties(session) if row.id != org_of(session)]

    def _called_off(self, session: Session, contract: ContractRow, order: Order, release_id: str) -> Placed:
        """An order was released under a blanket agreement: place it, and send it to a seller who trades by message."""
        buyer, seller = PartyId(contract.buyer), PartyId(contract.seller)
        parties = tuple(
            self._party_of(session, each).model_copy(update={"role": role})
            for role, each in (("buyer", buyer), ("seller", seller))
        )
        others = tuple(each for each in order.parties if each.role not in ("buyer", "seller"))
        named = order.model_copy(update={"parties": (*parties, *others)})
        order_id = self.ordering.place(
            session,
            Concluded(
                deal_id=release_id, inquiry=contract.inquiry, buyer=buyer, seller=seller, offer=as_offer(named),
                terms_hash=terms_hash(named), at=clock.now(), accepted_by=buyer, order=named,
            ),
        )  # fmt: skip
        placed = self.ordering.row(session, order_id)
        if not self.partners.is_web(session, seller):
            key = f"call-off:{release_id}"
            self.outbox.put(
                session, placed.order, sender=buyer, to=seller, idempotency_key=key, subject=contract.deal_id
            )
        return Placed(order_id, placed.number)

    def _suppliers(self, session: Session, text: str) -> Sequence[Suggestion]:
        """Find whom the session's organisation may ask for an offer."""
        return self.partners.suggest(session, text, "supplier", of=org_of(session))

    def _explain(self, code: str, standard: str) -> str:
        """Return why a message was not acted on as its sender reads it: XML holds every language, the others English."""
        sentence = REFUSALS.get(code)
        if sentence is None:
            return ""
        texts = self.translate(sentence)
        return " / ".join(texts.values()) if standard == "ubl" else texts["en"]

    def _reached(self, session: Session, key: str, at: datetime) -> None:
        """What left under this key has reached the partner; the outbox knows since when it was on its way."""
        self.negotiation.on_reached(
            session, key, at, tried_at=self.exchange.outbound.first_attempt(session, key),
            acceptance=self.ordering.carried(session, key),
        )  # fmt: skip

    def _failed(self, session: Session, key: str, at: datetime) -> None:
        self.negotiation.on_failed(session, key, at, acceptance=self.ordering.carried(session, key))

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
        proposal = self.ordering.proposal(session, facts.acceptance) if facts is not None else None
        if facts is not None and proposal is not None and document.action == "confirmation":
            # the buyer agrees to what we answered to its order
            self.negotiation.agreed(session, facts.deal_id, proposal, by=received.partner, acceptance=facts.acceptance)
            return Handled(facts.deal_id, facts.order_id)
        return self._change_received(session, document, received, facts)

    def _change_received(
        self, session: Session, document: OrderChange | OrderResponse, received: Received, facts: OrderFacts | None
    ) -> Handled:
        deal, acceptance = (facts.deal_id, facts.acceptance) if facts is not None else (None, None)
        return self.negotiation.receive_change(session, document, received, deal, acceptance)

    def _bidders(self, session: Session, text: str) -> Sequence[Suggestion]:
        """Find whom the session's organisation may invite to bid: parties whose people work on our own pages."""
        found = self.partners.suggest(session, text, of=org_of(session))
        return [each for each in found if self.partners.is_web(session, each.id)]

    def _won(self, session: Session, auction: Auction, winner: PartyId, document: TradeDocument) -> str:
        """An auction was won: the winner's bid opens a deal with the owner, as a firm offer."""
        buyer, seller = (winner, auction.owner) if auction.rules.is_sale else (auction.owner, winner)
        deal = self.negotiation.open_deal(
            session, buyer=buyer, seller=seller, document=document, numbered_by=auction.owner
        )
        self.negotiation.propose(session, deal, Actor(winner, channel="hub"), document)
        return deal.id

    def _answered(self, session: Session, document: Document, received: Received) -> Handled:
        """An answer to an order came: it shows that the acceptance which the order carried has arrived."""
        if isinstance(document, OrderResponse) and (document.reference("change") or received.type in CHANGE_ANSWERS):
            facts = self._order_named(session, document, buyer=received.owner, seller=received.partner)
            return self._change_received(session, document, received, facts)
        handled = self.ordering.receive_order_response(session, document, received)
        if handled.deal is not None and handled.refusal is None and isinstance(document, OrderResponse):
            answered = self._order_named(session, document, buyer=received.owner, seller=received.partner)
            acceptance = answered.acceptance if answered is not None else None
            self.negotiation.on_answered(session, handled.deal, received.received_at, acceptance)
            self.negotiation.on_order_answered(session, handled.deal, document, received, acceptance)
        return handled

    def _order_named(
        self, session: Session, document: Document, *, buyer: PartyId, seller: PartyId
    ) -> OrderFacts | None:
        number = order_number(document)
        return self.ordering.facts_by_number(session, buyer, seller, number) if number else None

    def _agreed(
        self, session: Session, order_id: str, acceptance: str, order: Order, by: PartyId, at: datetime
    ) -> None:
        """The buyer agreed to the terms of an order response: that changes the contract, and stands among its statements.

        A release under a blanket agreement has no deal but itself: its terms change, and the agreement's do not.
        """
        deal_id = self.ordering.row(session, order_id).deal_id
        is_release = deal_id == acceptance
        if not is_release and not self.negotiation.agreed(session, deal_id, order, by=by, acceptance=acceptance):
            self.contracts.amend(session, acceptance, order, by, at)
        self.billing.rematch(session, order_id)

    def _amended(self, session: Session, deal_id: str, contract: Contract, at: datetime) -> None:
        """The parties agreed on other terms after the contract, or on its end: the old version stays beside the new."""
        order = self.ordering.of_acceptance(session, contract.id)
        by = contract.terms.by
        if order is not None:
            by = PartyId(order.seller if by == order.buyer else order.buyer)
        if contract.state is ContractState.TERMINATED:
            self.contracts.move_on(session, contract.id, "terminated", at)
            self.ordering.undo(session, contract.id, at)
            return
        self.contracts.amend(session, contract.id, contract.terms.document, by, at)
        changed = self.ordering.amend(session, contract.id, contract.terms.document, by=by, at=at)
        if changed is not None:
            self.billing.rematch(session, changed)

    def _undone(self, session: Session, deal_id: str, contract: str, at: datetime) -> None:
        """An acceptance was withdrawn, objected to or never arrived: there is no contract, and nothing is ordered."""
        self.contracts.move_on(session, contract, "objected", at)
        self.ordering.undo(session, contract, at)

    def _order_of(self, session: Session, acceptance: str) -> Order | None:
        row = self.ordering.of_acceptance(session, acceptance)
        return row.order if row is not None else None

    def _ordered(self, session: Session, acceptance: str, order: Order, received: Received) -> None:
        """The buyer's own order came on what we had accepted: it has the number that the buyer will use."""
        self.ordering.adopt(session, acceptance, order, at=received.received_at, message_id=received.message_id)

    def _carries(self, session: Session, sender: PartyId, to: PartyId, kind: str) -> bool:
        """Whether the two have agreed on a message for this kind of document."""
        agreements = self.partners.agreements(session, to)
        try:
            agree(agreements, sender=sender, receiver=to, document=kind, on=clock.now().date(), of_change=True)
        except NoAgreement:
            return False
        return True

    def _misfit(self, session: Session, document: Document, sender: PartyId, to: PartyId) -> Misfit | None:
        """What in a document the message that the two agreed on cannot hold, in the reader's language."""
        trial = self.exchange.outbound.try_out(session, document, sender=sender, to=to)
        what = "" if trial is None else exchange_wording.misfit(trial)
        return Misfit(what, exchange_wording.unfit_values(trial)) if trial is not None and what else None

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


def _without_history(handler: Handler) -> Handler:
    """Hand a document on without what it says of its sender's history: that is no part of what it says in the deal."""

    def handle(session: Session, document: Document, received: Received) -> Handled:
        if isinstance(document, TradeDocument) and document.heads is not None:
            document = document.model_copy(update={"heads": None})
        return handler(session, document, received)

    return handle


class SealedTender(Refused):
    """An offer in clear in a deal whose tender takes sealed bids."""

    def __init__(self) -> None:
        self.code, self.rule = "SEALED_TENDER", "T24"
        self.article = "bids of a sealed tender come sealed"
        Exception.__init__(self, f"{self.code} ({self.rule}, {self.article})")


class TenderDeals:
    """What tenders ask of negotiation, in its own words."""

    def __init__(self, negotiation: NegotiationService) -> None:
        self.negotiation = negotiation

    def send_inquiry(
        self,
        session: Session,
        actor: tender_hooks.Actor,
        draft: Inquiry,
        suppliers: Sequence[PartyId],
        *,
        note: str = "",
        request_key: str | None = None,
    ) -> str:
        return self.negotiation.send_inquiry(
            session, _speaker(actor), draft, suppliers, note=note, request_key=request_key
        )

    def deal_with(self, session: Session, actor: tender_hooks.Actor, inquiry_id: str, supplier: PartyId) -> str:
        deals = negotiation_store.DealRow
        known = session.scalar(select(deals.id).where(deals.inquiry_id == inquiry_id, deals.seller_id == supplier))
        if known is not None:
            return known
        asked = negotiation_store.inquiry_row(session, inquiry_id)
        if asked is None:
            raise LookupError(inquiry_id)
        letter = Inquiry.model_validate(asked.document)
        letter = letter.model_copy(update={"parties": self._parties(session, actor.party, supplier)})
        row = self.negotiation.open_deal(
            session, buyer=actor.party, seller=supplier, document=letter, numbered_by=actor.party,
            inquiry_id=inquiry_id,
        )  # fmt: skip
        self.negotiation.propose(session, row, _speaker(actor), letter, kind=Kind.INQUIRY)
        return row.id

    def numbers(self, session: Session, deal_id: str) -> frozenset[str]:
        """Return what a deal's inquiry is called in messages."""
        row = negotiation_store.deal_row(session, deal_id)
        names = (row.number, row.inquiry_number) if row is not None else ()
        return frozenset(each for each in names if each is not None)

    def propose(
        self, session: Session, deal_id: str, party: PartyId, document: Offer, *, message_id: str | None = None
    ) -> Entered:
        """Enter a bid as a firm offer that may be accepted by line and in part: that is what a tender asks for (R22)."""
        row = negotiation_store.deal_row(session, deal_id, lock=True)
        if row is None:
            raise LookupError(deal_id)
        parties = self._parties(session, PartyId(row.buyer_id), party)
        offer = document.model_copy(update={"parties": parties})
        channel = "web" if message_id is None else "message"
        speaker = Actor(party, name=parties[1].name, channel=channel, message_id=message_id)
        try:
            with session.begin_nested():
                return Entered(self.negotiation.propose(session, row, speaker, offer, particulars={"divisible": True}))
        except Refused as refused:
            return Entered(rule=refused.code)

    def award(self, session: Session, actor: tender_hooks.Actor, inquiry_id: str, picks: Sequence[Pick]) -> None:
        """Accept what is picked of each offer, decline all others (R23). Raises TenderRefused where a deal refuses, for
        instance because the offer has lapsed; nothing is awarded then."""
        try:
            self.negotiation.award(session, _speaker(actor), inquiry_id, _taken(picks), in_time=True)
        except Unauthorised as refused:
            raise AwardUnauthorised(refused.verdict) from None
        except Refused as refused:
            raise RefusedByDeal(refused.code, refused.rule, refused.article) from None

    def bound(self, session: Session, actor: tender_hooks.Actor, inquiry_id: str, picks: Sequence[Pick]) -> Binding:
        """Return what the award comes to as one act. Raises TenderRefused where a deal would refuse it now."""
        speaker, taken = _speaker(actor), _taken(picks)
        try:
            self.negotiation.check_award(session, speaker, inquiry_id, taken)
            return self.negotiation.award_binding(session, speaker, inquiry_id, taken)
        except Refused as refused:
            raise RefusedByDeal(refused.code, refused.rule, refused.article) from None

    def _parties(self, session: Session, buyer: PartyId, seller: PartyId) -> tuple[Party, Party]:
        one, other = (self.negotiation.hooks.party(session, each) for each in (buyer, seller))
        return one.model_copy(update={"role": "buyer"}), other.model_copy(update={"role": "seller"})


def _speaker(actor: tender_hooks.Actor) -> Actor:
    return Actor(actor.party, actor.user_id, actor.name, actor.channel, approval=actor.approval)


def _taken(picks: Sequence[Pick]) -> list[negotiation_service.Pick]:
    return [
        negotiation_service.Pick(each.deal_id, each.offer_id or "", () if each.is_whole else tuple(each.lines.items()))
        for each in picks
    ]
