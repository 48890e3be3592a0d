"""Whatever a partner sends is kept, judged, answered as its standard provides, and changes nothing else.

EDI text in, EDI text out: through the folder, through HTTP, and through the very engine that the hub runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy.exc import OperationalError

from tests.exchange.conftest import Bench
from tests.web.house import House, build
from tradehub.exchange import anatomy, inbound, monitor, secrets, web
from tradehub.exchange.codec import Codec
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.store import MessageRow
from tradehub.exchange.transport import Envelope
from tradehub.partners import files
from tradehub.partners.model import Incoming
from tradehub.partners.profile import Envelope as ProfileEnvelope
from tradehub.platform import clock, resources

X12 = (
    "ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261123*1200*U*00401*000000007*0*P*>~"
    "GS*PO*NINGBOVALVES*HAIDITRADING*20261123*1200*5*X*004010~ST*850*0001~BEG*00*SA*PO-1**20261123~CUR*BY*USD~"
    "N1*BY*Haidi Trading*UL*6901234000016~N1*SE*Ningbo Valves*UL*6907654000018~PO1*1*10*EA*12.05**BP*V-22~"
    "CTT*1~SE*8*0001~GE*1*5~IEA*1*000000007~"
)
EDIFACT = (
    "UNA:+.? 'UNB+UNOC:3+4012345000009:14+6901234000016:14+261123:1200+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1+9'"
    "DTM+137:20261123:102'NAD+BY+6901234000016::9'NAD+SU+4012345000009::9'CUX+2:USD:9'LIN+1++V-22:BP'QTY+21:10:PCE'"
    "PRI+AAA:12.05'UNS+S'CNT+2:1'UNT+12+1'UNZ+1+7'"
)
UBL = """\
<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
       xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
       xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>PO-1</cbc:ID>
  <cbc:IssueDate>2026-11-23</cbc:IssueDate>
  <cbc:DocumentCurrencyCode>USD</cbc:DocumentCurrencyCode>
  <cac:BuyerCustomerParty><cac:Party>
    <cac:PartyIdentification><cbc:ID schemeID="0088">7301234000006</cbc:ID></cac:PartyIdentification>
  </cac:Party></cac:BuyerCustomerParty>
  <cac:SellerSupplierParty><cac:Party>
    <cac:PartyIdentification><cbc:ID schemeID="0088">6901234000016</cbc:ID></cac:PartyIdentification>
  </cac:Party></cac:SellerSupplierParty>
  <cac:OrderLine><cac:LineItem>
    <cbc:ID>1</cbc:ID>
    <cbc:Quantity unitCode="C62">10</cbc:Quantity>
    <cac:Price><cbc:PriceAmount currencyID="USD">12.05</cbc:PriceAmount></cac:Price>
    <cac:Item><cbc:Name>Ball valve</cbc:Name></cac:Item>
  </cac:LineItem></cac:OrderLine>
