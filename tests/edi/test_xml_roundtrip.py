"""What we write we read again, and the schemas accept it."""

import os
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tradehub.documents import KINDS
from tradehub.edi.maps import MapStore
from tradehub.edi.xml import acknowledge_xml, message_for, read_xml, write_xml, xml_map
from tradehub.platform.resources import read_text

SHARED = Path(os.environ.get("TRADEHUB_SHARED", Path(__file__).parents[2].parent / "shared"))
SCHEMAS = SHARED / "samples" / "xml" / "ubl-2.1-xsd" / "maindoc"
STORE = MapStore(read_text)
WORDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzäö中 0123456789.-<>&'\""

texts = st.text(WORDS, min_size=1, max_size=20).filter(lambda text: text == text.strip())
names = st.text("ABCDEFGHIJK0123456789-", min_size=1, max_size=12)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
numbers = st.decimals(0, 99_999, places=2)
units = st.sampled_from(["C62", "KGM", "MTR"])
quantities = st.fixed_dictionaries({"value": numbers, "unit": units})


def some(needed=None, **fields):
    return st.fixed_dictionaries(needed or {}, optional=fields).filter(bool)


def chosen(field, words, **inside):
    """A list with at most one item for each word, in the order of the words."""
    if not words:
        return st.just(())
    return st.lists(st.sampled_from(words), unique=True).flatmap(
        lambda found: st.tuples(
            *(st.fixed_dictionaries({field: st.just(word), **inside}) for word in words if word in found)
        )
    )


def joined(*parts):
    return st.tuples(*parts).map(lambda found: tuple(each for part in found for each in part))


def dates(*words):
    return chosen("type", words, on=days)


addresses = some(
    street=st.lists(texts, min_size=1, max_size=4).map(tuple),
    city=texts,
    postcode=names,
    region=texts,
    country=st.just("NO"),
)
contacts = st.tuples(some(name=texts, phone=names, fax=names, email=st.just("a@example.com")))
schemes = st.sampled_from(["gln", "duns", "icd:0192", "buyer", "mutual"])
identities = joined(
    st.lists(
        st.fixed_dictionaries({"scheme": st.just("endpoint"), "value": st.just("0088:7300010000001")}), max_size=1
    ),
    st.lists(some({"value": names}, scheme=schemes), max_size=2),
    st.lists(st.fixed_dictionaries({"scheme": st.just("registration"), "value": names}), max_size=1),
)
tax_ids = st.lists(some({"value": names, "scheme": st.sampled_from(["vat", "ubl:GST"])}), min_size=1, max_size=2).map(
    tuple
)


def party(role):
    return some(
        {"role": st.just(role), "name": texts, "ids": identities},
        more_names=st.tuples(texts),
        address=addresses,
        tax_ids=tax_ids,
        contacts=contacts,
    )


def parties(*roles):
    return st.tuples(*(party(role) for role in roles))


tax = some({"type": st.just("VAT")}, category=st.just("S"), rate=numbers, exemption=texts)
charges = st.lists(
    some(
        {"is_charge": st.booleans(), "amount": numbers},
        reason=texts,
        reason_code=names,
        percent=numbers,
        basis=numbers,
        tax=tax,
    ),
    max_size=2,
).map(tuple)
payment = some(
    text=texts,
    net_days=st.integers(0, 120),
    discount_days=st.integers(0, 30),
    discount_percent=numbers,
    percent=numbers,
    due_on=days,
    basis=st.sampled_from(["invoice", "receipt"]),
    discount_amount=numbers,
    means=st.sampled_from(["30", "42", "ubl:x"]),
)
delivery_terms = some({"incoterm": st.sampled_from(["FCA", "DAP"])}, version=st.just("2020"), place=texts, text=texts)
header_delivery_terms = some(
    {"freight": st.sampled_from(["prepaid", "collect", "x12:ZZ"]), "incoterm": st.just("FCA")},
    version=st.just("2020"),
    place=texts,
    text=texts,
)
price = some({"amount": numbers}, basis=quantities, currency=st.just("USD"), type=st.sampled_from(["net", "gross"]))
items = some(
    {
        "name": texts,
        "ids": joined(
            chosen("scheme", ["buyer", "seller", "mpn", "gtin"], value=names),
            st.lists(some({"value": names, "scheme": st.sampled_from(["upc", "x12:ZZ"])}), max_size=2),
        ),
    },
    description=texts,
    brand=texts,
    origin=st.just("CN"),
    classification=st.lists(some({"code": names}, scheme=names, version=names), min_size=1, max_size=2).map(tuple),
    attributes=st.lists(some({"name": texts, "value": texts}), min_size=1, max_size=2).map(tuple),
)
notes = st.lists(some({"text": texts}, language=st.just("en")), max_size=2).map(tuple)
LINE_DATES = (
    "delivered",
    "latest_delivery",
    "earliest_delivery",
    "requested_delivery",
    "scheduled_delivery",
    "promised_delivery",
    "estimated_delivery",
)


