"""What negotiation freezes of an act that needs approval, and how it is done once it has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from tradehub.documents import Line, TradeDocument
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.lines import keyed
from tradehub.documents.parts import Party
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import compare, drafting, model
from tradehub.negotiation.binding import binding, dearest
from tradehub.negotiation.drafting import Draft, Letterhead
from tradehub.negotiation.model import Conflict, Contract, Refused, State
from tradehub.negotiation.reading import DealView, Round
from tradehub.negotiation.recording import Actor, NotFound, Unsendable
from tradehub.negotiation.service import NegotiationService, Pick
from tradehub.partners.authority import Act, Asker, Binding, Overtaken, Wanted
from tradehub.platform import clock

DRAFT = TypeAdapter(Draft)


@dataclass(frozen=True)
class Stated:
    """Terms as a program states them: a whole document, and how it may be accepted, as ``model.Offer`` has it."""

    document: OfferDocument
    firm: bool = True
    irrevocable: bool = False
    as_is_only: bool = False
    divisible: bool = False
    performance_accepts: bool = False
    group: str | None = None
    standard_terms: str | None = None
    accept_within: timedelta | None = None

    @property
    def variants(self) -> tuple[Stated, ...]:
        """Itself: of alternatives each is stated by itself."""
        return (self,)

    @property
    def text(self) -> str:
        """Nothing: a remark is one of the document's notes."""
        return ""

    @property
    def particulars(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _PARTICULARS}


STATED = TypeAdapter(Stated)

_PARTICULARS = (
    "firm", "irrevocable", "as_is_only", "divisible", "performance_accepts", "group", "standard_terms", "accept_within"
)  # fmt: skip


@dataclass(frozen=True)
class Proposed:
    """A document that would be sent, as the pages show a round."""

    document: TradeDocument

    @property
    def lines(self) -> tuple[tuple[str, Line], ...]:
        return tuple(keyed(model.lines_of(self.document)).items())

    @property
    def further_terms(self) -> tuple[compare.Term, ...]:
        return compare.further_terms(self.document)

    @property
    def delivery(self) -> date | None:
        """The day of the last delivery."""
        days = [drafting.delivery_on(self.document, line) for line in model.offered_lines(self.document)]
        return max((day for day in days if day), default=None)

    @property
    def total(self) -> Decimal | None:
        return drafting.total(self.document, model.lines_of(self.document))


def bound(view: DealView, act: Act, document: TradeDocument) -> Binding:
    """Return what the act would bind the reader's own party to."""
    return binding(act, document, deal_id=view.id, partner=view.other)


def proposed(view: DealView, base: Round | Proposed, draft: Draft | Stated) -> Proposed:
    """Return the terms that ``draft`` would put on record in answer to ``base``; their number is given when they are."""
    if isinstance(draft, Stated):
        return Proposed(draft.document)
    buyer, seller = (Party(role="", name=each) for each in _names(view))
    head = Letterhead("?", clock.now().date(), buyer, seller)
    write = drafting.counter if view.is_buyer else drafting.offer
    return Proposed(write(head, base.document, draft))


@dataclass(frozen=True)
class Taking:
    """What of a round is accepted beside all of it: ``lines`` alone (R22), or the terms of ``draft`` (R9, R10).

    A program says the latter as ``stated``, which agrees where it is silent, and may make its acceptance ``conditional``
    on them; ``standard_terms`` are those of its own that it refers to.
    """

    lines: tuple[tuple[str, Decimal], ...] = ()
    draft: Draft | None = None
    stated: Stated | None = None
    conditional: bool = False
    standard_terms: str | None = None

    @property
    def terms(self) -> Draft | Stated | None:
        """The terms of one's own; None where the offer's are taken."""
        return self.draft or self.stated

    def document(self, view: DealView, round: Round) -> TradeDocument:
        """Return the terms that would bind."""
        if self.terms is not None:
            return proposed(view, round, self.terms).document
        return drafting.limited_to(round.document, dict(self.lines))

    @property
    def is_whole(self) -> bool:
        return self == Taking()


TAKING = TypeAdapter(Taking)


def acceptance(view: DealView, round: Round, version: int, shown: str, taking: Taking | None = None) -> Wanted:
    """Freeze the acceptance of ``round`` on the terms with the hash ``shown``, or what is taken of it."""
    taking = taking or Taking()
    return Wanted(
        bound(view, Act.ACCEPTANCE, taking.document(view, round)), _title(view), view.other_name, round.offer.id,
        version, shown, {} if taking.is_whole else {"taking": TAKING.dump_python(taking, mode="json")},
        until=round.deadline,
    )  # fmt: skip


def taking(wanted: Wanted) -> Taking:
    """Return what an acceptance that waits for approval takes of its round."""
    stored = wanted.payload.get("taking")
    return Taking() if stored is None else TAKING.validate_python(stored)


