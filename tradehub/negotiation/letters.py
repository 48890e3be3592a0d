"""Which document carries a statement to a partner that trades by messages.

Terms travel as inquiry, offer or order. What is said about them travels in the same kind of document: the buyer's as an inquiry,
the seller's as an offer, with an action that every standard has a code for, a reference to what is spoken of, and the
words as a note. A change of a contract travels as a change of its order, and as the answer to that.
docs/channels.md lists the codes of each standard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from tradehub.documents import (
    ChangeLine,
    Inquiry,
    Line,
    LineResponse,
    Offer,
    Order,
    OrderChange,
    OrderResponse,
    ResponseLine,
    TradeDocument,
)
from tradehub.documents.lines import Finder, key, keyed
from tradehub.documents.normal import AGREED_DELIVERY
from tradehub.documents.parts import Attachment, DatedEvent, Note, Reference
from tradehub.documents.terms import NOT_TERMS
from tradehub.negotiation.drafting import Letterhead, delivery_on
from tradehub.negotiation.model import Kind, lines_of

ACTIONS: Mapping[Kind, str] = {
    Kind.REJECT: "not_accepted",
    Kind.OBJECT: "not_accepted",
    Kind.LAPSE_NOTICE: "not_accepted",
    Kind.CANCEL: "cancel",
    Kind.WITHDRAW: "withdraw",
    Kind.REVOKE: "withdraw",
    Kind.WITHDRAW_ACCEPTANCE: "withdraw",
    Kind.ELECT_LATE: "confirmation",
    Kind.ADMIT_TIME: "confirmation",
    Kind.CONFIRM: "confirmation",
    Kind.QUESTION: "information",
    Kind.ANSWER: "information",
    Kind.COMMENT: "information",
}
"""The action of the letter that carries each kind of statement which states no terms of its own.

