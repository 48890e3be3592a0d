"""What a command of ours starts ends with it, even where it is killed and can end nothing itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

PARENT = """
import sys, time
from tradehub.cli.serve import start
child = start([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_parent_killed_outright_leaves_no_child_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_there(child)
        parent.kill()
    until = time.monotonic() + 5
    while is_there(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_there(child)


def test_a_child_whose_parent_was_gone_first_does_not_begin(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    tether = Path(__file__).parents[2] / "tradehub" / "cli" / "tether.py"
    subprocess.run([sys.executable, tether, "1", "/usr/bin/touch", mark], check=True)
    assert not mark.exists()
