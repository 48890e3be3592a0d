"""``tradehub verify`` finds a sound hub sound, and whatever is done to its records behind its back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from tests.exchange.test_bad_input import X12
from tests.reliability.campaign import prepare, settings
from tradehub.cli.restored import restored
from tradehub.cli.verify import verify
from tradehub.documents import PartyId
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.store import MessageRow
from tradehub.hub import Hub
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow

HAIDI, NINGBO = PartyId("haidi"), PartyId("ningbo")
PATIENCE_S = 60


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a hub that took two orders, answered them, and accepted one."""
    data = tmp_path_factory.mktemp("hub") / "data"
    prepare(data)
    hub = Hub(settings(data))
    for number in (7, 8):
        order = X12.replace("000000007", f"{number:09}").replace("PO-1", f"PO-{number}")
        hub.exchange.inbound.receive(Arrived(order.encode(), HAIDI, NINGBO, "drop"))
    hub.jobs.run_worker("0")
    try:
        _wait(lambda: _sent(hub) == 2)
        _accept(hub)
        _wait(lambda: not any(hub.jobs.list(state=state) for state in ("queued", "delayed", "running")))
    finally:
        hub.jobs.stop()
        hub.jobs.close()
        hub.database.dispose()
    return data


def _sent(hub: Hub) -> int:
    with hub.database.read() as session:
        return len(session.scalars(select(MessageRow.id).where(MessageRow.delivery == "sent")).all())


def _accept(hub: Hub) -> None:
    with hub.database.write(org=HAIDI) as session:
        deal = session.scalars(select(DealRow.id).order_by(DealRow.id)).first()
        assert deal is not None
        view = hub.negotiation.deal(session, deal)
        assert view.standing is not None
        offer = view.standing.offer
        hub.negotiation.accept(
            session, Actor(HAIDI), deal, offer.id, expected_version=view.version, terms_hash=offer.terms_hash
        )


def _wait(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def copied(traded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(traded, tmp_path / "data"))


def verified(data: Path, *options: str) -> Result:
    return CliRunner().invoke(verify, options, env={"TRADEHUB_DATA_DIR": str(data)})


def found_wrong(result: Result) -> set[str]:
    return {each["check"] for each in json.loads(result.stdout)["checks"] if each["wrong"]}


def change(data: Path, *statements: str) -> None:
    with sqlite3.connect(data / "tradehub.db") as connection:
        for each in statements:
            assert connection.execute(each).rowcount > 0, each
    connection.close()


def test_a_hub_that_was_left_alone_is_sound(traded: Path) -> None:
    result = verified(traded, "--all", "--json")
    assert result.exit_code == 0, result.output
    checks = json.loads(result.stdout)["checks"]
    assert {each["check"]: each["looked_at"] > 0 for each in checks} == {
        "audit chains": True, "negotiation chains": True, "contracts": True, "control numbers": True, "payloads": True,
        "unfinished work": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("audit chains", "UPDATE audit_entries SET action = 'contract.avoided'"),
        ("audit chains", "DELETE FROM audit_entries"),
        ("negotiation chains", "UPDATE statement SET text = 'never said' WHERE number = 1"),
        ("negotiation chains", "DELETE FROM statement WHERE number = 2"),
        ("contracts", "UPDATE contract_versions SET terms = replace(terms, '12.05', '11.05')"),
        ("contracts", "UPDATE contract_versions SET terms_hash = 'x'"),
        ("contracts", "DELETE FROM contracts"),
        ("control numbers", "UPDATE control_number SET last = last + 1"),
        ("control numbers", "UPDATE control_number SET last = last - 1"),
        ("control numbers", "UPDATE message SET control_number = '000000001' WHERE control_number = '000000002'"),
        ("payloads", "UPDATE message SET payload_sha256 = NULL WHERE direction = 'in'"),
        ("unfinished work", "UPDATE message SET validation = 'pending' WHERE direction = 'in'"),
        ("unfinished work", "UPDATE message SET delivery = 'retrying' WHERE direction = 'out' AND type = '997'"),
        ("unfinished work", "UPDATE outbox SET closed_at = NULL"),
    ],
)
def test_a_changed_record_is_found(copied: Path, check: str, statement: str) -> None:
    change(copied, statement)
    result = verified(copied, "--json")
    assert result.exit_code == 1
    assert found_wrong(result) == {check}


def test_after_a_backup_was_put_back_no_number_comes_again_and_none_is_missed(copied: Path) -> None:
    before = {**_numbers(copied, "control_number", "standard || level || receiver", "last"), **_series(copied)}
    result = CliRunner().invoke(restored, ["--ahead", "50", "--json"], env={"TRADEHUB_DATA_DIR": str(copied)})
    assert result.exit_code == 0, result.output
    assert min(json.loads(result.stdout).values()) > 0
    after = {**_numbers(copied, "control_number", "standard || level || receiver", "last"), **_series(copied)}
    assert after == {name: last + 50 for name, last in before.items()}
    assert verified(copied, "--json").exit_code == 0
    change(copied, "UPDATE control_number SET last = last + 1")
    assert found_wrong(verified(copied, "--json")) == {"control numbers"}


def test_where_no_hub_was_ever_set_up_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    result = CliRunner().invoke(restored, env={"TRADEHUB_DATA_DIR": str(tmp_path / "typo")})
    assert result.exit_code == 2
    assert "has never been set up" in result.output
    assert not (tmp_path / "typo").exists()


def _series(data: Path) -> dict[str, int]:
    return {
        **_numbers(data, "number_series", "name", "last"),
        **_numbers(data, "negotiation_number", "org || name", "next"),
    }


def _numbers(data: Path, table: str, key: str, value: str) -> dict[str, int]:
    with sqlite3.connect(data / "tradehub.db") as connection:
        found = dict(connection.execute(f"SELECT {key}, {value} FROM {table}"))
    connection.close()
    assert found, table
    return found


def test_a_payload_that_is_gone_is_found(copied: Path) -> None:
    next((copied / "payloads").rglob("*/*")).unlink()
    assert found_wrong(verified(copied, "--json")) == {"payloads"}


def test_a_payload_that_was_changed_is_found_where_all_are_read(copied: Path) -> None:
    path = next((copied / "payloads").rglob("*/*"))
    path.write_bytes(path.read_bytes().replace(b"*", b"+"))
    assert verified(copied).exit_code == 0
    result = verified(copied, "--all")
    assert result.exit_code == 1
    assert "damaged" in result.stdout


def test_where_there_is_no_hub_nothing_can_be_verified(tmp_path: Path) -> None:
    assert verified(tmp_path).exit_code == 2
