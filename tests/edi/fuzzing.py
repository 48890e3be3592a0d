"""Any bytes at all are read without an exception: what the short test and the atheris target (``make fuzz``) share.

``python -m tests.edi.fuzzing --seconds 600`` starts from interchanges of our own making, stops at the first exception
that is not caught, and leaves the input in ``var/fuzz``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random

from tests.edi.engine import every_map, maps
from tests.edi.making import maker
from tests.edi.test_pyx12 import transmission
from tradehub.edi import acknowledge, read, write_back
from tradehub.edi.maps import Map

NOON = datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001  as envelopes have it
SIGNS = b"~*>^+:'?|=\r\n \x00\x1c\x1d\x85\xef\xbb\xbf"
TRADACOMS = (
    "STX=ANA:1+5000000000012:SELLER+5000000000029:BUYER+240301:120000+1+PASS+ORDHDR+B'"
    "MHD=1+ORDHDR:9'TYP=0430+NEW-ORDERS'SDT=5000000000012:S77+SELLER LTD'CDT=5000000000029+BUYER PLC'FIL=12+1+240301'"
    "MTR=6'MHD=2+ORDERS:9'CLO=5000000000036'ORD=PO-1::240301'OLD=1+5000000000043+++12+10+12500+++LAMP:RED'OTR=1'MTR=6'"
    "MHD=3+ORDTLR:9'OFT=1'MTR=3'END=3'"
)


def interchange(rules: Map, bodies: list[list[str]]) -> bytes:
    """Return an interchange of messages of one map."""
    if rules.head.standard == "x12":
        isa, gs, *_ = transmission(rules.spec, []).split("~")
        made = [
            segment
            for number, raw in enumerate(bodies, 1)
            for segment in (f"ST*{rules.head.set}*{number:04}", *raw, f"SE*{len(raw) + 2}*{number:04}")
        ]
        return "~".join([isa, gs, *made, f"GE*{len(bodies)}*1", "IEA*1*000000001", ""]).encode()
    release = rules.head.release
    made = [
        segment
        for number, raw in enumerate(bodies, 1)
        for segment in (
            f"UNH+{number}+{rules.head.set}:{release[0]}:{release[1:]}:UN", *raw, f"UNT+{len(raw) + 2}+{number}"
        )
    ]  # fmt: skip
    return "'".join(["UNB+UNOC:3+A:14+B:14+260302:1200+1", *made, f"UNZ+{len(bodies)}+1", ""]).encode()


def corpus(seed: int = 0, most: int = 12) -> Iterator[tuple[str, bytes]]:
    """Yield one interchange of each map, and one of TRADACOMS, by name."""
    for standard, kind, release in every_map():
        rules = maps().get(standard, kind, release)
        yield f"{standard}-{kind}-{release}", interchange(rules, [maker(rules).message(seed, most=most)])
    yield "tradacoms", TRADACOMS.encode()


def spoiled(data: bytes, random: Random) -> bytes:
    """Return the bytes with some changes that know nothing of their meaning."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        at = random.randrange(len(made) + 1)
        match random.randrange(6):
            case 0:
                made[at : at + 1] = bytes((random.randrange(256),))
            case 1:
                made[at:at] = bytes((random.choice(SIGNS),)) * random.choice((1, 1, 3, 50))
            case 2:
                del made[at : at + random.choice((1, 1, 3, 40))]
            case 3:
                made[at:at] = made[at : at + random.choice((5, 40, 200))]
            case 4:
                made[at:at] = made[random.randrange(len(made) + 1) :][:60]
            case _:
                made = made[: max(at, 1)] if random.random() < 0.2 else made.replace(b"0", b"", 1)
    return bytes(made)


def hold(data: bytes) -> None:
    """Read the bytes every way, answer them and write them back. Whatever is raised is a fault of ours."""
    store = maps()
    reading = read(data, store)
    messages = list(reading)
    list(read(data, store, tolerant=False))
    for each in messages:
        list(each.segments())
        for issue in each.issues:
            issue.line(each.raw[0] if each.raw else "")
    for received in reading.interchanges:
        if received.standard in {"x12", "edifact"}:
            acknowledge(received, at=NOON, control="1")
    if messages:
        write_back(messages, store, una=reading.una)
    if not data.isascii():
        return  # by the chunk, the first that is not ASCII decides the character set: the whole may be none
    cut = [data[at : at + 97] for at in range(0, len(data), 97)]
    chunked = list(read(iter(cut), store))
    assert [each.document for each in chunked] == [each.document for each in messages]


def main(arguments: list[str] | None = None) -> None:
    """Fuzz under atheris for so many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"))
    asked = parser.parse_args(arguments)
    import atheris

    begin = asked.folder / "corpus"
    begin.mkdir(parents=True, exist_ok=True)
    for seed in range(3):
        for name, data in corpus(seed):
            (begin / f"{name}-{seed}").write_bytes(data)
    words = sorted({tag for _, data in corpus() for tag in _tags(data)})
    (asked.folder / "words").write_text("".join(f'"{word}"\n' for word in words), "ascii")
    options = [
        f"-max_total_time={asked.seconds}", f"-dict={asked.folder / 'words'}", f"-artifact_prefix={asked.folder}/",
        "-max_len=20000", "-timeout=20", "-rss_limit_mb=2048", str(begin),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], _traced(atheris))
    atheris.Fuzz()


def _tags(data: bytes) -> Iterator[str]:
    for end, element in (("~", "*"), ("'", "+")):
        for segment in data.decode("latin-1").split(end):
            tag = segment.partition(element)[0]
            if tag.isalnum() and 2 <= len(tag) <= 3:
                yield tag


def _traced(atheris: object) -> Callable[[bytes], None]:
    """Return ``hold`` with every function of the engine watched for the ways through it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tradehub.edi"):
            for key, value in vars(module).items():
                if getattr(value, "__module__", "") == name and type(value).__name__ == "function":
                    setattr(module, key, atheris.instrument_func(value))  # type: ignore[attr-defined]
    return hold


if __name__ == "__main__":
    main()