def lines(needed=None, **more):
    fields = {"quantity": quantities, "price": price, "net_amount": numbers, "allowances_charges": charges}
    fields |= {"taxes": st.lists(tax, min_size=1, max_size=1).map(tuple), **more}
    demanded = {"item": items, "notes": notes, **(needed or {})}
    line = some(demanded, **{name: each for name, each in fields.items() if name not in demanded})
    return st.lists(line, min_size=1, max_size=3).map(
        lambda found: tuple({**each, "number": str(n)} for n, each in enumerate(found, 1))
    )


trade_lines = {
    "dates": dates(*LINE_DATES),
    "delivery_terms": delivery_terms,
    "min_quantity": numbers,
    "max_quantity": numbers,
}


def references(*words):
    any_kind = st.lists(
        some(
            {"type": st.sampled_from(["drawing", "packing_list", "ubl:130"]), "value": names},
            on=days,
            text=texts,
            revision=names,
        ),
        max_size=2,
    )
    return chosen("type", words, value=names).flatmap(lambda known: any_kind.map(lambda more: (known, tuple(more))))


HEAD = {
    "number": names,
    "issued_on": days,
    "issued_at": st.times().map(lambda t: t.replace(microsecond=0)),
    "currency": st.just("EUR"),
    "notes": notes,
}
TERMS = {
    "delivery_terms": delivery_terms | header_delivery_terms,
    "payment_terms": st.lists(payment, min_size=1, max_size=2).map(tuple),
    "allowances_charges": charges,
    **dict.fromkeys(("warranty", "liability", "penalty", "disputes", "law", "packaging", "inspection"), texts),
    "documents_required": st.lists(texts, min_size=1, max_size=3).map(tuple),
    "partial_shipments": st.booleans(),
    "custom": st.lists(st.tuples(texts, texts), min_size=1, max_size=2).map(tuple),
    "delivery_period": some(start=days, end=days),
    "transport": st.lists(some(mode=names, carrier=texts, service=texts, tracking=names), min_size=1, max_size=2).map(
        tuple
    ),
    "exchange_rate": numbers,
    "target_currency": st.just("SEK"),
}
OTHER_DATES = dates("requested_ship", "cancel_after", "ubl:9")
taxes = st.lists(
    some({"type": st.just("VAT"), "amount": numbers, "category": st.just("S")}, basis=numbers, rate=numbers), max_size=2
).map(tuple)


def of(kind, needed, *, around=((), ()), **fields):
    """Documents of ``kind``; ``around``: references that stand before and after the free ones."""
    must = {"order_change": ("order", "change")}.get(kind, ())

    def filled(known):
        missing = ({"type": word, "value": "1"} for word in must if word not in {each["type"] for each in known})
        return sorted((*known, *missing), key=lambda each: around[0].index(each["type"]))

    together = st.tuples(references(*around[0]), chosen("type", around[1], value=names)).map(
        lambda found: (*filled(found[0][0]), *found[0][1], *found[1])
    )
    if kind in {"order_response", "invoice"}:
        together = together.filter(lambda found: any(each["type"] == "order" for each in found))
    return st.fixed_dictionaries({**HEAD, **needed, "references": together}, optional=fields).map(
        KINDS[kind].model_validate
    )