</Order>
"""


class Case(NamedTuple):
    """What comes in, what becomes of it, and which segments or elements of the answer say so."""

    text: str
    validation: str
    reason: str | None
    answer: str


def x12(old: str = "", new: str = "") -> str:
    assert old in X12
    return X12.replace(old, new) if old else X12


def edifact(old: str = "", new: str = "") -> str:
    assert old in EDIFACT
    return EDIFACT.replace(old, new) if old else EDIFACT


def ubl(old: str = "", new: str = "") -> str:
    assert old in UBL
    return UBL.replace(old, new) if old else UBL


X12_CASES = {
    "sound": Case(x12(), "accepted", None, "AK1*PO*5~AK2*850*0001~AK5*A~AK9*A*1*1*1~"),
    "truncated in a message": Case(x12()[:250], "rejected", "truncated", r"AK2\*850\*0001~.*AK5\*R\*2"),
    "truncated after one": Case(x12("GE*1*5~IEA*1*000000007~"), "rejected", "truncated", r"TA1\*0+7\*.*\*R\*023~"),
    "unknown sender": Case(x12("NINGBOVALVES   ", "NOBODY         "), "rejected", "unknown-sender", r"TA1.*\*R\*006~"),
    "another's name": Case(
        x12("ZZ*NINGBOVALVES   ", "ZZ*HAIDITRADING   "), "rejected", "sender-not-of-channel", r"TA1.*\*R\*006~"
    ),
    "not for us": Case(x12("HAIDITRADING   ", "SOMEBODYELSE   "), "rejected", "unknown-receiver", r"TA1.*\*R\*009~"),
    "unknown set": Case(x12("ST*850*", "ST*837*"), "rejected", "unknown-message", r"AK2\*837\*0001~AK5\*R\*1~"),
    "not of trade": Case(x12("ST*850*", "ST*204*"), "rejected", "unknown-message", r"AK2\*204\*0001~AK5\*R\*1~"),
    "another release": Case(x12("*X*004010", "*X*005010"), "rejected", "no-agreement", r"AK2\*850\*0001~AK5\*R\*1"),
    "wrong count": Case(x12("SE*8*", "SE*9*"), "rejected", "syntax", r"AK5\*R\*4"),
    "wrong count of messages": Case(x12("GE*1*5", "GE*2*5"), "rejected", "syntax", r"AK9\*R\*2\*1\*0\*5~"),
    "bad date": Case(
        x12("PO-1**20261123", "PO-1**20261399"), "rejected", "syntax",
        r"AK3\*BEG\*2\*\*8~AK4\*5\*373\*8\*20261399~AK5\*R\*5~",
    ),
    "unknown unit": Case(
        x12("*EA*", "*ZQ*"), "rejected", "syntax", r"AK3\*PO1\*6\*PO1\*8~AK4\*3\*355\*7\*ZQ~AK5\*R\*5~"
    ),
    "not a number": Case(x12("12.05", "12,05x"), "rejected", "syntax", r"AK4\*4\*212\*6\*12,05x~"),
    "reference to no deal": Case(x12("PO-1", "NO-DEAL"), "accepted", "unknown-deal", r"AK5\*A~"),
}  # fmt: skip
EDIFACT_CASES = {
    "sound": Case(edifact(), "accepted", None, "UCI+7+4012345000009:14+6901234000016:14+7'UCM+1+ORDERS:D:96A:UN+7'"),
    "truncated": Case(edifact()[:250], "rejected", "truncated", r"UCI\+7\+.*\+4\+13"),
    "unknown sender": Case(
        edifact("4012345000009:14+69", "4099999000009:14+69"), "rejected", "unknown-sender", r"UCI\+7.*\+4\+23\+UNB'"
    ),
    "not for us": Case(
        edifact("6901234000016:14+26", "6900000000016:14+26"), "rejected", "unknown-receiver", r"UCI\+7.*\+4\+7\+UNB'"
    ),
    "unknown message": Case(
        edifact("ORDERS", "SLSRPT"), "rejected", "unknown-message", r"UCM\+1\+SLSRPT:D:96A:UN\+4\+14\+UNH\+3:1'"
    ),
    "another release": Case(
        edifact("D:96A", "D:01B"), "rejected", "no-agreement", r"UCM\+1\+ORDERS:D:01B:UN\+4\+17"
    ),
    "wrong count": Case(edifact("UNT+12+", "UNT+11+"), "rejected", "syntax", r"UCM\+1\+.*\+4\+29\+UNT"),
    "bad date": Case(edifact("137:20261123", "137:20261399"), "rejected", "syntax", r"UCS\+3'UCD\+\d+\+2:2'"),
    "unknown unit": Case(edifact("10:PCE", "10:ZQZ"), "rejected", "syntax", r"UCS\+8'UCD\+12\+2:3'"),
    "reference to no deal": Case(edifact("PO-1", "NO-DEAL"), "accepted", "unknown-deal", "UCM+1+ORDERS:D:96A:UN+7'"),
}  # fmt: skip
AP, RE = "<cbc:ResponseCode>AP</cbc:ResponseCode>", "<cbc:ResponseCode>RE</cbc:ResponseCode>"
UBL_CASES = {
    "sound": Case(ubl(), "accepted", None, AP),
    "truncated": Case(ubl()[:900], "rejected", "unreadable", RE),
    "unknown sender": Case(ubl("7301234000006", "7309999000006"), "rejected", "unknown-sender", "unknown-sender"),
    "unknown document": Case(
        ubl("<Order x", "<Catalogue x").replace("</Order>", "</Catalogue>"), "rejected", "unknown-message", RE
    ),
    "bad date": Case(ubl("2026-11-23", "2026-13-99"), "rejected", "syntax", f"{RE}(?s:.*)IssueDate"),
    "unknown unit": Case(ubl('unitCode="C62"', 'unitCode="ZQZ"'), "rejected", "syntax", f"{RE}(?s:.*)ZQZ"),
    "reference to no deal": Case(ubl("PO-1", "NO-DEAL"), "accepted", "unknown-deal", f"{RE}(?s:.*)unknown-deal"),
}  # fmt: skip


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    return make_bench(engine_codec())


@pytest.fixture
def posted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What Nordic Flow's own server gets from us."""
    got: list[bytes] = []

    class Postbox:
        def send(self, envelope: Envelope) -> str:
            got.append(envelope.payload)
            return "HTTP 202"

        def poll(self) -> Iterator[object]:
            return iter(())

    usual = bench.exchange.outbound.open_channel
    monkeypatch.setattr(
        bench.exchange.outbound,
        "open_channel",
        lambda id, channel: Postbox() if channel.kind == "http" else usual(id, channel),
    )
    return got


