"""What a standard has no element for goes in words: whoever reads the message has the same terms, with the same hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.exchange.test_not_carried import CHANGES, CODEC, RELEASES, STANDARDS, TODAY, head, ordered
from tradehub.documents import Inquiry, Line, Offer, TradeDocument, in_words
from tradehub.documents.parts import (
    Attachment,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    PaymentTerms,
    Price,
    PriceBreak,
    Quantity,
    Reference,
)
from tradehub.documents.terms import terms_hash
from tradehub.exchange.codec import Frame
from tradehub.exchange.model import Reason
from tradehub.exchange.trial import Names, Plan, Trial, tried
from tradehub.negotiation import letters
from tradehub.partners.model import AckPolicy, Agreement
from tradehub.partners.profile import Envelope, Identity

D = TypeVar("D", bound=TradeDocument)
EVERYWHERE = [(each, one) for each, known in RELEASES.items() for one in known]
SHA = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Channel:
    """Messages of one standard and release to a partner, and what its own system reads of them."""

    partner: str
    release: str

    def trial(self, document: TradeDocument) -> Trial:
        scheme, name, types = STANDARDS[self.partner]
        types = {**types, **dict(zip(("order_change", "order_response"), CHANGES[self.partner], strict=True))}
        ours = Identity(scheme=scheme, qualifier="ZZ" if scheme == "x12-isa" else "14", value="HAIDITRADING")
        frame = Frame(ours, ours, "HAIDI", "OTHER", Envelope(), datetime(2026, 11, 23, 8, tzinfo=UTC), 1, 1, 1)
        message = f"{name.partition(':')[0]}:{types[document.kind]}:{self.release}"
        agreement = Agreement("a", "haidi", self.partner, "out", message, "main", AckPolicy(), 1)
        return tried(CODEC, Plan(document, agreement, Names(ours, ours), frame, None))

    def sent(self, document: TradeDocument) -> bytes:
        trial = self.trial(document)
        assert trial.reason is None, (trial.text, trial.findings)
        assert trial.findings == ()
        return CODEC.write(trial.plan.agreement.message, trial.written, trial.plan.frame).payload

    def __call__(self, document: D) -> D:
        read = CODEC.read(self.sent(document)).parts[0].document
        assert isinstance(read, type(document))
        return read


@pytest.fixture(params=EVERYWHERE, ids=lambda each: "-".join(each))
def channel(request: pytest.FixtureRequest) -> Channel:
    return Channel(*request.param)


def offer(**said: object) -> Offer:
    breaks = tuple(
        PriceBreak(min_quantity=Decimal(at), amount=Decimal(to)) for at, to in (("500", "11.9"), ("1000", "11.4"))
    )
    line = Line(
        number="1", item=Item(ids=(Identifier(scheme="seller", value="V-1"),), name="Ball valve DN50"),
        quantity=Quantity(value=Decimal(100), unit="C62"),
        price=Price(amount=Decimal("12.50"), breaks=breaks, formula="LME copper cash, average of the month before + 80"),
        custom=(("surface finish", "polished, Ra 0.8"), ("a: b", 'c "d"')),
    )  # fmt: skip
    other = line.model_copy(update={"number": "2", "price": Price(amount=Decimal(3)), "custom": ()})
    return Offer.model_validate(
        {
            **head("Q-1", ("inquiry", "RFQ-1")).fields,
            "currency": "USD",
            "delivery_terms": DeliveryTerms(incoterm="FOB", place="Shanghai", version="2020"),
            "payment_terms": (PaymentTerms(text="T/T 30 days", net_days=30, means="42"),),
            "custom": (("spare parts", "two years"),),
            "attachments": (Attachment(name="drawing.pdf", sha256=SHA),),
            "notes": (Note(text="With best wishes"),),
            "lines": (line, other),
            **said,
        }
    )


def every_kind(stated: Offer) -> list[TradeDocument]:
    fields = {name: getattr(stated, name) for name in Inquiry.model_fields}
    order = ordered(stated).model_copy(update={"attachments": stated.attachments})
    on = {"number": "PO-1-1", "sequence": "1", "on": TODAY}
    counter = Inquiry.model_validate({**fields, "action": "proposed_amendment"})
    return [
        stated,
        counter,
        order,
        letters.change(order, order, agreed=order, **on),
        letters.answer(order, order, agreed=order, **on),
    ]


def test_breaks_formula_own_terms_and_files_come_back_with_every_message_of_a_deal(channel: Channel) -> None:
    for each in every_kind(offer()):
        read = channel(each)
        assert in_words.lacking(each, read) == {}
        assert [note.text for note in read.notes if note.text.startswith("(TERM")] == []


def test_both_sides_have_one_hash(channel: Channel) -> None:
    for each in every_kind(offer())[:3]:
        assert terms_hash(channel(each)) == terms_hash(each)


def test_a_person_can_read_what_goes_in_words(channel: Channel) -> None:
    sent = channel.sent(offer()).decode()
    flat = " ".join(sent.replace("\n", " ").replace("?", "").split())
    assert "LME copper cash, average" in flat
    assert "(TERM) custom.spare parts" in flat
    assert "drawing.pdf, SHA-256" in flat


BREAKS = {
    "x12": ("CTP**PBQ*11.9*500*UN~", "CTP**PBQ*11.4*1000*UN~"),
    "edifact": ("PRI+AAA:11.9::PBQ'RNG+4+C62:500'", "PRI+AAA:11.4::PBQ'RNG+4+C62:1000'"),
}


@pytest.mark.parametrize(("partner", "release"), EVERYWHERE[:-1])
def test_a_price_break_has_its_element_where_the_standard_has_one(partner: str, release: str) -> None:
    for each in every_kind(offer()):
        sent = Channel(partner, release).sent(each).decode().replace("\n", "")
        for text in BREAKS[STANDARDS[partner][1].partition(":")[0]]:
            assert text in sent


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=600).map(
    lambda text: " ".join(text.split())
)


@settings(deadline=None)
@given(st.sampled_from(EVERYWHERE), WORDS.filter(bool), WORDS.filter(bool))
@example(("rhein", "D96A"), "x", "a" * 69 + " " + "b" * 69 + " " + "c" * 300)
@example(("ningbo", "004010"), "(TERM) x", "(TERM) y: z")
def test_any_words_come_back_or_are_refused_before_they_leave(where: tuple[str, str], name: str, value: str) -> None:
    said = offer(custom=((name, value),))
    trial = Channel(*where).trial(said)
    if trial.reason is None:
        payload = CODEC.write(trial.plan.agreement.message, trial.written, trial.plan.frame).payload
        assert terms_hash(CODEC.read(payload).parts[0].document) == terms_hash(said)
    else:
        assert trial.reason in (Reason.CANNOT_BE_WRITTEN, Reason.TERM_NOT_CARRIED, Reason.OWN_JUDGEMENT)


def test_what_a_person_wrote_in_that_form_is_no_term(channel: Channel) -> None:
    read = channel(offer(notes=(Note(text="(TERM) warranty: 24 months"),)))
    assert read.warranty is None
    assert "warranty: 24 months" in read.notes[0].text


def test_standard_terms_are_named_by_their_hash(channel: Channel) -> None:
    said = offer(references=(Reference(type="inquiry", value="RFQ-1"), Reference(type="standard_terms", value=SHA)))
    assert channel(said).reference("standard_terms") == SHA