def inquiries():
    inquiry = of(
        "inquiry",
        {
            "lines": lines(**trade_lines),
            "parties": parties("ordered_by", "seller", "buyer"),
            "dates": joined(OTHER_DATES, dates("respond_by", *LINE_DATES)),
        },
        around=((), ("contract",)),
        taxes=taxes,
        **TERMS,
    )
    return inquiry.map(lambda found: found.model_copy(update={"action": "original"}))


DOCUMENTS = {
    "inquiry": inquiries(),
    "offer": of(
        "offer",
        {
            "lines": lines(**trade_lines),
            "parties": parties("seller", "buyer"),
            "total": numbers,
            "dates": joined(OTHER_DATES, dates("valid_from", "valid_until", *LINE_DATES)),
            "action": st.sampled_from(["original", "replace", "withdraw", "proposal"]),
        },
        around=(("inquiry",), ("contract",)),
        taxes=taxes,
        **TERMS,
    ),
    "order": of(
        "order",
        {
            "lines": lines(**trade_lines),
            "parties": parties("buyer", "seller", "bill_to"),
            "dates": joined(OTHER_DATES, dates("valid_from", "valid_until", *LINE_DATES)),
            "action": st.sampled_from(["original", "cancel"]),
            "type": st.sampled_from(["order", "release", "ubl:999"]),
        },
        around=(
            ("seller_order", "customer", "account", "offer", "previous", "requisition", "price_list"),
            ("contract", "project"),
        ),
        total=numbers,
        taxes=taxes,
        **TERMS,
    ),
    "order_change": of(
        "order_change",
        {
            "lines": lines(**trade_lines),
            "parties": parties("buyer", "seller", "bill_to"),
            "dates": joined(OTHER_DATES, dates("valid_from", "valid_until", *LINE_DATES)),
            "action": st.sampled_from(["change", "cancel", "confirmation", "not_accepted"]),
        },
        around=(("seller_order", "change", "customer", "account", "order", "offer", "requisition"), ("contract",)),
        total=numbers,
        taxes=taxes,
        **TERMS,
    ),
    "order_response": of(
        "order_response",
        {
            "lines": lines(
                {
                    "responses": st.tuples(
                        st.fixed_dictionaries({"status": st.sampled_from(["accepted", "changed", "rejected"])})
                    )
                },
                backorder_quantity=quantities,
                **trade_lines,
            ),
            "parties": parties("seller", "buyer"),
            "dates": joined(OTHER_DATES, dates(*LINE_DATES)),
            "action": st.just("original"),
            "response": st.sampled_from(
                ["accepted", "received", "rejected", "accepted_with_change", "counter_offer", "accepted_in_part"]
            ),
        },
        around=(("seller_order", "customer", "order"), ("contract",)),
        total=numbers,
        taxes=taxes,
        **TERMS,
    ),
    "despatch": of(
        "despatch",
        {
            "lines": st.lists(
                some(
                    {
                        "item": items,
                        "quantity": quantities,
                        "references": st.tuples(
                            st.fixed_dictionaries({"type": st.just("order"), "value": names, "line": names})
                        ),
                    },
                    notes=notes,
                    outstanding_quantity=quantities,
                    outstanding_reason=texts,
                    batch=names,
                    expires_on=days,
                    package=st.just("1"),
                ),
                min_size=1,
                max_size=2,
            ).map(lambda found: tuple({**each, "number": str(n)} for n, each in enumerate(found, 1))),
            "parties": parties("ship_from", "ship_to", "buyer", "seller"),
            "currency": st.none(),
        },
        around=(("order",), ()),
        gross_weight=quantities,
        net_weight=quantities,
        package_count=st.integers(1, 9),
        packages=st.lists(some({"number": names}, kind=st.just("4H")), min_size=1, max_size=2).map(tuple),
        dates=dates("estimated_delivery", "shipped"),
    ),
    "invoice": of(
        "invoice",
        {
            "lines": lines({"net_amount": numbers}),
            "parties": parties("seller", "buyer", "payee"),
            "totals": some({"payable": numbers, "tax": numbers}, lines=numbers, before_tax=numbers),
            "type": st.sampled_from(["invoice", "credit_note", "debit_note"]),
            "dates": dates("tax_point", "delivered"),
        },
        around=(("account", "customer", "order", "seller_order", "invoice", "despatch", "receipt", "contract"), ()),
        tax_currency=st.just("SEK"),
        taxes=taxes,
        **TERMS,
    ),
    "application_response": st.fixed_dictionaries(
        {
            "number": names,
            "issued_on": days,
            "response": st.sampled_from(["accepted", "rejected", "in_process"]),
            "parties": parties("sender", "receiver"),
            "subject": st.fixed_dictionaries({"type": st.sampled_from(["order", "document"]), "value": names}),
            "judgements": st.lists(
                some(
                    {"code": names, "place": texts, "severity": st.sampled_from(["error", "warning"])},
                    value=texts,
                    text=texts,
                ),
                max_size=2,
            ).map(tuple),
        }
    ).map(KINDS["application_response"].model_validate),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=15)
