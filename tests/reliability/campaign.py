"""The campaign: two partners trade with a hub whose processes are killed at random moments and started again.

``seed`` decides what is sent, who is killed and about when; the system decides the instruction that it hits.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests import databases
from tests.reliability import checker
from tests.reliability.checker import Evidence, Violation, Wrong
from tests.reliability.partners import FolderPartner, HttpPartner, Ledger
from tests.reliability.stable import ROOT, Starter
from tradehub.cli.demo import HOME
from tradehub.exchange import secrets
from tradehub.hub import Hub
from tradehub.partners import files
from tradehub.partners.model import Incoming
from tradehub.platform import clock, resources
from tradehub.platform.db import Database
from tradehub.platform.queue import Worker
from tradehub.platform.settings import Settings

TARGETS = (("web",), ("worker",), ("web", "worker"))
READY_S = 60
REST_S = 60
REST_EACH_S = 1
"""How long the hub may take, after the last kill, to have done all that it was given: so much, and for each order."""

LONGEST_WAIT_S = 0.6
AFTER_NEWS_S = 0.02

OWN = ("haidi", "ningbo", "nordic")
CHANGES = {
    "ningbo": (("    every: 2s\n", "    every: 1s\n    settle: 0s\n"),),
    "nordic": (("retry: {first: 5s,", "retry: {first: 1s,"),),
}
"""The seed profiles, looked into more often: a campaign is no day."""

LIVE = ("queued", "delayed", "running")


@dataclass
class Outcome:
    """What a campaign did and found."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    transmissions: int = 0
    sent: int = 0
    seconds: float = 0
    rest_s: float = 0
    violations: list[Violation] = field(default_factory=list)
    verified: str = ""

    def __str__(self) -> str:
        wrong = Counter(each.wrong for each in self.violations)
        killed = ", ".join(f"{number} {name}" for name, number in sorted(self.kills.items()))
        return (
            f"{sum(self.kills.values())} kills ({killed}), {self.transmissions} transmissions sent {self.sent} times, "
            f"{wrong[Wrong.LOST]} lost, {wrong[Wrong.DOUBLED]} doubled, {len(self.violations)} violations, "
            f"at rest after {self.rest_s:.1f} s, {self.seconds:.0f} s in all, seed {self.seed}"
        )


class RunningHub:
    """A hub on a data folder: its web server and its worker, each a process group that can be killed."""

    def __init__(self, data_dir: Path, starter: Starter, partner_url: str, plant: str = "") -> None:
        self.data_dir = data_dir
        self.plant = plant
        self.starter = starter
        self.port = _free_port()
        self.pids: dict[str, int] = {}
        self.environment = {
            "TRADEHUB_DATA_DIR": str(data_dir), "TRADEHUB_PORT": str(self.port), "TRADEHUB_LOG_LEVEL": "WARNING",
            "TRADEHUB_POLL_S": "0.05", "TRADEHUB_HOME_ORG": HOME, "TRADEHUB_NORDIC_URL": partner_url,
        }  # fmt: skip

    def start(self, *roles: str) -> None:
        for role in roles:
            self.pids[role] = self.starter.start(role, self.environment, self.data_dir / f"{role}.log", self.plant)

    def kill(self, *roles: str) -> None:
        """Kill the whole group of each: a web server's own children would go on without it."""
        pids = [self.pids[role] for role in roles]
        for pid in pids:
            os.killpg(pid, signal.SIGKILL)
        for role, pid in zip(roles, pids, strict=True):
            del self.pids[role]
            self.starter.bury(pid)
            _wait(lambda pid=pid: not _exists(pid), "a process to be gone")

    def wait_until_ready(self) -> None:
        if "web" in self.pids:
            _wait(self._answers, "the web server")
        if "worker" in self.pids:
            _wait(self._works, "the worker")

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in sorted(self.data_dir.glob("*.log")))

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _works(self) -> bool:
        database = Database(f"sqlite:///{self.data_dir / 'tradehub.db'}")
        with database.read() as session:
            worker = session.get(Worker, "0")
        database.dispose()
        return worker is not None and worker.pid == self.pids["worker"] and not worker.stopped


