"""Publishing an organisation's standard terms, version by version, and reading anybody's by their SHA-256.

A version is its text by language, and a file where one goes with it. It is never changed; its hash is that of its
canonical JSON, which is what evidence holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.negotiation import attachments, standard
from tradehub.negotiation.attachments import FILE_MAX, Unfit
from tradehub.negotiation.model import Negotiation, Offer
from tradehub.negotiation.recording import NotFound
from tradehub.negotiation.standard import Battle, Clash, Clause, Unsound
from tradehub.negotiation.store import StandardTermsRow
from tradehub.platform import clock
from tradehub.platform.db import to_json
from tradehub.platform.files import PayloadStore

FORMAT = "tradehub-standard-terms/1"
LANGUAGES = ("en", "zh_Hans")


@dataclass(frozen=True)
class Dispute:
    """A battle of forms as it is shown: the two versions where the hub has them, and the clauses in conflict.

    ``clashes`` is None where they cannot be compared: a text is missing, or there is none in a common language.
    """

    battle: Battle
    mine: StandardTermsRow | None
    theirs: StandardTermsRow | None
    clashes: tuple[Clash, ...] | None
    language: str | None


class Publishing:
    """Use cases; ``publish`` takes a write session of the organisation whose terms they are."""

    payloads: PayloadStore | None

    def publish(
        self,
        session: Session,
        org: PartyId,
        texts: Mapping[str, str],
        *,
        by: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> StandardTermsRow:
        """Publish the next version; the same again as the last changes nothing. Returns the version.

        Raises Unsound for a text without clauses, or where there is neither text nor file, and Unfit for the file.
        """
        plain = {
            language: text.replace("\r\n", "\n").strip() for language, text in sorted(texts.items()) if text.strip()
        }
        for text in plain.values():
            standard.parse(text)
        if not plain and file is None:
            raise Unsound("NO_CLAUSES")
        last = current(session, org)
        content: dict[str, Any] = {"texts": plain, "file": self._kept(file)}
        if last is not None and {name: last.content[name] for name in content} == content:
            return last
        version = 1 if last is None else last.version + 1
        content = {"format": FORMAT, "organisation": org, "version": version, **content}
        row = StandardTermsRow(
            org=org, version=version, content=content, sha256=sha256(to_json(content).encode()).hexdigest(),
            at=clock.now(), published_by=by,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row

    def _kept(self, file: tuple[str, bytes] | None) -> dict[str, str] | None:
        if file is None:
            return None
        name, content = file
        if not content or len(content) > FILE_MAX:
            raise Unfit("EMPTY" if not content else "TOO_LARGE")
        kind = attachments.kind_of(content)
        if kind is None or self.payloads is None:
            raise Unfit("UNKNOWN_TYPE")
        return {
            "sha256": self.payloads.put(content),
            "name": attachments.clean_name(name, kind),
            "media_type": kind.media_type,
        }

    def terms_file(self, row: StandardTermsRow) -> bytes:
        """Return the file of a version. Raises NotFound where it has none."""
        if row.content["file"] is None or self.payloads is None:
            raise NotFound(row.sha256)
        return self.payloads.get(row.content["file"]["sha256"])

    def dispute(
        self, session: Session, negotiation: Negotiation, offer: Offer, party: PartyId, language: str
    ) -> Dispute | None:
        """Return the battle of forms that ``party`` would decide by accepting ``offer``, None where there is none.

        The clauses are compared in ``language`` where both have it, else in a language that both have.
        """
        battle = standard.battle(negotiation, offer, party)
        if battle is None:
            return None
        mine, theirs = by_hash(session, battle.mine), by_hash(session, battle.theirs)
        if mine is None or theirs is None:
            return Dispute(battle, mine, theirs, None, None)
        wanted = [each for each in (language, *LANGUAGES) if each in mine.texts and each in theirs.texts]
        if not wanted:
            return Dispute(battle, mine, theirs, None, None)
        found = standard.clashes(clauses(mine, wanted[0]), clauses(theirs, wanted[0]))
        return Dispute(battle, mine, theirs, found, wanted[0])


def clauses(row: StandardTermsRow, language: str) -> tuple[Clause, ...]:
    """Return the clauses of a version, in a language that it has."""
    return standard.parse(row.texts[language])


def current(session: Session, org: str) -> StandardTermsRow | None:
    """Return the latest version of an organisation's terms; None where it has published none."""
    return next(iter(versions(session, org, limit=1)), None)


def versions(session: Session, org: str, *, limit: int = 100) -> list[StandardTermsRow]:
    """Return an organisation's versions, the latest first."""
    wanted = select(StandardTermsRow).where(StandardTermsRow.org == org)
    return list(session.scalars(wanted.order_by(StandardTermsRow.version.desc()).limit(limit)))


def by_hash(session: Session, digest: str) -> StandardTermsRow | None:
    return session.scalar(select(StandardTermsRow).where(StandardTermsRow.sha256 == digest))
