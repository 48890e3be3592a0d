"""Terms that a message has no element for, said in words that a person can read and that are read back exactly.

Each is a note of its own: ``(TERM) price.formula: LME average + 80``, of a line among the line's notes, with the path of
the term in front (``documents.terms``; blanks for low lines, which not every character set has). What is longer than a
note goes on in the next ones: ``(TERM+)`` after a blank, ``(TERM-)`` without. Words never change what an element states:
they add to it, and give whole a text that an element cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import TypeAdapter

from tradehub.documents.base import Document, TradeDocument
from tradehub.documents.lines import key
from tradehub.documents.normal import negotiated, plain_number
from tradehub.documents.parts import Attachment, Note, Part, Reference
from tradehub.documents.terms import KEYS, NOT_LINE_TERMS, NOT_TERMS, flatten, text_of

STANDARD_TERMS = "standard_terms"
"""Type of the reference to the sender's standard terms, its value the SHA-256 of their text; and its path here."""

MANNER = ("irrevocable", "as_is_only", "divisible")
"""Types of the references by which an offer says how it may be taken back or accepted; and their paths here."""
YES = "yes"

NOTE_MAX = 250
"""Characters of a note: an MSG of X12 holds 264, an FTX of EDIFACT five times 70."""

_NOTE = re.compile(r"\(TERM(?P<sign>[+-]?)\) (?P<words>.*)", re.DOTALL)
_FOREIGN = re.compile(r"\((?=TERM[+-]?\) )")
_NAMED = re.compile(r'(?P<path>custom\."(?:[^"\\]|\\.)*"|[^:]*): (?P<value>.*)', re.DOTALL)
_BY_HASH = re.compile(r"(?:(?P<name>.*), )?SHA-256 (?P<sha256>[0-9a-f]{64})", re.DOTALL)
_BREAKS = "price.breaks"
_FILES = "attachments"

DocumentT = TypeVar("DocumentT", bound=Document)
OwnerT = TypeVar("OwnerT", bound=Part)


def stated(document: TradeDocument) -> dict[str, str]:
    """Return all that a message has to carry of a document, by path: its terms in their normal form, white space
    counting as one blank, the standard terms that it refers to, and how it may be accepted."""
    found = {path: " ".join(value.split()) for path, value in flatten(negotiated(document)).items()}
    beside = {each: value for each in (STANDARD_TERMS, *MANNER) if (value := document.reference(each)) is not None}
    return {**found, **beside}


def lacking(document: TradeDocument, read: TradeDocument) -> dict[str, str]:
    """Return what ``document`` states, by path, and ``read`` does not, or has otherwise."""
    found = stated(read)
    return {path: value for path, value in stated(document).items() if found.get(path) != value}


def said(document: DocumentT, terms: Mapping[str, str]) -> DocumentT:
    """Return ``document`` with these terms of its own, by path as ``stated`` has them, in words among its notes."""
    of_head: dict[str, str] = {}
    by_line: dict[str, dict[str, str]] = {}
    for path, value in terms.items():
        if path.startswith("lines."):
            _, number, rest = path.split(".", 2)
            by_line.setdefault(number, {})[rest] = value
        else:
            of_head[path] = value
    update: dict[str, object] = {"notes": (*document.notes, *_notes(document, of_head))}
    if by_line:
        update["lines"] = tuple(
            line.model_copy(update={"notes": (*line.notes, *_notes(line, by_line.get(number, {})))})
            for number, line in _numbered(document)
        )
    return document.model_copy(update=update)


def heard(document: DocumentT) -> DocumentT:
    """Return ``document`` with the terms that its notes state as terms, and without those notes.

    Words that name no term, or say another thing than an element does, stay notes.
    """
    if _speaks(document.notes):
        document = _heard(document)
    lines = getattr(document, "lines", ())
    if any(_speaks(line.notes) for line in lines if hasattr(line, "notes")):
        told = tuple(_heard(line) if _speaks(line.notes) else line for line in lines)
        document = document.model_copy(update={"lines": told})
    return document


def plain(document: DocumentT) -> DocumentT:
    """Return ``document`` with its notes told apart from terms in words: what a person wrote in this form is no term."""
    told: dict[str, object] = {}
    if _speaks(document.notes):
        told["notes"] = tuple(_told_apart(document.notes))
    lines = getattr(document, "lines", ())
    if any(_speaks(getattr(line, "notes", ())) for line in lines):
        told["lines"] = tuple(line.model_copy(update={"notes": tuple(_told_apart(line.notes))}) for line in lines)
    return document.model_copy(update=told) if told else document


