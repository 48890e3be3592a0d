"""``send``, ``replay`` and ``partners``: beside a hub's real database, told apart by their exit status."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from tests import databases
from tests.cli.test_files import BAD_DAY, ORDER
from tradehub.cli import main
from tradehub.documents import PartyId
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.store import MessageRow
from tradehub.hub import Hub
from tradehub.platform import clock, resources
from tradehub.platform.db import Database
from tradehub.platform.outbox import OutboxRow
from tradehub.platform.schedules import Schedule
from tradehub.platform.settings import Settings

INBOUND = (
    ORDER.replace("HAIDITRADING   *ZZ*NINGBOVALVES   ", "NINGBOVALVES   *ZZ*HAIDITRADING   ")
    .replace("GS*PO*HAIDITRADING*NINGBOVALVES", "GS*PO*NINGBOVALVES*HAIDITRADING")
)  # fmt: skip


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in words])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that the environment names, and that nobody has set up."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TRADEHUB_DATA_DIR", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("TRADEHUB_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def set_up(data: Path) -> Path:
    database = Database(Settings().database)
    databases.make_whole(database)
    database.dispose()
    return data


@pytest.fixture
def hub(set_up: Path) -> Iterator[Hub]:
    """A hub that knows the partners that ship with it, and runs no worker."""
    assert run("partners", "apply").exit_code == 0
    hub = Hub(Settings())
    yield hub
    hub.database.dispose()


@pytest.fixture
def working(hub: Hub) -> Iterator[Hub]:
    hub.jobs.run_worker()
    yield hub
    hub.jobs.stop()


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A copy of the profiles, to be changed."""
    return Path(shutil.copytree(resources.folder("partners"), tmp_path / "profiles"))


@pytest.fixture
def order(tmp_path: Path) -> Path:
    path = tmp_path / "order.edi"
    path.write_text(ORDER)
    return path


def changed(profiles: Path, party: str, old: str, new: str) -> None:
    path = profiles / f"{party}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# a folder that nobody has set up