def accept(
    service: NegotiationService,
    session: Session,
    actor: Actor,
    view: DealView,
    round: Round,
    taking: Taking,
    *,
    version: int,
    shown: str,
    request_key: str | None,
) -> str:
    """Accept what is taken of a round, on the terms with the hash ``shown``, and return the statement's id."""
    document = None if taking.terms is None else taking.document(view, round)
    return service.accept(
        session, actor, view.id, round.offer.id, expected_version=version, terms_hash=shown, request_key=request_key,
        lines=taking.lines, document=document, is_restated=taking.draft is not None, conditional=taking.conditional,
        standard_terms=taking.standard_terms,
    )  # fmt: skip


def rehearse(session: Session, actor: Actor, act: Callable[[Actor], object]) -> None:
    """Raise what would refuse the act once it is approved, so that nobody is asked in vain; nothing of it stays."""
    trial = session.begin_nested()
    try:
        act(replace(actor, user_id=None))  # whom no limits are asked of
    finally:
        trial.rollback()


def most(view: DealView, base: Round, draft: Draft | Stated) -> TradeDocument:
    """Return the terms of ``draft``; of its alternatives those that bind to most."""
    return dearest([proposed(view, base, each).document for each in draft.variants])


def offer(view: DealView, base: Round, draft: Draft | Stated, version: int) -> Wanted:
    """Freeze a firm offer in answer to ``base``."""
    document = most(view, base, draft)
    answers_open = base.is_open and not base.is_ours
    if isinstance(draft, Stated):
        payload = {"stated": STATED.dump_python(draft, mode="json"), "answers_open": answers_open}
    else:
        payload = {"draft": DRAFT.dump_python(draft, mode="json"), "answers_open": answers_open}
    return Wanted(
        bound(view, Act.OFFER, document), _title(view), view.other_name, base.offer.id, version,
        terms_hash(document), payload, base.deadline if answers_open else None,
    )  # fmt: skip


def offered(wanted: Wanted) -> Draft | Stated:
    """Return the terms of an offer that waits for approval."""
    stated = wanted.payload.get("stated")
    return DRAFT.validate_python(wanted.payload["draft"]) if stated is None else STATED.validate_python(stated)


def make_offer(
    service: NegotiationService,
    session: Session,
    actor: Actor,
    view: DealView,
    terms: Draft | Stated,
    *,
    about: str | None,
    version: int | None,
    request_key: str | None = None,
) -> str:
    """Put the offer on record, in answer to the round ``about`` or else the latest, and return the statement's id."""
    if isinstance(terms, Stated):
        return service.state_terms(
            session, actor, view.id, terms.document, about=about, expected_version=version, request_key=request_key,
            **terms.particulars,
        )  # fmt: skip
    return service.make_offer(
        session, actor, view.id, terms, about=about, expected_version=version, request_key=request_key
    )


@dataclass(frozen=True)
class Amending:
    """Other terms for the contract that ``acceptance`` made, in a draft or as a program states them; without any, its end.

    ``text`` is the reason for the end, or of what a program states.
    """

    acceptance: str
    draft: Draft | None = None
    text: str = ""
    stated: Stated | None = None

    @property
    def terms(self) -> Draft | Stated | None:
        """The other terms; None for the contract's end."""
        return self.draft or self.stated

    @property
    def remark(self) -> str:
        """What is said beside the terms."""
        return self.text or (self.terms.text if self.terms is not None else "")

    def contract(self, view: DealView) -> Contract:
        """Return the contract. Raises Refused NO_CONTRACT."""
        found = view.made_by(self.acceptance)
        if found is None:
            raise Refused("NO_CONTRACT", view.negotiation.regime)
        return found

    def document(self, view: DealView) -> TradeDocument:
        """Return the terms that would be agreed, or those that would end."""
        agreed = Proposed(drafting.agreed(self.contract(view)))
        return agreed.document if self.terms is None else proposed(view, agreed, self.terms).document


AMENDING = TypeAdapter(Amending)


def amendment(view: DealView, amending: Amending, version: int) -> Wanted:
    """Freeze an amendment of a contract. Raises Refused NO_CONTRACT."""
    document = amending.document(view)
    return Wanted(
        bound(view, Act.AMENDMENT, document), _title(view), view.other_name, amending.contract(view).terms.id, version,
        terms_hash(document), AMENDING.dump_python(amending, mode="json"),
    )  # fmt: skip


def amend(
    service: NegotiationService,
    session: Session,
    actor: Actor,
    view: DealView,
    amending: Amending,
    *,
    version: int,
    request_key: str | None,
) -> str:
    """Propose the amendment and return the statement's id."""
    document = None if amending.terms is None else amending.document(view)
    return service.amend(
        session, actor, view.id, document, terminates=document is None, acceptance=amending.acceptance,
        text=amending.text, expected_version=version, request_key=request_key,
    )  # fmt: skip


PICKS = TypeAdapter(tuple[Pick, ...])


