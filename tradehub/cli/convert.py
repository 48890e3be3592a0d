"""``tradehub convert FILE --to ...``: the same document in another standard, and what that standard could not carry."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click

from tradehub.cli.files import EXIT, Judged, Unusable, documents, judge, map_store
from tradehub.cli.fitting import fitted
from tradehub.documents import Document
from tradehub.documents.parts import Reference
from tradehub.documents.terms import plain_values
from tradehub.documents.trade import Despatch, DespatchLine, LineResponse, OrderResponse, ResponseLine
from tradehub.edi import EnvelopeFacts, Id, MapError, message, read, write_interchange
from tradehub.edi.functions import read_date
from tradehub.platform import clock

VERSIONS = {"x12": "00401", "edifact": "UNOC:3", "tradacoms": "ANA:1"}
TARGETS = "x12:850:004010, edifact:ORDERS:D96A, tradacoms:ORDERS:9, ubl:Order:2.1"


class Target(NamedTuple):
    standard: str
    message: str = ""
    release: str = ""


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--to", "target", required=True, help=f"{TARGETS} or json.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of standard output.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done, and the losses, as JSON on standard error.")
@click.option("--force", is_flag=True, help="Convert a rejected file as far as it was understood.")
@click.option("--most", type=click.IntRange(min=1), help="Write interchanges of at most so many messages.")
def convert(path: Path, target: str, output: Path | None, as_json: bool, force: bool, most: int | None) -> None:
    """Convert FILE. Exit status 0: converted, 1: FILE is rejected, 2: cannot be converted."""
    wanted = parsed(target)
    judged = judge(path)
    if EXIT[judged.grade] == 1 and not force:
        click.echo(f"{path}: rejected; see `tradehub check`, or --force it", err=True)
        sys.exit(1)
    found = documents(judged)
    if wanted.standard == "json":
        payload, lost = as_json_lines(found), []
    else:
        said = [_confirming(each, wanted.standard) for each in found]
        payload = in_standard(said, wanted, judged, most=most)
        lost = losses([_without_moved(*each) for each in zip(found, said, strict=True)], payload, wanted)
    report(lost, as_json=as_json)
    if output is None:
        sys.stdout.buffer.write(payload)
    else:
        output.write_bytes(payload)


def parsed(target: str) -> Target:
    """Return what ``--to`` names. Raises Unusable where there is no such map."""
    if target == "json":
        return Target("json")
    parts = target.split(":")
    if len(parts) != 3 or parts[0] not in {*VERSIONS, "ubl"}:
        raise Unusable(f"{target!r} is not a target: write {TARGETS} or json")
    wanted = Target(*parts)
    if not map_store().has(*wanted):
        raise Unusable(f"there is no map for {target}")
    return wanted


def as_json_lines(found: Iterable[Document]) -> bytes:
    """Return the documents as JSON, one a line when there are several."""
    kept = list(found)
    if len(kept) == 1:
        return (kept[0].model_dump_json(indent=2, exclude_defaults=True) + "\n").encode()
    return "".join(each.model_dump_json(exclude_defaults=True) + "\n" for each in kept).encode()


def in_standard(found: list[Document], wanted: Target, judged: Judged, *, most: int | None = None) -> bytes:
    """Return the documents in the wanted standard; sender and receiver are those of the file.

    They are one interchange, or as many as it takes for none to hold more than ``most`` messages, numbered from 1.
    """
    if wanted.standard == "ubl":
        return _xml(found, wanted, judged)
    rules = map_store().get(*wanted)
    unfit = {each.kind for each in found} - {rules.head.document}
    if unfit:
        raise Unusable(f"{wanted.message} carries {rules.head.document}, not {', '.join(sorted(unfit))}")
    numbers = (f"{number:04d}" for number in range(1, len(found) + 1))
    messages = [message(rules, each, number) for each, number in zip(found, numbers, strict=True)]
    if wanted.standard != "tradacoms":
        messages = [fitted(rules, each) for each in messages]
    size = most or len(messages)
    batches = (messages[start : start + size] for start in range(0, len(messages), size))
    return b"".join(
        write_interchange(batch, _envelope(wanted.standard, judged, str(number)))
        for number, batch in enumerate(batches, 1)
    )


def _xml(found: list[Document], wanted: Target, judged: Judged) -> bytes:
    from tradehub.edi.xml import write_xml, xml_map

    if len(found) > 1:
        raise Unusable(f"the file holds {len(found)} messages and an XML document one")
    try:
        rules = xml_map(map_store(), wanted.message, wanted.release)
    except MapError as error:
        raise Unusable(str(error)) from error
    if rules.document != found[0].kind:
        raise Unusable(f"{wanted.message} carries {rules.document}, not {found[0].kind}")
    return write_xml(rules, _with_what_ubl_demands(found[0], judged))


def _with_what_ubl_demands(document: Document, judged: Judged) -> Document:
    """Return the document with a number, a day, and for each line of a despatch an order.

    X12 knows an answer by the order's number, and EDIFACT often states the order of all lines once; the day of issue is
    then that of the interchange.
    """
    known: dict[str, Any] = {}
    if document.number is None:
        known["number"] = document.reference("order") or (
            judged.messages[0].control_number if judged.messages else None
        )
    if document.issued_on is None:
        known["issued_on"] = _sent_on(judged)
    if isinstance(document, Despatch):
        orders = [each for each in document.references if each.type == "order"]
        of_all = orders if len(orders) == 1 else [Reference(type="order")]
        known["lines"] = tuple(_ordered(line, of_all) for line in document.lines)
    return document.model_copy(update=known)


def _ordered(line: DespatchLine, of_all: list[Reference]) -> DespatchLine:
    if any(each.type == "order" for each in line.references):
        return line
    return line.model_copy(update={"references": (*of_all, *line.references)})


def _sent_on(judged: Judged) -> date:
    """Return the day that the interchange states, else today."""
    try:
        return read_date(judged.interchanges[0].date)
    except (IndexError, ValueError):
        return clock.now().date()


def _confirming(document: Document, standard: str) -> Document:
    """Return an answer to an order with what it confirms where the standard says it: ACK02 of X12, and the line's own quantity
    where there is but one. EDIFACT has QTY 113 beside what was ordered."""
    if not isinstance(document, OrderResponse) or standard == "edifact":
        return document
    return document.model_copy(update={"lines": tuple(_confirmed(line, standard) for line in document.lines)})


def _confirmed(line: ResponseLine, standard: str) -> ResponseLine:
    confirmed = line.confirmed_quantity
    if confirmed is None:
        return line
    if standard != "x12":
        return line.model_copy(update={"quantity": confirmed, "confirmed_quantity": None})
    status = "accepted" if confirmed == line.quantity else "quantity_changed"
    first, *others = line.responses or (LineResponse(status=status),)
    if others or first.quantity is not None:
        return line
    answer = first.model_copy(update={"quantity": confirmed})
    return line.model_copy(update={"responses": (answer,), "confirmed_quantity": None})


def _without_moved(document: Document, said: Document) -> Document:
    """Return what was to be carried, without what is said in another place."""
    if not isinstance(document, OrderResponse) or not isinstance(said, OrderResponse):
        return document
    lines = (
        line.model_copy(update={"confirmed_quantity": after.confirmed_quantity})
        for line, after in zip(document.lines, said.lines, strict=True)
    )
    return document.model_copy(update={"lines": tuple(lines)})


def _envelope(standard: str, judged: Judged, number: str) -> EnvelopeFacts:
    first = judged.interchanges[0] if judged.interchanges else None
    sender = first.sender.value if first else ""
    receiver = first.receiver.value if first else ""
    qualifier = "ZZ" if standard == "x12" else ""
    return EnvelopeFacts(
        standard, Id(qualifier, sender or "SENDER"), Id(qualifier, receiver or "RECEIVER"), number, clock.now(),
        version=VERSIONS[standard], group_control_number=number,
    )  # fmt: skip


def losses(found: list[Document], payload: bytes, wanted: Target) -> list[dict[str, str]]:
    """Return what is no longer there when the result is read again: path, before, after."""
    again = [_again(each, payload, wanted, position) for position, each in enumerate(found)]
    lost = []
    for before, after in zip(found, again, strict=True):
        was, now = plain_values(before), plain_values(after) if after else {}
        lost += [
            {"path": path, "before": text, "after": now.get(path, "")}
            for path, text in was.items()
            if now.get(path) != text
        ]
    return lost


def _again(document: Document, payload: bytes, wanted: Target, position: int) -> Document | None:
    plain: Any
    if wanted.standard == "ubl":
        from tradehub.edi.xml import read_xml

        plain = read_xml(payload, map_store()).document
    else:
        plain = [each.document for each in read(payload, map_store())][position]
    return type(document).model_validate(plain) if plain else None


def report(lost: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"losses": lost}, ensure_ascii=False), err=True)
        return
    for each in lost:
        click.echo(
            f"not carried: {each['path']} = {each['before']}" + (f" (now {each['after']})" * bool(each["after"])),
            err=True,
        )