@pytest.fixture
def house(bench: Bench, tmp_path: Path) -> House:
    secrets.make_missing(["file:keys/nordic-receive.token"], tmp_path)
    pages = web.blueprint(bench.exchange, bench.database, name_of=bench.exchange.partners.name_of)
    return build(bench.database, tmp_path, extra=[pages])


def drop(bench: Bench, text: str, partner: str) -> None:
    path = bench.drop(text.encode(), f"{len(bench.messages())}.edi", partner)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))
    assert bench.poll() == 1
    bench.jobs.drain()


def post(bench: Bench, house: House, text: str) -> int:
    token = secrets.resolve("file:keys/nordic-receive.token", bench.data_dir)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
    status = house.client().post("/exchange/http/nordic", data=text.encode(), headers=headers).status_code
    bench.jobs.drain()
    return status


def check(bench: Bench, row: MessageRow, case: Case, answers: list[bytes]) -> None:
    assert (row.validation, row.validation_reason or row.delivery_reason) == (case.validation, case.reason)
    assert bench.payloads.get(str(row.payload_sha256)) == case.text.encode()
    assert len(answers) == 1
    answer = answers[0].decode()
    assert case.answer in answer or re.search(case.answer, answer), answer
    assert bench.booked() == (["PO-1"] if case.reason is None else [])
    judged = engine_codec().read(answers[0])
    assert judged.reason is None, judged
    assert all(part.accepted for part in judged.parts), judged


@pytest.mark.parametrize("name", X12_CASES)
def test_x12_through_the_folder(bench: Bench, name: str) -> None:
    drop(bench, X12_CASES[name].text, "ningbo")
    check(bench, bench.messages()[0], X12_CASES[name], bench.sent("ningbo"))


@pytest.mark.parametrize("name", EDIFACT_CASES)
def test_edifact_through_the_folder(bench: Bench, name: str) -> None:
    drop(bench, EDIFACT_CASES[name].text, "rhein")
    check(bench, bench.messages()[0], EDIFACT_CASES[name], bench.sent("rhein"))