def award(
    service: NegotiationService, session: Session, actor: Actor, inquiry_id: str, picks: Sequence[Pick], text: str = ""
) -> Wanted:
    """Freeze an award of several suppliers' offers (R23). Raises Refused or NotFound where it could not be made now."""
    service.check_award(session, actor, inquiry_id, picks)
    found = service.comparison(session, inquiry_id)
    names = {each.deal.row.id: each.deal.other_name for each in found.columns}
    deadlines = [service.deal(session, pick.deal).round(pick.offer).deadline for pick in picks]
    title = found.inquiry.number
    return Wanted(
        service.award_binding(session, actor, inquiry_id, picks), title,
        ", ".join(dict.fromkeys(names[pick.deal] for pick in picks)), offer_id="", expected_version=0,
        payload={"picks": PICKS.dump_python(tuple(picks), mode="json"), "text": text},
        until=min((each for each in deadlines if each is not None), default=None),
    )  # fmt: skip


def picked(wanted: Wanted) -> tuple[Pick, ...]:
    """Return what an award that waits for approval takes."""
    return PICKS.validate_python(wanted.payload["picks"])


def carry_out(service: NegotiationService, session: Session, asker: Asker, wanted: Wanted) -> None:
    """Do what was approved. Raises Overtaken, by the rule that refuses it, where the deal has moved on."""
    actor = Actor(asker.org, asker.user_id, asker.name, asker.channel, approval=asker.approval)
    try:
        _DOING[wanted.binding.act](service, session, actor, wanted, f"approval:{asker.approval}")
    except Conflict as conflict:
        raise _overtaken(_what_happened(service, session, wanted) or conflict) from conflict
    except Refused as refused:
        raise _overtaken(refused) from refused
    except NotFound as missing:
        raise _overtaken(Refused("NO_SUCH_OFFER")) from missing


def _what_happened(service: NegotiationService, session: Session, wanted: Wanted) -> Refused | None:
    """Return what became of the offer, where the deal is at another version: it says more than the number does."""
    if wanted.binding.act in (Act.AWARD, Act.AMENDMENT):
        return None
    view = service.deal(session, wanted.binding.deal_id)
    return view.may_accept(view.round(wanted.offer_id))


def _overtaken(refused: Refused) -> Overtaken:
    detail = refused.what if isinstance(refused, Unsendable) else ""
    return Overtaken(refused.code, refused.rule, refused.article, detail)


def _accept(service: NegotiationService, session: Session, actor: Actor, wanted: Wanted, key: str) -> None:
    view = service.deal(session, wanted.binding.deal_id)
    round = view.round(wanted.offer_id)
    if round.state is State.LAPSED:
        # What was approved is an acceptance in time, not one that the other side may refuse as late (R14).
        raise _overtaken(Refused("LAPSED", view.negotiation.regime))
    accept(
        service, session, actor, view, round, taking(wanted), version=wanted.expected_version, shown=wanted.terms_hash,
        request_key=key,
    )  # fmt: skip


def _offer(service: NegotiationService, session: Session, actor: Actor, wanted: Wanted, key: str) -> None:
    view = service.deal(session, wanted.binding.deal_id)
    base = view.round(wanted.offer_id)
    if wanted.payload["answers_open"] and not base.is_open:
        # What was approved is a counter; to an offer that has ended it would be an offer of its own.
        lapsed = Refused("LAPSED", view.negotiation.regime) if base.state is State.LAPSED else None
        raise _overtaken(lapsed or view.may_accept(base) or Refused("NOT_ALLOWED"))
    make_offer(
        service, session, actor, view, offered(wanted), about=wanted.offer_id, version=wanted.expected_version,
        request_key=key,
    )  # fmt: skip


def _award(service: NegotiationService, session: Session, actor: Actor, wanted: Wanted, key: str) -> None:
    service.award(
        session, actor, wanted.binding.deal_id, picked(wanted), text=wanted.payload["text"], in_time=True,
        request_key=key,
    )  # fmt: skip


def _amend(service: NegotiationService, session: Session, actor: Actor, wanted: Wanted, key: str) -> None:
    view = service.deal(session, wanted.binding.deal_id)
    amending = AMENDING.validate_python(wanted.payload)
    amend(service, session, actor, view, amending, version=wanted.expected_version, request_key=key)


_DOING: Mapping[Act, Callable[[NegotiationService, Session, Actor, Wanted, str], None]] = {
    Act.ACCEPTANCE: _accept,
    Act.AWARD: _award,
    Act.OFFER: _offer,
    Act.AMENDMENT: _amend,
}

ACTS = frozenset(_DOING)
"""The acts that are negotiation's to carry out."""


def _title(view: DealView) -> str:
    return f"{view.row.number} · {view.row.title}"


def _names(view: DealView) -> tuple[str, str]:
    return (view.my_name, view.other_name) if view.is_buyer else (view.other_name, view.my_name)
