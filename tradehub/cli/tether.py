"""Run a command that ends with the process that started it: ``python tether.py PARENT COMMAND...``.

A parent that is killed with -9 ends nothing itself. Linux does it for us: PR_SET_PDEATHSIG is set here, in the child,
and outlives the exec. Elsewhere the command runs without that.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become ``command``, unless the process ``parent`` is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(0)
    os.execv(command[0], command)  # noqa: S606 - our own command


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
