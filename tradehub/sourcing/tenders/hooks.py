"""What a tender asks of the rest of the hub: deals to be opened, offers entered into them, awards accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, Offer, PartyId
from tradehub.partners.authority import Binding, Verdict


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, or a program with its token or by a message, for a party. ``approval`` is the approved request
    that is being carried out."""

    party: PartyId
    user_id: str | None = None
    name: str | None = None
    channel: str = "web"
    approval: str | None = None
    message_id: str | None = None


@dataclass(frozen=True)
class Entered:
    """What became of a bid in its supplier's deal: the offer's id, or the rule under which the deal refused it."""

    offer_id: str | None = None
    rule: str = ""


@dataclass(frozen=True)
class Pick:
    """What a supplier is awarded: quantities by line. ``is_whole`` where that is all of its offer, as it stands."""

    supplier: PartyId
    deal_id: str
    offer_id: str | None
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    is_whole: bool = True


class SendInquiry(Protocol):
    """Ask the suppliers, a deal for each, and return the inquiry's id."""

    def __call__(
        self,
        session: Session,
        actor: Actor,
        draft: Inquiry,
        suppliers: Sequence[PartyId],
        *,
        note: str = "",
        request_key: str | None = None,
    ) -> str: ...


class DealWith(Protocol):
    """Return the deal with a supplier under an inquiry; one that joined an open tender has none yet and gets one."""

    def __call__(self, session: Session, actor: Actor, inquiry_id: str, supplier: PartyId) -> str: ...


class Propose(Protocol):
    """Enter an opened bid into the supplier's deal as its firm offer, with the message that brought it."""

    def __call__(
        self, session: Session, deal_id: str, party: PartyId, document: Offer, *, message_id: str | None = None
    ) -> Entered: ...


class AwardPicks(Protocol):
    """Accept each pick in its supplier's deal, and decline explicitly in every other deal of the inquiry (R23)."""

    def __call__(self, session: Session, actor: Actor, inquiry_id: str, picks: Sequence[Pick]) -> None: ...


class BoundByAward(Protocol):
    """Return what the picks bind to as one act. Raises TenderRefused where a deal would refuse its part now."""

    def __call__(self, session: Session, actor: Actor, inquiry_id: str, picks: Sequence[Pick]) -> Binding: ...


@dataclass(frozen=True)
class Hooks:
    send_inquiry: SendInquiry
    deal_with: DealWith
    propose: Propose
    award: AwardPicks
    bound: BoundByAward
    authorise: Callable[[Session, Actor, Binding], Verdict]
    name_of: Callable[[Session, PartyId], str]
    unseal: Callable[[Session, str, bytes], None]
    """Keep the transmission of this id in clear from now on; the last is its key."""
