"""Contract templates of an organisation: saved as versions, chosen for a contract, kept with what they made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.contracting import wording
from tradehub.contracting.bundle import LANGUAGES, STANDARD, Text
from tradehub.contracting.store import ContractVersionRow, TemplateRow, TemplateVersionRow
from tradehub.documents.parts import PartyId
from tradehub.platform.files import PayloadStore
from tradehub.platform.ids import new_id

NAME_MAX = 80
TEMPLATES_MAX = 200


class NameTaken(ValueError):
    """The organisation has a template of that name in that language."""


def save(
    session: Session,
    *,
    org: PartyId,
    text: str,
    by: str | None,
    at: datetime,
    template_id: str | None = None,
    name: str = "",
    language: str = "en",
) -> TemplateRow:
    """Save a text as the next version of a template, or as the first of a new one; the same text again changes nothing.

    Raises wording.Mistake for an unsound text, NameTaken, and NoResultFound for a template the session does not see.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    wording.parse(plain)
    if template_id is None:
        row = _made(session, org, name, language, at)
    else:
        row = template(session, template_id)
        if row.versions[-1].text == plain:
            return row
        row.latest += 1
    row.versions.append(
        TemplateVersionRow(template_id=row.id, version=row.latest, text=plain, sha256=_sha256(plain), at=at, by=by)
    )
    session.flush()
    return row


def template(session: Session, template_id: str) -> TemplateRow:
    """Return a template. Raises NoResultFound where the session sees none."""
    return session.scalars(select(TemplateRow).where(TemplateRow.id == template_id)).one()


def listed(session: Session, org: PartyId) -> Sequence[TemplateRow]:
    wanted = select(TemplateRow).where(TemplateRow.org == org).order_by(TemplateRow.language, TemplateRow.name)
    return session.scalars(wanted.limit(TEMPLATES_MAX)).all()


def choose(version: ContractVersionRow, row: TemplateRow, payloads: PayloadStore) -> None:
    """Let the contract's text in that language be made of the template as it is now."""
    last = row.versions[-1]
    payloads.put(last.text.encode())
    named = {"id": row.id, "name": row.name, "version": last.version, "sha256": last.sha256}
    version.templates = {**version.templates, row.language: named}


def choose_standard(version: ContractVersionRow, language: str) -> None:
    """Let the contract's text in that language be made of the template that comes with the hub."""
    version.templates = {each: named for each, named in version.templates.items() if each != language}


def texts(version: ContractVersionRow, languages: Sequence[str], payloads: PayloadStore) -> list[Text]:
    """Return what the contract's text is made of, in each of the languages."""
    return [_text(language, version.templates.get(language), payloads) for language in languages]


def _text(language: str, named: Mapping[str, Any] | None, payloads: PayloadStore) -> Text:
    if named is None or named["id"] == STANDARD["id"]:
        text = wording.standard(language)
        return Text(language, text, {**STANDARD, "sha256": _sha256(text)})
    return Text(language, payloads.get(named["sha256"]).decode(), named)


def _made(session: Session, org: PartyId, name: str, language: str, at: datetime) -> TemplateRow:
    chosen = " ".join(name.split())[:NAME_MAX]
    if language not in LANGUAGES or not chosen:
        raise ValueError("a template has a name and a language of ours")
    same = select(TemplateRow.id).where(
        TemplateRow.org == org, TemplateRow.name == chosen, TemplateRow.language == language
    )
    if session.scalar(same) is not None:
        raise NameTaken(chosen)
    row = TemplateRow(id=new_id(), org=org, name=chosen, language=language, latest=1, created_at=at)
    session.add(row)
    session.flush()
    return row


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
