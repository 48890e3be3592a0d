# ruff: noqa: E402, S101, S603, T201, PT018
"""``make bench``: our engine beside its peers, in one run and by turns, on messages made up by us.

Ours reads, judges and maps each message to a document, with its extensions; pyx12 validates and makes a 997; pydifact
parses; ansi-x12 only tokenises. Bots' parser, which checks records and fields, joins where TRADEHUB_BOTS names a Python
that has it. Times are CPU times of a process, medians of several rounds by turns, so that ratios hold on a busy machine
too; a peer that is too slow for the whole input is timed on a part of it, and compared by the byte.
With ``--full`` the largest inputs are measured whole; with ``--table`` the result is printed as docs/performance.md has it.
"""

from __future__ import annotations

import gc
import importlib.resources
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import bots_peer
from messages import edifact_invoic, edifact_orders, x12_850, x12_856

from tradehub.edi import EnvelopeFacts, message, read, write_interchange
from tradehub.edi.envelope import Id
from tradehub.edi.maps import MapStore
from tradehub.platform.resources import read_text

MEGABYTE = 1_000_000
ROUNDS = 5
ROOT = Path(__file__).resolve().parent.parent


class Row(NamedTuple):
    """One measurement: what was measured, what came out, what must be reached, and whether it was."""

    work: str
    got: str
    wanted: str
    good: bool


