"""The robot at its doors: it takes what the hub sent, acknowledges it, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tradehub.cli.doors import DoorClosed, FolderDoor, HttpDoor
from tradehub.cli.robot import player
from tradehub.documents import Inquiry, Line
from tradehub.documents.parts import Item, Party, Quantity
from tradehub.exchange.codec import Frame
from tradehub.exchange.engine import engine_codec
from tradehub.partners.profile import Envelope, Identity

INQUIRY = Inquiry(
    number="RFQ-1",
    action="original",
    issued_on=datetime(2026, 11, 23, tzinfo=UTC).date(),
    parties=(Party(role="buyer", name="Haidi Trading"),),
    lines=(Line(number="1", item=Item(name="Gate valve"), quantity=Quantity(value="24", unit="C62")),),
)


def name(qualifier: str, value: str) -> Identity:
    return Identity(scheme="x12-isa", qualifier=qualifier, value=value)


def asked(number: int = 1) -> bytes:
    frame = Frame(
        name("ZZ", "HAIDITRADING"), name("ZZ", "NINGBOVALVES"), "HAIDITRADING", "NINGBOVALVES", Envelope(),
        datetime(2026, 11, 23, 9, tzinfo=UTC), number, 1, 1,
    )  # fmt: skip
    return engine_codec().write("x12:840:004010", INQUIRY, frame).payload


def sent(data: Path) -> list[str]:
    files = sorted((data / "exchange/ningbo/from-partner").iterdir())
    return [engine_codec().read(each.read_bytes()).parts[0].type for each in files]


def test_an_inquiry_is_acknowledged_and_quoted_once(tmp_path: Path) -> None:
    robot = player("ningbo", tmp_path, "http://127.0.0.1:1", quiet=True)
    (tmp_path / "exchange/ningbo/to-partner/840.edi").write_bytes(asked())
    assert robot.step() == 2
    assert sent(tmp_path) == ["997", "843"]
    assert robot.step() == 0


def test_what_is_sent_again_is_acknowledged_again_and_answered_once(tmp_path: Path) -> None:
    for _ in range(2):
        robot = player("ningbo", tmp_path, "http://127.0.0.1:1", quiet=True)
        (tmp_path / "exchange/ningbo/to-partner/840.edi").write_bytes(asked())
        robot.step()
    assert sent(tmp_path) == ["997", "843", "997"]


def test_a_restarted_robot_knows_its_numbers(tmp_path: Path) -> None:
    for number in (1, 2):
        robot = player("ningbo", tmp_path, "http://127.0.0.1:1", quiet=True)
        (tmp_path / "exchange/ningbo/to-partner/840.edi").write_bytes(asked(number))
        robot.step()
        assert len(sent(tmp_path)) == 2 * number
    files = [each.read_bytes() for each in (tmp_path / "exchange/ningbo/from-partner").iterdir()]
    numbers = {engine_codec().read(each).control_number for each in files}
    assert len(numbers) == 4


def test_an_unfinished_file_is_left_alone(tmp_path: Path) -> None:
    door = FolderDoor(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in/840.edi.tmp").write_bytes(b"ISA")
    (tmp_path / "in/.840.edi").write_bytes(b"ISA")
    assert list(door.incoming()) == []


@pytest.fixture
def door() -> Iterator[HttpDoor]:
    opened = HttpDoor(("127.0.0.1", 0), "http://127.0.0.1:1/", token_in="sesame", token_out="x")
    yield opened
    opened.close()


def post(door: HttpDoor, body: bytes, token: str) -> int:
    connection = HTTPConnection(urlsplit(door.address).netloc, timeout=5)
    try:
        connection.request("POST", "/", body=body, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "token", "status"), [(b"<a/>", "sesame", 202), (b"<a/>", "?", 401), (b"", "sesame", 413)]
)
def test_the_http_door_takes_what_brings_its_token(door: HttpDoor, body: bytes, token: str, status: int) -> None:
    assert post(door, body, token) == status
    assert list(door.incoming()) == ([body] if status == 202 else [])


def test_a_hub_that_is_away_closes_the_door(door: HttpDoor) -> None:
    with pytest.raises(DoorClosed):
        door.give(b"<a/>", name="1.xml", content_type="application/xml")
