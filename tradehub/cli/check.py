"""``tradehub check FILE``: read X12, EDIFACT, TRADACOMS or UBL, and say what is right and wrong with it, placed and coded."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from tradehub.cli.files import (
    EXIT,
    Judged,
    Lines,
    Unusable,
    envelope_issues,
    is_syntax_only,
    judge_lightly,
    under_envelope,
)
from tradehub.edi import Issue, ReadMessage, Severity

MANY = 100  # accepted messages of a file that are not named one by one
MARKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--engine", type=click.Choice(["tradehub", "pyx12"]), default="tradehub", help="pyx12: a second judge for X12."
)
@click.option("--quiet", is_flag=True, help="The verdict alone.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes to share the interchanges of a file out to.",
)
@click.option("--partner", help="Judge by the guides of this partner, as in <folder>/PARTNER/guides.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where --partner looks; ./partners if absent."
)
def check(
    paths: tuple[Path, ...],
    as_json: bool,
    strict: bool,
    engine: str,
    quiet: bool,
    jobs: int,
    partner: str | None,
    folder: Path | None,
) -> None:
    """Judge each FILE. Exit status 0: accepted, 1: rejected, 2: unusable, 3: right as far as syntax goes, and no map
    to judge its content by. Of several files the worst counts: 2, then 1, then 3."""
    guide = guides_of(partner, folder) if partner is not None else None
    worst = 0
    for path in paths:
        try:
            judged = judge_lightly(path, tolerant=not strict, guide=guide, jobs=jobs)
        except Unusable as unusable:
            worst = worse(worst, 2)
            click.echo(json.dumps({"file": str(path), "verdict": "unusable", "text": unusable.message}) if as_json
                       else f"{path}: unusable\n  {unusable.message}")  # fmt: skip
            continue
        worst = worse(worst, EXIT[judged.grade])
        if as_json:
            click.echo(json.dumps(as_object(judged), ensure_ascii=False))
        else:
            say(judged, quiet=quiet)
        if engine == "pyx12":
            worst = worse(worst, second(path, judged, as_json=as_json))
    sys.exit(worst)


def worse(one: int, other: int) -> int:
    """Return the worse of two exit statuses."""
    return max(one, other, key=(0, 3, 1, 2).index)


def guides_of(partner: str, folder: Path | None) -> Any:
    """Return what finds the partner's guide for a message. Raises Unusable where there is none, or one has faults."""
    from tradehub.cli.guide import finder_of

    return finder_of(partner, folder)


def say(judged: Judged, *, quiet: bool = False) -> None:
    """Print the verdict on a file and, placed under its segment, each issue."""
    colour = {"accepted": "green", "accepted with warnings": "yellow", "syntax only": "yellow"}.get(judged.grade, "red")
    click.echo(f"{judged.path}: {click.style(judged.grade, fg=colour)}")
    if quiet:
        return
    if judged.grade == "syntax only":
        click.echo("  envelope, segments and counts are right; there is no map to judge the content by")
    for issue in judged.issues if judged.standard != "xml" else ():
        click.echo(f"  {MARKS[issue.severity]}: {issue.text}")
    for interchange in judged.interchanges:
        for issue in envelope_issues(interchange):
            _say_issue(issue, under_envelope(interchange, issue), MARKS[issue.severity], "  ")
    plain = Counter(f"{each.type} {each.release}" for each in judged.messages if _is_plain(each))
    is_brief = plain.total() > MANY
    for kind, count in plain.items() if is_brief else ():
        click.echo(f"  {count} {kind}: accepted")
    for message in judged.messages:
        if is_brief and _is_plain(message):
            continue
        click.echo(f"  {title(message)}: {verdict(message)}")
        lines = Lines(message)
        for issue in message.issues:
            mark = "note" if is_syntax_only(message) else MARKS[issue.severity]
            _say_issue(issue, lines.under(issue), mark, "    ", code_of(issue, message.standard))


def _is_plain(message: ReadMessage) -> bool:
    return message.accepted and not message.issues


