"""What people and messages do to a deal, over a real database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from tests.negotiation.conftest import BUYER, DELTA, MONDAY, RHEIN, SELLER, terms
from tests.negotiation.words import HAIDI, NINGBO, asked, quoted
from tradehub.documents import KINDS, Inquiry, Offer, Order
from tradehub.documents.parts import DatedEvent, Money, Note, Reference
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import drafting, model, store
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Conflict, Ground, Kind, Refused
from tradehub.negotiation.recording import NotFound
from tradehub.negotiation.service import Pick
from tradehub.negotiation.simulation import simulate
from tradehub.negotiation.store import DealRow, InquiryRow, OfferRow, StatementRow
from tradehub.partners.authority import Allowed
from tradehub.platform import clock
from tradehub.platform.outbox import OutboxRow


def rfq(house) -> str:
    return house.outbox.sent[0][1].number


def quote(house, number="Q-1", price="12.40", **more) -> Offer:
    settings = {"references": (Reference(type="inquiry", value=rfq(house)),), **more}
    return quoted(number, price=price, **settings)


def state(house, deal, offer) -> str:
    return str(model.states(house.load(deal), now=clock.now())[offer])


# --- inquiries ----------------------------------------------------------------------------------


def test_an_inquiry_to_three_suppliers_is_three_deals_and_two_messages(house):
    house.inquire(NINGBO, RHEIN, DELTA, note="ask Ningbo for the old price")
    assert [(to, document.kind, document.number) for to, document, _ in house.outbox.sent] == [
        (NINGBO, "inquiry", "RFQ-2026-0001"),
        (RHEIN, "inquiry", "RFQ-2026-0001"),
    ]
    assert [line.quantity.value for line in house.outbox.sent[0][1].lines] == [24000, 24000, 4000]
    assert "old price" not in house.outbox.sent[0][1].model_dump_json()


def test_numbers_are_per_organisation_and_never_repeat(house):
    for _ in range(3):
        house.inquire(NINGBO)
    assert [each[1].number for each in house.outbox.sent] == [f"RFQ-2026-000{n}" for n in (1, 2, 3)]


def test_a_form_posted_twice_asks_once(house):
    first, again = (house.inquire(NINGBO, request_key="f-1") for _ in range(2))
    assert first == again
    assert len(house.outbox.sent) == 1


def test_a_supplier_sees_its_own_deal_and_nothing_else(house):
    house.inquire(NINGBO, RHEIN, DELTA, note="secret")
    with house.database.read(DELTA) as session:
        assert [row.seller_id for row in session.scalars(select(DealRow))] == [DELTA]
        assert [row.seller_id for row in session.scalars(select(OfferRow))] == [DELTA]
        assert [row.seller_id for row in session.scalars(select(StatementRow))] == [DELTA]
        assert session.scalars(select(InquiryRow)).all() == []
    with house.database.read("stranger") as session:
        assert session.scalars(select(DealRow)).all() == []


def test_a_stranger_cannot_act_on_a_deal(house):
    deal = house.deal_with(DELTA)
    stranger = replace(BUYER, party="stranger")
    with pytest.raises(NotFound):
        house.do(stranger, "comment", deal, "hello")


# --- a deal between people ----------------------------------------------------------------------


def test_web_offer_counter_and_acceptance(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", None))
    assert [line.price.amount for line in house.load(deal).offer(offer).document.lines] == [
        Decimal("12.40"),
        Decimal("0.82"),
    ]
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.80"), about=offer)
    assert state(house, deal, offer) == "countered"
    value = house.load(deal)
    house.do(
        SELLER, "accept", deal, counter, expected_version=value.version, terms_hash=value.offer(counter).terms_hash
    )
    concluded = house.concluded[0]
    assert (concluded.buyer, concluded.seller, concluded.accepted_by) == (HAIDI, DELTA, DELTA)
    assert concluded.offer.kind == "offer"
    assert terms_hash(concluded.offer) == concluded.terms_hash == value.offer(counter).terms_hash
    assert house.outbox.sent == [], "both work on our pages"


def test_a_counter_keeps_the_terms_it_does_not_touch(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.82", "6.10"), about=offer)
    offers = house.load(deal)
    before, after = offers.offer(offer).document, offers.offer(counter).document
    assert before.payment_terms == after.payment_terms
    assert before.delivery_terms == after.delivery_terms
    assert [line.price.amount for line in after.lines] == [Decimal("11.90"), Decimal("0.82"), Decimal("6.10")]


def test_a_refused_act_leaves_nothing_behind(house):
    deal = house.deal_with(DELTA)
    before = house.load(deal)
    with pytest.raises(Refused, match="ACCEPT_BY_PAST"):
        house.do(SELLER, "make_offer", deal, terms("12.40", valid_until=date(2026, 11, 1)))
    with pytest.raises(Refused, match="INVITATION_NOT_ACCEPTABLE"):
        house.do(SELLER, "accept", deal, before.offers[0].id)
    assert house.load(deal) == before


def test_an_offer_accepted_after_another_round_conflicts(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40"))
    shown = house.load(deal).version
    house.do(SELLER, "make_offer", deal, terms("12.00"))
    with pytest.raises(Conflict):
        house.do(BUYER, "accept", deal, offer, expected_version=shown)
    assert house.concluded == []


def test_terms_other_than_shown_are_not_accepted(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40"))
    with pytest.raises(Refused, match="TERMS_HASH_MISMATCH"):
        house.do(BUYER, "accept", deal, offer, terms_hash="0" * 64)


def test_rejected_then_offered_again(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40"))
    house.do(BUYER, "reject", deal, offer, text="too dear")
    again = house.do(SELLER, "make_offer", deal, terms("12.40"))
    house.do(BUYER, "accept", deal, again)
    assert len(house.concluded) == 1


def test_a_question_makes_no_new_version(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40"))
    version = house.load(deal).version
    house.do(BUYER, "comment", deal, "could you do 9.00?", about=offer, is_question=True)
    house.do(BUYER, "accept", deal, offer, expected_version=version)
    assert len(house.concluded) == 1


# --- a deal with a partner's system -------------------------------------------------------------


def test_a_quotation_comes_in_and_a_counter_goes_out(house):
    deal = house.deal_with(NINGBO)
    got = house.receive(quote(house))
    assert (got.deal, got.refusal) == (deal, None)
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.80"), about=got.subject)
    to, document, key = house.outbox.sent[-1]
    assert (to, document.kind, document.action) == (NINGBO, "inquiry", "proposed_amendment")
    assert (document.reference("offer"), document.reference("inquiry")) == ("Q-1", rfq(house))
    assert document.number != rfq(house)
    assert [line.price.amount for line in document.lines] == [Decimal("11.90"), Decimal("0.80")]
    assert (state(house, deal, got.subject), state(house, deal, counter)) == ("effective", "dispatched")
    with house.database.write() as session:
        house.service.on_reached(session, key, clock.now())
        house.service.on_reached(session, key, clock.now())
    assert (state(house, deal, got.subject), state(house, deal, counter)) == ("countered", "effective")
    reached = [each for each in house.load(deal).statements if (each.kind, each.about) == (Kind.REACH, counter)]
    assert len(reached) == 1


def test_an_answer_to_our_counter_proves_that_it_reached(house):
    deal = house.deal_with(NINGBO)
    first = house.receive(quote(house)).subject
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.80"), about=first)
    number = house.outbox.sent[-1][1].number
    second = house.receive(quote(house, "Q-2", "12.05", references=(Reference(type="inquiry", value=number),)))
    assert [state(house, deal, each) for each in (first, counter, second.subject)] == [
        "countered",
        "countered",
        "effective",
    ]


def test_a_seller_that_agrees_to_our_counter_concludes(house):
    deal = house.deal_with(NINGBO)
    first = house.receive(quote(house)).subject
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.80"), about=first)
    sent = house.outbox.sent[-1][1]
    agreed = Offer(
        number="Q-2", action="accepted", currency="USD", lines=sent.lines,
        references=(Reference(type="inquiry", value=sent.number),),
    )  # fmt: skip
    house.receive(agreed)
    assert state(house, deal, counter) == "accepted"
    assert house.concluded[0].accepted_by == NINGBO


def test_acceptance_of_a_partners_offer_is_under_way_until_its_order_reaches(house):
    deal = house.deal_with(NINGBO)
    offer = house.receive(quote(house)).subject
    house.do(BUYER, "accept", deal, offer)
    assert len(house.concluded) == 1, "ordering writes the order, which is the acceptance"
    assert model.contract(house.load(deal), now=clock.now()).state == "awaiting_reach"


@pytest.mark.parametrize("firm", [True, False])
def test_a_firm_quotation_binds_and_an_indicative_one_does_not(house, firm):
    deal = house.deal_with(NINGBO)
    got = house.receive(quote(house, action="original" if firm else "proposal"))
    assert state(house, deal, got.subject) == ("effective" if firm else "invitation")


def test_r28_the_same_quotation_again_changes_nothing(house):
    deal = house.deal_with(NINGBO)
    first = house.receive(quote(house))
    before = house.load(deal)
    assert house.receive(quote(house)) == first
    assert house.load(deal) == before


def test_r29_the_same_number_with_other_content_is_held(house):
    deal = house.deal_with(NINGBO)
    house.receive(quote(house))
    before = house.load(deal)
    got = house.receive(quote(house, price="1.00"))
    assert got.refusal.rule == "R29"
    assert house.load(deal) == before
    assert house.receive(quote(house, price="11.00", action="replace")).refusal is None


def test_a_quotation_on_no_inquiry_of_ours_is_refused(house):
    house.inquire(NINGBO)
    got = house.receive(quote(house, references=(Reference(type="inquiry", value="RFQ-9999"),)))
    assert (got.deal, got.refusal.text) == (None, "UNKNOWN_REFERENCE")
    assert house.receive(quote(house), RHEIN).refusal.text == "UNKNOWN_REFERENCE", "it was not asked"


def test_a_quotation_after_conclusion_is_refused(house):
    deal = house.deal_with(NINGBO)
    offer = house.receive(quote(house)).subject
    house.do(BUYER, "accept", deal, offer)
    got = house.receive(quote(house, "Q-2"))
    assert (got.deal, got.refusal.text, got.refusal.rule) == (deal, "CONCLUDED", "R8")


def test_a_quotation_without_a_price_is_refused(house):
    house.inquire(NINGBO)
    lines = tuple(line.model_copy(update={"price": None}) for line in quoted().lines)
    assert house.receive(quote(house, lines=lines)).refusal.text == "NOT_DEFINITE_PRICE"


def test_a_quotation_silent_on_currency_quotes_in_the_inquirys(house):
    deal = house.deal_with(NINGBO)
    got = house.receive(quote(house, currency=None))
    assert house.load(deal).offer(got.subject).document.currency == "USD"


def test_a_supplier_that_declines_to_quote(house):
    deal = house.deal_with(NINGBO)
    house.receive(quote(house, action="not_accepted", lines=(), notes=(Note(text="no capacity"),)))
    value = house.load(deal)
    assert (state(house, deal, value.offers[0].id), value.statements[-1].text) == ("rejected", "no capacity")


def test_an_undeliverable_counter_leaves_their_offer_open(house):
    deal = house.deal_with(NINGBO)
    first = house.receive(quote(house)).subject
    counter = house.do(BUYER, "counter", deal, terms("11.90", "0.80"), about=first)
    with house.database.write() as session:
        house.service.on_failed(session, house.outbox.sent[-1][2], clock.now())
    assert (state(house, deal, first), state(house, deal, counter)) == ("effective", "undelivered")


# --- when we sell -------------------------------------------------------------------------------


def order(number="PO-1", offer=None, price="12.40", **more) -> Order:
    references = (Reference(type="offer", value=offer),) if offer else ()
    dates = (DatedEvent(type="requested_delivery", on=date(2027, 1, 20)),)
    kept = {
        name: getattr(quoted(price=price), name) for name in ("currency", "lines", "delivery_terms", "payment_terms")
    }
    return Order(number=number, action="original", references=references, dates=dates, **{**kept, **more})


def sold(house):
    """An inquiry from Ningbo to Delta, and Delta's offer."""
    got = house.receive(asked("RFQ-77"), NINGBO, DELTA)
    offer = house.do(
        SELLER, "make_offer", got.deal, replace(terms("12.40", "0.82"), place="Ningbo", payment="T/T 30 days")
    )
    return got.deal, offer, house.outbox.sent[-1][1]