@pytest.mark.parametrize(
    "words",
    [
        ("send", "order.edi", "--to", "ningbo"), ("replay", "m-1"), ("partners", "plan"), ("partners", "apply"),
        ("partners", "export", "ningbo"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_where_no_hub_was_ever_set_up_one_line_says_so(data: Path, order: Path, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "has never been set up" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not data.exists()


def test_an_empty_database_and_no_database_at_all_are_told_in_one_line(data: Path) -> None:
    data.mkdir()
    (data / "tradehub.db").touch()
    assert "never been set up" in run("partners", "plan").stderr
    (data / "tradehub.db").write_bytes(b"this is no database, " * 100)
    result = run("replay", "m-1")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "cannot be opened" in result.stderr


def test_a_database_of_another_version_is_left_alone(set_up: Path) -> None:
    database = Database(Settings().database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tradehub_version SET version_num = '0000'")
    database.dispose()
    result = run("partners", "apply")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "another version" in result.stderr


# send


def test_what_is_sent_waits_for_a_running_hub(hub: Hub, order: Path) -> None:
    result = run("send", order, "--to", "ningbo", "--wait", 0, "--json")
    assert result.exit_code == 0, result.output
    (told,) = lines(result)
    assert told["message"] is None
    with hub.database.read() as session:
        waiting = session.get_one(OutboxRow, told["outbox"])
    assert (waiting.recipient, waiting.sender, waiting.kind) == ("ningbo", "haidi", "order")
    assert "waiting in the outbox" in run("send", order, "--to", "ningbo", "--wait", 0).output


def test_a_running_hub_sends_it_in_the_partners_dialect(working: Hub, set_up: Path, order: Path) -> None:
    result = run("send", order, "--to", "rhein", "--wait", 30, "--json")
    (told,) = lines(result)
    assert (result.exit_code, told["validation"], told["delivery"]) == (0, "accepted", "sent"), told
    assert told["type"] == "edifact:ORDERS:D96A"
    (written,) = (set_up / "exchange" / "rhein" / "to-partner").glob("*.edi")
    assert b"UNH+1+ORDERS:D:96A:UN" in written.read_bytes()


def test_what_nobody_agreed_to_is_rejected_before_it_leaves(working: Hub, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps({"kind": "receipt", "number": "R-1"}))
    result = run("send", path, "--to", "ningbo", "--wait", 30, "--json")
    (told,) = lines(result)
    assert (result.exit_code, told["validation"], told["reason"]) == (1, "rejected", "no-agreement"), told
    assert "no-agreement" in run("send", path, "--to", "ningbo", "--wait", 30).output


def test_a_partner_on_the_pages_needs_no_message(working: Hub, order: Path) -> None:
    result = run("send", order, "--to", "delta", "--wait", 30)
    assert (result.exit_code, result.output) == (0, "shown on the pages, where the partner works\n")


@pytest.mark.parametrize(
    ("name", "text", "partner"),
    [
        ("order.edi", ORDER, "nobody"), ("letter.txt", "Dear Haidi", "ningbo"), ("list.json", "[1]", "ningbo"),
        ("odd.json", '{"kind": "letter"}', "ningbo"), ("day.json", '{"kind": "order", "issued_on": "x"}', "ningbo"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_unusable(hub: Hub, tmp_path: Path, name: str, text: str, partner: str) -> None:
    (tmp_path / name).write_text(text)
    result = run("send", tmp_path / name, "--to", partner, "--wait", 0)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    with hub.database.read() as session:
        assert session.scalars(select(OutboxRow)).all() == []


# replay


@pytest.fixture
def received(hub: Hub) -> str:
    bad = INBOUND.replace("PO-1**20261123", "PO-1**20261399").encode()
    return hub.exchange.inbound.receive(Arrived(bad, PartyId("haidi"), PartyId("ningbo"), "drop")).message_id


def test_a_message_is_taken_in_again_and_the_first_one_kept(hub: Hub, received: str) -> None:
    result = run("replay", received, "--json")
    assert result.exit_code == 0, result.output
    (told,) = lines(result)
    with hub.database.read() as session:
        first, again = session.get_one(MessageRow, received), session.get_one(MessageRow, told["message"])
    assert (told["replay_of"], again.replay_of) == (received, received)
    assert again.payload_sha256 == first.payload_sha256
    assert first.settled_at is not None


def test_a_mended_copy_is_taken_instead(hub: Hub, received: str, tmp_path: Path) -> None:
    (tmp_path / "mended.edi").write_text(INBOUND)
    result = run("replay", received, "--with", tmp_path / "mended.edi")
    assert result.exit_code == 0
    with hub.database.read() as session:
        again = session.get_one(MessageRow, result.output.split()[-1])
    assert hub.payloads.get(str(again.payload_sha256)) == INBOUND.encode()


def test_what_is_not_there_or_did_not_come_in_cannot_be_replayed(working: Hub, received: str, order: Path) -> None:
    assert run("replay", "m-1").exit_code == 2
    assert run("replay", received, "--with", "nowhere.edi").exit_code == 2
    (sent,) = lines(run("send", order, "--to", "ningbo", "--wait", 30, "--json"))
    result = run("replay", sent["message"])
    assert (result.exit_code, "did not come in" in result.stderr) == (2, True)


# partners


def test_the_profiles_that_ship_are_sound() -> None:
    result = run("partners", "check", "--json")
    assert (result.exit_code, [each for each in lines(result) if each["severity"] == "error"]) == (0, [])


def test_a_fault_in_a_profile_is_placed_and_fails(profiles: Path) -> None:
    changed(
        profiles,
        "nordic",
        'message: "ubl:Invoice:2.1",             channel: post, ack: {send',
        'message: "ubl:Invoice:2.1",             channel: pots, ack: {send',
    )
    result = run("partners", "check", "--folder", profiles, "--json")
    assert result.exit_code == 1
    (told,) = [each for each in lines(result) if each["severity"] == "error"]
    assert (told["party"], "pots" in str(told["text"])) == ("nordic", True)
    assert run("partners", "check", "--folder", profiles).stderr.startswith("error: nordic.yaml")


def test_a_folder_that_is_none_and_a_partner_that_is_none_are_unusable(hub: Hub, tmp_path: Path) -> None:
    assert run("partners", "check", "--folder", tmp_path / "nowhere").exit_code == 2
    assert run("partners", "export", "nobody").exit_code == 2


def test_plan_says_what_apply_does_and_does_nothing(set_up: Path) -> None:
    planned = run("partners", "plan", "--json")
    assert planned.exit_code == 0
    assert {each["action"] for each in lines(planned)} == {"add"}
    assert run("partners", "plan", "--json").stdout == planned.stdout
    assert run("partners", "apply", "--json").stdout == planned.stdout
    assert {each["action"] for each in lines(run("partners", "plan", "--json"))} == {"keep"}


def test_apply_refreshes_the_schedules_of_polled_channels(hub: Hub, profiles: Path) -> None:
    assert polls(hub) == {"poll:ningbo.drop", "poll:rhein.drop", "negotiation.time_passes"}
    (profiles / "rhein.yaml").unlink()
    result = run("partners", "apply", "--folder", profiles)
    assert result.exit_code == 0, result.output
    assert "- rhein: suspend" in result.output
    assert polls(hub) == {"poll:ningbo.drop", "negotiation.time_passes"}


def test_where_the_schedules_cannot_be_made_nothing_is_applied(set_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Hub, session: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Hub, "schedule_polls", broken)
    assert isinstance(run("partners", "apply").exception, ZeroDivisionError)
    assert {each["action"] for each in lines(run("partners", "plan", "--json"))} == {"add"}


def polls(hub: Hub) -> set[str]:
    with hub.database.read() as session:
        return set(session.scalars(select(Schedule.id)))


def test_a_partner_made_on_the_pages_is_left_alone(hub: Hub, profiles: Path) -> None:
    with hub.database.write() as session:
        made = hub.partners.profile(session, "delta")
        assert made is not None
        hub.partners.save(
            session, made.model_copy(update={"id": PartyId("omega"), "identities": ()}), by="mei", at=clock.now()
        )
    text = (profiles / "delta.yaml").read_text(encoding="utf-8")
    (profiles / "omega.yaml").write_text(
        text.replace("id: delta", "id: omega").replace("0614141000012", "4099999000009"), encoding="utf-8"
    )
    result = run("partners", "apply", "--folder", profiles, "--json")
    assert result.exit_code == 1, result.output
    assert [each["party"] for each in lines(result) if each["action"] == "conflict"] == ["omega"]


def test_an_exported_partner_is_one_that_changes_nothing(hub: Hub, profiles: Path) -> None:
    exported = run("partners", "export", "ningbo")
    assert exported.exit_code == 0
    (profiles / "ningbo.yaml").write_text(exported.stdout, encoding="utf-8")
    planned = lines(run("partners", "plan", "--folder", profiles, "--json"))
    assert [each["changes"] for each in planned if each["party"] == "ningbo"] == [[]]


def test_a_rejected_file_is_not_sent(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "bad.edi").write_text(BAD_DAY)
    result = run("send", tmp_path / "bad.edi", "--to", "ningbo", "--wait", 0)
    assert result.exit_code == 1, result.output
    with hub.database.read() as session:
        assert session.scalars(select(OutboxRow)).all() == []
