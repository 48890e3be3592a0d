"""Files that a party attaches to an offer or to words: drawings, data sheets, certificates. They are known by their SHA-256.

What a file is, its content says, never its name or its sender; what cannot be told, or might run, is not taken. A file
is seen by who brought it until a statement names it, and by both parties from then on. Cf. docs/terms.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.parts import Attachment
from tradehub.negotiation.store import DealFileRow, DealRow, OfferRow
from tradehub.platform import clock

FILE_MAX = 8 * 1024 * 1024
"""Bytes of a file: a scanned drawing of A0 has half of it. A form carries one beside its fields (``web.REQUEST_MAX``)."""

NAMED_MAX = 20
"""Files that one statement names: more are a folder, and belong into one document that lists them."""

UNSENT_MAX = 100
"""Files of a party in one deal that no statement names yet: what was brought and forgotten fills no disk."""

NAME_MAX = 120
"""Characters of a file's name."""


class Unfit(ValueError):
    """A file that is not taken: ``code`` is EMPTY, TOO_LARGE, UNKNOWN_TYPE, TOO_MANY or NOT_HERE."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class FileKind:
    """A kind of file that is taken. ``endings`` are those a name of it may have, the usual one first."""

    media_type: str
    endings: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """A file whose content is kept, and that no deal has yet: ``length`` in bytes."""

    sha256: str
    name: str
    media_type: str
    length: int

    @property
    def named(self) -> Attachment:
        return Attachment(name=self.name, mime=self.media_type, sha256=self.sha256)


PDF = FileKind("application/pdf", ("pdf",))
STEP = FileKind("model/step", ("step", "stp", "p21"))
DXF = FileKind("image/vnd.dxf", ("dxf",))
TEXT = FileKind("text/plain", ("txt", "csv", "tsv", "md", "igs", "iges"))

MAGIC: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"%PDF-", PDF),
    (0, b"\x89PNG\r\n\x1a\n", FileKind("image/png", ("png",))),
    (0, b"\xff\xd8\xff", FileKind("image/jpeg", ("jpg", "jpeg"))),
    (0, b"GIF87a", FileKind("image/gif", ("gif",))),
    (0, b"GIF89a", FileKind("image/gif", ("gif",))),
    (0, b"II*\0", FileKind("image/tiff", ("tiff", "tif"))),
    (0, b"MM\0*", FileKind("image/tiff", ("tiff", "tif"))),
    (8, b"WEBP", FileKind("image/webp", ("webp",))),
    (0, b"AC10", FileKind("image/vnd.dwg", ("dwg",))),
    (0, b"ISO-10303-21;", STEP),
)
"""Where a file's first bytes say what it is: offset, bytes, kind."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
PACKED: tuple[tuple[bytes, FileKind], ...] = (
    (b"word/document.xml", FileKind(f"{_OFFICE}wordprocessingml.document", ("docx",))),
    (b"xl/workbook.xml", FileKind(f"{_OFFICE}spreadsheetml.sheet", ("xlsx",))),
    (b"ppt/presentation.xml", FileKind(f"{_OFFICE}presentationml.presentation", ("pptx",))),
    (b"mimetype" + f"{_OPEN}text".encode(), FileKind(f"{_OPEN}text", ("odt",))),
    (b"mimetype" + f"{_OPEN}spreadsheet".encode(), FileKind(f"{_OPEN}spreadsheet", ("ods",))),
)
"""What a zip holds that is a document. Any other zip may hold anything, and is not taken."""

_RUNS = (b"vbaProject.bin", b"xl/macrosheets/", b"Basic/Standard/")
"""Parts of an office document that are programs."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP = ("<", "#!", "@echo", "%!")
"""How a text begins that is a page, or a program."""


def kind_of(content: bytes) -> FileKind | None:
    """Return what a file is by its content, None for what is not taken."""
    for at, mark, kind in MAGIC:
        if content[at : at + len(mark)] == mark:
            return kind
    if content.startswith(b"PK\3\4"):
        if any(each in content for each in _RUNS):
            return None
        return next((kind for mark, kind in PACKED if mark in content), None)
    return _text(content)


def _text(content: bytes) -> FileKind | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    start = text[:1000].lstrip().casefold()
    if _NOT_TEXT.search(text) or start.startswith(_MARKUP):
        return None
    return DXF if re.match(r"(999\s.*\n)*0\s+section\b", start) else TEXT


def clean_name(name: str, kind: FileKind) -> str:
    """Return a name to show and to save a file by: no path, nothing invisible, with an ending that its content has."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(each for each in last if each == " " or unicodedata.category(each)[0] not in "CZ")
    stem = " ".join(re.sub(r'[<>:"|?*]', "_", shown).split()).strip(". ") or "file"
    ending = stem.rpartition(".")[2].casefold() if "." in stem else ""
    if ending in kind.endings:
        stem, ending = stem[: -len(ending) - 1], stem[-len(ending) :]
    else:
        ending = kind.endings[0]
    return f"{stem[: NAME_MAX - len(ending) - 1].rstrip('. ') or 'file'}.{ending}"


def files(session: Session, deal_id: str) -> list[DealFileRow]:
    """Return the files of a deal that the session sees, in the order they came."""
    wanted = select(DealFileRow).where(DealFileRow.deal_id == deal_id)
    return list(session.scalars(wanted.order_by(DealFileRow.at, DealFileRow.id)))


def named(session: Session, row: DealRow, by: PartyId, digests: Sequence[str]) -> tuple[Attachment, ...]:
    """Return these files of a deal as a statement of ``by`` names them. Raises Unfit: TOO_MANY, NOT_HERE."""
    wanted = list(dict.fromkeys(digests))
    if len(wanted) > NAMED_MAX:
        raise Unfit("TOO_MANY")
    # A command of the hub itself sees all rows: whose file it is counts, not who looks.
    here = {
        each.sha256: Attachment(name=each.name, mime=each.media_type, sha256=each.sha256)
        for each in files(session, row.id)
        if each.by_id == by or each.sent_at is not None
    }
    if not here.keys() >= set(wanted):
        here = told(session, row.id) | here
    if not here.keys() >= set(wanted):
        raise Unfit("NOT_HERE")
    return tuple(here[each] for each in wanted)


def told(session: Session, deal_id: str) -> dict[str, Attachment]:
    """Return the files that proposals of a deal name, by SHA-256: those of a message are known by name alone."""
    summaries = session.scalars(select(OfferRow.summary).where(OfferRow.deal_id == deal_id))
    return {
        digest: Attachment(name=name, sha256=digest)
        for shown in summaries
        for digest, name in (shown or {}).get("files", ())
    }


def held_to(session: Session, row: DealRow, by: PartyId, document: TradeDocument) -> TradeDocument:
    """Return ``document`` with its files as the deal has them, whatever it says of their names. Raises Unfit."""
    digests = [each.sha256 for each in document.attachments if each.sha256 is not None]
    if not digests:
        return document
    others = tuple(each for each in document.attachments if each.sha256 is None)
    return document.model_copy(update={"attachments": (*named(session, row, by, digests), *others)})


def sent(session: Session, deal_id: str, by: PartyId, digests: Iterable[str]) -> None:
    """Note that a statement of ``by`` names these files: from now on both parties see them."""
    wanted = sorted(set(digests))
    if wanted:
        unsent = update(DealFileRow).where(
            DealFileRow.deal_id == deal_id, DealFileRow.by_id == by, DealFileRow.sha256.in_(wanted),
            DealFileRow.sent_at.is_(None),
        )  # fmt: skip
        session.execute(unsent.values(sent_at=clock.now()))
