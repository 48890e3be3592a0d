"""Settings, ids, the clock, logs, metrics, health, search and the data that ships with the code."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeJobs
from tradehub.platform import clock, health, ids, logs, resources, schedules, search
from tradehub.platform.clock import Frozen
from tradehub.platform.db import Database
from tradehub.platform.jobs import JobContext
from tradehub.platform.settings import Settings


def test_the_clock_is_aware_and_can_stand_still() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with clock.frozen(at) as standing:
        assert clock.now() == at
        standing.move(timedelta(hours=1))
        assert clock.now() == at + timedelta(hours=1)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="aware"), clock.frozen(at.replace(tzinfo=None)):
        pass


def test_later_ids_sort_after_earlier_ones_and_none_comes_twice() -> None:
    made = [ids.new_id() for _ in range(2000)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {32}
    assert len({ids.new_secret() for _ in range(100)}) == 100
    assert len(ids.new_secret()) >= 43


def test_settings_have_defaults_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEHUB_DATA_DIR", str(tmp_path / "data"))
    settings = Settings(_env_file=None)
    assert settings.database == f"sqlite:///{tmp_path / 'data' / 'tradehub.db'}"
    assert settings.public_url == "http://127.0.0.1:8000"


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    made = Settings(_env_file=None, data_dir=tmp_path).secret_key
    assert len(made) >= 43
    assert Settings(_env_file=None, data_dir=tmp_path).secret_key == made
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    before = logging.getLogger().handlers, logging.getLogger().level
    yield capsys
    logging.getLogger().handlers, logging.getLogger().level = before
    structlog.reset_defaults()


NASTY = 'Ningbo\r\n{"event":"forged"}\x1b[2J\x9b31m\u2028\u202e\0 海'


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("through", ["structlog", "logging"])
def test_a_partners_text_cannot_forge_a_line(logged: pytest.CaptureFixture[str], as_json: bool, through: str) -> None:
    logs.configure(as_json=as_json)
    if through == "structlog":
        structlog.get_logger("x").info("received", sender=NASTY)
    else:
        logging.getLogger("x").info("received from %s", NASTY)
    line = logged.readouterr().err
    assert line.count("\n") == 1
    assert not set(line[:-1]) & {"\r", "\n", "\x1b", "\x9b", "\u2028", "\u202e", "\0"}
    assert "海" in line
    if as_json:
        assert NASTY in str(json.loads(line).values()) or NASTY in json.loads(line).get(
            "sender", json.loads(line)["event"]
        )


def test_secrets_are_not_logged(logged: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    secrets = {"Authorization": "canary-1", "nested": [{"api_key": "canary-2"}]}
    structlog.get_logger("x").warning("request", headers=secrets, password="canary-3", sender="ningbo")
    line = logged.readouterr().err
    assert "canary" not in line
    assert json.loads(line)["sender"] == "ningbo"


def test_an_error_is_logged_with_its_trace_on_one_line(logged: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise KeyError(NASTY)
    except KeyError:
        structlog.get_logger("x").exception("failed")
    line = logged.readouterr().err
    assert line.count("\n") == 1
    assert "KeyError" in json.loads(line)["exception"]


@given(text=st.text())
def test_a_line_of_the_log_is_json_whatever_is_in_it(text: str) -> None:
    assert json.loads(logs.as_line(None, "", {"event": text}))["event"] == text


def test_a_well_hub_is_well(jobs: FakeJobs, tmp_path: Path) -> None:
    found = health.checks(jobs, tmp_path)
    assert [each.name for each in found] == ["database", "queue", "disk", "schedules"]
    assert all(each.ok for each in found)


def test_what_is_wrong_is_named(jobs: FakeJobs, tmp_path: Path, noon: Frozen) -> None:
    jobs.register("sync", lambda ctx: None)
    with jobs.database.write() as session:
        jobs.enqueue_in_tx(session, "sync", id="1")
        schedules.put(session, "sync:ningbo", kind="sync", every_s=60, late_after_s=90)
    noon.move(timedelta(minutes=2))
    found = {each.name: each for each in health.checks(jobs, tmp_path / "none")}
    assert {name for name, each in found.items() if not each.ok} == {"queue", "disk", "schedules"}
    assert "sync:ningbo" in found["schedules"].detail


def test_a_database_that_is_not_there_is_an_answer_and_not_an_error(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    found = health.checks(FakeJobs(database), tmp_path)
    assert [(each.name, each.ok) for each in found] == [("database", False), ("disk", True)]
    database.dispose()


def test_metrics_count_jobs_and_what_is_open(jobs: FakeJobs) -> None:
    def sync(ctx: JobContext) -> None:
        with ctx.write():
            pass

    jobs.register("sync-for-metrics", sync)
    with jobs.database.write() as session:
        jobs.enqueue_in_tx(session, "sync-for-metrics", id="1")
        jobs.enqueue_in_tx(session, "sync-for-metrics", id="2", delay_s=60)
    jobs.drain()
    text = health.exposition(jobs).decode()
    assert 'tradehub_jobs{state="delayed"} 1.0' in text
    assert 'tradehub_jobs_run_total{job="sync-for-metrics",outcome="done"}' in text
    assert "tradehub_outbox_open 0.0" in text
    assert "tradehub_schedules_late 0.0" in text


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("闸阀", ["a"]), ("阀", ["a", "b"]), ("阀门", ["b"]), ("门阀", []), ("DN50", ["a"]), ("dn5", ["a"]),
        ("n50", []), ("po-2026", ["b"]), ("ＤＮ５０", ["a"]), ("gate 闸", ["a"]), ("gate 门", []),
        ("%", []), ("_", []), ("", []),
        ("valve", ["a", "b"]),
    ],
)  # fmt: skip
def test_things_are_found_by_words_in_any_script(database: Database, question: str, found: list[str]) -> None:
    with database.write("haidi") as session:
        search.put(session, org="haidi", kind="deal", subject="a", title="Gate valve DN50", text="不锈钢闸阀")
        search.put(session, org="haidi", kind="deal", subject="b", title="Valves PO-2026/7", text="不锈钢阀门")
        search.put(session, org="delta", kind="deal", subject="c", title="Gate valve DN50 闸阀")
    with database.read("haidi") as session:
        assert sorted(each.subject for each in search.find(session, question)) == found


def test_a_thing_is_found_by_its_latest_words(database: Database) -> None:
    for title in ("old", "new"):
        with database.write("haidi") as session:
            search.put(session, org="haidi", kind="deal", subject="a", title=title)
    with database.read("haidi") as session:
        assert search.find(session, "old") == []
        assert [each.title for each in search.find(session, "new")] == ["new"]


def test_the_maps_are_found_and_nothing_beside_them() -> None:
    assert resources.folder("edi_mappings").is_dir()
    for outside in ("../pyproject.toml", "/etc/passwd", "x12/../../pyproject.toml", "x12", "none.yaml", "a\0b"):
        assert resources.read_text(outside) is None
    assert "850" in (resources.read_text("x12/004010/850.yaml") or "")


def test_the_cache_of_maps_outlives_its_process(tmp_path: Path) -> None:
    cache = resources.TextCache(tmp_path / "cache")
    cache["a/../b"] = "文"
    again = resources.TextCache(tmp_path / "cache")
    assert again["a/../b"] == "文"
    assert len(again) == 1
    del again["a/../b"]
    assert "a/../b" not in cache
