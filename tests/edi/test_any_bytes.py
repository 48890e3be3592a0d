"""P8 and P9: any bytes are read without an exception, whole or by the chunk, in time that grows with their size alone.

``make fuzz`` is the long form.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from random import Random
from time import process_time

import pytest

from tests.edi.engine import every_map, maps
from tests.edi.fuzzing import TRADACOMS, hold, interchange, spoiled
from tests.edi.making import maker
from tests.edi.test_stream import chunks, said
from tradehub.edi import Fault, MapStore, limits, read, stream

HEADS = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*U*00401*000000001*0*P*>~"
EVERY = pytest.mark.parametrize(("standard", "kind", "release"), every_map(), ids=lambda each: str(each))
LINEAR, NOISE = 11.0, 0.05  # ten times the size: at most eleven times the processor time, and what a busy machine adds


@EVERY
def test_spoiled_messages(standard, kind, release, request):
    rules = maps().get(standard, kind, release)
    random = Random(f"{standard} {kind} {release}")
    for seed in range(max(int(request.config.getoption("--examples", default=200)) // 10, 1)):
        data = interchange(rules, [maker(rules).message(seed, most=10)])
        hold(data)
        for _ in range(4):
            hold(spoiled(data, random))


@EVERY
def test_any_chunking_of_the_messages_of_a_map(standard, kind, release, monkeypatch):
    rules = maps().get(standard, kind, release)
    data = interchange(rules, [maker(rules).message(seed, most=15) for seed in range(20)])
    whole = said(read(data, maps()))
    assert len(whole[0]) == 20
    monkeypatch.setattr(stream, "WINDOW", 300)
    for seed in range(2):
        assert said(read(chunks(data, Random(seed)), maps())) == whole


def test_bytes_without_sense():
    random = Random(5)
    for _ in range(500):
        hold(random.randbytes(random.randrange(300)))
        hold(random.choice((b"ISA*00*", b"UNA:+.? '", b"UNB+UNOC:3+A+B", b"STX=ANA:1+")) + random.randbytes(200))


@pytest.mark.parametrize(
    "data",
    [
        TRADACOMS.replace("MTR=6'", "MTR=²'", 1).encode("iso8859-1"),
        "UNB+UNOC:3+A+B+260302:1200+1'UNH+1+ORDERS:D:96A:UN'UNT+²+1'UNZ+²+1'".encode("iso8859-1"),
        b"UNB+UNOA:3+A+B+260302:1200+1'UNH+1+ORDERS:D:96A:UN'UNT+" + b"9" * 5000 + b"+1'UNZ+1+1'",
        HEADS
        + "GS*PO*A*B*20260101*1200*1*X*004010~ST*850*1~BEG*00*SA*1**20260101~SE*3*1~GE*²*1~IEA*1*000000001~".encode(
            "iso8859-1"
        ),
    ],
    ids=["tradacoms", "other digits", "thousands of digits", "x12"],
)
def test_counts_that_are_no_figures(data):
    """Found by spoiled messages: Python calls a superscript two a digit, and refuses numbers of thousands of digits."""
    hold(data)
    reading = read(data, maps())
    messages = list(reading)
    stated = [issue for each in reading.interchanges for issue in each.issues]
    stated += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
    stated += [issue for each in messages for issue in each.issues]
    assert any(issue.fault.word.startswith("wrong_") for issue in stated), stated


@pytest.mark.parametrize("tag", ["=BEG", "-BEG", "@order", "!X", "=", "!", ""])
def test_a_broken_segment_that_looks_like_a_note_of_ours_comes_back(tag):
    """Found by spoiled messages: it was taken for the form of another segment."""
    rules = maps().get("x12", "850", "004010")
    raw = ["BEG*00*SA*PO-1**20261123", f"{tag}*U*V*W", "PO1*1"]
    assert rules.write(rules.read(raw, "*", ">").document, "*", ">") == raw


@pytest.mark.parametrize("release", ["D:" + "9" * 300, "D:..", "../../x:96A", "D:96A/../D01B", "\xff:96A"])
def test_a_release_that_is_no_name_of_a_file(release):
    """Found by atheris: the name went to the file system as it came."""
    asked: list[str] = []
    store = MapStore(lambda path: asked.append(path))
    data = f"UNB+UNOC:3+A+B+260302:1200+1'UNH+1+ORDERS:{release}:UN'BGM+220+1'UNT+3+1'UNZ+1+1'".encode("iso8859-1")
    (message,) = read(data, store)
    assert message.issues[0].fault is Fault.UNKNOWN_MESSAGE
    assert [each for each in asked if ".." in each or len(each) > 99 or not each.isascii()] == []


def order(body: str) -> bytes:
    rules = maps().get("x12", "850", "004010")
    return interchange(rules, [["BEG*00*SA*PO-1**20261123", *body.split("~")[:-1]]])


def orders(body: str) -> bytes:
    rules = maps().get("edifact", "ORDERS", "D96A")
    return interchange(rules, [["BGM+220+1+9", "DTM+137:20261123:102", *body.split("~")[:-1]]])


SLOW: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "empty segments": (5_000, lambda size: order("~" * size)),
    "empty segments of EDIFACT": (5_000, lambda size: orders("~" * size)),
    "one long segment": (50_000, lambda size: order("PO1*1" + "*" * size + "~")),
    "one long element": (250_000, lambda size: order("PO1*" + "1" * size + "~")),
    "one long composite": (50_000, lambda size: orders("LIN+1" + ":" * size + "~")),
    "one segment without an end": (500_000, lambda size: order("")[:250] + b"X" * size),
    "repetitions": (200, lambda size: order("PO1*1*" + "1^" * size + "~").replace(b"*U*00401", b"*^*00501")),
    "loops that almost match": (200, lambda size: order("N1*ZZ*A~N3*B~PO1*1~N2*C~N4*D~N9*A*B~" * size)),
    "groups that almost match": (200, lambda size: orders("LIN+1~RFF+ON:1~LOC+1~NAD+BY~CTA+IC~LIN+2~PRI+AAA:1~TAX+7~" * size)),
    "levels within each other": (
        200,
        lambda size: interchange(
            maps().get("x12", "856", "004010"),
            [["BSN*00*1*20261123*1200", *(f"HL*{at}*{at - 1 or ''}*P" for at in range(1, size + 1))]],
        ),
    ),
    "headers without trailers": (200, lambda size: HEADS + b"GS*PO*A*B*20260101*1200*1*X*004010~ST*850*1~" * size),
    "interchanges without trailers": (150, lambda size: HEADS * size),
    "messages without trailers": (200, lambda size: b"UNB+UNOC:3+A+B+260302:1200+1'" + b"UNH+1+ORDERS:D:96A:UN'" * size),
    "released signs": (10_000, lambda size: orders("FTX+AAI+++" + "?+?:?'??" * size + "~")),
    "unknown segments": (2_500, lambda size: order("QQQ*1~" * size)),
}  # fmt: skip


def cost(data: bytes) -> float:
    """Return the processor time of reading, without a search for cycles in all that other tests left."""
    gc.freeze()
    begin = process_time()
    for _ in read(data, maps()):
        pass
    return process_time() - begin


@pytest.mark.parametrize("name", SLOW)
def test_files_made_to_be_slow_take_time_that_grows_with_their_size(name):
    """Measured until it holds, for other processes only add: what grows with the square would take a hundred times."""
    size, make = SLOW[name]
    small, large = make(size), make(size * 10)
    list(read(make(10), maps()))
    few, many = cost(small), cost(large)
    for _ in range(5):
        if many <= few * LINEAR + NOISE:
            return
        few, many = max(few, cost(small)), min(many, cost(large))
    pytest.fail(f"{few:.3f} s for {size}, {many:.3f} s for {size * 10}")


def test_one_segment_of_fifty_megabytes_is_an_issue_with_its_place():
    data = order("PO1*1*" + "1" * 50_000_000 + "~")
    begin = process_time()
    (message,) = read(data, maps())
    assert process_time() - begin < 5
    assert [str(each.at) for each in message.issues if each.fault.word == "limit_exceeded"] != []
    assert limits.LONGEST_SEGMENT < 50_000_000