class Campaign:
    def __init__(self, data_dir: Path, starter: Starter, *, seed: int, plant: str = "") -> None:
        self.random = random.Random(seed)
        self.outcome = Outcome(seed)
        self.ledger = Ledger()
        self.folder = FolderPartner(data_dir, self.ledger)
        self.http = HttpPartner(self.ledger)
        self.http.token = prepare(data_dir)
        self.hub = RunningHub(data_dir, starter, self.http.url, plant)
        self.http.port = self.hub.port
        self.evidence = Evidence(data_dir, self.folder, self.http, self.ledger)
        self._numbers = 0

    def run(self, kills: int, targets: Sequence[tuple[str, ...]] = TARGETS) -> Outcome:
        """Kill that many times under load, let the hub come to rest, and look at everything."""
        began = time.monotonic()
        try:
            self.hub.start("web", "worker")
            self.hub.wait_until_ready()
            for _ in range(kills):
                self.send_some()
                self._wait_for_the_moment()
                self.strike(self.random.choice(targets))
            self.rest()
        finally:
            self.close()
        self.outcome.violations += checker.violations(self.evidence)
        self.outcome.verified = verify(self.evidence.data_dir)
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def run_briefly(self, target: str, *, at_once: bool) -> set[Wrong]:
        """Kill one process once, right after its first acknowledgement or when all came; return what was noticed.

        The hub is not started again, so that orders are not acted on yet is not held against it.
        """
        try:
            self.hub.start(target)
            self.hub.wait_until_ready()
            for number in range(1, 4):
                self.folder.send(f"F{number:05}", number, times=1)
                self.http.send(f"H{number:05}", key=f"key-{number}", times=2)
            if at_once:
                self.ledger.news.wait(READY_S)
            else:
                _wait(lambda: all(len(each.taken) == 2 for each in self.ledger if each.key), "all answers")
            self.hub.kill(target)
            found = {each.wrong for each in checker.lost(self.evidence)}
        finally:
            self.close()
        return found | {each.wrong for each in checker.violations(self.evidence) if each.wrong is Wrong.DOUBLED}

    def send_some(self) -> None:
        """Send one or two orders on each channel; every sixth comes twice, as if its answer had been lost."""
        for _ in range(self.random.randint(1, 2)):
            self._numbers += 1
            number = f"F{self._numbers:05}"
            self.folder.send(number, self._numbers, times=self._times())
        for _ in range(self.random.randint(1, 2)):
            self._numbers += 1
            number = f"H{self._numbers:05}"
            key = f"key-{number}" if self.random.random() < 0.5 else None
            self.http.send(number, key=key, times=self._times())

    def strike(self, target: tuple[str, ...]) -> None:
        """Kill, look at what must be true even now, and start again; sometimes not waiting until it is up."""
        self.hub.kill(*target)
        self.outcome.kills[" and ".join(target)] += 1
        self.outcome.violations += checker.lost(self.evidence)
        self.hub.start(*target)
        if self.random.random() < 0.7:
            self.hub.wait_until_ready()

    def rest(self) -> None:
        """Let the hub do what it was given, and look how long that takes."""
        began = time.monotonic()
        self.hub.wait_until_ready()
        patience = REST_S + REST_EACH_S * len(self.ledger)
        while not self._is_at_rest() and time.monotonic() - began < patience:
            time.sleep(0.2)
        self.outcome.rest_s = time.monotonic() - began
        if not self._is_at_rest():
            self.outcome.violations += [Violation(Wrong.LEFT_BEHIND, each) for each in self._unfinished()]

    def close(self) -> None:
        self.hub.kill(*self.hub.pids)
        self.http.close()
        self.folder.close()
        self.outcome.transmissions = len(self.ledger)
        self.outcome.sent = sum(each.sent for each in self.ledger)

    def _wait_for_the_moment(self) -> None:
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, LONGEST_WAIT_S))
            return
        self.ledger.news.clear()
        self.ledger.news.wait(2)
        time.sleep(self.random.uniform(0, AFTER_NEWS_S))

    def _times(self) -> int:
        return 2 if self.random.random() < 1 / 6 else 1

    def _is_at_rest(self) -> bool:
        known = list(self.ledger)
        if self.folder.left() or not all(each.acknowledged for each in known):
            return False
        return not self._unfinished()

    def _unfinished(self) -> list[str]:
        """Return the jobs that are not done, looking into folders aside: that never ends."""
        hub = Hub(settings(self.evidence.data_dir))
        try:
            found = [each for state in (*LIVE, "failed") for each in hub.jobs.list(state=state, limit=10_000)]
        finally:
            hub.jobs.close()
            hub.database.dispose()
        return [f"job {each.id} is {each.state}" for each in found if not each.id.startswith("sched:")]


def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, home_org=HOME)


def prepare(data_dir: Path) -> str:
    """Make the tables and bring in the partners; return the token that the HTTP partner shows."""
    hub = Hub(settings(data_dir))
    databases.make_whole(hub.database)
    with hub.database.write() as session:
        hub.partners.apply(session, profiles(), by="campaign", at=clock.now())
        hub.schedule_polls(session)
    hub.jobs.close()
    hub.database.dispose()
    secrets.make_missing(("file:keys/nordic-send.token", "file:keys/nordic-receive.token"), data_dir)
    return secrets.resolve("file:keys/nordic-receive.token", data_dir)


def profiles() -> dict[str, Incoming]:
    """Return the seed profiles of the campaign's partners, with what they send agreed on and nothing else."""
    found = {}
    for name in OWN:
        text = (resources.folder("partners") / f"{name}.yaml").read_text(encoding="utf-8")
        for old, new in CHANGES.get(name, ()):
            assert old in text, f"{name}: {old}"
            text = text.replace(old, new)
        kept = [line for line in text.splitlines() if not line.startswith("- {direction:") or _is_sent(line)]
        profile, faults = files.read(name, "\n".join(kept).encode())
        assert profile is not None, faults
        found[name] = Incoming(profile, "0" * 64)
    return found


def verify(data_dir: Path) -> str:
    """Return what ``tradehub verify --all`` holds against the hub; nothing where it finds nothing."""
    command = [sys.executable, "-m", "tradehub", "verify", "--all", "--json"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TRADEHUB_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0 and json.loads(done.stdout)["sound"]:
        return ""
    return done.stdout + done.stderr


def _is_sent(agreement: str) -> bool:
    return "direction: in" in agreement and (":850:" in agreement or ":Order:" in agreement)


def _wait(fact: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + READY_S
    while not fact():
        if time.monotonic() > until:
            raise AssertionError(f"waited {READY_S} s for {what}")
        time.sleep(0.02)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
