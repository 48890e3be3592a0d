"""What a kill cannot show, for the system keeps what was written: whether it is on the disk before it is acknowledged.

The system calls of one process are read off: bytes, their name, the folder, the database's log, and only then the
acknowledgement.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from tests.exchange.test_bad_input import UBL, X12
from tests.reliability.campaign import prepare
from tests.reliability.stable import ROOT

CALLS = "fsync,fdatasync,rename,renameat,renameat2,write"
LINE = re.compile(r"^\d+ +(?P<call>\w+)\((?P<rest>.*)\) += \d+")
ANSWERED = "the partner is told"

TAKES = """
import sys
from pathlib import Path
from tests.reliability.campaign import settings
from tests.reliability.test_order import ANSWERED
from tradehub.hub import Hub
from tradehub.web import create_app

hub = Hub(settings(Path(sys.argv[1])))
token = (Path(sys.argv[1]) / "keys/nordic-receive.token").read_text().strip()
client = create_app(hub).test_client()
with hub.database.read() as session:
    channel = hub.exchange.polled_channels(session)[0]
if sys.argv[2] == "folder":
    hub.exchange.poll(channel)
else:
    answer = client.post("/exchange/http/nordic", data=sys.stdin.buffer.read(), headers={"Authorization": "Bearer " + token})
    assert answer.status_code == 202, answer.data
    print(ANSWERED, flush=True)
"""


def steps(log: str) -> list[str]:
    """Return what was done, in order, in the words of this test; what does not matter is left out."""
    found = []
    for line in log.splitlines():
        called = LINE.match(line)
        if called is None:
            continue
        step = _step(called["call"], called["rest"])
        if step is not None:
            found.append(step)
    return found


def _step(call: str, rest: str) -> str | None:
    if call == "write":
        return "acknowledged" if ANSWERED in rest else None
    if call.startswith("rename"):
        return "acknowledged" if "/processed/" in rest else "named" if "/payloads/" in rest else None
    if "/payloads/" in rest:
        return "bytes" if ".tmp" in rest else "folder"
    return "committed" if "tradehub.db-wal" in rest else None


SOUND = ("bytes", "named", "folder", "committed", "acknowledged")
FORGETS_TO_SYNC = "import os; os.fsync = lambda handle: None\n"


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Return what takes an order in over a channel, and tells the steps up to the acknowledgement, each once."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    data, log = tmp_path / "data", tmp_path / "calls"
    prepare(data)
    inbox = data / "exchange/ningbo/from-partner"
    inbox.mkdir(parents=True)
    (inbox / "a.edi").write_text(X12)

    def take(channel: str, plant: str = "") -> tuple[str, ...]:
        watched = ["strace", "-f", "-y", "-s", "200", "-e", f"trace={CALLS}", "-o", str(log)]
        command = [*watched, sys.executable, "-c", plant + TAKES, str(data), channel]
        done = subprocess.run(command, cwd=ROOT, input=UBL.encode(), capture_output=True, check=False)
        if b"ptrace" in done.stderr:
            pytest.skip("this machine lets nobody be watched")
        assert done.returncode == 0, done.stderr.decode()
        found = steps(log.read_text())
        until = found[: found.index("acknowledged") + 1]
        last = len(until) - until[::-1].index("named") - 1  # what was committed before the payload is another story
        return tuple(step for step, _ in groupby(until[max(0, last - 1) :]))

    return take


@pytest.mark.parametrize("channel", ["folder", "http"])
def test_all_of_it_is_on_the_disk_before_it_is_acknowledged(
    taken: Callable[..., tuple[str, ...]], channel: str
) -> None:
    assert taken(channel) == SOUND


def test_that_it_is_not_would_be_noticed(taken: Callable[..., tuple[str, ...]]) -> None:
    assert taken("folder", FORGETS_TO_SYNC) != SOUND
