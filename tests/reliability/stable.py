"""Where hubs stand ready: a process that has read all code and maps, and forks a web server or a worker when told to.

What it forks is a process of its own, in a group of its own, that runs the same command as an installation does. It
starts in a tenth of the time, so that a hundred of them can be killed while somebody waits. ``Cold`` starts the very
commands instead.

``python -m tests.reliability.stable`` reads one JSON object a line and answers each with the id of a process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Protocol

from granian.cli import cli

from tests.reliability import planted
from tradehub.cli import serve
from tradehub.platform.settings import Settings

ROOT = Path(__file__).parents[2]
WARMED = ("x12:850:004010", "x12:997:004010", "ubl:Order:2.1", "ubl:ApplicationResponse:2.1")


class Starter(Protocol):
    def start(self, role: str, environment: dict[str, str], log: Path, plant: str = "") -> int:
        """Start the web server or a worker as the leader of a process group, and return its id.

        ``plant`` names a function of ``planted`` that spoils it.
        """

    def bury(self, pid: int) -> None:
        """Do what is due for a process that was killed: none may be left that is dead and still has its id."""

    def close(self) -> None: ...


class Stable:
    """The side of who asks."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.reliability.stable"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def start(self, role: str, environment: dict[str, str], log: Path, plant: str = "") -> int:
        order = {"role": role, "environment": environment, "log": str(log), "plant": plant}
        return int(self._ask(order))

    def bury(self, pid: int) -> None:
        self._ask({"bury": pid})

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def _ask(self, order: dict[str, object]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


class Cold:
    """The commands of an installation, from nothing."""

    def __init__(self) -> None:
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, role: str, environment: dict[str, str], log: Path, plant: str = "") -> int:
        if plant:
            raise ValueError("an installation's commands have no bugs to plant")
        settings = Settings(port=int(environment["TRADEHUB_PORT"]))
        parts = ["granian", *serve.web_options(settings)] if role == "web" else ["tradehub", "worker"]
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", *parts], cwd=ROOT, env=os.environ | environment, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip
        self._started[process.pid] = process
        return process.pid

    def bury(self, pid: int) -> None:
        self._started.pop(pid).wait(10)

    def close(self) -> None:
        """Nothing is left that was not buried."""


def main() -> None:
    import tradehub.hub
    import tradehub.web  # noqa: F401
    from tradehub.exchange.engine import engine_codec

    engine_codec().warm(WARMED)
    left: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "bury" in order:
            pid, _ = os.waitpid(order["bury"], 0)
            left.discard(pid)
            print(pid, flush=True)  # noqa: T201
            continue
        pid = os.fork()
        if pid == 0:
            _live(order)
        os.setpgid(pid, pid)  # both sides do: it may be killed before it has run at all
        left.add(pid)
        print(pid, flush=True)  # noqa: T201
    for pid in left:  # whoever asked has gone, perhaps without having ended them
        os.killpg(pid, signal.SIGKILL)


def _live(order: dict[str, object]) -> None:
    """Become a web server or a worker, and never return."""
    try:
        os.setpgid(0, 0)
        _let_go_of_the_terminal(str(order["log"]))
        os.environ.update(order["environment"])  # type: ignore[call-overload]
        _run(str(order["role"]), str(order["plant"]))
    finally:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _let_go_of_the_terminal(log: str) -> None:
    nothing, written = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for of_ours, theirs in ((0, nothing), (1, written), (2, written)):
        os.dup2(theirs, of_ours)


def _run(role: str, plant: str) -> None:
    if role == "web":
        cli(serve.web_options(Settings(), f"tests.reliability.planted:{plant}_pages" if plant else serve.PAGES))
        return
    if plant:
        getattr(planted, plant)()
    serve.worker([])


if __name__ == "__main__":
    main()
