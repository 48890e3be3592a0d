# ruff: noqa: E501  a row is an element
"""One invoice with one thing changed: what is said of it and where, and that the change comes back when it is written."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.edi.engine import maps
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError
from tradehub.edi.xml import leaves, named_leaves, path_of, read_xml, without_own_block, write_xml, xml_map
from tradehub.edi.xml_intake import take
from tradehub.platform.resources import read_text

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE = f"""<Invoice xmlns="{UBL}Invoice-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2"
 xmlns:ext="{UBL}CommonExtensionComponents-2">
<cbc:ID>I-1</cbc:ID>
<cbc:IssueDate>2026-03-01</cbc:IssueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
<cbc:Note>n</cbc:Note>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party>
<cbc:EndpointID schemeID="0088">7300010000001</cbc:EndpointID>
<cac:PartyIdentification><cbc:ID schemeID="0088">7300010000001</cbc:ID></cac:PartyIdentification>
<cac:PartyName><cbc:Name>A</cbc:Name></cac:PartyName>
<cac:PostalAddress><cbc:StreetName>S 1</cbc:StreetName><cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName><cbc:CityName>C</cbc:CityName>
<cac:AddressLine><cbc:Line>S 3</cbc:Line></cac:AddressLine>
<cac:Country><cbc:IdentificationCode>SE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyTaxScheme><cbc:CompanyID>SE1</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>B</cbc:Name></cac:PartyName></cac:Party></cac:AccountingCustomerParty>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">25.00</cbc:TaxAmount>
<cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">100.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">25.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory>
</cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">125.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">125.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">10</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount>
<cac:Item><cbc:Description>d</cbc:Description><cbc:Name>Valve</cbc:Name>
<cac:SellersItemIdentification><cbc:ID>V1</cbc:ID></cac:SellersItemIdentification></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">10.00</cbc:PriceAmount><cbc:BaseQuantity unitCode="C62">1</cbc:BaseQuantity></cac:Price>
</cac:InvoiceLine></Invoice>"""
LINE = "/cac:InvoiceLine"
NOTE = "<cbc:Note>n</cbc:Note>"
TAX = '"EUR">25.00</cbc:TaxAmount>\n<cac:TaxSub'
WITH_TAX = ("wrong_sum", "/cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount", "warning")
VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
NUMBER = "<cbc:ID>I-1</cbc:ID>"
FOREIGN = (
    "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent><x xmlns='urn:x'>1</x></ext:ExtensionContent>"
    "</ext:UBLExtension></ext:UBLExtensions>"
)
DUE = "<cbc:DueDate>2026-04-01</cbc:DueDate>"
ALLOWANCE = (
    '<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator><cbc:Amount currencyID="EUR">some</cbc:Amount>'
    "</cac:AllowanceCharge>"
)
CASES = [
    # what stood there, what stands there now, issues as (fault, place, severity)
    (NOTE, NOTE, []),
    # values
    ("2026-03-01", "1 March", [("invalid_date", "/cbc:IssueDate", "error")]),
    ("2026-03-01", "2026-02-30", [("invalid_date", "/cbc:IssueDate", "error")]),
    ("2026-03-01", "2026-03-01+01:00", []),
    (">10<", ">ten<", [("not_a_number", f"{LINE}/cbc:InvoicedQuantity", "error")]),
    (' unitCode="C62">10<', ">ten<", [("not_a_number", f"{LINE}/cbc:InvoicedQuantity", "error")]),
    (">10<", ">+10<", []),
    (' unitCode="C62">10<', ">10<", []),
    ('"C62">10<', '"pieces">10<', [("invalid_code", f"{LINE}/cbc:InvoicedQuantity/@unitCode", "warning")]),
    ('"EUR">10.00<', '"EUR">ten<', [("not_a_number", f"{LINE}/cac:Price/cbc:PriceAmount", "error")]),
    (' currencyID="EUR">10.00<', ">ten<", [("not_a_number", f"{LINE}/cac:Price/cbc:PriceAmount", "error")]),
    ('"EUR">10.00<', '"EUR">010.00<', []),
    ('"EUR">10.00<', f'"EUR">{"1" * 101}<', [("not_a_number", f"{LINE}/cac:Price/cbc:PriceAmount", "error")]),
    ('"EUR">10.00<', '"USD">10.00<', []),
    ('"EUR">10.00<', '"euro">10.00<', [("invalid_code", f"{LINE}/cac:Price/cbc:PriceAmount/@currencyID", "error")]),
    (' currencyID="EUR">10.00<', ">10.00<", [("missing_element", f"{LINE}/cac:Price/cbc:PriceAmount/@currencyID", "error")]),
    (">EUR</cbc:Doc", ">euro</cbc:Doc", [("invalid_code", "/cbc:DocumentCurrencyCode", "error")]),
    ("<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>", "", []),
    (">380<", ">999<", [("invalid_code", "/cbc:InvoiceTypeCode", "note")]),
    ("<cbc:Percent>25<", "<cbc:Percent>a quarter<", [("not_a_number", "/cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent", "error")]),
    # sums
    (TAX, TAX.replace("25.00", "26.00"), [WITH_TAX, ("wrong_sum", "/cac:TaxTotal/cbc:TaxAmount", "warning")]),
    (TAX, TAX.replace("25.00", "25.0"), []),
    (TAX, TAX.replace("25.00", "much"), [("not_a_number", "/cac:TaxTotal/cbc:TaxAmount", "error"), WITH_TAX]),
    ('"EUR">125.00</cbc:Pay', '"EUR">124.00</cbc:Pay', [("wrong_sum", "/cac:LegalMonetaryTotal/cbc:PayableAmount", "warning")]),
    ('"EUR">100.00</cbc:LineExtensionAmount>\n<cac:Item', '"EUR">99.00</cbc:LineExtensionAmount>\n<cac:Item',
     [("wrong_sum", f"{LINE}[1]/cbc:LineExtensionAmount", "warning"), ("wrong_sum", "/cac:LegalMonetaryTotal/cbc:LineExtensionAmount", "warning")]),
    # elements
    (NUMBER, "", [("missing_element", "/cbc:ID", "error")]),
    (NUMBER, NUMBER + "<cbc:ID>I-2</cbc:ID>", [("too_many_elements", "/cbc:ID[2]", "error")]),
    (NOTE, NOTE + "<cbc:Noted>x</cbc:Noted>", [("not_in_set", "/cbc:Noted", "error")]),
    (NOTE, NOTE + "<cbc:Noted>x</cbc:Noted><cbc:Noted>y</cbc:Noted>", [("not_in_set", "/cbc:Noted", "error"), ("not_in_set", "/cbc:Noted[2]", "error")]),
    (NOTE, NOTE + DUE, [("out_of_order", "/cbc:DueDate", "error")]),
    (NOTE, "<cbc:Note/>", [("empty_segment", "/cbc:Note", "warning")]),
    (NOTE, "<cbc:Note> </cbc:Note>", [("empty_segment", "/cbc:Note", "warning")]),
    (NOTE, "<cbc:Note><cbc:ID>1</cbc:ID></cbc:Note>", [("not_in_set", "/cbc:Note", "error")]),
    (NUMBER, "<cbc:ID><cbc:ID>1</cbc:ID></cbc:ID>", [("not_in_set", "/cbc:ID", "error")]),
    (NUMBER, NUMBER + "<cbc:CopyIndicator>perhaps</cbc:CopyIndicator>", [("invalid_code", "/cbc:CopyIndicator", "error")]),
    (NUMBER, NUMBER + "<cbc:CopyIndicator>1</cbc:CopyIndicator>", []),
    (NUMBER, NUMBER + "<cbc:CopyIndicator/>", [("empty_segment", "/cbc:CopyIndicator", "warning")]),
    (NUMBER, NUMBER + "<cbc:CopyIndicator><cbc:ID>1</cbc:ID></cbc:CopyIndicator>",
     [("not_in_set", "/cbc:CopyIndicator", "error")]),
    ("<cbc:IssueDate>2026-03-01</cbc:IssueDate>", "<cbc:IssueDate>2026-03-01</cbc:IssueDate><cbc:IssueTime>noon</cbc:IssueTime>",
     [("invalid_time", "/cbc:IssueTime", "error")]),
    # what our document has no place for
    (NUMBER, '<cbc:ID schemeID="X" schemeName="Y">I-1</cbc:ID>', []),
    ("<cac:InvoiceLine><cbc:ID>1</cbc:ID>", "<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:UUID>u-1</cbc:UUID>", []),
    ("<cac:PartyName><cbc:Name>B</cbc:Name></cac:PartyName>",
     "<cac:PartyName><cbc:Name>B</cbc:Name></cac:PartyName><cac:PhysicalLocation><cbc:ID>L</cbc:ID></cac:PhysicalLocation>", []),
    ('<cbc:EndpointID schemeID="0088">', "<cbc:EndpointID>", []),
    ("7300010000001</cbc:EndpointID>", "9:7300010000001</cbc:EndpointID>", []),
    ("<cbc:StreetName>S 1</cbc:StreetName>", "", []),
    ("<cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName>", "", []),
    ("<cac:AddressLine><cbc:Line>S 3</cbc:Line></cac:AddressLine>",
     "<cac:AddressLine><cbc:Line>S 3</cbc:Line></cac:AddressLine><cac:AddressLine><cbc:Line>S 4</cbc:Line></cac:AddressLine>", []),
    ("<cbc:StreetName>S 1</cbc:StreetName><cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName>", "", []),
    ("<cbc:Description>d</cbc:Description>", "<cbc:Description>d</cbc:Description><cbc:Description>e</cbc:Description>", []),
    ("<cbc:CompanyID>SE1</cbc:CompanyID>", "", []),
    (VAT, VAT.replace("VAT", "GST"),
     [("invalid_code", "/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cac:TaxScheme/cbc:ID", "note")]),
    (NUMBER, FOREIGN + NUMBER, []),
    (NUMBER, FOREIGN + FOREIGN + NUMBER, [("too_many_elements", "/ext:UBLExtensions[2]", "error")]),
    (NUMBER, NUMBER + '<cbc:CopyIndicator lang="sv">true</cbc:CopyIndicator>', []),
    ('<cbc:EndpointID schemeID="0088">7300010000001<', "<cbc:EndpointID>0088:7300010000001<", []),
    (NOTE, '<cbc:Note languageID=" ">n</cbc:Note>', []),
    ('<cac:PartyIdentification><cbc:ID schemeID="0088">', '<cac:PartyIdentification><cbc:ID schemeID="GLN">', []),
    ("<cac:SellersItem", '<cac:StandardItemIdentification><cbc:ID schemeID="GTIN">1</cbc:ID></cac:StandardItemIdentification><cac:SellersItem',
     [("out_of_order", f"{LINE}/cac:Item/cac:SellersItemIdentification", "error")]),
    ("</cac:SellersItemIdentification>", "</cac:SellersItemIdentification><cac:StandardItemIdentification><cbc:ID>1</cbc:ID></cac:StandardItemIdentification>", []),
    ("</cac:SellersItemIdentification>", '</cac:SellersItemIdentification><cac:StandardItemIdentification><cbc:ID schemeID="GTIN">1</cbc:ID></cac:StandardItemIdentification>', []),
    ("<cbc:Description>d</cbc:Description><cbc:Name>Valve</cbc:Name>", "", []),
    ("<cac:PartyName><cbc:Name>B</cbc:Name></cac:PartyName>", "<cac:PartyLegalEntity><cbc:RegistrationName>B</cbc:RegistrationName></cac:PartyLegalEntity>", []),
    ("<cbc:StreetName>S 1</cbc:StreetName><cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName><cbc:CityName>C</cbc:CityName>\n",
     "<cbc:CityName>C</cbc:CityName><cac:AddressLine><cbc:Line>S 0</cbc:Line></cac:AddressLine>", []),
    (">SE</cbc:Id", ">Sweden</cbc:Id",
     [("invalid_code", "/cac:AccountingSupplierParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode", "warning")]),
    ("<cbc:StreetName>S 1</cbc:StreetName><cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName>",
     "<cbc:AdditionalStreetName>S 2</cbc:AdditionalStreetName><cbc:StreetName>S 1</cbc:StreetName>",
     [("out_of_order", "/cac:AccountingSupplierParty/cac:Party/cac:PostalAddress/cbc:StreetName", "error")]),
    ('<cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>', "<cbc:Percent>25</cbc:Percent>",
     [("missing_element", "/cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cac:TaxScheme", "error")]),
    ("<cac:TaxTotal>", ALLOWANCE + "<cac:TaxTotal>", [("not_a_number", "/cac:AllowanceCharge/cbc:Amount", "error")]),
    ('"EUR">100.00</cbc:LineExtensionAmount>\n<cac:Item', '"EUR">much</cbc:LineExtensionAmount>\n<cac:Item',
     [("not_a_number", f"{LINE}/cbc:LineExtensionAmount", "error")]),
    # a line without a thing is kept as it stands; the next one is still named by where it stands
    ("<cac:InvoiceLine>", "<cac:InvoiceLine><cbc:ID>0</cbc:ID></cac:InvoiceLine><cac:InvoiceLine>",
     [("missing_element", f"{LINE}/cbc:LineExtensionAmount", "error"), ("missing_element", f"{LINE}/cac:Item", "error")]),
    ('<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">10<', '<cac:InvoiceLine><cbc:ID>0</cbc:ID></cac:InvoiceLine><cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">9<',
     [("missing_element", f"{LINE}/cbc:LineExtensionAmount", "error"), ("missing_element", f"{LINE}/cac:Item", "error"),
      ("wrong_sum", f"{LINE}[2]/cbc:LineExtensionAmount", "warning")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "said"), CASES)
def test_a_change_is_named_where_it_lies_and_comes_back(before: str, after: str, said: list[tuple[str, str, str]]):
    assert INVOICE.count(before) >= 1, before
    comes_back(INVOICE.replace(before, after, 1), said)


def comes_back(text: str, said: list[tuple[str, str, str]], store: MapStore | None = None):
    """Read what a partner sends: the issues are these, and the leaves that are written are those that came."""
    read = read_xml(text.encode(), store or maps())
    found = [(each.fault.word, each.at.path.removeprefix(f"/{read.type}"), each.severity.value) for each in read.issues]
    assert found == said
    assert read.accepted is not any(severity == "error" for _, _, severity in said)
    again = read_xml(write_xml(read.rules, read.document), store or maps())
    assert sorted(each[:2] for each in again.segments()) == sorted(each[:2] for each in read.segments())


SUM = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">{}</cbc:TaxAmount>{}</cac:TaxTotal>'
SUBTOTAL = (
    '<cac:TaxSubtotal><cbc:TaxAmount currencyID="EUR">5.00</cbc:TaxAmount><cac:TaxCategory><cac:TaxScheme>'
    "<cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>"
)
EURO = "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
PARTIES = "".join(
    f"<cac:{role}Party><cac:Party><cac:PartyName><cbc:Name>A</cbc:Name></cac:PartyName></cac:Party></cac:{role}Party>"
    for role in ("BuyerCustomer", "SellerSupplier")
)
ACTION = "<cac:TransactionConditions><cbc:ActionCode>{}</cbc:ActionCode></cac:TransactionConditions>"
DOCUMENT = "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cbc:DocumentTypeCode>{}</cbc:DocumentTypeCode></cac:AdditionalDocumentReference>"
TOTAL = "<cac:AnticipatedMonetaryTotal>{}</cac:AnticipatedMonetaryTotal>"
NO_TERMS = (
    "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionURI>urn:tradehub:terms:1</ext:ExtensionURI>"
    "<ext:ExtensionContent><th:Terms/></ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
)
TAX_SUM = "/cac:TaxTotal/cbc:TaxAmount"
ORDERS = [
    # what stands before the number, before the parties and behind them; what is said
    ("", EURO, SUM.format("5.00", ""), []),
    ("", EURO, SUM.format("5.00", SUBTOTAL), []),
    ("", EURO, SUM.format("5.0", SUBTOTAL), []),
    ("", EURO, SUM.format("6.00", SUBTOTAL), [("wrong_sum", TAX_SUM, "warning")]),
    ("", EURO, SUM.format("many", SUBTOTAL), [("not_a_number", TAX_SUM, "error")]),
    ("", EURO, SUM.format("5.00", "").replace(' currencyID="EUR"', ""), []),
    ("", "", ACTION.format("9"), []),
    ("", "", ACTION.format("1"), []),
    ("", "", ACTION.format("ubl:X1"), []),
    ("", DOCUMENT.format("310"), "", []),
    ("", "", TOTAL.format("<cbc:PayableAmount>5.00</cbc:PayableAmount>"),
     []),
    ("", EURO, TOTAL.format("<cbc:PayableAmount>5.00</cbc:PayableAmount>"),
     [("missing_element", "/cac:AnticipatedMonetaryTotal/cbc:PayableAmount/@currencyID", "error")]),
    ("", "<cbc:LineCountNumeric>1.5</cbc:LineCountNumeric>", "", [("not_a_number", "/cbc:LineCountNumeric", "error")]),
    ("", "<cbc:LineCountNumeric>1.0</cbc:LineCountNumeric>", "", []),
    (NO_TERMS, "", "", [("empty_segment", "/ext:UBLExtensions/ext:UBLExtension/ext:ExtensionContent/th:Terms", "warning")]),
]  # fmt: skip


def order(first: str, inside: str, behind: str) -> str:
    start = INVOICE[: INVOICE.index(">")].replace("Invoice", "Order") + ' xmlns:th="urn:tradehub:terms:1">'
    return (
        f"{start}{first}<cbc:ID>PO-1</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>{inside}{PARTIES}{behind}"
        "<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cac:Item><cbc:Name>Valve</cbc:Name></cac:Item></cac:LineItem>"
        "</cac:OrderLine></Order>"
    )


@pytest.mark.parametrize(("first", "inside", "behind", "said"), ORDERS)
def test_an_order_is_judged_and_comes_back(first: str, inside: str, behind: str, said: list[tuple[str, str, str]]):
    comes_back(order(first, inside, behind), said)


NO_NUMBER = ("missing_element", "/cbc:ID", "error")
NO_DAY = ("missing_element", "/cbc:IssueDate", "error")
SIGNED = "<cac:Signature><cbc:ID>S</cbc:ID><cbc:ValidationDate>{}</cbc:ValidationDate></cac:Signature>"
VALIDATED = "cac:Signature/cbc:ValidationDate: issued_on = date"
TWICE = '<cbc:PrepaidAmount currencyID="EUR">{}</cbc:PrepaidAmount><cbc:PayableAmount currencyID="EUR">5.00</cbc:PayableAmount>'
OF_A_PARTNER = [
    # lines that his map of an order has more, what stands there in an order, what stands there in his, what is said
    ("cbc:UUID: number", "</cbc:ID><cbc:IssueDate>", "</cbc:ID><cbc:UUID>PO-1</cbc:UUID><cbc:IssueDate>", []),
    ("cbc:UUID: number", "</cbc:ID><cbc:IssueDate>", "</cbc:ID><cbc:UUID>PO-2</cbc:UUID><cbc:IssueDate>", []),
    ("cbc:UUID: number", "<cbc:ID>PO-1</cbc:ID>", "<cbc:UUID>PO-1</cbc:UUID>", [NO_NUMBER]),
    (VALIDATED, PARTIES, SIGNED.format("2026-03-01") + PARTIES, []),
    (VALIDATED, PARTIES, SIGNED.format("2026-03-02") + PARTIES, []),
    (VALIDATED, f"<cbc:IssueDate>2026-03-01</cbc:IssueDate>{PARTIES}", SIGNED.format("2026-03-01") + PARTIES, [NO_DAY]),
    ("cac:AnticipatedMonetaryTotal/cbc:PrepaidAmount: total = amount", f"{PARTIES}",
     EURO + PARTIES + TOTAL.format(TWICE.format("5.00")), []),
    ("cac:AnticipatedMonetaryTotal/cbc:PrepaidAmount: total = amount", f"{PARTIES}",
     EURO + PARTIES + TOTAL.format(TWICE.format("4.00")), []),
    ("cbc:UUID: profile or process", "<cbc:ID>PO-1</cbc:ID>",
     "<cbc:CustomizationID>A</cbc:CustomizationID><cbc:ProfileID>B</cbc:ProfileID><cbc:ID>PO-1</cbc:ID><cbc:UUID>C</cbc:UUID>", []),
    ("cac:Signature*/cbc:ID: profile", "<cbc:ID>PO-1</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>" + PARTIES,
     "<cbc:CustomizationID>S</cbc:CustomizationID><cbc:ID>PO-1</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>" + SIGNED.format("2026-03-01") + PARTIES, []),
]  # fmt: skip


@pytest.mark.parametrize(("line", "before", "after", "said"), OF_A_PARTNER)
def test_an_order_by_a_partners_map_comes_back(line: str, before: str, after: str, said: list[tuple[str, str, str]]):
    plain = order("", "", "")
    assert before in plain, before
    text = f"{read_text('ubl/2.1/Order.yaml')}  {line}\n"
    comes_back(
        plain.replace(before, after, 1),
        said,
        MapStore(lambda path: text if path == "ubl/2.1/Order.yaml" else read_text(path)),
    )


DESPATCH = """<DespatchAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2" {spaces}>
<cbc:ID>D-1</cbc:ID><cbc:IssueDate>2026-03-01</cbc:IssueDate>{parties}<cac:Shipment><cbc:ID>{shipment}</cbc:ID>
<cac:ShipmentStage><cbc:TransportModeCode>3</cbc:TransportModeCode></cac:ShipmentStage>
<cac:Delivery><cbc:TrackingID>T-1</cbc:TrackingID></cac:Delivery></cac:Shipment>
<cac:DespatchLine><cbc:ID>1</cbc:ID><cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference>
<cac:Item><cbc:Name>Valve</cbc:Name></cac:Item></cac:DespatchLine></DespatchAdvice>"""


@pytest.mark.parametrize("shipment", ["1", "S-77"])
def test_a_despatch_comes_back_with_its_shipment(shipment: str):
    spaces = INVOICE[INVOICE.index("xmlns:cac") : INVOICE.index(">")]
    parties = PARTIES.replace("BuyerCustomer", "DespatchSupplier").replace("SellerSupplier", "DeliveryCustomer")
    text = DESPATCH.format(spaces=spaces, parties=parties, shipment=shipment)
    comes_back(text, [])
    (transport,) = read_xml(text.encode(), maps()).document["transport"]
    assert transport == {"mode": "3", "tracking": "T-1"}


@pytest.mark.parametrize(("text", "line"), [("free", 2), ("<cbc:ID>I-1</cbc:ID>free", 3)])
def test_text_between_elements_belongs_to_nothing(text: str, line: int):
    read = read_xml(INVOICE.replace(NUMBER, text if "<" in text else f"{text}<cbc:ID>I-1</cbc:ID>").encode(), maps())
    assert [(each.fault.word, each.value) for each in read.issues] == [("invalid_character", "free")]
    assert str(read.issues[0].at) == f"line {line} (/Invoice)"


def test_a_message_that_there_is_no_map_for_is_named():
    with pytest.raises(MapError, match="there is no such map"):
        xml_map(maps(), "Waybill")


def test_a_folder_without_its_parts_is_named():
    store = MapStore(lambda path: None if path.endswith("groups.yaml") else read_text(path))
    with pytest.raises(MapError, match=r"groups\.yaml is missing"):
        xml_map(store, "Order")


def test_the_leaves_of_a_text_have_their_whole_paths():
    found = named_leaves(INVOICE.encode(), maps())
    assert ("/Invoice/cac:InvoiceLine/cac:Price/cbc:PriceAmount", "10.00") in [each[:2] for each in found]
    assert named_leaves(b"no XML", maps()) == []
    root, shape = take(INVOICE.encode()).root, xml_map(maps(), "Invoice").structure
    assert len(list(leaves(shape, root))) == len(found)
    elements = [path_of(shape, root, each) for each in root.iter() if not len(each)]
    assert elements == [path for path, _, _ in found if "@" not in path]


def test_what_no_field_holds_is_no_part_of_what_is_held():
    read = read_xml(INVOICE.replace(NUMBER, NUMBER + "<cbc:UUID>u</cbc:UUID>").encode(), maps())
    plain = read_xml(INVOICE.encode(), maps())
    assert read.coverage == (plain.coverage[0], plain.coverage[1] + 1)
    nothing = read_xml(b"no XML", maps())
    assert list(nothing.segments()) == []
    assert nothing.coverage == (0, 0)


def test_a_text_in_a_code_that_only_the_parser_knows_is_shown():
    text = INVOICE.replace("<cbc:Note>n<", "<cbc:Note>\N{ARMENIAN SMALL LETTER AYB}<").encode(
        "ascii", "xmlcharrefreplace"
    )
    read = read_xml(b'<?xml version="1.0" encoding="ARMSCII-8"?>' + text, maps())
    assert read.accepted
    assert "<cbc:ID>I-1</cbc:ID>" in read.raw


def test_a_system_that_passes_over_our_terms_has_the_rest():
    plain = {"number": "Q-1", "currency": "EUR", "governing_law": "CISG", "law": "CISG", "lines": [], "parties": []}
    sent = write_xml(xml_map(maps(), "Quotation"), plain)
    assert b"urn:tradehub:terms:1" in sent
    left = without_own_block(sent, maps())
    assert b"urn:tradehub:terms:1" not in left
    assert b"UBLExtensions" not in left
    assert b"Q-1" in left
    assert without_own_block(b"no XML", maps()) == b"no XML"
    theirs = INVOICE.replace(NUMBER, FOREIGN + NUMBER).encode()
    assert b"urn:x" in without_own_block(theirs, maps())


MISTAKES = [
    # a line of the map of an order, and what is said of it
    ("cbc:UUID: nummer", "has no nummer"),
    ("cbc:UUID: number = kode", "no converter kode"),
    ("cbc:UUID: number = code:nothing", "no code table nothing"),
    ("cbc:UUID: a b c", "not a binding"),
    ("cbc:UUID: notes[]", "a text needs a field"),
    ("cbc:Nothing: number", "Order has no cbc:Nothing"),
    ("no step: number", "not a step"),
    ("cac:OrderLine/cbc:Note -> nothing[]: {}", "has no nothing"),
    ("cac:Contract -> number: {cbc:ID: value}", "number is no part"),
    ("cac:Contract -> a b: {cbc:ID: value}", "not a step"),
    ("cac:Contract -> Notes[]: {cbc:ID: value}", "not a path: Notes[]"),
    ("cac:Contract -> notes[]: lines[number=1].packaging", "a second scope"),
    ("cbc:UUID: number\n  ./cbc:UUID: profile", "bound twice"),
    ("cbc:UUID/@schemeID: lines[number=1].packaging", "an attribute binds a field of its element's scope"),
]


@pytest.mark.parametrize(("line", "said"), MISTAKES)
def test_a_mistake_in_an_xml_map_is_named(line: str, said: str):
    text = f"message: {{standard: ubl, set: Order, release: '2.1', document: order}}\nbody:\n  {line}\n"
    store = MapStore(lambda path: text if path == "ubl/2.1/Order.yaml" else read_text(path))
    with pytest.raises(MapError, match=re.escape(said)):
        xml_map(store, "Order")


def test_a_map_of_no_message_is_named():
    text = "message: {standard: ubl, set: Ordre, release: '2.1', document: order}\nbody: {cbc:ID: number}\n"
    store = MapStore(lambda path: text if path == "ubl/2.1/Order.yaml" else read_text(path))
    with pytest.raises(MapError, match="no such message or document"):
        xml_map(store, "Order")


@pytest.mark.parametrize(
    ("changed", "elements"),
    [
        (
            {},
            {"TaxAmount": ["25.00", "25.00"], "PayableAmount": ["125.00"], "LineExtensionAmount": ["100.00", "100.00"]},
        ),
        ({"totals": None}, {"PayableAmount": ["100.00"], "LineExtensionAmount": ["100.00"]}),
        ({"totals": None, "total": Decimal("90.00")}, {"PayableAmount": ["90.00"]}),
        ({"totals": None, "lines": ()}, {"PayableAmount": ["0.00"]}),
        ({"totals": None, "taxes": ()}, {"TaxAmount": []}),
    ],
)
def test_an_invoice_says_the_figures_that_its_schema_demands(changed: dict, elements: dict[str, list[str]]):
    document = dict(read_xml(INVOICE.encode(), maps()).document or {})
    document = {
        name: value for name, value in (document | changed).items() if value is not None and name != "extensions"
    }
    if "lines" in document and document.get("totals") is None:
        document["lines"] = [{k: v for k, v in line.items() if k != "net_amount"} for line in document["lines"]]
    root = take(write_xml(xml_map(maps(), "Invoice"), document)).root
    assert {name: [each.text for each in root.iter(f"{{*}}{name}")] for name in elements} == elements


WRITTEN = [
    # a message, a document of it, what it says and what it does not
    ("Order", {"total": Decimal("5.00"), "lines": []}, ["<cbc:PayableAmount>5.00<"], ["currencyID"]),
    ("Invoice", {"lines": [{"number": "1"}]}, ["<cbc:ID>1<"], ["<cac:InvoiceLine><cbc:LineExtensionAmount"]),
    ("Invoice", {"parties": [{"role": "invoicer", "name": "Us"}], "lines": []}, ["<cac:AccountingSupplierParty>", "Us"], []),
    ("Order", {"lines": [{"number": "1"}]}, ["<cac:OrderLine>"], ["<cac:Item>"]),
    ("ApplicationResponse", {"number": "1"}, ["<cac:SenderParty/>", "<cac:ReceiverParty/>"], []),
]  # fmt: skip


@pytest.mark.parametrize(("message", "document", "says", "says_not"), WRITTEN)
def test_what_a_document_lacks_is_not_written(message: str, document: dict, says: list[str], says_not: list[str]):
    written = write_xml(xml_map(maps(), message), document).decode()
    assert [each for each in says if each not in written] == []
    assert [each for each in says_not if each in written] == []


GONE = [
    # a place that something was kept for, and its values: where the message no longer has it, all else stands
    ("/cac:InvoiceLine[7]/cbc:Note", []),
    ("", []),
    ("/cbc:ID/@schemeID", []),
    ("/cac:InvoiceLine[7]/cbc:UUID", ["u"]),
]


@pytest.mark.parametrize(("path", "values"), GONE)
def test_what_was_kept_of_something_that_is_gone_stays_away(path: str, values: list[str]):
    rules = xml_map(maps(), "Invoice")
    document = dict(read_xml(INVOICE.encode(), maps()).document or {}) | {"extensions": []}
    kept = {"standard": "ubl:2.1:Invoice", "tag": "", "path": path, "ordinal": 1, "values": values}
    assert write_xml(rules, document | {"extensions": [kept]}) == write_xml(rules, document)


def test_a_line_behind_one_that_says_nothing_is_named_by_where_it_stands():
    text = INVOICE.replace("<cac:InvoiceLine>", "<cac:InvoiceLine/><cac:InvoiceLine>").replace(">10<", ">9<")
    sums = [each for each in read_xml(text.encode(), maps()).issues if each.fault.word == "wrong_sum"]
    assert [each.at.path for each in sums] == [f"/Invoice{LINE}[2]/cbc:LineExtensionAmount"]
