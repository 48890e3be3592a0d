"""The drop folder: nothing half written is taken, nothing is lost or taken twice, whatever happens in between."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.conftest import Bench
from tests.exchange.plain import message, transmission
from tradehub.exchange.folder import FolderTransport
from tradehub.exchange.transport import Envelope, TransportError


def folder(path: Path, **facts: Any) -> FolderTransport:
    facts = {"settle": timedelta(0), "max_bytes": 1000, **facts}
    return FolderTransport("acme.drop", path / "in", path / "out", **facts)


def put(path: Path, name: str, payload: bytes = b"ISA") -> Path:
    file = path / "in" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(payload)
    return file


def names(path: Path) -> list[str]:
    return sorted(each.name.partition("-")[2] or each.name for each in path.iterdir()) if path.is_dir() else []


def test_a_file_is_taken_once_and_ends_among_the_processed(tmp_path: Path) -> None:
    put(tmp_path, "a.edi")
    transport = folder(tmp_path)
    arrivals = list(transport.poll())
    assert [(each.name, each.payload) for each in arrivals] == [("a.edi", b"ISA")]
    arrivals[0].accept()
    assert names(tmp_path / "in/processed") == ["a.edi"]
    assert list(transport.poll()) == []


def test_a_refused_file_ends_among_the_failed_with_a_report(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", b"Dear sirs")
    next(iter(folder(tmp_path).poll())).refuse({"rule": "not-edi", "message": "0199"})
    assert names(tmp_path / "in/failed") == ["a.txt", "a.txt.error.json"]
    report = next((tmp_path / "in/failed").glob("*.error.json"))
    assert json.loads(report.read_text()) == {"file": "a.txt", "rule": "not-edi", "message": "0199"}


@pytest.mark.parametrize("name", ["a.tmp", "a.part", "a.PART", ".hidden", "a.filepart"])
def test_what_partners_write_under_another_name_first_is_left_alone(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert list(folder(tmp_path).poll()) == []


def test_a_link_is_not_followed_and_a_folder_not_entered(tmp_path: Path) -> None:
    put(tmp_path, "x/secret")
    (tmp_path / "in/link.edi").symlink_to("/etc/passwd")
    assert list(folder(tmp_path).poll()) == []


@pytest.mark.parametrize("name", ["a b.edi", "übung.edi", "-rf.edi", "a\nb.edi", "a..edi.", "1-2-3"])
def test_a_name_is_data_whatever_it_is(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    (arrival,) = folder(tmp_path).poll()
    assert arrival.name == name
    arrival.accept()
    assert len(names(tmp_path / "in/processed")) == 1


def test_what_a_crash_left_in_work_is_taken_up_under_the_same_key(tmp_path: Path) -> None:
    put(tmp_path, "a.edi")
    (before,) = folder(tmp_path).poll()
    (after,) = folder(tmp_path).poll()
    assert after.key == before.key
    before.accept()
    after.accept()  # the other was quicker: no harm
    assert names(tmp_path / "in/processed") == ["a.edi"]


def test_the_same_name_dropped_later_is_another_arrival(tmp_path: Path) -> None:
    put(tmp_path, "a.edi")
    (first,) = folder(tmp_path).poll()
    file = put(tmp_path, "a.edi")
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
    keys = {each.key for each in folder(tmp_path).poll()}
    assert len(keys) == 2
    assert first.key in keys


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    put(tmp_path, "a.edi", b"x" * 1001)
    (found,) = folder(tmp_path).poll()
    assert (found.is_too_large, found.size, found.payload) == (True, 1001, b"")
    found.refuse({"rule": "too-large"})
    assert names(tmp_path / "in/failed") == ["a.edi", "a.edi.error.json"]


def test_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    """A writer that pauses for less than the settling time is never taken in the middle."""
    target = tmp_path / "in/slow.edi"
    target.parent.mkdir()
    done = threading.Event()

    def write() -> None:
        with target.open("wb") as file:
            for number in range(12):
                file.write(b"%d;" % number)
                file.flush()
                time.sleep(0.03)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    transport, taken = folder(tmp_path, settle=timedelta(seconds=0.3)), []
    while not taken:
        taken = [each.payload for each in transport.poll()]
        time.sleep(0.01)
    writer.join()
    assert done.is_set()
    assert taken == [b"".join(b"%d;" % number for number in range(12))]


def test_what_leaves_appears_whole(tmp_path: Path) -> None:
    transport = folder(tmp_path)
    assert transport.send(Envelope("1", "850-1.edi", b"ISA", "application/edi-x12")) == "written as 850-1.edi"
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["850-1.edi"]
    transport.send(Envelope("1", "850-1.edi", b"ISA", "application/edi-x12"))
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["850-1.edi"]


def test_a_folder_that_cannot_be_used_is_a_fault_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file where the folder should be")
    (tmp_path / "out").write_text("here too")
    with pytest.raises(TransportError) as caught:
        list(folder(tmp_path).poll())
    assert not caught.value.permanent
    with pytest.raises(TransportError):
        folder(tmp_path).send(Envelope("1", "a", b"", ""))


class Crash(BaseException):
    """The process is gone: nothing below may catch it."""


STEPS = ["payloads.put", "inbound.record", "database.commit", "arrival.accept"]


def crash_at(bench: Bench, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next pass through ``step`` be the last thing the process does: once before it, and never again."""
    owner: Any = {
        "payloads.put": bench.payloads,
        "inbound.record": bench.exchange.inbound,
        "database.commit": bench.exchange.inbound.jobs,
        "arrival.accept": FolderTransport,
    }[step]
    if step == "arrival.accept":
        from tradehub.exchange import folder as module

        owner, name = module._Dropped, "_move"
    else:
        name = {"payloads.put": "put", "inbound.record": "record", "database.commit": "enqueue_in_tx"}[step]
    original = getattr(owner, name)
    fired: list[bool] = []

    def dying(*args: Any, **kwargs: Any) -> Any:
        if not fired:
            fired.append(True)
            raise Crash(step)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, dying)


