"""Terms in words: what is said is heard, and nothing else is taken for a term."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradehub.documents import Catalogue, Inquiry, Line, Offer, breaks, in_words
from tradehub.documents.parts import (
    AllowanceCharge,
    Attachment,
    DeliveryTerms,
    Item,
    Note,
    PaymentTerms,
    Price,
    PriceBreak,
    Quantity,
    Reference,
    Tax,
    Transport,
)

SHA = "ab" * 32
PIECE = Quantity(value=Decimal(10), unit="C62")


def offer(*notes: str, lines: tuple[Line, ...] = (), **said: object) -> Offer:
    return Offer.model_validate({"notes": tuple(Note(text=each) for each in notes), "lines": lines, **said})


def line(*notes: str, **said: object) -> Line:
    return Line.model_validate({"notes": tuple(Note(text=each) for each in notes), "quantity": PIECE, **said})


SCALE = (
    PriceBreak(min_quantity=Decimal(500), amount=Decimal("1.9")),
    PriceBreak(min_quantity=Decimal(1000), amount=Decimal("1.8")),
)
WHOLE = offer(
    "Regards",
    lines=(
        line("As shown", number="001", price=Price(amount=Decimal(2), breaks=SCALE, formula="LME + 80"), custom=(("a b", "c"),)),
        line(
            price=Price(amount=Decimal(3)), taxes=(Tax(type="VAT", rate=Decimal(13)),), item=Item(name="Valve"), packaging="pallets",
            allowances_charges=(AllowanceCharge(is_charge=True, amount=Decimal(5), reason="packing"),),
        ),
    ),
    warranty="24 months", partial_shipments=False, documents_required=("invoice", "certificate"),
    payment_terms=(PaymentTerms(type="fixed_date", means="42", net_days=30), PaymentTerms(text="rest on delivery")),
    delivery_terms=DeliveryTerms(incoterm="FOB", place="Shanghai", version="2020"), transport=(Transport(mode="sea"),),
    custom=(("with: colon", "one"), ("plain", "two words " * 60), ("x" * 300, "y" * 600)),
    attachments=(Attachment(name="drawing.pdf", sha256=SHA),), references=(Reference(type="standard_terms", value=SHA),),
)  # fmt: skip


def test_every_term_can_be_said_and_heard() -> None:
    bare = Offer(
        notes=WHOLE.notes,
        lines=(line("As shown", number="1", price=Price(amount=Decimal(2))), line(price=Price(amount=Decimal(3)))),
    )
    missing = in_words.lacking(WHOLE, bare)
    told = in_words.said(WHOLE, missing)
    spoken = bare.model_copy(
        update={
            "notes": told.notes,
            "lines": tuple(
                one.model_copy(update={"notes": other.notes}) for one, other in zip(bare.lines, told.lines, strict=True)
            ),
        }
    )
    assert max(len(note.text) for note in spoken.notes) <= in_words.NOTE_MAX + len("(TERM+) ")
    back = in_words.heard(spoken)
    assert in_words.lacking(WHOLE, back) == {}
    assert in_words.heard(in_words.said(Offer(), {"warranty": "1 year"})).warranty == "1 year"
    assert (back.notes, back.lines[0].notes, back.lines[1].notes) == (WHOLE.notes, WHOLE.lines[0].notes, ())


@pytest.mark.parametrize(
    "text",
    [
        "(TERM) number: Q-2",
        "(TERM) lines.1.price.amount: 1",
        "(TERM) attachments: a drawing",
        f"(TERM) attachments: SHA-256 {SHA}",
        "(TERM) standard terms: those of last year",
        "(TERM) no such term: x",
        "(TERM) warranty",
        "(TERM) warranty.length: 2",
        "(TERM) delivery terms.colour: red",
        "(TERM) partial shipments: perhaps",
        "(TERM) payment terms.3.text: x",
        "(TERM) allowances charges.first.reason: x",
        "(TERM) documents required.first: x",
        "(TERM+) goes on from nothing",
        "(TERMS) warranty: 2 years",
    ],
)
def test_what_names_no_term_stays_a_note(text: str) -> None:
    said = offer(text)
    assert in_words.heard(said) == said


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("(TERM) warranty: 12 months", {"warranty": "24 months"}),
        ("(TERM) custom.colour: blue", {"custom": (("colour", "red"),)}),
        ("(TERM) delivery terms.place: Ningbo", {"delivery_terms": DeliveryTerms(place="Shanghai")}),
        (f"(TERM) standard terms: SHA-256 {SHA}", {"references": (Reference(type="standard_terms", value="cd" * 32),)}),
    ],
)
def test_words_do_not_change_what_an_element_states(text: str, known: dict[str, object]) -> None:
    said = offer(text, **known)
    assert in_words.heard(said) == said


def test_words_give_whole_what_an_element_cut() -> None:
    said = offer("(TERM) warranty: 24 months from delivery", warranty="24 months  from", custom=(("a", "b"),))
    assert in_words.heard(said).warranty == "24 months from delivery"
    same = offer("(TERM) custom.a: b", custom=(("a", "b"), ("c", "d")))
    assert dict(in_words.heard(same).custom) == {"a": "b", "c": "d"}


def test_words_of_a_person_in_this_form_are_told_apart() -> None:
    said = in_words.plain(
        offer("(TERM) warranty: 1 year", "Regards", lines=(line("(TERM) packaging: none", "x"), line()))
    )
    assert in_words.heard(said) == said
    assert [each.text for each in said.notes] == ["( TERM) warranty: 1 year", "Regards"]
    assert in_words.plain(said) == said


@pytest.mark.parametrize(
    ("notes", "told", "left"),
    [
        (["(TERM) divisible: yes"], ["divisible"], []),
        (["(TERM) as is only: yes", "(TERM) irrevocable: yes"], ["as_is_only", "irrevocable"], []),
        (["(TERM) divisible: no"], [], ["(TERM) divisible: no"]),
        (["(TERM) divisible: yes"] * 2, [], ["(TERM) divisible: yes"] * 2),
    ],
)
def test_how_an_offer_may_be_accepted_is_heard_where_the_whole_offer_says_it(notes, told, left) -> None:
    heard = in_words.heard(offer(*notes))
    assert [(each.type, each.value) for each in heard.references] == [(each, "yes") for each in told]
    assert [each.text for each in heard.notes] == left
    of_a_line = offer(lines=(line(*notes),))
    assert in_words.heard(of_a_line).lines[0].references == ()
    assert [each.text for each in in_words.heard(of_a_line).lines[0].notes] == notes


def test_a_hash_of_standard_terms_is_taken_off_and_nothing_else() -> None:
    assert in_words.without(WHOLE, in_words.STANDARD_TERMS).references == ()
    assert in_words.without(Inquiry(), in_words.STANDARD_TERMS) == Inquiry()


def test_breaks_are_further_prices_in_a_message_and_come_back() -> None:
    stated = Offer(lines=(WHOLE.lines[0], line()))
    sent = breaks.spread(stated)
    assert [(each.type, each.amount) for each in sent.lines[0].more_prices] == [
        ("from_quantity", Decimal("1.9")),
        ("from_quantity", Decimal("1.8")),
    ]
    assert breaks.gathered(sent) == stated
    assert breaks.gathered(stated) is stated
    assert breaks.spread(Catalogue()) == Catalogue()


def test_breaks_in_another_unit_or_without_a_price_stay_further_prices() -> None:
    crate = Price(amount=Decimal(1), type="from_quantity", from_quantity=Quantity(value=Decimal(5), unit="CR"))
    kept = Offer(lines=(line(price=Price(amount=Decimal(2)), more_prices=(crate,)), line(more_prices=(crate,))))
    assert breaks.gathered(kept) == kept
    without_unit = Offer(lines=(Line(price=Price(amount=Decimal(2), breaks=SCALE)),))
    assert breaks.spread(without_unit) == without_unit
