"""The language of contract templates: a text with placeholders for terms, and nothing that computes.

``{{payment_terms}}`` stands for a term. ``{{#lines}} ... {{/lines}}`` repeats its text for every line of the contract;
``{{?warranty}} ... {{/warranty}}`` keeps its text only where that term was agreed. Blocks of lines do not nest, and a
value is never read as a template, so every template ends after as many steps as it has pieces and lines.

The text around them is set in headings (``# `` and ``## `` before a line), list items (``- ``) and paragraphs, parted
by empty lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

TEMPLATE_MAX = 100_000
"""Characters of a template: thirty printed pages."""

TEXT_MAX = 4_000_000
"""Characters of a text made of a template: more than a thousand pages is a mistake in it, not a contract."""

TERMS: tuple[str, ...] = (
    "contract_number", "contract_version", "concluded_on", "buyer", "buyer_address", "buyer_identifiers", "seller",
    "seller_address", "seller_identifiers", "inquiry", "offer", "currency", "total", "delivery_terms", "delivery_date",
    "payment_terms", "warranty", "liability", "penalty", "disputes", "law", "packaging", "inspection",
    "documents_required", "partial_shipments", "further_terms",
)  # fmt: skip
"""Placeholders that stand anywhere."""

LINE_TERMS: tuple[str, ...] = (
    "line_number", "line_item", "line_item_number", "line_quantity", "line_unit", "line_price", "line_amount",
    "line_delivery_date",
)  # fmt: skip
"""Placeholders that stand for a line, so inside ``{{#lines}}`` only."""

DEPTH_MAX = 8
"""Blocks inside each other; a clause that needs more is a program."""

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"([#?/]?)\s*([a-z_]+)")


class Mistake(ValueError):
    """A template that cannot be used: ``rule``, what stands there, and where (line and column, counted from 1).

    The rules: unknown, no_name, line_term_outside, not_opened, not_closed, nested, too_deep, open_braces, too_long.
    """

    def __init__(self, rule: str, value: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {rule}: {value}")
        self.rule, self.value, self.line, self.column = rule, value, line, column


class Term(NamedTuple):
    name: str


@dataclass(frozen=True)
class Where:
    """Text that stands only where the term ``name`` has a value."""

    name: str
    body: tuple[Piece, ...]


@dataclass(frozen=True)
class Lines:
    """Text that stands once for every line."""

    body: tuple[Piece, ...]


Piece = str | Term | Where | Lines


class Block(NamedTuple):
    """A part of a set text."""

    kind: Literal["heading", "subheading", "item", "paragraph"]
    text: str


def parse(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a template. Raises Mistake, with its place, for the first thing that is wrong in it."""
    if len(text) > TEMPLATE_MAX:
        raise Mistake("too_long", f"{len(text)} > {TEMPLATE_MAX}", *_place(text, TEMPLATE_MAX))
    return _Parser(text).pieces()


def fill(pieces: Sequence[Piece], terms: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> str:
    """Return the text with its terms in place; a term that was not agreed is an empty text.

    Raises Mistake (too_long) where the text would be longer than TEXT_MAX.
    """
    made, length = [], 0
    for part in _filled(pieces, terms, lines):
        made.append(part)
        length += len(part)
        if length > TEXT_MAX:
            raise Mistake("too_long", f"> {TEXT_MAX}", 1, 1)
    return "".join(made)


def set_out(text: str) -> tuple[Block, ...]:
    """Return a text's headings, list items and paragraphs, in order; a subheading with nothing under it is left out."""
    blocks: list[Block] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            blocks.append(Block("paragraph", "\n".join(paragraph)))
            paragraph.clear()

    for raw in text.splitlines():
        line = raw.strip()
        kind = next((kind for mark, kind in _MARKS if line.startswith(mark)), None)
        if kind is not None:
            close()
            blocks.append(Block(kind, line.split(" ", 1)[1].strip()))
        elif line:
            paragraph.append(line)
        else:
            close()
    close()
    followed = [*blocks[1:], Block("heading", "")]
    return tuple(
        each
        for each, after in zip(blocks, followed, strict=False)
        if each.kind != "subheading" or after.kind in ("item", "paragraph")
    )


_MARKS: tuple[tuple[str, Literal["heading", "subheading", "item"]], ...] = (
    ("# ", "heading"),
    ("## ", "subheading"),
    ("- ", "item"),
)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tags = list(_TAG.finditer(text))
        self.next = 0
        self.at = 0
        self.depth = 0

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(self._until(None, in_lines=False))

    def _until(self, opened: re.Match[str] | None, *, in_lines: bool) -> Iterator[Piece]:
        """Give the pieces up to the tag that closes ``opened``, or up to the end."""
        while self.next < len(self.tags):
            tag = self.tags[self.next]
            yield from self._plain(tag.start())
            self.next, self.at = self.next + 1, tag.end()
            mark, name = self._named(tag, in_lines=in_lines)
            if mark == "/":
                if opened is None or _NAME.fullmatch(opened[1].strip())[2] != name:  # type: ignore[index]
                    raise self._mistake("not_opened", name, tag)
                self.depth -= 1
                return
            self.depth += bool(mark)
            if self.depth > DEPTH_MAX:
                raise self._mistake("too_deep", f"> {DEPTH_MAX}", tag)
            if mark == "#":
                if in_lines:
                    raise self._mistake("nested", name, tag)
                yield Lines(tuple(self._until(tag, in_lines=True)))
            elif mark == "?":
                yield Where(name, tuple(self._until(tag, in_lines=in_lines)))
            else:
                yield Term(name)
        if opened is not None:
            raise self._mistake("not_closed", opened[0], opened)
        yield from self._plain(len(self.text))

    def _plain(self, end: int) -> Iterator[str]:
        plain = self.text[self.at : end]
        braces = plain.find("{{")
        if braces >= 0:
            raise Mistake("open_braces", plain[braces : braces + 20], *_place(self.text, self.at + braces))
        if plain:
            yield plain

    def _named(self, tag: re.Match[str], *, in_lines: bool) -> tuple[str, str]:
        found = _NAME.fullmatch(tag[1].strip())
        if found is None:
            raise self._mistake("no_name", tag[0][:60], tag)
        mark, name = found[1], found[2]
        if name == "lines" and mark in ("#", "/"):
            return mark, name
        if mark == "#" or name not in (*TERMS, *LINE_TERMS):
            raise self._mistake("unknown", name, tag)
        if name in LINE_TERMS and not in_lines:
            raise self._mistake("line_term_outside", name, tag)
        return mark, name

    def _mistake(self, rule: str, value: str, tag: re.Match[str]) -> Mistake:
        return Mistake(rule, value, *_place(self.text, tag.start()))


def _filled(pieces: Sequence[Piece], terms: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece, Term):
            yield terms.get(piece.name, "")
        elif isinstance(piece, Where):
            if terms.get(piece.name):
                yield from _filled(piece.body, terms, lines)
        else:
            for line in lines:
                yield from _filled(piece.body, {**terms, **line}, lines)


def _place(text: str, at: int) -> tuple[int, int]:
    """Return line and column of a character, counted from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


@cache
def standard(language: str) -> str:
    """Return the template that comes with the hub, in ``en`` or ``zh_Hans``."""
    return files("tradehub.contracting").joinpath("standard", f"{language}.txt").read_text(encoding="utf-8")