def code_of(issue: Issue, standard: str) -> str:
    """Return the code by which an acknowledgement says it: of AK403 or AK304, of 0085; empty where there is none."""
    if standard == "x12":
        code = f"AK403 {issue.ak4}" if issue.at.element and issue.ak4 else f"AK304 {issue.ak3}" if issue.ak3 else ""
        return f", {code}" if code else ""
    return f", 0085 {issue.contrl}" if standard == "edifact" else ""


def _say_issue(issue: Issue, under: str | None, mark: str, indent: str, code: str = "") -> None:
    value = f" [{issue.value[:60]}]" if issue.value and issue.value not in issue.text else ""
    if under is None:
        click.echo(f"{indent}{mark}: {issue.at}: {issue.text}{value}")
        return
    raw, pointer = under.split("\n", 1)
    click.echo(f"{indent}{mark}: {issue.text}{value}\n{indent}  {raw}\n{indent}  {pointer}{code}")


def title(message: ReadMessage) -> str:
    number = (message.document or {}).get("number") or message.control_number
    return " ".join(each for each in (message.type, message.release, str(number or "")) if each)


def verdict(message: ReadMessage) -> str:
    errors = sum(1 for issue in message.issues if issue.severity is Severity.ERROR)
    warnings = sum(1 for issue in message.issues if issue.severity is Severity.WARNING)
    if is_syntax_only(message):
        return "syntax only"
    said = "accepted" if message.accepted else "rejected" if errors else "rejected with its envelope"
    counts = [
        f"{count} {word}{'s' * (count > 1)}" for count, word in ((errors, "error"), (warnings, "warning")) if count
    ]
    return ", ".join([said, *counts])


def as_object(judged: Judged) -> dict[str, Any]:
    """Return the verdict as plain values."""
    return {
        "file": str(judged.path),
        "standard": judged.standard,
        "verdict": judged.grade,
        "issues": [_issue(each) for each in judged.issues],
        "interchanges": [
            {
                "control_number": each.control_number,
                "sender": each.sender.value,
                "receiver": each.receiver.value,
                "issues": [_issue(issue) for issue in envelope_issues(each)],
            }
            for each in judged.interchanges
        ],
        "messages": [
            {
                "type": each.type,
                "release": each.release,
                "control_number": each.control_number,
                "number": (each.document or {}).get("number"),
                "verdict": one_word(each),
                "issues": [_issue(issue) for issue in each.issues],
            }
            for each in judged.messages
        ],
    }


def one_word(message: ReadMessage) -> str:
    if is_syntax_only(message):
        return "syntax only"
    return "accepted" if message.accepted else "rejected"


def _issue(issue: Issue) -> dict[str, Any]:
    at = issue.at
    place = {
        "segment": at.segment, "tag": at.tag, "path": at.path, "element": at.element, "component": at.component,
        "repetition": at.repetition,
    }  # fmt: skip
    said = {
        "severity": str(issue.severity), "fault": issue.fault.word, "text": issue.text, "value": issue.value,
        "rule": issue.rule, "element_id": issue.element_id, "ak3": issue.ak3, "ak4": issue.ak4, "contrl": issue.contrl,
    }  # fmt: skip
    return said | {"at": {name: value for name, value in place.items() if value}}


def second(path: Path, judged: Judged, *, as_json: bool) -> int:
    """Let pyx12 judge the file by our maps, show its verdict beside ours, and return its exit status."""
    from tradehub.cli.pyx12_judge import judge_with_pyx12

    if judged.standard != "x12":
        raise Unusable("pyx12 judges X12 alone")
    theirs = judge_with_pyx12(path)
    if as_json:
        click.echo(json.dumps({"file": str(path), "engine": "pyx12", **theirs}))
    else:
        click.echo(f"{path}: pyx12 says {theirs['verdict']}")
        for each in theirs["issues"]:
            click.echo(f"    {each}")
    return EXIT[theirs["verdict"]]
