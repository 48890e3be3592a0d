"""An acknowledgement that comes in closes the message it names, and shows there what the receiver found in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.exchange.conftest import HAIDI, Bench
from tests.exchange.plain import PlainCodec, message, transmission
from tests.exchange.test_bad_input import EDIFACT_CASES, drop
from tests.web.house import House, build
from tradehub.documents import PartyId
from tradehub.exchange import web
from tradehub.exchange.codec import Codec
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.store import IssueRow
from tradehub.partners.model import Agreement
from tradehub.partners.profile import AckPolicy

ISA = "ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261123*1200*U*00401*000000099*0*P*>~"
GS = "GS*FA*NINGBOVALVES*HAIDITRADING*20261123*1200*99*X*{release}~"
IEA = "GE*1*99~IEA*1*000000099~"
UNB = "UNB+UNOC:3+4012345000009:14+6901234000016:14+261123:1200+99'"


def x12(body: str, release: str = "004010") -> bytes:
    kind = "999" if "IK" in body else "997"
    text = f"ST*{kind}*0001~AK1*PO*1~AK2*850*0001~{body}"
    return f"{ISA}{GS.format(release=release)}{text}SE*{text.count('~') + 1}*0001~{IEA}".encode()


def contrl(body: str) -> bytes:
    text = f"UNH+1+CONTRL:D:3:UN'UCI+1+6901234000016:14+4012345000009:14+{body}"
    return f"{UNB}{text}UNT+{text.count(chr(39)) + 1}+1'UNZ+1+99'".encode()


ORDERED = "UCM+1+ORDERS:D:96A:UN"
ANSWERS = {
    "997 accepts": ("ningbo", x12("AK5*A~AK9*A*1*1*1~"), "accepted", []),
    "997 notes": (
        "ningbo", x12("AK3*N1*4**7~AK5*E*5~AK9*E*1*1*1~"), "accepted", [("out_of_order", 4, "N1", None, "warning"), (
            "code 5", None, None, None, "warning")],
    ),
    "997 rejects": (
        "ningbo", x12("AK3*PO1*6*PO1*8~AK4*4*212*6*12x05~AK5*R*5~AK9*R*1*1*0~"), "rejected",
        [("invalid_character", 6, "PO1", 4, "error"), ("code 5", None, None, None, "error")],
    ),
    "999 rejects": (
        "ningbo", x12("IK3*PO1*6*PO1*8~IK4*3*355*I6*ZQ~IK5*R*5~AK9*R*1*1*0~", "005010"), "rejected",
        [("invalid_code", 6, "PO1", 3, "error"), ("code 5", None, None, None, "error")],
    ),
    "997 refuses the group": (
        "ningbo", x12("AK9*R*1*1*0*2~").replace(b"AK2*850*0001~", b"").replace(b"SE*5", b"SE*4"), "rejected",
        [("code 2", None, None, None, "error")],
    ),
    "TA1 accepts": ("ningbo", f"{ISA}TA1*000000001*261123*1200*A*000~IEA*0*000000099~".encode(), "accepted", []),
    "TA1 rejects": (
        "ningbo", f"{ISA}TA1*000000001*261123*1200*R*009~IEA*0*000000099~".encode(), "rejected",
        [("unknown_receiver", None, "ISA", None, "error")],
    ),
    "CONTRL accepts": ("rhein", contrl(f"7'{ORDERED}+7'"), "accepted", []),
    "CONTRL rejects the whole": (
        "rhein", contrl("4+23+UNB+3:1'"), "rejected", [("unknown_sender", None, "UNB", 2, "error")]
    ),
    "CONTRL rejects the message": (
        "rhein", contrl(f"7'{ORDERED}+4+29+UNT+2'"), "rejected", [("wrong_sum", None, "UNT", 1, "error")]
    ),
    "CONTRL names the element": (
        "rhein", contrl(f"7'{ORDERED}+4'UCS+3'UCD+12+2:2'"), "rejected", [("invalid_code", 3, None, 1, "error")]
    ),
    "APERAK rejects the document": (
        "rhein",
        (UNB + "UNH+1+APERAK:D:96A:UN'BGM++AR-1+27'DTM+137:20261123:102'RFF+ON:PO-1'ERC+ZZZ'FTX+AAO+++no such price'UNT+7+1'"
         "UNZ+1+99'").encode(),
        "rejected", [("told", None, None, None, "error")],
    ),
}  # fmt: skip


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    return make_bench(engine_codec())


@pytest.fixture
def house(bench: Bench, tmp_path: Path) -> House:
    pages = web.blueprint(bench.exchange, bench.database, name_of=bench.exchange.partners.name_of)
    return build(bench.database, tmp_path, extra=[pages])


def answered(bench: Bench, partner: str, payload: bytes) -> str:
    """Send an order, take its answer in, and return the order's message."""
    bench.put("PO-1", to=partner)
    bench.jobs.drain()
    bench.exchange.inbound.receive(Arrived(payload, HAIDI, PartyId(partner), "drop"))
    bench.jobs.drain()
    return bench.messages("out")[0].id


