"""The contract templates of an organisation by API: listed, read with every version, and written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.contracting import clauses, saying
from tradehub.contracting.bundle import Language
from tradehub.contracting.store import TemplateRow
from tradehub.contracting.wording import TEMPLATE_MAX, Mistake
from tradehub.platform import clock, http
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.faults import WORDS, fault
from tradehub.platform.problems import Problem

Wording = Annotated[str, Field(max_length=TEMPLATE_MAX)]


class TemplateQuery(Entry):
    """``version`` is the one whose text is wanted; without it the latest."""

    version: Annotated[int, Field(ge=1)] | None = None


class TemplateEntry(Entry):
    """A new template. ``{{payment_terms}}`` in its text stands for a term (docs/contracts.md)."""

    model_config = example({"name": "Frame of the valves", "language": "en", "text": "# Contract {{contract_number}}"})

    name: Annotated[str, Field(max_length=clauses.NAME_MAX)]
    language: Language
    text: Wording


class WordingEntry(Entry):
    """The text of a template's next version."""

    model_config = example({"text": "# Contract {{contract_number}}"})

    text: Wording


class TemplateSummary(BaseModel):
    """``version`` is the latest one, made at ``changed_at``."""

    id: str
    name: str
    language: str
    version: int
    changed_at: datetime


class TemplatesListed(Answer):
    templates: list[TemplateSummary]


class TemplateVersion(BaseModel):
    version: int
    at: datetime
    sha256: str


class TemplateShown(TemplateSummary, Answer):
    """``text`` is that of the version that was asked for, else of the latest."""

    versions: list[TemplateVersion]
    text: str


def add(endpoints: Api) -> None:
    """Add the endpoints to those of contracting."""

    def contract_templates(session: Session) -> TemplatesListed:
        """List the templates that the organisation wrote for its contracts."""
        found = clauses.listed(session, http.principal().org)
        return TemplatesListed(templates=[_summary(each) for each in found])

    def contract_template(session: Session, query: TemplateQuery, template_id: str) -> TemplateShown:
        """Show a template with its versions, and the text of one of them."""
        return _shown(clauses.template(session, template_id), query.version)

    def write_template(session: Session, body: TemplateEntry) -> tuple[int, TemplateShown]:
        """Write a new template."""
        if not body.name.split():
            raise Problem("does-not-fit", errors=[fault("/name", "missing", WORDS["missing"])])
        try:
            return 201, _saved(session, body.text, name=body.name, language=body.language)
        except clauses.NameTaken:
            taken = fault("/name", "taken", saying.NAME_TAKEN, body.name)
            raise Problem("does-not-fit", errors=[taken]) from None

    def rewrite_template(session: Session, body: WordingEntry, template_id: str) -> tuple[int, TemplateShown]:
        """Save a text as the next version of a template; the same text again makes none. Contracts that are made of the
        template keep the version they were given."""
        return 201, _saved(session, body.text, template_id=template_id)

    every, one = "/contract-templates", "/contract-templates/<template_id>"
    endpoints.read(every, contract_templates, permission="deal.read", answer=TemplatesListed)
    endpoints.read(one, contract_template, permission="deal.read", query=TemplateQuery, answer=TemplateShown)
    endpoints.write(every, write_template, permission="deal.bind", body=TemplateEntry, answer=TemplateShown)
    endpoints.write(
        f"{one}/versions", rewrite_template, permission="deal.bind", body=WordingEntry, answer=TemplateShown
    )


def _saved(
    session: Session, text: str, *, template_id: str | None = None, name: str = "", language: str = "en"
) -> TemplateShown:
    """Raises Problem for an unsound text, with the line and column that its first mistake stands at."""
    who = http.principal()
    try:
        row = clauses.save(
            session, org=who.org, text=text, by=who.user_id, at=clock.now(), template_id=template_id, name=name,
            language=language,
        )  # fmt: skip
    except Mistake as found:
        wrong = fault("/text", found.rule, saying.mistake(found), found.value)
        raise Problem("does-not-fit", errors=[wrong | {"line": found.line, "column": found.column}]) from None
    return _shown(row, None)


def _summary(row: TemplateRow) -> TemplateSummary:
    return TemplateSummary(
        id=row.id, name=row.name, language=row.language, version=row.latest, changed_at=row.versions[-1].at
    )


def _shown(row: TemplateRow, version: int | None) -> TemplateShown:
    """Raises Problem where there is no such version."""
    texts = {each.version: each.text for each in row.versions}
    text = texts.get(version or row.latest)
    if text is None:
        raise Problem("not-found")
    versions = [TemplateVersion(version=each.version, at=each.at, sha256=each.sha256) for each in row.versions]
    return TemplateShown(**_summary(row).model_dump(), versions=versions, text=text)
