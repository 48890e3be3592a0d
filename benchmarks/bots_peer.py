# ruff: noqa: T201
"""Bots' parser beside ours: its lexer, and its checks of records and fields, over a grammar made from our own tables.

Bots is free under the GPL. It is no dependency and no part of this repository: it runs in a process of its own, under the
Python of an environment that someone made for the comparison, as docs/performance.md says. ``write_grammar`` makes for
it what a user of Bots would write by hand; the process answers each line it is given with one parse of the file.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

INPUT = "input.x12"
MAKE_ENVIRONMENT = (
    "TRADEHUB_BOTS names no Python that has it; to make one: python -m venv /tmp/bots && "
    "/tmp/bots/bin/pip install 'django<4' && /tmp/bots/bin/pip install --no-deps bots-ediint==3.3.1, "
    "then TRADEHUB_BOTS=/tmp/bots/bin/python make bench"
)
MANY = 99_999

ID, LEAST, MOST, BELOW, INSIDE = 0, 1, 2, 4, 8
"""The keys of a record in a grammar: its name, how often it stands, the records below it, and where the name of the
grammar is found that goes on from there."""


class Parse(NamedTuple):
    """What one parse took and what came of it: seconds of CPU time, messages, segments without their envelope's."""

    seconds: float
    messages: int
    segments: int
    errors: list[str]


# Ours: the grammar --------------------------------------------------------------------------------

ENVELOPE = {
    "ISA": "AN 2 2, AN 10 10, AN 2 2, AN 10 10, AN 2 2, AN 15 15, AN 2 2, AN 15 15, DT 6 6, TM 4 4, AN 1 1, AN 5 5, "
    "N0 9 9, AN 1 1, AN 1 1",
    "GS": "AN 2 2, AN 2 15, AN 2 15, DT 6 8, TM 4 8, N0 1 9, AN 1 2, AN 1 12",
    "ST": "AN 3 3, AN 4 9",
    "SE": "N0 1 10, AN 4 9",
    "GE": "N0 1 6, N0 1 9",
    "IEA": "N0 1 5, N0 9 9",
}


def write_grammar(spec: Any, folder: Path) -> None:
    """Write what Bots needs to read messages of ``spec``, an X12 map: a package ``usersys`` in ``folder``."""
    grammars = folder / "usersys" / "grammars" / "x12"
    grammars.mkdir(parents=True)
    for package in (grammars, grammars.parent, grammars.parent.parent):
        (package / "__init__.py").write_text("", "ascii")
    records = {tag: _fields_of_envelope(tag) for tag in ENVELOPE}
    inside = {**_record("ST", most=MANY), INSIDE: {"BOTSID": "ST", "ST01": None}}
    around = {
        **_record("ISA", most=MANY),
        BELOW: [{**_record("GS", most=MANY), BELOW: [inside, _record("GE")]}, _record("IEA")],
    }
    _write(grammars / "x12.py", around, records)
    message = {**_record("ST"), BELOW: [*_records(spec.structure), _record("SE")]}
    rules = {rule.tag: _fields(rule) for rule in _rules(spec.structure)}
    _write(grammars / f"{spec.head.set}{spec.head.release}.py", message, records | rules)


def _write(path: Path, root: dict[int, Any], records: dict[str, list[Any]]) -> None:
    # Our structures take the standard at its word, also where a segment could stand in two places; Bots would object.
    parts = {"syntax": {"checkcollision": False}, "structure": [root], "recorddefs": records}
    path.write_text("".join(f"{name} = {part!r}\n" for name, part in parts.items()), "ascii")


def _record(tag: str, least: int = 1, most: int = 1) -> dict[int, Any]:
    return {ID: tag, LEAST: least, MOST: most}


def _records(nodes: Iterable[Any]) -> list[dict[int, Any]]:
    """Return records with those below them: the first segment of a loop stands above the others."""
    made = []
    for node in nodes:
        record = _record(node.head, int(node.mandatory), node.max or MANY)
        if node.is_loop and (below := node.children[1:]):
            record[BELOW] = _records(below)
        made.append(record)
    return made


def _rules(nodes: Iterable[Any]) -> Iterable[Any]:
    for node in nodes:
        yield from _rules(node.children) if node.is_loop else (node.rule,)


def _fields_of_envelope(tag: str) -> list[Any]:
    spelled = (each.split() for each in ENVELOPE[tag].split(", "))
    fields = [
        [f"{tag}{at:02}", "M", (int(least), int(most)), form] for at, (form, least, most) in enumerate(spelled, 1)
    ]
    if tag == "ISA":  # to the lexer its last element, the separator of components, parts two that are empty
        fields.append(["ISA16", "C", [[f"ISA16.{at}", "C", (1, 1), "AN"] for at in (1, 2)]])
    return _with_id(fields)


def _fields(rule: Any) -> list[Any]:
    return _with_id(_field(use, f"{rule.tag}{at:02}") for at, use in enumerate(rule.uses, 1))


def _field(use: Any, name: str) -> list[Any]:
    usage = "M" if use.mandatory else "C"
    if use.parts:
        return [name, usage, [_field(part, f"{name}.{at:02}") for at, part in enumerate(use.parts, 1)]]
    return [name, usage, (use.element.min, use.element.max), use.element.type]


def _with_id(fields: Iterable[list[Any]]) -> list[Any]:
    return [["BOTSID", "M", 3, "AN"], *fields]


# Theirs: the parser -------------------------------------------------------------------------------


def prepare(folder: Path) -> None:
    """Bring Bots to the point where it parses files: no database, no log, no translation of its texts."""
    from bots import botsglobal, botsinit, node
    from django.conf import settings

    settings.configure(USE_I18N=False)
    sys.path.insert(0, str(folder))
    botsglobal.usersysimportpath = "usersys"
    botsglobal.ini = botsinit.BotsConfig()
    botsglobal.ini.add_section("directories")
    for name in ("botspath", "usersysabs"):
        botsglobal.ini.set("directories", name, str(folder))
    botsglobal.logger = botsglobal.logmap = logging.getLogger("bots")
    node.Node.checklevel = 1


def parse(path: Path) -> Parse:
    from bots import inmessage

    start = time.process_time()
    read = inmessage.parse_edi_file(editype="x12", messagetype="x12", filename=str(path))
    seconds = time.process_time() - start
    messages = [
        message
        for interchange in (read.root.children if not read.errorfatal else ())
        for group in interchange.children
        for message in group.children
        if message.record["BOTSID"] == "ST"
    ]
    return Parse(seconds, len(messages), sum(each.getcount() for each in messages), read.errorlist)


def main(folder: Path) -> None:
    """Parse the folder's file once for each line of the input, and answer with seconds, messages and segments."""
    prepare(folder)
    for _ in sys.stdin:
        seconds, messages, segments, errors = parse(folder / INPUT)
        print(seconds, messages, segments, *errors, sep="\t", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