@pytest.mark.parametrize("name", UBL_CASES)
def test_ubl_through_http(bench: Bench, house: House, posted: list[bytes], name: str) -> None:
    assert post(bench, house, UBL_CASES[name].text) == 202
    check(bench, bench.messages()[0], UBL_CASES[name], posted)


@pytest.mark.parametrize("partner", ["ningbo", "rhein"])
def test_several_interchanges_in_one_file_are_each_answered(bench: Bench, partner: str) -> None:
    first, second = {
        "ningbo": (X12, x12("000000007", "000000008").replace("PO-1", "PO-2")),
        "rhein": (EDIFACT, edifact("1200+7", "1200+8").replace("UNZ+1+7", "UNZ+1+8").replace("PO-1", "PO-2")[9:]),
    }[partner]
    drop(bench, first + "\r\n" + second, partner)
    assert sorted(map(str, bench.booked())) == ["PO-1", "PO-2"]
    assert sorted(str(row.control_number)[-1] for row in bench.messages() if row.type) == ["7", "8"]
    assert len(bench.sent(partner)) == 2
    assert all(row.acknowledgement == "accepted" for row in bench.messages() if row.type)


def test_a_duplicate_is_answered_with_the_same_bytes(bench: Bench) -> None:
    drop(bench, X12, "ningbo")
    first = bench.sent("ningbo")
    drop(bench, X12, "ningbo")
    assert [row.validation for row in bench.messages()] == ["accepted", "duplicate"]
    assert bench.sent("ningbo") == first
    assert bench.messages("out")[0].attempts == 2
    assert bench.booked() == ["PO-1"]


def test_a_number_used_again_is_told_to_the_sender(bench: Bench) -> None:
    drop(bench, X12, "ningbo")
    drop(bench, x12("PO-1", "PO-2"), "ningbo")
    assert bench.messages()[1].validation_reason == "same-number-other-content"
    assert re.search(r"TA1\*000000007\*\d+\*\d+\*R\*025~", bench.sent("ningbo")[-1].decode())
    drop(bench, EDIFACT, "rhein")
    drop(bench, edifact("PO-1", "PO-2"), "rhein")
    assert re.search(r"UCI\+7\+.*\+4\+26", bench.sent("rhein")[-1].decode())
    assert bench.booked() == ["PO-1", "PO-1"]


def test_a_mended_copy_goes_through_and_is_answered(bench: Bench) -> None:
    drop(bench, X12_CASES["bad date"].text, "ningbo")
    bad = bench.messages()[0]
    with bench.database.write("haidi") as session:
        bench.exchange.replay(session, bad.id, actor="mei", payload=X12.encode())
    bench.jobs.drain()
    assert bench.booked() == ["PO-1"]
    assert "AK5*A~" in bench.sent("ningbo")[-1].decode()


@pytest.mark.parametrize("partner", ["ningbo", "rhein"])
def test_an_acknowledged_message_of_ours_is_closed(bench: Bench, partner: str) -> None:
    bench.put("PO-9", to=partner)
    bench.jobs.drain()
    (sent,) = bench.messages("out")
    if sent.validation != "accepted":
        pytest.fail(f"{sent.validation_reason}: {sent.reason_text}")
    answer = {
        "ningbo": X12.split("ST*850")[0].replace("GS*PO", "GS*FA")
        + f"ST*997*0001~AK1*PO*{sent.group_number}~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*5~IEA*1*000000007~",
        "rhein": EDIFACT.split("UNH+")[0]
        + f"UNH+1+CONTRL:D:3:UN'UCI+{sent.control_number}+6901234000016:14+4012345000009:14+7'"
        "UCM+1+ORDERS:D:96A:UN+7'UNT+4+1'UNZ+1+7'",
    }[partner]
    drop(bench, answer, partner)
    assert bench.messages()[0].delivery == "handed_on"
    assert bench.message(sent.id).acknowledgement == "accepted"
    assert bench.reached == ["PO-9"]
    assert len(bench.messages("out")) == 1