def test_an_order_that_names_our_offer_accepts_it(house):
    deal, offer, document = sold(house)
    assert (document.kind, document.reference("inquiry")) == ("offer", "RFQ-77")
    got = house.receive(order(offer=document.number), NINGBO, DELTA)
    assert (got.deal, got.refusal) == (deal, None)
    assert house.concluded[0].order.number == "PO-1"
    assert state(house, deal, offer) == "accepted"
    assert house.receive(order(offer=document.number), NINGBO, DELTA).subject == got.subject
    assert len(house.concluded) == 1


def test_s38_an_order_at_another_price_is_a_counter_offer(house):
    deal, offer, document = sold(house)
    got = house.receive(order(offer=document.number, price="9.00"), NINGBO, DELTA)
    assert (state(house, deal, offer), state(house, deal, got.subject)) == ("countered", "effective")
    house.do(SELLER, "accept", deal, got.subject)
    assert house.concluded[0].order.number == "PO-1"


def test_an_order_that_names_a_dead_offer_is_refused(house):
    deal, _, document = sold(house)
    house.receive(order("PO-1", offer=document.number, price="9.00"), NINGBO, DELTA)
    got = house.receive(order("PO-2", offer=document.number), NINGBO, DELTA)
    assert (got.deal, got.refusal.text, got.refusal.rule) == (deal, "COUNTERED", "R11")


