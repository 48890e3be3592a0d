"""The table of sample files: what our reader says of each, and what of each is left when it is written again.

    make corpus                              every file that holds a message with a map of ours, and the sums of all
    benchmarks/corpus.py --all               every file of the manifest
    benchmarks/corpus.py --issues            each issue below its file

Samples are other people's files and stand beside the repository (TRADEHUB_SHARED, else ../shared); they are
never copied here. Exit status 1: less than 98 % of the files keep their values.

``verdict`` is the word of ``tradehub check``. ``syntax only``: envelope, segments and counts are right, and we have no
map for the message; a file whose envelope or counts are wrong is rejected, map or no map.

To tell what was lost, each file is read, its documents are made into the hub's models and back (what a model has no
place for is gone), and the file is written from these, from the text of messages that have no map, and from what
stood around the messages. No document holds the text of its message, so that what is written of it comes from the
document alone.

``bytes``: what was written is the file, byte for byte, but for byte order mark, line breaks, the blanks beside a line
break (indented and wrapped lines), and the terminator of the last segment.

``values``: that, or each value of the file is among those of what was written. A value is what stands between two separators
(terminator, element, component and repetition separator; released ones part nothing) and is not empty: element and
component texts and tags, of envelopes and messages, blanks aside, as many times as the file has it. Where the
separators cannot be told, because there is no EDI in the file, everything is lost.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tradehub import edi
from tradehub.cli.files import Judged, document_of
from tradehub.edi.acknowledgement import ACKNOWLEDGEMENTS
from tradehub.edi.maps import plain_of
from tradehub.platform.resources import read_text

OURS = frozenset({
    "850", "855", "856", "810", "840", "843", "812", "820", "824", "830", "832", "846", "860", "861", "862", "865",
    "869", "870", "214", "997", "999", "TA1",
    "REQOTE", "QUOTES", "ORDERS", "ORDRSP", "ORDCHG", "OSTENQ", "OSTRPT", "DESADV", "RECADV", "INVOIC", "REMADV",
    "COMDIS", "PRICAT", "INVRPT", "DELFOR", "DELJIT", "IFTSTA", "APERAK", "PARTIN", "CONTRL",
    "ORDHDR", "ACKHDR", "DELHDR", "INVFIL",
})  # fmt: skip
"""The messages that have a map, and the acknowledgements; of TRADACOMS the header messages of their files."""
LEAST = 98
"""Percent of all files that keep their values."""
BREAK = re.compile(rb"[ \t]*(?:[\r\n][ \t]*)+")


@dataclass
class Row:
    """One file of the table."""

    file: str
    standard: str
    release: str
    said: str
    types: frozenset[str] = frozenset()
    messages: list[str] = field(default_factory=list)
    verdict: str = ""
    verdicts: Counter[str] = field(default_factory=Counter)
    lossless: bool = False
    lost: Counter[bytes] = field(default_factory=Counter)
    issues: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        return bool(OURS & self.types)

    @property
    def keeps_values(self) -> bool:
        return not self.lost

    def note(self, where: str, issues: Iterable[edi.Issue]) -> None:
        for issue in issues:
            self.issues[where + issue.severity.value] += 1
            value = f" [{issue.value[:40]}]" if issue.value else ""
            self.lines.append(f"{where}{issue.severity.value} at {issue.at}: {issue.text}{value}")

    @property
    def first(self) -> str:
        """Return its first issue, errors before warnings and those of the envelope before the message's own."""
        for severity in ("error", "warning"):
            for where in (f"envelope {severity}", severity):
                for line in self.lines:
                    if line.startswith(where):
                        return line
        return ""


