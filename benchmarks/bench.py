# ruff: noqa: E402, S101, S603, T201, PT018
"""``make bench``: our engine beside pyx12 and pydifact, in one run and by turns, on messages made up by us.

Ours reads, judges and maps each message to a document, with its extensions; pyx12 validates; pydifact parses.
"""

from __future__ import annotations

import gc
import importlib.resources
import io
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from messages import edifact_orders, x12_850

from tradehub.edi.intake import read
from tradehub.edi.maps import MapStore

MEGABYTE = 1_000_000
ROUNDS = 3
ROOT = Path(__file__).resolve().parent.parent
PYX12_TARGET, PYDIFACT_TARGET, MEMORY_TARGET = 15, 10, 60


def store() -> MapStore:
    maps = ROOT / "edi_mappings"
    return MapStore(lambda path: (maps / path).read_text("utf-8") if (maps / path).is_file() else None)


def ours(data: bytes, maps: MapStore) -> None:
    reading = read(data, maps)
    del data
    count = bad = 0
    for message in reading:
        count += 1
        bad += not message.document or bool(message.issues)
    assert count and not bad and reading.accepted, f"{bad} of {count} messages are not as they should be"


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def pyx12_judge(maps: MapStore, folder: str) -> Callable[[bytes], None]:
    from tradehub.edi import pyx12_bridge

    logging.disable(logging.CRITICAL)
    own = importlib.resources.files("pyx12") / "map"
    control = {name: (own / name).read_text("utf-8") for name in pyx12_bridge.CONTROL}
    for name, text in pyx12_bridge.files([maps.spec("x12", "850", "004010")], control).items():
        (Path(folder) / name).write_text(text, "utf-8")

    def judge(data: bytes) -> None:
        opinion = pyx12_bridge.judge(data.decode(), folder)
        assert opinion.accepted, opinion

    return judge


def pydifact_parse(data: bytes) -> None:
    from pydifact.segmentcollection import Interchange

    Interchange.from_str(data.decode())


def compare(
    name: str, mine: Callable[[bytes], None], theirs: Callable[[bytes], None], data: bytes, sample: bytes, target: int
) -> bool:
    mine(sample)
    theirs(sample)
    rounds = [
        (timed(lambda: mine(data)) / len(data), timed(lambda: theirs(sample)) / len(sample)) for _ in range(ROUNDS)
    ]
    of_mine, of_theirs = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = of_theirs / of_mine
    verdict = "ok" if ratio >= target else "TOO SLOW"
    speeds = f"{1 / of_mine / MEGABYTE:6.2f} MB/s against {1 / of_theirs / MEGABYTE:5.2f} MB/s"
    share = "" if len(sample) == len(data) else f" (theirs timed on a sample of {len(sample) / MEGABYTE:.1f} MB)"
    print(f"{name:30} {speeds}: {ratio:5.1f} x (>= {target}) {verdict}{share}")
    return ratio >= target


def peak(megabytes: int) -> None:
    """Run in a process of its own: print size and peak in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.x12"
        make = "from messages import x12_850; import sys; open(sys.argv[1], 'wb').write(x12_850(int(sys.argv[2])))"
        subprocess.run(
            [sys.executable, "-c", make, str(path), str(megabytes * MEGABYTE)], check=True, cwd=Path(__file__).parent
        )
        size = path.stat().st_size
        started = time.process_time()
        ours(path.read_bytes(), store())
        seconds = time.process_time() - started
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(size, most, seconds)


def memory(megabytes: int) -> bool:
    run = subprocess.run(
        [sys.executable, __file__, "--peak", str(megabytes)], check=True, capture_output=True, text=True
    )
    size, most, seconds = (float(each) for each in run.stdout.split())
    above = (most - size) / MEGABYTE
    verdict = "ok" if above < MEMORY_TARGET else "TOO MUCH"
    speed = f"{size / seconds / MEGABYTE:.2f} MB/s"
    peak_ = f"peak memory of the whole process {most / MEGABYTE:.0f} MB = text + {above:.0f} MB"
    print(f"850, {megabytes} MB: {speed}, {peak_} (< {MEMORY_TARGET}) {verdict}")
    return above < MEMORY_TARGET


def main() -> int:
    if sys.argv[1:2] == ["--peak"]:
        peak(int(sys.argv[2]))
        return 0
    warnings.simplefilter("ignore")
    maps = store()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        judge = pyx12_judge(maps, folder)
        sample = x12_850(MEGABYTE // 5)
        good &= compare(
            "850, 1 MB, against pyx12", lambda data: ours(data, maps), judge, x12_850(MEGABYTE), sample, PYX12_TARGET
        )
        if "--quick" not in sys.argv:
            big = x12_850(20 * MEGABYTE)
            good &= compare(
                "850, 20 MB, against pyx12", lambda data: ours(data, maps), judge, big, sample, PYX12_TARGET
            )
            del big
    orders = edifact_orders(MEGABYTE)
    good &= compare(
        "ORDERS, 1 MB, against pydifact",
        lambda data: ours(data, maps),
        pydifact_parse,
        orders,
        orders,
        PYDIFACT_TARGET,
    )
    good &= memory(20)
    return 0 if good else 1


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
    raise SystemExit(main())