def outcome(bench: Bench, raw: bytes) -> tuple[list[str | None], int, bool]:
    """What became of one file: what was booked, answers sent, and whether every acknowledged byte is kept."""
    processed = bench.data_dir / "exchange/ningbo/from-partner/processed"
    kept = {bench.payloads.get(str(row.payload_sha256)) for row in bench.messages()}
    acknowledged = {path.read_bytes() for path in processed.iterdir()} if processed.is_dir() else set()
    return bench.booked(), len(bench.sent()), acknowledged <= kept


def settled_drop(bench: Bench, raw: bytes) -> None:
    path = bench.drop(raw)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(
    bench: Bench, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = transmission(message())
    settled_drop(bench, raw)
    crash_at(bench, step, monkeypatch)
    with pytest.raises(Crash):
        bench.poll()
    assert outcome(bench, raw)[2]
    bench.poll()  # the process is started again
    bench.jobs.drain()
    assert outcome(bench, raw) == (["PO-1"], 1, True)


@pytest.mark.parametrize("step", STEPS[1:3])
def test_the_harness_catches_an_answer_before_the_commit(
    bench: Bench, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plant the fault that the order of receive exists for: the file is moved away first."""
    raw = transmission(message())
    settled_drop(bench, raw)
    with bench.database.read() as session:
        (channel,) = [each for each in bench.exchange.polled_channels(session) if each.party == "ningbo"]
    for arrival in bench.exchange.open_channel(channel.id, channel.channel).poll():
        arrival.accept()
        crash_at(bench, step, monkeypatch)
        with pytest.raises(Crash):
            bench.receive(arrival.payload, key=arrival.key)
    assert not outcome(bench, raw)[2]
    bench.poll()
    bench.jobs.drain()
    assert outcome(bench, raw)[0] == []


def test_a_file_on_its_way_through(bench: Bench) -> None:
    settled_drop(bench, b"Dear Haidi")
    assert bench.poll() == 1
    failed = bench.data_dir / "exchange/ningbo/from-partner/failed"
    report = json.loads(next(failed.glob("*.error.json")).read_text())
    assert report == {"file": "a.edi", "rule": "not-edi", "message": bench.messages()[0].id}


def test_the_same_message_sent_by_several_at_once_is_there_whole(tmp_path: Path) -> None:
    """The first answer and its repetition, each by a job of its own."""
    transport = folder(tmp_path)
    envelope = Envelope("key", "997-1.edi", b"ISA*" * 50_000, "application/edi-x12")
    failed: list[TransportError] = []

    def send() -> None:
        try:
            transport.send(envelope)
        except TransportError as error:
            failed.append(error)

    for _ in range(20):
        senders = [threading.Thread(target=send) for _ in range(4)]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        assert (tmp_path / "out/997-1.edi").read_bytes() == envelope.payload
    assert failed == []
    assert names(tmp_path / "out") == ["1.edi"]