def test_an_order_that_names_no_offer_of_ours_is_refused(house):
    got = house.receive(order(offer="Q-9"), NINGBO, DELTA)
    assert got.refusal.text == "UNKNOWN_REFERENCE"


def test_an_order_without_an_offer_is_a_firm_offer_that_we_may_accept(house):
    got = house.receive(order(), NINGBO, DELTA)
    assert state(house, got.deal, got.subject) == "effective"
    house.do(SELLER, "accept", got.deal, got.subject)
    assert (house.concluded[0].order.number, house.concluded[0].inquiry) == ("PO-1", None)


def test_an_order_after_the_offer_lapsed_waits_for_the_seller_to_elect_it(house, at_monday):
    deal, offer, document = sold(house)
    at_monday.move(timedelta(days=30))
    late = order(offer=document.number)
    assert house.receive(late, NINGBO, DELTA).refusal is None
    assert (state(house, deal, offer), house.concluded) == ("late_pending", [])
    house.do(SELLER, "act", deal, Kind.ELECT_LATE, offer)
    assert state(house, deal, offer) == "accepted"
    assert [each.order.number for each in house.concluded] == [late.number], "it is the buyer's own order that counts"


def test_a_buyers_counter_by_message(house):
    deal, offer, document = sold(house)
    amended = asked("RFQ-78", document.lines, action="proposed_amendment").model_copy(
        update={"references": (Reference(type="offer", value=document.number),)}
    )
    got = house.receive(amended, NINGBO, DELTA)
    assert (got.deal, state(house, deal, offer)) == (deal, "countered")