What the receiver makes of one action depends on what is spoken of: "not accepted" about an offer rejects it, about an acceptance
it objects; "withdraw" before the offer has reached withdraws it, afterwards revokes it (CISG 15, 16).
"""

QUESTION_MARKS = ("?", "\uff1f", "\u061f")


def spoken(
    head: Letterhead, about: TradeDocument, *, by_buyer: bool, text: str = "", files: tuple[Attachment, ...] = ()
) -> Inquiry | Offer:
    """Return the letter that says something about ``about``; it repeats the lines that it speaks of."""
    stated = {
        **head.fields,
        "currency": about.currency,
        "lines": lines_of(about),
        "notes": (Note(text=text.strip()),) if text.strip() else (),
        "attachments": files,
    }
    return Inquiry.model_validate(stated) if by_buyer else Offer.model_validate(stated)


def kind_of_words(text: str, *, is_asked: bool) -> Kind:
    """Return what words are: a question ends in its mark; what follows a question of ours is the answer to it."""
    if text.rstrip().endswith(QUESTION_MARKS):
        return Kind.QUESTION
    return Kind.ANSWER if is_asked else Kind.COMMENT


def change(
    order: Order,
    terms: TradeDocument,
    *,
    agreed: TradeDocument,
    number: str,
    sequence: str,
    on: date,
    action: str = "change",
    text: str = "",
) -> OrderChange:
    """Return the buyer's change of ``order`` to ``terms``, all of them stated; or its word on the seller's change.

    What a message does not mention stays as it was, so that lines ``agreed`` before and left out now are named too.
    """
    known = _counterparts(agreed, terms)
    return OrderChange.model_validate(
        {
            **_stated(terms),
            **_head(order, number, sequence, on, text),
            "type": order.type,
            "action": action,
            "lines": (
                *(
                    ChangeLine.model_validate(
                        {**_line(terms, line, position), "action": "change" if id(line) in known else "add"}
                    )
                    for position, line in enumerate(lines_of(terms), 1)
                ),
                *(ChangeLine.model_validate({**each, "action": "delete"}) for each in _left_out(agreed, terms)),
            ),
        }
    )


def answer(
    order: Order,
    terms: TradeDocument,
    *,
    agreed: TradeDocument,
    number: str,
    sequence: str,
    on: date,
    response: str = "accepted",
    text: str = "",
) -> OrderResponse:
    """Return the seller's answer to a change of ``order``; with ``counter_offer`` its own change, to ``terms``.

    Lines ``agreed`` before that these terms leave out are named as well, as in ``change``.
    """
    status = _LINE_STATUSES.get(response, "changed")
    gone = () if response == "rejected" else _left_out(agreed, terms)
    return OrderResponse.model_validate(
        {
            **_stated(terms),
            **_head(order, number, sequence, on, text),
            "action": "proposed_amendment" if response == "counter_offer" else "original",
            "response": response,
            "lines": (
                *(
                    _answered(_line(terms, line, position), status, delivery_on(terms, line), order)
                    for position, line in enumerate(lines_of(terms), 1)
                ),
                *(_answered(each, "deleted", None, order) for each in gone),
            ),
        }
    )


def _left_out(agreed: TradeDocument, terms: TradeDocument) -> Iterator[dict[str, object]]:
    kept = {id(each) for each in _counterparts(agreed, terms).values()}
    for position, line in enumerate(lines_of(agreed), 1):
        if id(line) not in kept:
            yield _line(agreed, line, position)


def _counterparts(agreed: TradeDocument, terms: TradeDocument) -> dict[int, Line]:
    """Return, by the id of each line of ``terms`` that was agreed before, that line: the one of its number, else one of
    its item that no other line of ``terms`` is."""
    numbered, finder = keyed(lines_of(agreed)), Finder(lines_of(agreed))
    found = {
        id(line): numbered[name]
        for position, line in enumerate(lines_of(terms), 1)
        if (name := key(line, position)) in numbered
    }
    taken = {id(each) for each in found.values()}
    for line in lines_of(terms):
        same = finder.find(line)
        if id(line) not in found and same is not None and id(same.line) not in taken:
            found[id(line)] = same.line
            taken.add(id(same.line))
    return found


_LINE_STATUSES = {"accepted": "accepted", "rejected": "rejected"}

_OWN_DATES = frozenset({"valid_from", "valid_until", "respond_by", "offer", "inquiry", "issued", "document"})


def changed(base: TradeDocument, stated: OrderChange | OrderResponse) -> TradeDocument:
    """Return ``base`` with what ``stated`` says laid over it: what it does not mention stays (CISG 29(1)).

    A line is known by the item that both sides call the same, whatever number the message gives it.
    """
    update: dict[str, object] = {
        name: value
        for name in TradeDocument.model_fields
        if name not in NOT_TERMS | {"dates"} and (value := getattr(stated, name)) not in (None, ())
    }
    update["dates"] = _laid_over(base, stated)
    update["attachments"] = stated.attachments or base.attachments
    update["lines"] = _changed_lines(base, stated)
    action = "proposed_amendment" if isinstance(base, Inquiry) else "original"
    return base.model_copy(
        update={**update, "number": stated.number, "action": action, "notes": stated.notes, "total": None}
    )


def renumbered(base: TradeDocument, stated: OrderChange | OrderResponse) -> tuple[tuple[str, str], ...]:
    """Return (the agreed number, the message's number) of lines that the message numbers otherwise."""
    finder = Finder(lines_of(base))
    names = {id(line): key(line, position) for position, line in enumerate(lines_of(base), 1)}
    found = []
    for position, line in enumerate(stated.lines, 1):
        match = finder.find(line)
        own = key(line, position)
        if match is not None and names[id(match.line)].lstrip("0") != own.lstrip("0"):
            found.append((names[id(match.line)], own))
    return tuple(found)


def _laid_over(base: TradeDocument, stated: OrderChange | OrderResponse) -> tuple[object, ...]:
    said = [each for each in stated.dates if each.type not in _OWN_DATES]
    kinds = {each.type for each in said}
    moves = delivery_on(stated) is not None
    kept = (each for each in base.dates if each.type not in kinds and not (moves and each.type in _DELIVERY))
    return (*kept, *said)


_DELIVERY = frozenset({"promised_delivery", "scheduled_delivery", "estimated_delivery", "requested_delivery"})


def _changed_lines(base: TradeDocument, stated: OrderChange | OrderResponse) -> tuple[Line, ...]:
    finder = Finder(lines_of(base))
    names = {id(line): key(line, position) for position, line in enumerate(lines_of(base), 1)}
    said: dict[str, Line] = {}
    added: list[Line] = []
    stated_lines: Sequence[Line] = stated.lines
    numbers = {each.lstrip("0") for each in names.values()}
    for line in stated_lines:
        is_new = line.action == "add" and line.number is not None and line.number.lstrip("0") not in numbers
        found = None if is_new else finder.find(line)
        if found is not None:
            said[names[id(found.line)]] = line
        elif not _is_gone(line):
            added.append(_plain(line))
    kept = []
    for agreed in lines_of(base):
        name = names[id(agreed)]
        other = said.get(name)
        if other is None:
            kept.append(agreed)
        elif not _is_gone(other):
            kept.append(_over(base, stated, agreed, other, name))
    return (*kept, *added)


_GONE = frozenset({"delete", "cancel", "deleted", "rejected", "not_accepted", "cancelled"})


def _is_gone(line: Line) -> bool:
    if line.action in _GONE or (line.quantity is not None and line.quantity.value == 0):
        return True
    said = [each.status for each in line.responses] if isinstance(line, ResponseLine) else []
    return bool(said) and all(each in _GONE for each in said)


def _over(base: TradeDocument, stated: TradeDocument, line: Line, other: Line, name: str) -> Line:
    """Lay one line over the agreed one; a day at the head of the message holds for each of its lines."""
    update: dict[str, object] = {
        field: value
        for field in Line.model_fields
        if field not in _NOT_OF_THE_LINE and (value := getattr(other, field)) not in (None, ())
    }
    day = delivery_on(stated, other)
    if day is not None and day != delivery_on(base, line):
        others = tuple(each for each in (*line.dates, *other.dates) if each.type not in _DELIVERY)
        update["dates"] = (*dict.fromkeys(others), DatedEvent(type=AGREED_DELIVERY, on=day))
        update.setdefault("schedules", ())
    elif "dates" in update:
        update["dates"] = tuple(dict.fromkeys((*line.dates, *other.dates)))
    return line.model_copy(update={**update, "number": name, "net_amount": None})


_NOT_OF_THE_LINE = frozenset({"number", "action", "reason", "references", "notes", "net_amount", "item", "parties"})


def _plain(line: Line) -> Line:
    fields = {name: getattr(line, name) for name in Line.model_fields}
    return Line.model_validate({**fields, "action": None, "references": (), "notes": ()})


def _stated(terms: TradeDocument) -> dict[str, object]:
    stated = {name: getattr(terms, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
    stated["dates"] = tuple(each for each in terms.dates if each.type not in _OWN_DATES)
    stated["attachments"] = terms.attachments
    return stated


def _head(order: Order, number: str, sequence: str, on: date, text: str) -> dict[str, object]:
    references = (
        Reference(type="order", value=order.number, on=order.issued_on),
        Reference(type="change", value=sequence),
    )
    return {
        "number": number,
        "issued_on": on,
        "parties": order.parties,
        "references": references,
        "notes": (Note(text=text.strip()),) if text.strip() else (),
    }


def _line(terms: TradeDocument, line: Line, position: int) -> dict[str, object]:
    fields = {name: getattr(line, name) for name in Line.model_fields}
    return {**fields, "number": key(line, position), "references": (), "notes": (), "action": None}


def _answered(fields: Mapping[str, object], status: str, day: date | None, order: Order) -> ResponseLine:
    kind = "promised_delivery" if day else None
    response = LineResponse.model_validate(
        {"status": status, "quantity": fields["quantity"], "on": day, "date_type": kind}
    )
    reference = Reference(type="order", value=order.number, line=str(fields["number"]))
    return ResponseLine.model_validate({**fields, "references": (reference,), "responses": (response,)})
