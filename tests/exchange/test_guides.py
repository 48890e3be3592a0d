"""A partner's guide on the wire: what goes out is written by it, what comes in read and judged by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.exchange.conftest import Bench
from tests.partners.test_guide_check import SOUND
from tradehub.exchange.codec import Codec
from tradehub.exchange.engine import engine_codec
from tradehub.partners import files
from tradehub.partners.model import Incoming
from tradehub.platform import clock, resources


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    """Ningbo Valves calls the seller VX and states the packaging in a segment of its own, which it wants."""
    found = make_bench(engine_codec())
    guide = SOUND.replace("acme", "ningbo").replace("require: [PO1.05]", "require: [PO1.04]")
    text = (resources.folder("partners") / "ningbo.yaml").read_text(encoding="utf-8")
    text = text.replace('"x12:850:004010", channel', '"x12:850:004010", guide: ningbo-850, channel') + guide
    profile, faults = files.read("ningbo", text.encode())
    assert profile is not None, faults
    with found.database.write() as session:
        every = {**files.read_folder(resources.folder("partners")).incoming, "ningbo": Incoming(profile, "2")}
        found.exchange.partners.apply(session, every, by="test", at=clock.now())
    return found


def test_what_goes_out_is_written_by_the_guide(bench: Bench) -> None:
    bench.put("PO-1")
    bench.jobs.drain()
    (row,) = bench.messages("out")
    assert (row.validation, row.reason_text) == ("accepted", None)
    assert b"N1*VX*A supplier" in bench.sent()[0]


def test_what_comes_in_is_read_and_judged_by_the_guide(bench: Bench) -> None:
    text = (
        "ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261123*1200*U*00401*000000007*0*P*>~"
        "GS*PO*NINGBOVALVES*HAIDITRADING*20261123*1200*5*X*004010~ST*850*0001~BEG*00*SA*PO-1**20261123~CUR*BY*USD~"
        "N1*BY*Haidi Trading*UL*6901234000016~N1*VX*Ningbo Valves*UL*6907654000018~PO1*1*10*EA*12.05**BP*V-22~ZZZ*CRATE~"
        "CTT*1~SE*9*0001~GE*1*5~IEA*1*000000007~"
    )
    for number, closed in ((7, "SA"), (8, "RO")):
        bench.receive(text.replace("000000007", f"00000000{number}").replace("*SA*", f"*{closed}*").encode())
        bench.jobs.drain()
    sound, refused = bench.messages()
    assert (sound.validation, sound.validation_reason, sound.reason_text) == ("accepted", None, None)
    assert sound.document is not None
    assert sound.document["lines"][0]["packaging"] == "CRATE"
    assert "seller" in [each["role"] for each in sound.document["parties"]]
    assert (refused.validation, refused.validation_reason) == ("rejected", "syntax")
    assert any(b"AK4*2*92*7*RO~" in answer for answer in bench.sent())
