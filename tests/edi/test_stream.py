"""P9: a file that comes by the chunk, however it is cut, is read like the whole."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from benchmarks.messages import edifact_orders, x12_850
from tests.edi.engine import maps
from tradehub.edi import envelope, read, stream, write_back

X12, ORDERS = x12_850(12_000, seed=3), edifact_orders(12_000, seed=3)
FILES = {
    "x12": X12,
    "x12 by lines": X12.replace(b"~", b"~\r\n"),
    "x12 wrapped at column 80": b"\r\n".join(X12[at : at + 80] for at in range(0, len(X12), 80)),
    "x12 by lines alone": X12.replace(b"~", b"\n"),
    "x12 without its end": X12[:-200],
    "x12 with messages that have no trailer": X12.replace(b"~SE*", b"~XX*"),
    "edifact": ORDERS,
    "edifact by lines": ORDERS.replace(b"'", b"'\n"),
    "edifact with released signs": ORDERS.replace(b"Gate valve", b"Gate?'s ?+valve??"),
    "edifact with a blank after a released terminator": ORDERS.replace(b"Gate valve", b"Gate?' valve").replace(
        b"'UNH", b"'\n  UNH"
    ),
    "edifact in latin-1": ORDERS.replace(b"Bremen", b"K\xf6ln"),
    "edifact in utf-8": ORDERS.replace(b"Bremen", "Köln 閥門".encode()),
    "not edi": b"Dear sirs, " * 2000,
    "nothing": b"",
}


def chunks(data: bytes, random: Random, sizes: tuple[int, ...] = (1, 2, 7, 100, 1000, 5000)) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = random.choice(sizes)
        yield data[at : at + size]
        at += size


def said(reading) -> tuple:
    messages = [(each.document, each.issues, each.raw, each.accepted) for each in reading]
    interchanges = [(each.control_number, each.issues, len(each.messages)) for each in reading.interchanges]
    return messages, interchanges, {each.fault for each in reading.issues}


@pytest.mark.parametrize("name", FILES)
def test_any_chunking_is_read_like_the_whole(name, monkeypatch):
    data = FILES[name]
    monkeypatch.setattr(stream, "WINDOW", 500)
    whole = said(read(data, maps()))
    for seed in range(4):
        assert said(read(chunks(data, Random(seed)), maps())) == whole
    assert said(read(chunks(data, Random(4), (1, 2)), maps())) == whole


@pytest.mark.parametrize("data", [b"<STX=AR+B203MEA1N", b"<Order/>", b"neither"])
def test_what_is_no_file_of_segments_is_told_alike_by_the_chunk(data):
    whole, chunked = read(data, maps()), read(iter((data[:3], data[3:])), maps())
    assert list(whole) == list(chunked) == []
    assert (chunked.detected, chunked.issues) == (whole.detected, whole.issues)


def test_what_came_by_the_chunk_is_written_back():
    data = FILES["edifact with released signs"]
    reading = read(chunks(data, Random(1)), maps())
    messages = list(reading)
    assert write_back(messages, maps(), una=reading.una) == data


def test_a_blank_after_a_released_terminator_is_data():
    data = ORDERS.replace(b"Gate valve", b"Gate?' valve", 1).replace(b"'UNH", b"'\n  UNH")
    names = [line["item"]["name"] for message in read(data, maps()) for line in message.document["lines"]]
    assert "Gate' valve" in " ".join(names)


def test_no_more_is_held_than_the_window(monkeypatch):
    monkeypatch.setattr(stream, "WINDOW", 10_000)
    text = stream.TextStream(iter(["abc~" * 1000] * 400))
    assert isinstance(text, envelope.Incoming)
    at = held = 0
    while (found := text.find("~", at)) >= 0:
        at = found + 1
        text.let_go(at)
        held = max(held, len(text._window))
    assert at == 1_600_000 == len(text)
    assert held < 3 * stream.WINDOW


def test_a_position_that_has_not_come_is_waited_for():
    text = stream.TextStream(iter(["ISA", "*00", "*~"]))
    assert (text[4], text[:8], text[2:7]) == ("0", "ISA*00*~", "A*00*")


def test_half_a_character_at_the_end_is_no_message_and_harms_none():
    data = b"\xef\xbb\xbf" + X12
    (messages, interchanges, _), (sound, _, _) = said(read(iter([data, b"\r\n\xe9"]), maps())), said(read(data, maps()))
    assert messages == sound
    assert [issue.value for issue in interchanges[-1][1]] == ["\ufffd"]