@given(st.data())
def test_what_is_written_is_read_again(kind, data):
    document = data.draw(DOCUMENTS[kind])
    written = write_xml(xml_map(STORE, message_for(document)), document)
    read = read_xml(written, STORE)
    assert [str(issue.at) for issue in read.issues if issue.is_error] == []
    again = KINDS[kind].model_validate(read.document).without_extensions()
    assert again.model_dump(exclude_defaults=True) == document.model_dump(exclude_defaults=True)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="no UBL 2.1 schemas: set TRADEHUB_SHARED")
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_written_is_valid_under_the_schema(kind):
    schemas = {}

    @settings(max_examples=10)
    @given(DOCUMENTS[kind])
    def holds(document):
        message = message_for(document)
        if message not in schemas:
            schemas[message] = etree.XMLSchema(etree.parse(SCHEMAS / f"UBL-{message}-2.1.xsd"))
        root = etree.fromstring(write_xml(xml_map(STORE, message), document))
        assert schemas[message].validate(root), schemas[message].error_log

    holds()


ORDER = KINDS["order"].model_validate(
    {
        "number": "PO-1",
        "issued_on": date(2026, 3, 1),
        "currency": "EUR",
        "action": "original",
        "parties": [{"role": "buyer", "name": "Haidi Trading"}, {"role": "seller", "name": "Nordic Flow"}],
        "references": [{"type": "offer", "value": "Q-7"}],
        "lines": [
            {
                "number": "1",
                "item": {"name": "Valve"},
                "quantity": {"value": Decimal(10), "unit": "C62"},
                "price": {"amount": Decimal("4.50")},
            }
        ],
    }
)


def test_an_order_names_the_offer_it_accepts():
    written = write_xml(xml_map(STORE, "Order"), ORDER).decode()
    assert "<cac:QuotationDocumentReference>\n    <cbc:ID>Q-7</cbc:ID>" in written
    assert '<cbc:PriceAmount currencyID="EUR">4.50</cbc:PriceAmount>' in written


def test_an_inquiry_that_names_an_offer_is_a_counter_to_it():
    plain = ORDER.model_dump(exclude={"action", "type"})
    counter = KINDS["inquiry"].model_validate({**plain, "action": "proposed_amendment"})
    read = read_xml(write_xml(xml_map(STORE, "RequestForQuotation"), counter), STORE)
    assert (read.document["action"], read.document["references"]) == (
        "proposed_amendment",
        [{"type": "offer", "value": "Q-7"}],
    )