def shared() -> Path:
    """Return the folder of the samples. Raises FileNotFoundError."""
    named = os.environ.get("TRADEHUB_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "samples" / "edi" / "manifest.tsv").is_file():
        raise FileNotFoundError(f"no samples under {folder}; set TRADEHUB_SHARED")
    return folder


def rows_of(folder: Path, store: edi.MapStore, only: Iterable[str] = ()) -> Iterator[Row]:
    """Yield the row of each file of the manifest, or of those whose name holds one of ``only``."""
    root = folder / "samples" / "edi"
    wanted = tuple(only)
    for line in (root / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, standard, release, types, _, _, invalid = [*line.split("\t"), *[""] * 7][:7]
        if not wanted or any(each in name for each in wanted):
            said = {"no": "", "yes": "invalid"}.get(invalid, invalid)
            row = Row(name, standard, release, said, frozenset(types.split(",")))
            judge(row, root / name, store)
            yield row


def judge(row: Row, path: Path, store: edi.MapStore) -> None:
    """Read one file, and write it again."""
    data = path.read_bytes()
    reading = edi.read(data, store)
    messages = list(reading)
    judged = Judged(
        path, reading.detected.standard, tuple(messages), tuple(reading.interchanges), tuple(reading.issues)
    )
    row.verdict = judged.grade
    for message in messages:
        row.messages.append(message.type)
        row.verdicts["accepted" if message.accepted else "no map" if message.document is None else "rejected"] += 1
        row.note("", message.issues)
    row.note("envelope ", reading.issues)
    for each in reading.interchanges:
        row.note("envelope ", [*each.issues, *(issue for group in each.groups for issue in group.issues)])
    for message in messages:
        if message.map_key and message.document is not None and message.type not in ACKNOWLEDGEMENTS:
            message.document = plain_of(document_of(message))
    written = edi.write_back(
        messages, store, una=reading.una, interchanges=reading.interchanges, objects=reading.objects
    )
    first = reading.interchanges[0] if reading.interchanges else edi.Interchange("", delimiters=edi.Delimiters(*" \n "))
    row.lossless = is_same(data, written, first)
    if not row.lossless:
        row.lost = values(data, first) - values(written, first)


def is_same(data: bytes, written: bytes, first: edi.Interchange) -> bool:
    """Return whether what was written is the file: its lines one behind the other, blanks beside line breaks aside."""
    at = 0
    for line in BREAK.split(data.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\x1a\0")):
        while not written.startswith(line, at) and written[at : at + 1].isspace():
            at += 1
        if not written.startswith(line, at):
            return False
        at += len(line)
    return written[at:].strip() in {b"", first.delimiters.segment.encode(first.charset)}


def values(data: bytes, first: edi.Interchange) -> Counter[bytes]:
    """Return the values of a file, and how often each stands there."""
    found = first.delimiters
    separators = re.escape("".join(found[:3]) + found.repeat + found.tag)
    release = f"{re.escape(found.release)}." if found.release else "(?!)"
    value = re.compile(f"(?:{release}|[^{separators}])+".encode(first.charset), re.DOTALL)
    texts = (b"".join(text.split()) for text in value.findall(data.removeprefix(b"\xef\xbb\xbf").strip(b"\x1a\0")))
    return Counter(text for text in texts if text)


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    heads = ("file", "release", "messages", "verdict", "issues", "bytes", "values", "manifest")
    cells = [
        (
            row.file,
            row.release,
            " ".join(f"{kind}*{count}" if count > 1 else kind for kind, count in Counter(row.messages).items()),
            row.verdict,
            " ".join(f"{count} {word}" for word, count in sorted(row.issues.items())) or "none",
            "yes" if row.lossless else "NO",
            "yes" if row.keeps_values else f"{row.lost.total()} LOST",
            row.said,
        )
        for row in rows
    ]
    widths = [min(60, max(len(each[at]) for each in [heads, *cells])) for at in range(len(heads))]
    for line, row in zip([heads, *cells], [None, *rows], strict=True):
        short = [
            text if len(text) <= width else "..." + text[3 - width :] for text, width in zip(line, widths, strict=True)
        ]
        yield "  ".join(text.ljust(width) for text, width in zip(short, widths, strict=True)).rstrip()
        if row is not None:
            yield from (f"    {each}" for each in row.lines)


def percent(rows: list[Row]) -> float:
    """Return how many of a hundred files keep their values."""
    return 100 * sum(row.keeps_values for row in rows) / max(len(rows), 1)


def sums(rows: list[Row]) -> Iterator[str]:
    """Yield what is to be said of all files together, as a table of Markdown."""
    yield "| files | number | messages | accepted | with warnings | syntax only | rejected | unusable | bytes | values |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    ours = [row for row in rows if row.is_ours]
    chosen = {
        f"{standard}, {what}": [row for row in part if row.standard == standard]
        for standard in ("X12", "EDIFACT", "TRADACOMS")
        for what, part in (("messages with a map", ours), ("others", [row for row in rows if not row.is_ours]))
    }
    for name, part in {**chosen, "all": rows}.items():
        said = Counter(row.verdict for row in part)
        figures = [len(part), sum(len(row.messages) for row in part)]
        figures += [
            said[word] for word in ("accepted", "accepted with warnings", "syntax only", "rejected", "unusable")
        ]
        figures += [sum(row.lossless for row in part), sum(row.keeps_values for row in part)]
        yield f"| {name} | " + " | ".join(map(str, figures)) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description="read every sample file and print the table of verdicts")
    parser.add_argument("--all", action="store_true", help="show every file, whatever its message")
    parser.add_argument("--issues", action="store_true", help="print each issue below its file")
    parser.add_argument("only", nargs="*", help="only files whose name holds one of these")
    options = parser.parse_args()
    rows = list(rows_of(shared(), edi.MapStore(read_text), options.only))
    if not options.issues:
        for row in rows:
            row.lines.clear()
    shown = [row for row in rows if options.all or options.only or row.is_ours]
    sys.stdout.write("\n".join([*table(shown), "", *sums(rows), ""]) + "\n")
    lossless, kept = sum(row.lossless for row in rows), sum(row.keeps_values for row in rows)
    sys.stdout.write(f"{len(rows)} files, {lossless} written byte for byte, {kept} keep their values: ")
    sys.stdout.write(f"{percent(rows):.1f} %\n")
    return 0 if percent(rows) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
