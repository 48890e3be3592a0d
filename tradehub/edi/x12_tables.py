"""X12 tables as CSV, in the form of docs/dictionaries.md, read into facts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping

from tradehub.edi.facts import Facts, Rows

COLUMNS = {
    "elements": ("element", "type", "min", "max", "name"),
    "composites": ("composite", "position", "ref", "usage", "repeat", "name", "conditions"),
    "segments": ("segment", "position", "ref", "usage", "repeat", "name", "conditions"),
    "codes": ("element", "code"),
    "sets": ("set", "within", "node", "usage", "max"),
}
"""The files, in the order in which they build on each other, and the columns that each must have."""

_CONDITION = re.compile(r"[PRECL](?:\d\d)+")
_TYPE = re.compile(r"AN|ID|DT|TM|R|N\d?|B")

Row = Mapping[str, str]


def read(texts: Mapping[str, str], release: str) -> Facts:
    """Return the facts of the CSV texts, by file name (``segments.csv``). A file may be absent."""
    facts = Facts("x12", release)
    readers: dict[str, Callable[[Facts, str, int, Row], None]] = {
        "elements": _element, "composites": _part, "segments": _part, "codes": _code, "sets": _node,
    }  # fmt: skip
    for table, columns in COLUMNS.items():
        name = next((each for each in texts if each.lower() == f"{table}.csv"), None)
        if name is None:
            continue
        for line, row in _rows(facts, name, texts[name], columns):
            readers[table](facts, name, line, row)
    return facts


def _rows(facts: Facts, file: str, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restval="")
    try:
        named = [(each or "").strip().lower() for each in reader.fieldnames or ()]
        missing = [each for each in columns if each not in named]
        if missing:
            facts.fault(file, 1, "", f"has no column {', '.join(missing)}")
            return
        reader.fieldnames = named
        for row in reader:
            yield reader.line_num, {name: (row[name] or "").strip() for name in columns}
    except csv.Error as wrong:
        facts.fault(file, reader.line_num, "", f"is not CSV: {wrong}")


def _element(facts: Facts, file: str, line: int, row: Row) -> None:
    size = (row["min"], row["max"])
    if not row["element"] or not _TYPE.fullmatch(row["type"]):
        facts.fault(file, line, row["element"], f"{row['type']!r} is no type of X12: AN ID DT TM R N N0 to N9 B")
    elif not all(each.isdecimal() for each in size) or int(size[0]) > int(size[1]):
        facts.fault(file, line, row["element"], f"{size[0]!r} to {size[1]!r} is no length")
    else:
        facts.elements[row["element"]] = f"{row['type']} {int(size[0])}/{int(size[1])} {row['name']}".strip()


def _part(facts: Facts, file: str, line: int, row: Row) -> None:
    """Read a row of segments.csv or composites.csv: position 0 names it and gives its conditions."""
    table = facts.composites if "composite" in row else facts.segments
    name = row["composite"] if "composite" in row else row["segment"]
    facts.places.setdefault(name, (file, line))
    if row["position"] == "0":
        facts.names[name] = row["name"]
        wrong = [each for each in row["conditions"].split() if not _CONDITION.fullmatch(each)]
        if wrong:
            facts.fault(
                file, line, name, f"{' '.join(wrong)} is no condition: a letter of P R E C L, two digits a position"
            )
        elif row["conditions"]:
            listed, _, _ = table.get(name, "").partition(";")
            table[name] = f"{listed}; {row['conditions']}"
        return
    listed, _, conditions = table.get(name, "").partition(";")
    parts = [each.strip() for each in listed.split(",") if each.strip()]
    if row["usage"] not in {"M", "O", "X"}:
        facts.fault(file, line, f"{name}{row['position']:>02}", f"usage is M, O or X, not {row['usage']!r}")
        return
    count = sum(int(each.partition(" x")[2] or 1) for each in parts)
    if row["position"] != str(count + 1) or not re.fullmatch(r"[1-9]\d{0,2}|", row["repeat"]):
        facts.fault(file, line, name, f"position {row['position']!r} comes where {count + 1} should be")
        return
    repeat = f" x{row['repeat']}" if row["repeat"] not in {"", "1"} else ""
    parts.append(f"{row['ref']} {row['usage']}{repeat}")
    table[name] = ", ".join(parts) + (f";{conditions}" if conditions else "")


def _code(facts: Facts, file: str, line: int, row: Row) -> None:
    if not row["element"] or not row["code"] or " " in row["code"]:
        facts.fault(file, line, row["element"], f"{row['code']!r} is no code")
        return
    codes = facts.codes.setdefault(row["element"], [])
    if row["code"] not in codes:
        codes.append(row["code"])


def _node(facts: Facts, file: str, line: int, row: Row) -> None:
    most = "*" if row["max"] in {"*", ">1"} else row["max"]
    node = row["node"].split()
    is_loop = node[:1] == ["loop"]
    bounded = " bounded" if node[2:] == ["bounded"] else ""
    if (
        not node
        or len(node) > 2 + bool(bounded)
        or row["usage"] not in {"M", "O"}
        or not re.fullmatch(r"\*|[1-9]\d*", most)
    ):
        facts.fault(
            file,
            line,
            row["set"],
            f"{row['node']!r} {row['usage']!r} {row['max']!r} is no node: TAG or loop NAME, M or O, a number or *",
        )
        return
    facts.places.setdefault(row["set"], (file, line))
    level = _level(facts.structures.setdefault(row["set"], []), [each for each in row["within"].split("/") if each])
    if level is None:
        facts.fault(file, line, row["set"], f"there is no loop {row['within']} above this row")
    elif is_loop:
        level.append({f"loop {node[1]} {row['usage']} {most}{bounded}": []})
    else:
        level.append(f"{node[0]} {row['usage']} {most}")


def _level(rows: Rows, loops: list[str]) -> Rows | None:
    """Return the rows of the newest loop of that name on each level."""
    for name in loops:
        found = [each for each in rows if isinstance(each, dict) and next(iter(each)).split()[1] == name]
        if not found:
            return None
        rows = next(iter(found[-1].values()))
    return rows
