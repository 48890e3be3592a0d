"""A whole hub in processes of its own, as ``tradehub demo`` starts it: pages, jobs, clock and three robots."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 120
STOP_S = 30


@dataclass(frozen=True)
class RunningHub:
    """Where the hub answers, where it keeps its data, and by which links its two people come in."""

    base: str
    data: Path
    links: dict[str, str]

    def drop(self, partner: str, name: str, text: str) -> None:
        """Put a file where the partner's program would put it, whole at once."""
        folder = self.data / "exchange" / partner / "from-partner"
        draft = folder / f"{name}.tmp"
        draft.write_text(text, encoding="utf-8")
        draft.rename(folder / name)

    def link_of(self, person: str) -> str:
        return next(link for name, link in self.links.items() if person in name)


@contextmanager
def running_hub(data: Path) -> Iterator[RunningHub]:
    """Start a hub without any deal on free ports, and end it with all that it started."""
    port, robot_port = free_ports(2)
    said = data.with_suffix(".log")
    command = [sys.executable, "-m", "tradehub", "demo", "--no-deal", "--data", str(data)]
    command += ["--port", str(port), "--robot-port", str(robot_port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEHUB_")}
    with said.open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        yield RunningHub(f"http://127.0.0.1:{port}", data, _links(process, said))
    finally:
        _end(process)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _links(process: subprocess.Popen[bytes], said: Path) -> dict[str, str]:
    """Return each person's sign-in link as soon as the hub prints that it is up."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        text = said.read_text()
        if "Ctrl-C" in text:
            return dict(re.findall(r"^  (\S.*)\n\s+(http\S+)$", text, re.MULTILINE))
        time.sleep(0.1)
    raise AssertionError(f"the hub did not come up:\n{said.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