# --- awards -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_divisible", [False, True])
@pytest.mark.parametrize(
    ("lines", "after", "outcomes"),
    [
        ({}, 0, ["accepted", "accepted"]),
        ({"1": None, "2": Decimal(24000)}, 0, ["accepted", "accepted"]),
        ({"1": None}, 0, ["INDIVISIBLE", "accepted"]),
        ({"1": Decimal(10)}, 0, ["INDIVISIBLE", "accepted"]),
        ({"1": Decimal(30000)}, 0, ["MORE_THAN_DEMANDED", "MORE_THAN_DEMANDED"]),
        ({"1": None}, 30, ["LAPSED", "accepted"]),
    ],
)
def test_r23_an_award_is_judged_as_a_history_of_it_is(house, at_monday, lines, after, outcomes, is_divisible):
    """By forms and API as by ``simulate``: a part of what is offered as a whole is no contract, and no award."""
    inquiry = house.inquire(DELTA)
    with house.database.read(HAIDI) as session:
        deal = session.query(DealRow).filter_by(inquiry_id=inquiry).one().id
    bare = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82"))
    offer = house.do(SELLER, "state_terms", deal, house.load(deal).offer(bare).document, divisible=is_divisible)
    at_monday.move(timedelta(days=after))
    picks = [Pick(deal, offer, tuple(lines.items()))]
    if outcomes[is_divisible] == "accepted":
        house.do(BUYER, "award", inquiry, picks)
    else:
        with pytest.raises(Refused, match=outcomes[is_divisible]):
            house.do(BUYER, "award", inquiry, picks)
    kinds = [each.kind for each in house.load(deal).statements[3:]]
    assert kinds == ([Kind.ACCEPT] if outcomes[is_divisible] == "accepted" else [])
    said = {name: {"item": "V", "quantity": "24000", "price": "1"} for name in ("1", "2")}
    deadline = model.deadline(house.load(deal), house.load(deal).offer(offer), now=clock.now())
    told = simulate(map(json.dumps, [
        {"kind": "negotiation", "negotiation": "n", "buyer": "b", "seller": "s"},
        {"kind": "offer", "id": "o", "by": "s", "at": MONDAY.isoformat(), "offer": {
            "lines": said, "terms": {"currency": "USD"}, "divisible": is_divisible, "accept_by": deadline.isoformat()}},
        {"kind": "award", "id": "w", "by": "b", "at": clock.now().isoformat(), "demand": dict.fromkeys(said, "24000"),
         "picks": [{"negotiation": "n", "about": "o",
                    "lines": {name: str(each) if each else None for name, each in lines.items()}}]},
    ]))  # fmt: skip
    answer = list(told)[-1]
    assert answer.get("code", answer["outcome"]) == outcomes[is_divisible]


