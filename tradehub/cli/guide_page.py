"""An implementation guide as one HTML file: the standard's message as a partner uses it, readable on its own, printable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from flask import Flask, render_template
from flask_babel import Babel, gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.edi.outline import Change, Node, Row, Target
from tradehub.edi.schema import Guide, MessageHead
from tradehub.exchange.wording import KINDS
from tradehub.web.language import LANGUAGES, Catalogues
from tradehub.web.terms import WORDS
from tradehub.web.words import day

STANDARDS = {"x12": "X12", "edifact": "EDIFACT"}

USAGES: dict[str, LazyString] = {
    "mandatory": lazy_gettext("mandatory"),
    "conditional": lazy_gettext("conditional"),
    "optional": lazy_gettext("optional"),
    "forbidden": lazy_gettext("not used"),
}

CHANGES: dict[str, LazyString] = {
    "required": lazy_gettext("required"),
    "forbidden": lazy_gettext("not used"),
    "limited": lazy_gettext("limited"),
    "widened": lazy_gettext("widened"),
    "closed": lazy_gettext("codes closed"),
    "codes": lazy_gettext("own codes"),
    "added": lazy_gettext("added"),
    "bound": lazy_gettext("mapped anew"),
    "note": lazy_gettext("note"),
}

CONDITIONS: dict[str, LazyString] = {
    "P": lazy_gettext("All of %(places)s, or none of them."),
    "R": lazy_gettext("At least one of %(places)s."),
    "E": lazy_gettext("At most one of %(places)s."),
    "C": lazy_gettext("With %(first)s also %(places)s."),
    "L": lazy_gettext("With %(first)s also one of %(places)s."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the summary of what the partner changes."""

    anchor: str
    place: str
    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Samples:
    """What the examples were taken from."""

    messages: int = 0
    files: int = 0


def page(
    nodes: tuple[Node, ...],
    *,
    head: MessageHead,
    guide: Guide,
    partner: str,
    samples: Samples,
    on: date,
    language: str,
    whole: bool,
) -> str:
    """Return the page in a language of the catalogues. ``whole`` shows also what the partner has no use for."""
    app = Flask("tradehub.cli", template_folder="templates")
    babel = Babel(app, locale_selector=lambda: language)
    babel.domain_instance = Catalogues()
    app.jinja_env.filters.update(day=day, said=said, label=label, pieces=pieces, condition=condition, sentence=sentence)
    with app.app_context():
        return render_template(
            "guide.html",
            nodes=nodes,
            head=head,
            standard=STANDARDS[head.standard],
            kind=str(KINDS.get(head.document, head.document.replace("_", " "))),
            guide=guide,
            partner=partner,
            samples=samples,
            on=on,
            lang=LANGUAGES[language],
            is_shown=lambda node: whole or node.matters or node.usage == "mandatory",
            shown=shown_rows,
            left=left_rows,
            told=list(told(nodes)),
            usages=USAGES,
            changes=CHANGES,
        )


def told(nodes: Iterable[Node]) -> Iterator[Told]:
    """Yield what the guide changes, in the order of the message."""
    for top in nodes:
        for node in top.walk():
            for change in node.changes:
                yield Told(node.anchor, node.path, node.title, change.kind, said(change, node))
            if node.note:
                yield Told(node.anchor, node.path, node.title, "note", node.note)
            for row in node.rows:
                place = f"{node.path}.{row.place}"
                for change in row.changes:
                    yield Told(node.anchor, place, row.name, change.kind, said(change, row))
                if row.note:
                    yield Told(node.anchor, place, row.name, "note", row.note)


def said(change: Change, of: Node | Row) -> str:
    """Return what a change means, in a sentence."""
    was = gettext("any number") if change.was == "∞" else change.was
    now = gettext("any number") if change.now == "∞" else change.now
    if change.kind in {"limited", "widened"}:
        if isinstance(of, Row):
            return str(gettext("Up to %(now)s characters; in the standard %(was)s.", now=now, was=was))
        return str(gettext("Repeats: %(now)s; in the standard: %(was)s.", now=now, was=was))
    if change.kind == "closed":
        return str(gettext("Only %(codes)s.", codes=now))
    if change.kind == "codes":
        return str(gettext("Also %(codes)s.", codes=now))
    if change.kind == "bound":
        paths = ", ".join(each.path for each in of.targets if each.kind == "path") if isinstance(of, Row) else ""
        return str(gettext("Goes to %(path)s.", path=paths))
    if change.kind == "added":
        return str(gettext("The standard has no such segment here."))
    if change.kind == "required":
        return str(gettext("Must be there; the standard leaves it free."))
    return str(gettext("Must not be there."))


def label(target: Target) -> str:
    """Return our words for where a value goes; empty where the path says it best."""
    if target.kind != "path" or " / " in target.path:
        return ""
    plain = re.sub(r"\[[a-z_]+=([^\]]*)\]", r".\1", target.path).replace("[]", "")
    inner = plain.removeprefix("lines.")
    shorter = (inner, inner.removesuffix(".value"), inner.removesuffix(".on"))
    found = next((WORDS[each] for each in shorter if each in WORDS), None)
    return str(found) if found is not None else ""


def sentence(text: str) -> str:
    """Return a name with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def shown_rows(node: Node) -> list[Row]:
    """Return the elements worth a line: a composite with those of its components that are, or neither."""
    shown: list[Row] = []
    for row in node.rows:
        if row.is_composite:
            inside = [row, *(each for each in node.rows if each.place.startswith(f"{row.place}."))]
            if row.usage == "mandatory" or any(_says_something(each) for each in inside):
                shown += [each for each in inside if not each.is_plain]
        elif not (row.is_component or row.is_plain):
            shown.append(row)
    return shown


def _says_something(row: Row) -> bool:
    return bool(row.targets or row.changes or row.note or row.seen)


def left_rows(node: Node) -> list[Row]:
    """Return the other elements; of a composite that is left out, the composite alone."""
    shown = {each.place for each in shown_rows(node)}
    return [
        each
        for each in node.rows
        if each.place not in shown and (not each.is_component or each.place.partition(".")[0] in shown)
    ]


def pieces(node: Node, standard: str) -> list[tuple[str, str, str]]:
    """Return an example apart: the sign before each piece, the piece, and the place it stands at."""
    sign, component = ("*", ">") if standard == "x12" else ("+", ":")
    tag, *elements = node.example.split(sign)
    parts = [("", tag, "")]
    for number, element in enumerate(elements, 1):
        for at, text in enumerate(element.split(component) if component in element else [element]):
            place = f"{tag}{number:02}" + (f".{at + 1}" if component in element else "")
            parts.append((component if at else sign, text, place))
    return parts


def condition(kind_and_positions: tuple[str, tuple[int, ...]], prefix: str) -> str:
    """Return a relational condition in words."""
    kind, positions = kind_and_positions
    names = [f"{prefix}{each:02}" for each in positions]
    first, others = names[0], names[1:]
    places = ", ".join(others if kind in "CL" else names)
    return str(CONDITIONS[kind]) % {"first": first, "places": places}