def ours(data: bytes, maps: MapStore) -> None:
    reading = read(data, maps)
    del data
    count = bad = 0
    for each in reading:
        count += 1
        bad += not each.document or bool(each.issues)
    assert count and not bad and reading.accepted, f"{bad} of {count} messages are not as they should be"


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def by_turns(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the median CPU time of each work, all done once before, then by turns."""
    for work in works:
        work()
    measured = [[timed(work) for work in works] for _ in range(rounds)]
    return [statistics.median(each) for each in zip(*measured, strict=True)]


# Peers --------------------------------------------------------------------------------------------


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


def ansi_tokenise(data: bytes) -> None:
    from x12 import tokenize_x12

    tokenize_x12(data)


def pydifact_parse(data: bytes) -> None:
    from pydifact.segmentcollection import Interchange

    Interchange.from_str(data.decode())


def compared(
    name: str, maps: MapStore, data: bytes, peer: str, work: Callable[[bytes], None], part: bytes, least: float
) -> Row:
    mine, theirs = by_turns(lambda: ours(data, maps), lambda: work(part))
    return ratio(f"{name} against {peer}", mine / len(data), peer, theirs / len(part), least)


def ratio(work: str, mine: float, peer: str, theirs: float, least: float) -> Row:
    """Return the row of two speeds, given as seconds a byte."""
    times = theirs / mine
    speeds = f"{1 / mine / MEGABYTE:.1f} MB/s, {peer} {1 / theirs / MEGABYTE:.2f} MB/s"
    return Row(work, f"{times:.1f} times ({speeds})", f"{least:g} times", times >= least)


def against_bots(maps: MapStore, folder: Path, data: bytes) -> Iterator[Row]:
    """Measure Bots' parser by turns with ours, in its own process; nothing without an environment that has it."""
    python = os.environ.get("TRADEHUB_BOTS")
    if not python:
        print(f"Bots' parser is not measured: {bots_peer.MAKE_ENVIRONMENT}", file=sys.stderr)
        return
    bots_peer.write_grammar(maps.spec("x12", "850", "004010"), folder)
    (folder / bots_peer.INPUT).write_bytes(data)
    expected = (data.count(b"~ST*"), data.count(b"~") - 4)  # all but ISA, GS, GE and IEA lie in a message
    command = [python, bots_peer.__file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as bots:
        assert bots.stdin and bots.stdout
        rounds = []
        for _ in range(ROUNDS + 1):
            mine = timed(lambda: ours(data, maps))
            print(file=bots.stdin)
            theirs, *counts = bots.stdout.readline().split("\t")
            assert tuple(map(int, counts)) == expected, f"Bots found {counts}, not {expected}"
            rounds.append((mine, float(theirs)))
        bots.stdin.close()
    mine, theirs = (statistics.median(each) for each in zip(*rounds[1:], strict=True))
    yield ratio("850, 1 MB, against Bots' parser", mine / len(data), "Bots", theirs / len(data), 25)


# Ours against ours --------------------------------------------------------------------------------


def per_segment(name: str, maps: MapStore, data: bytes, plain: bytes) -> Row:
    own, common = by_turns(lambda: ours(data, maps), lambda: ours(plain, maps))
    segments, others = (each.count(b"~") + each.count(b"'") for each in (data, plain))
    ratio = (own / segments) / (common / others)
    got = f"{ratio:.2f} times ({own / segments * 1e6:.2f} us a segment)"
    return Row(f"{name}, a segment against one of the 850", got, "at most 1.5 times", ratio <= 1.5)


def writing(maps: MapStore, data: bytes) -> Row:
    rules = maps.get("x12", "850", "004010")
    documents = [each.document for each in read(data, maps)]
    facts = EnvelopeFacts("x12", Id("HAIDI", "ZZ"), Id("NINGBO", "ZZ"), "1", datetime(2026, 11, 27, 9, 0))  # noqa: DTZ001

    def write() -> bytes:
        return write_interchange([message(rules, each, f"{at:04}") for at, each in enumerate(documents, 1)], facts)

    written = write()
    reading_, writing_ = by_turns(lambda: ours(data, maps), write)
    share = (len(written) / writing_) / (len(data) / reading_)
    got = f"{share:.0%} ({len(written) / writing_ / MEGABYTE:.1f} MB/s)"
    return Row("writing 850s, against reading them", got, "60 %", share >= 0.6)


def growth(name: str, maps: MapStore, make: Callable[[int], bytes]) -> Row:
    small, large = make(MEGABYTE), make(10 * MEGABYTE)
    one, ten = by_turns(lambda: ours(small, maps), lambda: ours(large, maps), rounds=3)
    ratio = (ten / one) / (len(large) / len(small) / 10)
    return Row(f"{name}, ten times the size", f"{ratio:.1f} times the time", "at most 11 times", ratio <= 11)


def compiling(standard: str, kind: str, release: str) -> list[Row]:
    kept: dict[str, str] = {}
    cold = timed(lambda: MapStore(read_text, kept).get(standard, kind, release))
    warm = statistics.median(timed(lambda: MapStore(read_text, kept).get(standard, kind, release)) for _ in range(9))
    name = f"compiling {kind} {release}"
    return [
        Row(f"{name}, cold", f"{cold * 1000:.0f} ms", "at most 500 ms", cold <= 0.5),
        Row(f"{name}, from cache", f"{warm * 1000:.0f} ms", "at most 20 ms", warm <= 0.02),
    ]


# Whole processes ----------------------------------------------------------------------------------


def made(path: Path, size: int, interchanges: int = 1) -> None:
    one = x12_850(size // interchanges)
    with path.open("wb") as file:
        for number in range(1, interchanges + 1):
            file.write(one.replace(b"000000001", b"%09d" % number))


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def peak(path: str, by_the_chunk: str) -> None:
    """Run in a process of its own: print the peak of its memory in MB."""
    data = chunks(Path(path)) if by_the_chunk == "chunks" else Path(path).read_bytes()
    reading = read(data, MapStore(read_text))
    del data
    assert sum(1 for _ in reading) and reading.accepted
    status = Path("/proc/self/status").read_text("ascii")  # ru_maxrss also holds what the parent had before it forked
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(kilobytes * 1024 / MEGABYTE)


def memory(folder: Path, size: int, how: str, most: float) -> Row:
    path = folder / "large.x12"
    made(path, size)
    command = [sys.executable, __file__, "--peak", str(path), how]
    used = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    what = "by the chunk" if how == "chunks" else "whole"
    over = used - (0 if how == "chunks" else size / MEGABYTE)
    wanted = f"under {most:g} MB" if how == "chunks" else f"under text + {most:g} MB"
    got = f"{used:.0f} MB" if how == "chunks" else f"text + {over:.0f} MB"
    return Row(f"peak memory, {size // MEGABYTE} MB of 850s read {what}", got, wanted, over < most)


def check(*words: str) -> float:
    """Return how long ``tradehub check`` takes, from the shell's point of view; with bytecode kept, as where it is
    installed."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "tradehub", "check", "--quiet", *words]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, capture_output=True, env=env)
    return time.perf_counter() - start


def side_by_side(folder: Path, size: int) -> Row:
    path = folder / "ten.x12"
    made(path, size, interchanges=10)
    rounds = [(check(str(path)), check(str(path), "--jobs", "2")) for _ in range(3)]
    one, two = (statistics.median(each) for each in zip(*rounds, strict=True))
    what = f"10 interchanges of {size // 10 // MEGABYTE} MB on two cores against one"
    return Row(what, f"{one / two:.2f} times ({one:.1f} s, {two:.1f} s)", "1.7 times", one / two >= 1.7)


def small_file(folder: Path) -> Row:
    path = folder / "small.x12"
    made(path, 5000)
    check(str(path))
    took = statistics.median(check(str(path)) for _ in range(9))
    return Row("tradehub check of 5 kB, whole process", f"{took:.2f} s", "under 0.35 s", took < 0.35)


# All of it ----------------------------------------------------------------------------------------


def rows(folder: Path, *, full: bool) -> Iterator[Row]:
    maps = MapStore(read_text)
    judge = pyx12_judge(maps, str(folder))
    orders, part = x12_850(MEGABYTE), x12_850(MEGABYTE // 10)
    yield compared("850, 1 MB,", maps, orders, "pyx12", judge, part, 30)
    yield from against_bots(maps, folder, orders)
    yield compared("850, 1 MB,", maps, orders, "ansi-x12", ansi_tokenise, orders, 1.2)
    large = x12_850(20 * MEGABYTE)
    yield compared("850, 20 MB,", maps, large, "pyx12", judge, part, 30)
    del large
    edifact = edifact_orders(MEGABYTE)
    yield compared(
        "ORDERS, 1 MB,", maps, edifact, "pydifact", pydifact_parse, edifact[:0] + edifact_orders(MEGABYTE // 3), 20
    )
    yield per_segment("856 of five levels", maps, x12_856(MEGABYTE), orders)
    yield per_segment("INVOIC of 500 lines", maps, edifact_invoic(MEGABYTE), orders)
    yield writing(maps, orders)
    yield growth("850", maps, x12_850)
    yield growth("ORDERS", maps, edifact_orders)
    yield from compiling("edifact", "INVOIC", "D24A")
    yield memory(folder, 20 * MEGABYTE, "whole", 60)
    yield memory(folder, (200 if full else 60) * MEGABYTE, "chunks", 100)
    yield side_by_side(folder, (200 if full else 40) * MEGABYTE)
    yield small_file(folder)


def main() -> int:
    if sys.argv[1:2] == ["--peak"]:
        peak(*sys.argv[2:4])
        return 0
    warnings.simplefilter("ignore")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder), full="--full" in sys.argv):
            good &= row.good
            if "--table" in sys.argv:
                print(f"| {row.work} | {row.got} | {row.wanted} |{'' if row.good else ' not reached'}", flush=True)
            else:
                print(f"{row.work:58} {row.got:48} {row.wanted:20} {'ok' if row.good else 'NOT REACHED'}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