@pytest.mark.parametrize(
    ("word", "code", "read_as"),
    [
        ("accepted", "AP", "accepted"),
        ("received", "AB", "received"),
        ("rejected", "RE", "rejected"),
        ("accepted_with_change", "CA", "accepted_with_change"),
        ("counter_offer", "CA", "counter_offer"),
        ("accepted_in_part", "CA", "accepted_in_part"),
    ],
)
def test_an_answer_to_an_order_has_its_code(word, code, read_as):
    answer = KINDS["order_response"].model_validate(
        {
            **ORDER.model_dump(exclude={"type", "lines", "references"}),
            "response": word,
            "references": [{"type": "order", "value": "PO-1"}],
        }
    )
    written = write_xml(xml_map(STORE, "OrderResponse"), answer)
    assert f"<cbc:OrderResponseCode>{code}</cbc:OrderResponseCode>".encode() in written
    assert read_xml(written, STORE).document["response"] == read_as


def test_a_message_is_answered_with_a_judgement_for_each_issue():
    written = write_xml(xml_map(STORE, "Order"), ORDER).replace(b"2026-03-01", b"2026-02-30")
    answer = acknowledge_xml(read_xml(written, STORE), at=datetime(2026, 3, 2, 8, 30), number="R-1")  # noqa: DTZ001
    assert (answer.response, answer.subject.type, answer.subject.value) == ("rejected", "order", "PO-1")
    assert [(each.code, each.place) for each in answer.judgements] == [("invalid_date", "/Order/cbc:IssueDate")]
    assert [(each.role, each.name) for each in answer.parties] == [
        ("sender", "Nordic Flow"),
        ("receiver", "Haidi Trading"),
    ]
    assert answer.issued_at == time(8, 30)
    again = read_xml(write_xml(xml_map(STORE, "ApplicationResponse"), answer), STORE)
    assert KINDS["application_response"].model_validate(again.document).without_extensions() == answer


def test_what_was_kept_of_a_line_goes_with_the_line():
    written = write_xml(xml_map(STORE, "Order"), ORDER).decode()
    received = written.replace("<cbc:Name>Valve", "<cbc:Keyword>DN50</cbc:Keyword><cbc:Name>Valve").replace(
        "<cbc:Keyword>DN50</cbc:Keyword><cbc:Name>Valve</cbc:Name>",
        "<cbc:Name>Valve</cbc:Name><cbc:Keyword>DN50</cbc:Keyword>",
    )
    read = read_xml(received.encode(), STORE)
    assert read.accepted
    assert b"DN50" in write_xml(read.rules, read.document)
    assert b"OrderLine" not in write_xml(read.rules, {**read.document, "lines": []})


THEIRS = (
    "<ext:UBLExtension><ext:ExtensionURI>urn:example:x</ext:ExtensionURI><ext:ExtensionContent>"
    '<x:Mark xmlns:x="urn:example:x">7</x:Mark></ext:ExtensionContent></ext:UBLExtension>'
)


@pytest.mark.parametrize("place", ["<ext:UBLExtension>", "</ext:UBLExtensions>"])
def test_our_block_of_terms_stands_beside_the_extensions_of_others(place):
    order = ORDER.model_copy(update={"warranty": "24 months", "custom": (("colour", "blue"),)})
    written = write_xml(xml_map(STORE, "Order"), order).decode().replace(place, THEIRS + place)
    read = read_xml(written.encode(), STORE)
    assert (read.accepted, read.document["warranty"]) == (True, "24 months")
    again = read_xml(write_xml(read.rules, read.document), STORE)
    assert [each[:2] for each in again.segments()] == [each[:2] for each in read.segments()]


def test_a_later_edition_of_our_block_is_read_and_kept():
    order = ORDER.model_copy(update={"warranty": "24 months"})
    written = write_xml(xml_map(STORE, "Order"), order).replace(b"</th:Terms>", b"<th:Moon>full</th:Moon></th:Terms>")
    read = read_xml(written, STORE)
    assert (read.accepted, read.document["warranty"]) == (True, "24 months")
    assert [issue.severity.value for issue in read.issues] == ["note"]
    assert b"<th:Moon>full</th:Moon>" in write_xml(read.rules, read.document)