# --- the chain ----------------------------------------------------------------------------------


def test_the_chain_shows_every_change(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40"))
    house.do(BUYER, "accept", deal, offer)
    with house.database.read() as session:
        assert store.verify(session, deal) is None
    changes = {
        "UPDATE statement SET text = 'other' WHERE number = 2": 2,
        "UPDATE offer SET document = replace(document, '12.40', '12.41') WHERE revision = 1 AND kind = 'offer'": 2,
        "DELETE FROM statement WHERE number = 3": 3,
    }
    for change, bad in changes.items():
        with house.database._write() as session:
            session.execute(text(change))
            assert store.verify(session, deal) == bad, change
            session.rollback()


def test_a_field_that_documents_get_later_breaks_no_chain_and_makes_no_document_another(house, monkeypatch):
    """What was recorded by an earlier release is judged as it was written then."""
    deal = house.deal_with(NINGBO)
    letter = quote(house)
    first = house.receive(letter)
    later = {each: type(f"Later{each.__name__}", (each,), {"__annotations__": {"berth": str | None}, "berth": None})
             for each in (Offer, Inquiry)}  # fmt: skip
    monkeypatch.setattr(store, "KINDS", {**KINDS, **{each.kind: new for each, new in later.items()}})
    with house.database.read() as session:
        assert store.restored(session.get_one(OfferRow, first.subject)).berth is None
        assert store.verify(session, deal) is None
    again = house.receive(later[Offer].model_validate(letter.model_dump()))
    assert (again.subject, again.refusal) == (first.subject, None), "the same words again are no new statement"


def test_the_letter_kept_beside_a_statement_is_held_to_its_hash(house):
    deal = house.deal_with(DELTA)
    house.do(BUYER, "reject", deal, house.do(SELLER, "make_offer", deal, terms("12.40")), text="Too dear")
    with house.database._write() as session:
        session.execute(text("UPDATE statement SET source = replace(source, 'Too dear', 'Too late') WHERE number = 3"))
        assert store.verify(session, deal) == 3
        session.rollback()


def test_the_answer_to_our_order_proves_that_the_acceptance_reached(house):
    deal = house.deal_with(NINGBO)
    house.do(BUYER, "accept", deal, house.receive(quote(house)).subject)
    for _ in range(2):
        with house.database.write() as session:
            house.service.on_answered(session, deal, clock.now())
    value = house.load(deal)
    assert model.contract(value, now=clock.now()).state == "concluded"
    assert [each.kind for each in value.statements].count(Kind.REACH) == 2, "the inquiry and the acceptance"


def test_the_receipt_of_our_order_proves_that_the_acceptance_reached(house):
    """Ordering puts the order under a key of its own; the offer that it names leads to the acceptance."""
    deal = house.deal_with(NINGBO)
    house.do(BUYER, "accept", deal, house.receive(quote(house)).subject)
    order_out = order("PO-9", offer="Q-1")
    with house.database.write() as session:
        row = OutboxRow(
            id="o-1", sender=HAIDI, recipient=NINGBO, kind="order", document=order_out.model_dump(mode="json"),
            subject=None, idempotency_key="any-key", created_at=clock.now(),
        )  # fmt: skip
        session.add(row)
    with house.database.write() as session:
        house.service.on_reached(session, "any-key", clock.now())
        house.service.on_reached(session, "unknown", clock.now())
    assert model.contract(house.load(deal), now=clock.now()).state == "concluded"


def test_a_partner_that_buys_reads_our_assent_to_its_counter(house):
    deal, _, document = sold(house)
    amended = asked("RFQ-78", document.lines, "proposed_amendment").model_copy(
        update={"references": (Reference(type="offer", value=document.number),)}
    )
    counter = house.receive(amended, NINGBO, DELTA).subject
    house.do(SELLER, "accept", deal, counter)
    to, sent, _ = house.outbox.sent[-1]
    assert (to, sent.kind, sent.action, sent.reference("offer")) == (NINGBO, "offer", "accepted", "RFQ-78")


def test_a_partner_is_told_that_its_offer_is_declined(house):
    deal = house.deal_with(NINGBO)
    offer = house.receive(quote(house)).subject
    house.do(BUYER, "reject", deal, offer, text="too dear")
    to, sent, _ = house.outbox.sent[-1]
    assert (to, sent.action, sent.reference("offer"), sent.notes[0].text) == (NINGBO, "not_accepted", "Q-1", "too dear")


def test_an_open_ended_offer_is_revoked_and_a_fixed_one_is_not(house):
    deal = house.deal_with(DELTA)
    fixed = house.do(SELLER, "make_offer", deal, terms("12.40"))
    with pytest.raises(Refused, match="IRREVOCABLE"):
        house.do(SELLER, "revoke", deal, fixed, expected_version=None)
    free = house.do(SELLER, "make_offer", deal, terms("12.30", valid_until=None))
    house.do(SELLER, "revoke", deal, free, expected_version=None)
    assert state(house, deal, free) == "revoked"


def test_r21_a_contract_that_both_must_sign_is_told_of_first_and_concluded_by_the_last_signature(house):
    awaiting = []
    hooks = replace(
        house.service.hooks,
        terms=lambda *_: Terms(ground=Ground(formation="signature")),
        on_awaiting=lambda _session, what: awaiting.append(what),
    )
    house.service.hooks = hooks
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "98"))
    offer = house.load(deal).offers[-1]
    house.do(BUYER, "accept", deal, offer.id, terms_hash=offer.terms_hash)
    assert ([each.state for each in awaiting], house.concluded) == (["awaiting_confirmation"], [])
    with house.database.write(HAIDI) as session:
        house.service.signed(session, deal, HAIDI)
    with house.database.write(HAIDI) as session, pytest.raises(Refused, match="ALREADY_CONFIRMED"):
        house.service.signed(session, deal, HAIDI)
    with house.database.write(DELTA) as session:
        house.service.signed(session, deal, DELTA)
    assert [each.state for each in house.concluded] == ["concluded"]
    assert house.load(deal).statements[-1].kind is Kind.SIGN


