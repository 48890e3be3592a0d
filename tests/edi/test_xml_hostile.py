"""Hostile and broken XML: an issue each time, never an exception, never a file read, never slow."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradehub.documents import KINDS
from tradehub.edi import xml_intake
from tradehub.edi.maps import MapStore
from tradehub.edi.segments import Fault
from tradehub.edi.xml import read_xml, write_xml, xml_map
from tradehub.platform.resources import read_text

STORE = MapStore(read_text)
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
SPACES = {"xmlns": "Order-2", "xmlns:cac": "CommonAggregateComponents-2", "xmlns:cbc": "CommonBasicComponents-2"}
HEAD = "<Order " + " ".join(f'{name}="{UBL}{space}"' for name, space in SPACES.items()) + ">"


def order(inside="", number="PO-1"):
    return (
        f"{HEAD}<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>{inside}<cac:BuyerCustomerParty/>"
        "<cac:SellerSupplierParty/><cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cac:Item><cbc:Name>Valve</cbc:Name>"
        "</cac:Item></cac:LineItem></cac:OrderLine></Order>"
    )


def faults(data):
    read = read_xml(data if isinstance(data, bytes) else data.encode(), STORE)
    assert not read.accepted
    return [issue.fault for issue in read.issues if issue.is_error]


LAUGHS = '<!DOCTYPE Order [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)
CROWDED = ("<a " + " ".join(f"a{n}='1'" for n in range(65)) + "/>").encode()
HOSTILE = {
    "external entity": '<!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + order("<cbc:Note>&x;</cbc:Note>"),
    "external DTD": '<!DOCTYPE Order SYSTEM "file:///etc/passwd">' + order(),
    "parameter entity": '<!DOCTYPE Order [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>' + order(),
    "internal entity": '<!DOCTYPE Order [<!ENTITY x "y">]>' + order("<cbc:Note>&x;</cbc:Note>"),
    "billion laughs": LAUGHS + "]>" + order("<cbc:Note>&m;</cbc:Note>"),
    "doctype after comment": "<?xml version='1.0'?>\n<!-- a > b --><?pi?><!DOCTYPE Order>" + order(),
    "doctype in UTF-16": ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE Order [<!ENTITY x "y">]>' + order()).encode(
        "utf-16"
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_document_type_is_refused(data):
    started = time.perf_counter()
    assert faults(data) == [Fault.FORBIDDEN]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.NOT_EDI),
        (b"ISA*00*", Fault.NOT_EDI),
        (b"<Order", Fault.NOT_EDI),
        (order("<cbc:Note>&x;</cbc:Note>").encode(), Fault.NOT_EDI),
        (order().encode("latin-1").replace(b"Valve", b"\xe9\xff"), Fault.NOT_EDI),
        (b"<a>" * 300 + b"</a>" * 300, Fault.NOT_EDI),
        (b"<Order/>", Fault.UNKNOWN_MESSAGE),
        (b'<Order xmlns="urn:other"/>', Fault.UNKNOWN_MESSAGE),
        (b"<structure/>", Fault.UNKNOWN_MESSAGE),
        (f'<Reminder xmlns="{UBL}Reminder-2"/>'.encode(), Fault.UNKNOWN_MESSAGE),
        (CROWDED, Fault.TOO_MANY_ELEMENTS),
    ],
)
def test_what_is_no_document_of_ours_is_named(data, fault):
    assert faults(data) == [fault]


def test_too_many_bytes_and_elements_are_refused_before_parsing(monkeypatch):
    monkeypatch.setattr(xml_intake, "MAX_BYTES", 1000)
    assert faults(order("<cbc:Note>a</cbc:Note>" * 100)) == [Fault.TOO_LONG]
    monkeypatch.setattr(xml_intake, "MAX_BYTES", 10**6)
    monkeypatch.setattr(xml_intake, "MAX_ELEMENTS", 50)
    assert faults(order("<cbc:Note>a</cbc:Note>" * 100)) == [Fault.TOO_MANY_SEGMENTS]

    monkeypatch.setattr(xml_intake, "MAX_ELEMENTS", 10**6)
    monkeypatch.setattr(xml_intake, "MAX_ALL_ATTRIBUTES", 50)
    assert faults(order('<cbc:Note languageID="en">a</cbc:Note>' * 100)) == [Fault.TOO_MANY_ELEMENTS]


@pytest.mark.parametrize(("data", "place"), [(b"<!DOCTYPE x><x/>", "document"), (b"\n\n<Order>", "line 3")])
def test_a_text_that_is_no_document_is_placed_by_its_line(data, place):
    assert [str(issue.at) for issue in read_xml(data, STORE).issues] == [place]


def test_a_text_may_hold_as_many_equals_signs_as_it_likes():
    assert read_xml(order(f"<cbc:Note>{'=' * 1000}</cbc:Note>").encode(), STORE).accepted


def test_a_long_prolog_takes_linear_time():
    started = time.perf_counter()
    faults(b"<?a?>" * 50_000 + b" " * 50_000 + b"<x/>")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<cbc:Colour>red</cbc:Colour>", (Fault.NOT_IN_SET, "/Order/cbc:Colour")),
        ("stray", (Fault.INVALID_CHARACTER, "/Order")),
        (
            "<cac:ValidityPeriod><cbc:EndDate>2026-02-30</cbc:EndDate></cac:ValidityPeriod>",
            (Fault.INVALID_DATE, "/Order/cac:ValidityPeriod/cbc:EndDate"),
        ),
        (
            "<cbc:DocumentCurrencyCode>Euro</cbc:DocumentCurrencyCode>",
            (Fault.INVALID_CODE, "/Order/cbc:DocumentCurrencyCode"),
        ),
        ("<cbc:LineCountNumeric>one</cbc:LineCountNumeric>", (Fault.NOT_A_NUMBER, "/Order/cbc:LineCountNumeric")),
        (
            "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cbc:CopyIndicator>maybe</cbc:CopyIndicator></cac:AdditionalDocumentReference>",
            (Fault.INVALID_CODE, "/Order/cac:AdditionalDocumentReference/cbc:CopyIndicator"),
        ),
        ("<cbc:Note>a</cbc:Note><cbc:UUID>x</cbc:UUID>", (Fault.OUT_OF_ORDER, "/Order/cbc:UUID")),
        (
            "<cbc:AccountingCost>x</cbc:AccountingCost><cbc:AccountingCost>y</cbc:AccountingCost>",
            (Fault.TOO_MANY_ELEMENTS, "/Order/cbc:AccountingCost[2]"),
        ),
        (
            "<cac:Contract><cac:ContractDocumentReference/></cac:Contract>",
            (Fault.MISSING_ELEMENT, "/Order/cac:Contract/cac:ContractDocumentReference/cbc:ID"),
        ),
    ],
)
def test_a_fault_is_placed(inside, expected):
    read = read_xml(order(inside).encode(), STORE)
    assert [(issue.fault, issue.at.path) for issue in read.issues if issue.is_error] == [expected]


def test_an_envelope_is_taken_off():
    ns = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
    wrapped = (
        f'<StandardBusinessDocument xmlns="{ns}"><StandardBusinessDocumentHeader><Sender><Identifier '
        'Authority="iso6523-actorid-upis">0088:7300010000001</Identifier></Sender><DocumentIdentification>'
        "<InstanceIdentifier>77</InstanceIdentifier></DocumentIdentification></StandardBusinessDocumentHeader>"
        f"{order()}</StandardBusinessDocument>"
    )
    read = read_xml(wrapped.encode(), STORE)
    assert read.accepted
    assert (read.type, read.control_number, read.interchange.sender) == (
        "Order",
        "77",
        ("iso6523-actorid-upis", "0088:7300010000001"),
    )

    unnumbered = wrapped.replace("<InstanceIdentifier>77</InstanceIdentifier>", "")
    assert read_xml(unnumbered.encode(), STORE).control_number == "PO-1"
    assert faults(wrapped.replace(order(), "")) == [Fault.BAD_ENVELOPE]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_issues(data):
    assert read_xml(data, STORE).issues


SAMPLE = order(
    '<cbc:Note languageID="en">a</cbc:Note><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>'
).encode()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_document_is_never_accepted_into_an_invalid_one(data):
    at = data.draw(st.integers(0, len(SAMPLE) - 1))
    length = data.draw(st.integers(0, 60))
    damaged = SAMPLE[:at] + data.draw(st.binary(max_size=5)) + SAMPLE[at + length :]
    read = read_xml(damaged, STORE)
    if read.accepted:
        KINDS[read.rules.document].model_validate(read.document)
        write_xml(xml_map(STORE, read.type), read.document)