@pytest.mark.parametrize(
    "payload", [b"", b"\0" * 40, b"ISA", b"UNA", b"UNB+", b"<", b"<a/>", b"\xff\xfe", X12.encode()[:106]]
)
def test_any_bytes_end_in_the_monitor(bench: Bench, payload: bytes) -> None:
    bench.receive(payload)
    bench.jobs.drain()
    (row,) = bench.messages()
    assert row.validation == "rejected"
    assert row.validation_reason is not None


def test_a_sign_that_the_agreed_character_set_lacks_is_not_sent_as_another(bench: Bench) -> None:
    profile = files.read_folder(resources.folder("partners")).profiles["rhein"]
    agreed = profile.model_copy(update={"envelope": ProfileEnvelope.model_validate({"edifact": {"syntax": "UNOC:3"}})})
    bench.put("PO-阀", to="rhein", key="before")
    bench.jobs.drain()
    assert "PO-阀" in bench.sent("rhein")[-1].decode()
    with bench.database.write() as session:
        bench.exchange.partners.apply(session, {"rhein": Incoming(agreed, "2")}, by="test", at=clock.now())
    bench.put("PO-阀门", to="rhein", key="after")
    bench.jobs.drain()
    stopped = next(row for row in bench.messages("out") if row.reference == "PO-阀门")
    assert (stopped.validation_reason, len(bench.sent("rhein"))) == ("cannot-be-written", 1)


def test_xml_is_shown_leaf_by_leaf_with_the_fault_at_its_own(bench: Bench, house: House, posted: list[bytes]) -> None:
    post(bench, house, UBL_CASES["unknown unit"].text)
    (row,) = bench.messages()
    with bench.database.read("haidi") as session:
        story = monitor.story(session, row.id)
    assert story is not None
    shown = anatomy.leaf_values(engine_codec().leaves(UBL_CASES["unknown unit"].text.encode()), story.issues)
    assert shown[0] == anatomy.Value("ID", "PO-1")
    assert [(each.name, each.text) for each in shown if each.is_wrong] == [("Quantity @unitCode", "ZQZ")]
    assert shown[-1].within == ("OrderLine", "LineItem", "Item")
    page = house.signed_in("owner").get(f"/messages/{row.id}").text
    assert "<mark><bdi>ZQZ</bdi></mark>" in page
    assert "OrderLine › LineItem" in page


def test_a_busy_database_asks_the_sender_to_come_again_and_keeps_the_message_out(
    bench: Bench, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OperationalError("INSERT", {}, Busy("database is locked"))

    monkeypatch.setattr(bench.exchange.inbound, "record", busy)
    monkeypatch.setattr(inbound, "PATIENCE", timedelta(0))
    token = secrets.resolve("file:keys/nordic-receive.token", bench.data_dir)
    client = house.client()
    answer = client.post("/exchange/http/nordic", data=UBL, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.mimetype) == (
        503, "5", "application/problem+json",
    )  # fmt: skip
    assert bench.messages() == []
    monkeypatch.undo()
    answer = client.post("/exchange/http/nordic", data=UBL, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["duplicate"] if answer.json else None) == (202, False)


def test_a_file_larger_than_agreed_is_seen_in_the_monitor_once(bench: Bench, house: House) -> None:
    path = bench.drop(b"ISA" + b"x" * 20 * 1024**2, "huge.edi")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))
    assert [bench.poll(), bench.poll()] == [1, 0]
    (row,) = bench.messages()
    assert (row.validation, row.validation_reason, row.size) == ("rejected", "too-large", 20 * 1024**2 + 3)
    client = house.signed_in("owner")
    assert "It is larger than agreed." in client.get("/messages?only=attention").text
    page = client.get(f"/messages/{row.id}").text
    assert "huge.edi" in page
    assert "Replay" not in page
    assert (path.parent / "failed").is_dir()


class Busy(Exception):
    """What a driver of SQLite raises while another holds the lock."""

    sqlite_errorname = "SQLITE_BUSY"
