"""The table of sample files: what our reader says of each, and whether writing it again gives the same text.

    make corpus                              every file that holds a message with a map of ours
    benchmarks/corpus.py --all               every X12 and EDIFACT file of the manifest
    benchmarks/corpus.py --issues            each issue below its file

Samples are other people's files and stand beside the repository (TRADEHUB_SHARED, else ../shared); they are
never copied here.
A file is ``lossless`` when writing each of its messages gives the message's own text, line breaks aside.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tradehub import edi
from tradehub.platform.resources import read_text

OURS = frozenset(
    {
        "850",
        "855",
        "856",
        "810",
        "840",
        "843",
        "812",
        "820",
        "824",
        "830",
        "832",
        "846",
        "860",
        "861",
        "862",
        "865",
        "869",
        "870",
        "214",
        "997",
        "ORDERS",
        "ORDRSP",
        "DESADV",
        "INVOIC",
        "QUOTES",
        "REQOTE",
        "CONTRL",
    }
)


@dataclass
class Row:
    """One file of the table."""

    file: str
    release: str
    said: str
    messages: list[str] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    lossless: bool = True
    issues: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def note(self, where: str, issues: Iterable[edi.Issue]) -> None:
        for issue in issues:
            self.issues[where + issue.severity.value] += 1
            self.lines.append(f"{where}{issue.severity.value} at {issue.at}: {issue.text}")

    @property
    def verdict(self) -> str:
        return " ".join(f"{count} {word}" for word, count in self.verdicts.items()) or "no message"


def shared() -> Path:
    """Return the folder of the samples. Raises FileNotFoundError."""
    named = os.environ.get("TRADEHUB_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "samples" / "edi" / "manifest.tsv").is_file():
        raise FileNotFoundError(f"no samples under {folder}; set TRADEHUB_SHARED")
    return folder


def manifest(folder: Path, *, everything: bool) -> Iterator[tuple[Path, str, str]]:
    """Yield (path, release, what the manifest says of its validity) of each file of the table."""
    root = folder / "samples" / "edi"
    for line in (root / "manifest.tsv").read_text(encoding="utf-8").splitlines():
        name, standard, release, types, _, _, invalid = [*line.split("\t"), *[""] * 7][:7]
        wanted = OURS & set(types.split(","))
        if standard in {"X12", "EDIFACT"} and (everything or wanted):
            yield root / name, release, {"no": "", "yes": "invalid"}.get(invalid, invalid)


def judged(path: Path, name: str, release: str, said: str, store: edi.MapStore) -> Row:
    """Read one file and write it again."""
    row = Row(name, release, said)
    data = path.read_bytes()
    reading = edi.read(data, store)
    messages = list(reading)
    for message in messages:
        row.messages.append(message.type)
        row.verdicts["accepted" if message.accepted else "rejected"] += 1
        row.note("", message.issues)
    row.note("envelope ", [*reading.issues, *(issue for each in reading.interchanges for issue in each.issues)])
    row.lossless = settled(edi.write_back(messages, store, una=reading.una)) == settled(data)
    return row


def settled(data: bytes) -> bytes:
    """Return a file without byte order mark, line breaks and the blanks that indent its segments."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = (line.strip(" \t\x1a") for line in text.replace("\r", "\n").split("\n"))
    return "".join(lines).encode("latin-1")


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of the table and its sums."""
    heads = ("file", "release", "messages", "verdict", "issues", "lossless", "manifest")
    cells = [
        (
            row.file,
            row.release,
            " ".join(f"{kind}*{count}" if count > 1 else kind for kind, count in Counter(row.messages).items()),
            row.verdict,
            " ".join(f"{count} {word}" for word, count in sorted(row.issues.items())) or "none",
            "yes" if row.lossless else "NO",
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
    accepted, every = (sum(row.verdicts[word] for row in rows) for word in ("accepted", "rejected"))
    lossless = sum(row.lossless for row in rows)
    yield ""
    yield f"{len(rows)} files, {lossless} lossless ({lossless * 100 // max(len(rows), 1)} %); "
    yield f"{accepted + every} messages, {accepted} accepted, {every} rejected"


def main() -> int:
    parser = argparse.ArgumentParser(description="read every sample file and print the table of verdicts")
    parser.add_argument("--all", action="store_true", help="every X12 and EDIFACT file, whatever its message")
    parser.add_argument("--issues", action="store_true", help="print each issue below its file")
    parser.add_argument("only", nargs="*", help="only files whose name holds one of these")
    options = parser.parse_args()
    folder = shared()
    store = edi.MapStore(read_text)
    rows = []
    for path, release, said in manifest(folder, everything=options.all):
        name = str(path.relative_to(folder / "samples" / "edi"))
        if not options.only or any(each in name for each in options.only):
            rows.append(judged(path, name, release, said, store))
            if not options.issues:
                rows[-1].lines.clear()
    sys.stdout.write("\n".join(table(rows)) + "\n")
    return 0 if all(row.lossless for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