def test_r25_a_change_of_a_contract_is_not_accepted_in_parts(house):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    accepted = house.do(BUYER, "accept", deal, offer)
    amendment = house.do(BUYER, "amend", deal, acceptance=accepted, terminates=True)
    with pytest.raises(Refused, match="NOT_ALLOWED"):
        house.do(SELLER, "make_offer", deal, terms("13", "1", "6", divisible=True), about=amendment)


def held_to(house) -> list[tuple[str, Decimal | None]]:
    """Let every act be allowed, and return what each was held to, as it comes."""
    asked: list[tuple[str, Decimal | None]] = []

    def authorise(_session, _actor, binding):
        asked.append((str(binding.act), binding.amount))
        return Allowed()

    house.service.hooks = replace(house.service.hooks, authorise=authorise)
    return asked


WHOLE, LINE_1, HALF_OF_1, REST = (Decimal(each) for each in ("341680.00", "297600.00", "148800.00", "192880.00"))
"""24,000 at 12.40, 24,000 at 0.82 and 4,000 at 6.10."""


@pytest.mark.parametrize(
    ("before", "lines", "amount"),
    [
        ((), (), WHOLE),
        ((), (("1", None),), LINE_1),
        ((("1", Decimal(12000)),), (), REST),
        ((("1", Decimal(12000)),), (("1", None),), HALF_OF_1),
        ((("1", None),), (), WHOLE - LINE_1),
    ],
    ids=["all of it", "a line", "what is left", "what is left of a line", "the lines that are left"],
)
def test_an_acceptance_is_held_to_what_it_takes(house, before, lines, amount):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10", divisible=True))
    if before:
        house.do(BUYER, "accept", deal, offer, lines=before)
    asked = held_to(house)
    house.do(BUYER, "accept", deal, offer, lines=lines)
    assert asked == [("acceptance", amount)]
    assert sum(each.amount for each in map(bound, house.concluded[-1:])) == amount