def without(document: DocumentT, *types: str) -> DocumentT:
    """Return ``document`` without its references of these types, which go in words: a hash is longer than a reference may
    be, and a manner is none."""
    kept = tuple(each for each in document.references if each.type not in types)
    return document if len(kept) == len(document.references) else document.model_copy(update={"references": kept})


def _speaks(notes: Sequence[Note]) -> bool:
    return any(each.text.startswith("(TERM") for each in notes)


def _told_apart(notes: Iterable[Note]) -> Iterator[Note]:
    for each in notes:
        yield each.model_copy(update={"text": "( " + each.text[1:]}) if _FOREIGN.match(each.text) else each


# saying


def _numbered(document: Document) -> Iterator[tuple[str, Any]]:
    for position, line in enumerate(getattr(document, "lines", ()), 1):
        yield plain_number(key(line, position)) or "", line


def _notes(owner: Any, terms: Mapping[str, str]) -> Iterator[Note]:
    for path, value in _grouped(owner, terms):
        for sign, piece in _pieces(f"{path}: {value}"):
            yield Note(text=f"(TERM{sign}) {piece}")


def _grouped(owner: Any, terms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what stands in front of each term, and the term, as words have them."""
    if any(path.startswith(_BREAKS) for path in terms):
        each = (f"{one.min_quantity:f} = {one.amount:f}" for one in owner.price.breaks)
        yield _BREAKS, "; ".join(each)
    for path, value in terms.items():
        first, _, rest = path.partition(".")
        if first == _FILES:
            yield first, f"{value}, SHA-256 {rest}"
        elif first == STANDARD_TERMS:
            yield first.replace("_", " "), f"SHA-256 {value}"
        elif first == "custom":
            yield f"custom.{json.dumps(rest, ensure_ascii=False) if _is_unclear(rest) else rest}", value
        elif not path.startswith(_BREAKS):
            yield path.replace("_", " "), value


def _is_unclear(name: str) -> bool:
    return ":" in name or name != " ".join(name.split()) or name.startswith('"')


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text by the note, each with the sign of how it follows the one before."""
    sign = ""
    while len(text) > NOTE_MAX:
        cut = text.rfind(" ", 1, NOTE_MAX)
        yield sign, text[: NOTE_MAX if cut < 0 else cut]
        sign, text = ("-", text[NOTE_MAX:]) if cut < 0 else ("+", text[cut + 1 :])
    yield sign, text


# hearing


def _heard(owner: OwnerT) -> OwnerT:
    notes, terms = _parsed(owner.notes)  # type: ignore[attr-defined]
    by_field: dict[str, list[_Term]] = {}
    for each in terms:
        by_field.setdefault(each.path.partition(".")[0], []).append(each)
    update: dict[str, Any] = {}
    for name, told in by_field.items():
        field, set_in = (_OTHERS.get(name) or (name, _set)) if name not in _UNSPOKEN else (name, _nowhere)
        try:
            update[field] = set_in(type(owner), field, update.get(field, getattr(owner, field, ())), told)
        except ValueError:
            notes += [note for each in told for note in each.notes]
    return owner.model_copy(update={**update, "notes": tuple(notes)})


class _Term(NamedTuple):
    path: str
    value: str
    notes: tuple[Note, ...]


def _parsed(notes: Sequence[Note]) -> tuple[list[Note], list[_Term]]:
    """Return the notes that are no terms, and the terms in words."""
    others: list[Note] = []
    found: list[tuple[str, tuple[Note, ...]]] = []
    is_open = False
    for note in notes:
        match = _NOTE.fullmatch(note.text)
        is_open = match is not None and (is_open or not match["sign"])
        if match is None or not is_open:
            others.append(note)
        elif match["sign"]:
            text, spoken = found.pop()
            found.append((text + " " * (match["sign"] == "+") + match["words"], (*spoken, note)))
        else:
            found.append((match["words"], (note,)))
    terms = []
    for text, spoken in found:
        named = _NAMED.fullmatch(text)
        if named is None:
            others += spoken
        else:
            path = named["path"].strip()
            is_own = path.startswith("custom.")
            terms.append(_Term(path if is_own else path.replace(" ", "_"), named["value"].strip(), spoken))
    return others, terms


def _set(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    """Return the value of a field with these terms in it. Raises ValueError where one has no place, or another is there."""
    if field not in kind.model_fields:
        raise ValueError(field)
    annotation: Any = kind.model_fields[field].annotation
    raw = TypeAdapter(annotation).dump_python(known)
    for each in told:
        if each.path == _BREAKS:
            raw = _put(annotation, raw, ["breaks"], _read_breaks(each.value))
        else:
            raw = _put(annotation, raw, each.path.split(".")[1:], each.value)
    return TypeAdapter(annotation).validate_python(raw)


def _put(annotation: Any, raw: Any, pieces: Sequence[str], value: Any) -> Any:
    """Return plain values with ``value`` at the place that ``pieces`` of a path name."""
    kind = _kind(annotation)
    if not pieces:
        return _joined(raw, value)
    piece, *rest = pieces
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        items = list(raw or ())
        at = _place(of, items, piece)
        if at == len(items):
            items.append(_begun(of, piece))
        items[at] = _put(of, items[at], rest, value)
        return items
    if not isinstance(kind, type) or not issubclass(kind, Part) or piece not in kind.model_fields:
        raise ValueError(piece)
    return {**(raw or {}), piece: _put(kind.model_fields[piece].annotation, (raw or {}).get(piece), rest, value)}


def _kind(annotation: Any) -> Any:
    """Return what a field holds where it holds anything."""
    if get_origin(annotation) is tuple:
        return annotation
    return next((each for each in get_args(annotation) if each is not NoneType), annotation)


def _joined(known: Any, value: Any) -> Any:
    """Return what holds of what an element states and words say: the same, or the whole of a text that was cut."""
    if known in (None, (), []) or text_of(known) == value:
        return value
    if isinstance(known, str) and value.startswith(" ".join(known.split())):
        return value
    raise ValueError(value)


def _place(of: Any, items: Sequence[Any], piece: str) -> int:
    """Return where an item stands that ``terms.flatten`` calls so; the end where there is none yet."""
    for at, each in enumerate(items):
        if isinstance(each, dict) and piece == next((word for name in KEYS if (word := each.get(name))), None):
            return at
    if piece.isdigit():
        at = int(piece) - 1
        if not 0 <= at <= len(items):
            raise ValueError(piece)
        return at
    return len(items)


def _begun(of: Any, piece: str) -> Any:
    if piece.isdigit():
        return {} if issubclass(of, Part) else None
    name = next((each for each in KEYS if each in getattr(of, "model_fields", ())), None)
    if name is None:
        raise ValueError(piece)
    return {name: piece}


def _read_breaks(value: str) -> list[dict[str, str]]:
    pairs = [each.split(" = ") for each in value.split("; ")]
    return [{"min_quantity": start, "amount": amount} for start, amount in pairs]


def _set_custom(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    found = list(known)
    for each in told:
        name = each.path.partition(".")[2]
        name = json.loads(name) if name.startswith('"') else name
        stood = [value for own, value in found if own == name]
        if stood:
            _joined(stood[0], each.value)
        found = [pair for pair in found if pair[0] != name] + [(name, each.value)]
    return tuple(found)


def _set_files(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    files = {each.sha256 or each.name: each for each in known}
    for each in told:
        match = _BY_HASH.fullmatch(each.value)
        if match is None or not match["name"]:
            raise ValueError(each.value)
        files[match["sha256"]] = Attachment(name=match["name"], sha256=match["sha256"])
    return tuple(files.values())


def _set_standard_terms(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    match = _BY_HASH.fullmatch(told[0].value)
    if match is None or match["name"] or not _is_said_once(kind, STANDARD_TERMS, known, told):
        raise ValueError(told[0].value)
    return (*known, Reference(type=STANDARD_TERMS, value=match["sha256"]))


def _set_manner(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    if told[0].value != YES or not _is_said_once(kind, told[0].path, known, told):
        raise ValueError(told[0].value)
    return (*known, Reference(type=told[0].path, value=YES))


def _is_said_once(kind: type[Part], what: str, known: Any, told: Sequence[_Term]) -> bool:
    """Return whether it is the document that says it, and nothing else of it does."""
    return issubclass(kind, TradeDocument) and len(told) == 1 and not any(each.type == what for each in known)


def _nowhere(kind: type[Part], field: str, known: Any, told: Sequence[_Term]) -> Any:
    raise ValueError(field)


_UNSPOKEN = frozenset({*NOT_TERMS, *NOT_LINE_TERMS, "lines"} - {_FILES})
_OTHERS = {
    "custom": ("custom", _set_custom),
    _FILES: (_FILES, _set_files),
    STANDARD_TERMS: ("references", _set_standard_terms),
    **dict.fromkeys(MANNER, ("references", _set_manner)),
}
