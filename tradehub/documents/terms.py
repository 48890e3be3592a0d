"""Terms as values: flattened to named paths, compared term by term, hashed.

A term's path names it for people and for the materiality table: ``currency``, ``delivery_terms.incoterm``,
``dates.requested_delivery``, ``lines.1.price.amount``. Lines are keyed by their number, lists with a ``type`` by it.
Cf. spec/negotiation R8 (terms hash) and section 5, ``diff(a, b)`` applied to a gives b.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from tradehub.documents.base import Document, TradeDocument
from tradehub.documents.normal import negotiated
from tradehub.documents.parts import EXACT

NOT_TERMS = frozenset(
    {
        "number",
        "action",
        "type",
        "issued_on",
        "issued_at",
        "profile",
        "process",
        "language",
        "parties",
        "references",
        "attachments",
        "extensions",
        "notes",
        "heads",
        "line_count",
        "total",
        "totals",
        "response",
    }
)
"""Fields that identify or carry the document and do not bind the parties to anything."""

NOT_LINE_TERMS = frozenset({"number", "action", "references", "notes", "responses", "net_amount"})
_PLAIN_LINE_TERMS = (
    "item", "quantity", "price", "more_prices", "allowances_charges", "taxes", "delivery_terms", "custom"
)  # fmt: skip
"""Terms of a line whose equal values are the same text; of moments, two that are equal may be written in two zones."""

_NOT_DATE_TERMS = frozenset({"issued", "order", "inquiry", "offer", "respond_by", "document", "invoice"})
# A statement's own dates, and how long it stays open, are no terms of the deal it proposes.
_STATEMENT_DATES = _NOT_DATE_TERMS | {"valid_from", "valid_until"}

KEYS = ("type", "scheme", "role")
"""Fields that name an item of a list, and so stand in its path."""


class Change(NamedTuple):
    """One term that differs between two rounds; None means that the term is not there."""

    path: str
    before: str | None
    after: str | None


def flatten(document: TradeDocument, *, but: Container[tuple[str, str]] = ()) -> dict[str, str]:
    """Return each term of ``document`` by its path, as text in its canonical form (``1.20`` and ``1.2`` are the
    same term). A file is a term by the SHA-256 of its content; one that is only named, or pointed at, is none.

    ``but``: fields of lines, each with its line's name, that are left out.
    """
    flat = _Flat()
    for name in type(document).model_fields:
        if name in NOT_TERMS:
            continue
        value = getattr(document, name)
        if name == "lines":
            for position, line in enumerate(value, 1):
                known = line.number or str(position)
                at = f"lines.{known}"
                for field in type(line).model_fields:
                    if field not in NOT_LINE_TERMS and (known, field) not in but:
                        _flatten(f"{at}.{field}", getattr(line, field), flat)
        else:
            _flatten(name, value, flat)
    for each in document.attachments:
        if each.sha256 is not None:
            flat.put(f"attachments.{each.sha256}", each.name)
    return flat.values


def diff(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the terms that differ, in order of first appearance."""
    paths = [*before, *(path for path in after if path not in before)]
    return tuple(
        Change(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    )


def differences(before: TradeDocument, after: TradeDocument) -> tuple[Change, ...]:
    """Return the terms that differ between two documents: ``diff`` of all their terms, in a third of the time where their
    lines are many and mostly alike."""
    alike = set[tuple[str, str]]()
    old, new = _named_lines(before), _named_lines(after)
    for known, line in old.items():
        other = new.get(known)
        if other is not None:
            alike |= {(known, field) for field in _PLAIN_LINE_TERMS if getattr(line, field) == getattr(other, field)}
    return diff(flatten(before, but=alike), flatten(after, but=alike))


def _named_lines(document: TradeDocument) -> dict[str, Any]:
    """Return the lines by their names; none where two have the same one, for what is a term's path then depends on both."""
    lines = getattr(document, "lines", ())
    named = {line.number or str(position): line for position, line in enumerate(lines, 1)}
    return named if len(named) == len(lines) else {}


def apply(terms: Mapping[str, str], changes: tuple[Change, ...]) -> dict[str, str]:
    """Return ``terms`` with ``changes`` made."""
    result = dict(terms)
    for change in changes:
        if change.after is None:
            result.pop(change.path, None)
        else:
            result[change.path] = change.after
    return result


def frozen_terms(document: TradeDocument) -> str:
    """Return the document's terms in their normal form as canonical JSON: sorted paths, no white space, UTF-8.

    Whoever states the same terms over whatever channel gets the same text (docs/channels.md). White space inside a
    text counts as one blank.
    """
    flat = {path: " ".join(value.split()) for path, value in flatten(negotiated(document)).items()}
    return json.dumps(flat, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def terms_hash(document: TradeDocument) -> str:
    """Return the SHA-256 (hex) of ``frozen_terms``."""
    return hashlib.sha256(frozen_terms(document).encode()).hexdigest()


class _Flat:
    """Values by path, and every path at or below which there is one: looking through all values for that would take a
    thousand lines a second."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.taken: set[str] = set()

    def put(self, path: str, value: str) -> None:
        self.values[path] = value
        while path and path not in self.taken:
            self.taken.add(path)
            path = path.rpartition(".")[0]


def _flatten(path: str, value: Any, into: _Flat) -> None:
    if value is None or value == ():
        return
    if isinstance(value, tuple):
        for position, each in enumerate(value, 1):
            kind = next((word for name in KEYS if (word := getattr(each, name, None))), None)
            if path.endswith("dates") and kind in _STATEMENT_DATES:
                continue
            if path.rpartition(".")[2] == "custom":
                into.put(f"{path}.{each[0]}", each[1])
                continue
            key = kind or str(position)
            at = f"{path}.{key}"
            if at in into.taken:
                at = f"{path}.{key}.{position}"
            _flatten(at, each, into)
    elif (fields := _fields(value.__class__)) is not None:
        for field in fields:
            below = getattr(value, field)
            if below is not None and below != ():
                _flatten(f"{path}.{field}", below, into)
    else:
        into.put(path, text_of(value))


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a model that do not stand in its path; None for a plain value."""
    fields = getattr(kind, "model_fields", None)
    return None if fields is None else tuple(field for field in fields if field not in KEYS)


def text_of(value: object) -> str:
    """Return a single value as terms have it."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = format(value.normalize(EXACT), "f")
        return "0" if plain in {"-0", "0"} else plain
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def plain_values(document: Document) -> dict[str, str]:
    """Return every value of a document by its path, extensions left out; for telling what a conversion lost."""
    flat = _Flat()
    for name in type(document).model_fields:
        if name == "lines":
            for position, line in enumerate(getattr(document, name), 1):
                _flatten(f"lines.{position}", line, flat)
        elif name != "extensions":
            _flatten(name, getattr(document, name), flat)
    return flat.values