def findings(bench: Bench, message_id: str) -> list[tuple[object, ...]]:
    with bench.database.read() as session:
        rows = session.scalars(
            select(IssueRow).where(IssueRow.message_id == message_id).order_by(IssueRow.number)
        ).all()
        told = [each for each in rows if each.fault != "term_not_carried"]
        return [(each.fault, each.segment, each.tag, each.element, each.severity) for each in told]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_closes_what_it_names_and_leaves_its_findings_there(bench: Bench, name: str) -> None:
    partner, payload, verdict, told = ANSWERS[name]
    sent = answered(bench, partner, payload)
    assert bench.message(sent).acknowledgement == verdict
    assert findings(bench, sent) == told
    (came,) = bench.messages("in")
    assert (came.delivery, came.answers) == ("handed_on", sent)
    assert came.document is not None
    ours, *answers = bench.sent(partner)
    assert ours == bench.payloads.get(str(bench.message(sent).payload_sha256))
    assert [b"CONTRL" in each for each in answers] == [True] * ("APERAK" in name)  # the rest are not answered


def test_the_page_of_the_message_marks_the_element_that_the_partner_rejects(bench: Bench, house: House) -> None:
    sent = answered(bench, "ningbo", ANSWERS["997 rejects"][1])
    text = house.signed_in("owner").get(f"/messages/{sent}").text
    assert "<mark>12.05</mark>" in text
    assert "PO104" in text


def test_a_refusal_is_told_by_824_where_that_was_agreed(
    make_bench: Callable[[Codec], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(PlainCodec())
    partners = bench.exchange.partners
    known = partners.agreements

    def with_824(session: object, party: str) -> list[Agreement]:
        found = list(known(session, party))  # type: ignore[arg-type]
        out = next(each for each in found if each.direction == "out")
        return [*found, replace(out, id="824", message="x12:824:004010", ack=AckPolicy())]

    refused = transmission(message(document="NO-DEAL"))
    bench.receive(refused)
    bench.jobs.drain()
    assert [each.type for each in bench.messages("out")] == ["997"]
    monkeypatch.setattr(partners, "agreements", with_824)
    bench.receive(transmission(message(document="NO-DEAL"), number="2"))
    bench.jobs.drain()
    assert [each.type for each in bench.messages("out")] == ["997", "997", "824"]
    told = bench.messages("out")[-1]
    assert told.document is not None
    assert (told.delivery, told.answers) == ("sent", bench.messages("in")[-1].id)
    assert told.document["response"] == "rejected"
    assert told.document["subject"] == {"type": "order", "value": "NO-DEAL"}
    assert told.document["judgements"][0] == {"code": "ZZZ", "text": "unknown-deal, R2: no deal knows this number"}


def test_a_refusal_is_told_by_aperak_that_names_the_document(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = bench.exchange.partners
    known = partners.agreements

    def with_aperak(session: object, party: str) -> list[Agreement]:
        found = list(known(session, party))  # type: ignore[arg-type]
        out = next(each for each in found if each.direction == "out")
        return [*found, replace(out, id="aperak", message="edifact:APERAK:D96A", ack=AckPolicy())]

    monkeypatch.setattr(partners, "agreements", with_aperak)
    drop(bench, EDIFACT_CASES["reference to no deal"].text, "rhein")
    receipt, told = (each.decode() for each in bench.sent("rhein"))
    assert "UCM+1+ORDERS:D:96A:UN+7'" in receipt
    assert "+APERAK:D:96A:UN'" in told
    assert "NO-DEAL" in told
    assert "ERC+ZZZ" in told
    assert "unknown-deal" in told