def bound(concluded):
    return Money(amount=drafting.total(concluded.offer, concluded.offer.lines), currency="USD")


def test_a_confirmation_is_held_to_the_part_that_it_confirms(house):
    house.service.hooks = replace(house.service.hooks, terms=lambda *_: Terms(ground=Ground(formation="confirmation")))
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10", divisible=True))
    part = house.do(BUYER, "accept", deal, offer, lines=(("1", Decimal(12000)),))
    house.do(BUYER, "accept", deal, offer)
    asked = held_to(house)
    house.do(BUYER, "act", deal, Kind.CONFIRM, part)
    house.do(SELLER, "act", deal, Kind.CONFIRM, offer)
    assert asked == [("signature", HALF_OF_1), ("signature", REST)]


def test_r23_an_award_is_held_to_its_sum_once_and_not_to_the_limit_for_acceptances(house):
    """The two are limits of their own: who states one for awards means the whole of them, whatever one acceptance may be."""
    inquiry = house.inquire(DELTA, RHEIN)
    with house.database.read(HAIDI) as session:
        deals = {each.seller_id: each.id for each in session.query(DealRow).filter_by(inquiry_id=inquiry)}
    one = house.do(SELLER, "make_offer", deals[DELTA], terms("12.40", "0.82", "6.10", divisible=True))
    rhein = replace(SELLER, party=RHEIN)
    other = house.do(rhein, "make_offer", deals[RHEIN], terms("12.00", "0.80", "6.00", divisible=True))
    with house.database.write() as session:
        house.service.note(session, session.get(DealRow, deals[RHEIN]), Kind.REACH, other, clock.now())
    asked = held_to(house)
    picks = [Pick(deals[DELTA], one, (("1", Decimal(12000)),)), Pick(deals[RHEIN], other, (("1", Decimal(12000)),))]
    house.do(BUYER, "award", inquiry, picks)
    assert asked == [("award", HALF_OF_1 + Decimal(144000))]
