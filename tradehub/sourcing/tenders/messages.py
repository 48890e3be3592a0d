"""Bids by message: a quotation that answers a sealed tender goes into an envelope as one typed on a page does.

The exchange asks here, before it keeps a byte, whether what came must stay sealed, and gives the key of the transmission
to be kept (``tradehub.exchange.sealed``). A quotation without any price is words, which are not sealed; one that takes
itself back withdraws the bid.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from tradehub.documents import Document, Offer, PartyId
from tradehub.documents.lines import Finder
from tradehub.documents.trade import Line
from tradehub.partners.handling import Handled, Received, Refusal
from tradehub.sourcing.tenders import sealing, store
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Notice, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.opening import about_message
from tradehub.sourcing.tenders.service import Receipt, TenderService
from tradehub.sourcing.tenders.store import MessageKeyRow

TAKES_BACK = frozenset({"cancel", "withdraw"})
NOT_FIRM = frozenset({"proposal", "status", "information", "test"})
"""Actions under which a quotation is without obligation; a bid binds."""

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be")
"""How a number may stand in bytes that could not be read."""

NumbersOf = Callable[[Session, str], frozenset[str]]
"""Return the numbers under which the inquiry of a deal is known to its supplier."""


class BidsByMessage:
    def __init__(self, tenders: TenderService, numbers_of: NumbersOf) -> None:
        self.tenders = tenders
        self.numbers_of = numbers_of

    # what the exchange asks

    def watch(self, session: Session, owner: PartyId, partner: PartyId) -> bool:
        return bool(store.sealed_tenders(session, owner, partner))

    def sealed_for(
        self,
        session: Session,
        owner: PartyId,
        partner: PartyId,
        document: Document | None,
        payload: bytes,
        *,
        is_understood: bool,
    ) -> str | None:
        """Return the tender that a message bids in. What was not understood whole is held to be a bid where it names one."""
        if document is None:
            named = self._named(session, owner, partner)
            spelled = ((id, number.encode(charset)) for number, id in named.items() for charset in CHARSETS)
            return next((id for id, number in spelled if number in payload), None)
        if not isinstance(document, Offer) or (is_understood and not _says_prices(document)):
            return None
        return self._tender_of(session, owner, partner, document)

    def keep(self, session: Session, held_for: str, transmission: str, message: str, part: bytes) -> None:
        """Seal a message's part of its transmission's key to those who open the tender."""
        key = store.stage_keys(session, held_for)[StageKind.COMMERCIAL]
        about = about_message(held_for, transmission, message)
        envelope = sealing.seal(part, bytes.fromhex(key.public_key), about, self.tenders.entropy)
        session.add(
            MessageKeyRow(
                transmission_id=transmission, message_id=message, tender_id=held_for, buyer_id=key.buyer_id,
                sealed=envelope.hex(),
            )
        )  # fmt: skip

    # what the quotation says

    def take(self, session: Session, document: Document, received: Received) -> Handled | None:
        """Take a quotation as a bid, or as the withdrawal of one; None where it is neither."""
        if not isinstance(document, Offer):
            return None
        tender_id = self._tender_of(session, received.owner, received.partner, document)
        if tender_id is None or not (received.is_sealed or document.action in TAKES_BACK):
            return None
        name = self.tenders.hooks.name_of(session, received.partner)
        actor = Actor(received.partner, None, name, "message", message_id=received.message_id)
        deals = dict(store.sealed_tenders(session, received.owner, received.partner))
        try:
            if document.action in TAKES_BACK:
                self.tenders.withdraw(session, actor, tender_id, StageKind.COMMERCIAL)
                return Handled(deals.get(tender_id))
            notice, _ = self.tenders.notice(session, tender_id)
            bid = Submission(offer=_completed(document, notice))
            receipt = self.tenders.bid(session, actor, tender_id, StageKind.COMMERCIAL, bid)
        except TenderRefused as refused:
            return Handled(deals.get(tender_id), refusal=Refusal(refused.rule, None, f"BID_{refused.code}"))
        return Handled(deals.get(tender_id), receipt=_told(receipt))

    def _tender_of(self, session: Session, owner: PartyId, partner: PartyId, document: Offer) -> str | None:
        named = self._named(session, owner, partner)
        references = [*document.references, *(each for line in document.lines for each in line.references)]
        return next((named[each.value] for each in references if each.value in named), None)

    def _named(self, session: Session, owner: PartyId, partner: PartyId) -> dict[str, str]:
        """Return the sealed tenders that a supplier may bid in, by each number that it knows them by."""
        found: dict[str, str] = {}
        for tender_id, deal_id in store.sealed_tenders(session, owner, partner):
            notice, _ = self.tenders.notice(session, tender_id)
            numbers = self.numbers_of(session, deal_id) if deal_id is not None else frozenset()
            found |= dict.fromkeys((notice.number, *sorted(numbers)), tender_id)
        return found


def _says_prices(offer: Offer) -> bool:
    return offer.total is not None or bool(offer.allowances_charges) or any(_is_priced(each) for each in offer.lines)


def _is_priced(line: Line) -> bool:
    said = (line.price, line.net_amount, line.more_prices or None, line.allowances_charges or None)
    return any(each is not None for each in said)


def _completed(offer: Offer, notice: Notice) -> Offer:
    """Return a quotation as a bid: its lines under the numbers of those they answer, in the currency asked for unless
    it states one. Raises TenderRefused for what was not asked for, and for one without obligation."""
    if offer.action in NOT_FIRM:
        raise TenderRefused("INVALID_BID", "action")
    asked = Finder(notice.lines)
    lines: dict[str | None, Line] = {}
    for position, line in enumerate(offer.lines, 1):
        found = asked.find(line)
        if found is None or found.is_other_item or found.line.number in lines:
            raise TenderRefused("INVALID_BID", f"lines.{line.number or position}")
        lines[found.line.number] = line.model_copy(update={"number": found.line.number})
    return offer.model_copy(
        update={"lines": tuple(lines.values()), "currency": offer.currency or notice.inquiry.currency}
    )


def _told(receipt: Receipt) -> dict[str, str]:
    return {
        "bid": str(receipt.number), "at": receipt.at.isoformat(), "fingerprint": receipt.fingerprint,
        "envelope_sha256": receipt.envelope_sha256 or "",
    }  # fmt: skip
