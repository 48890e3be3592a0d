"""The REST API of contracting: contracts with every version of their frozen terms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import BaseModel, Field
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.contracting.service import ContractService
from tradehub.contracting.store import ContractRow, ContractVersionRow
from tradehub.documents.terms import diff
from tradehub.platform import api, paging
from tradehub.platform.api import Answer, Api, Entry, File
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem


class ContractsQuery(Entry):
    """``q`` is part of a number: the contract's, the inquiry's or the offer's."""

    q: Annotated[str, Field(max_length=100)] = ""
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class ContractSummary(BaseModel):
    """``acceptance`` is the statement that made it: an offer that was accepted in parts makes several in one deal."""

    id: str
    number: str
    deal: str
    acceptance: str
    buyer: str
    seller: str
    state: str
    version: int
    concluded_at: datetime


class ContractsPage(Answer):
    contracts: list[ContractSummary]
    cursor: str | None


class VersionSummary(BaseModel):
    """``terms_hash`` is the SHA-256 of the frozen terms; ``is_intact`` says that they are still the ones hashed."""

    version: int
    at: datetime
    by: str
    terms_hash: str
    is_intact: bool


class ContractShown(ContractSummary, Answer):
    inquiry: str | None
    offer_number: str | None
    accepted_by: str
    versions: list[VersionSummary]


class ContractChange(BaseModel):
    path: str
    before: str | None
    after: str | None


class VersionShown(VersionSummary, Answer):
    """``terms`` by path in their canonical form, ``changes`` against the version before."""

    document_kind: str
    document: dict[str, Any]
    terms: dict[str, str]
    changes: list[ContractChange]


def blueprint(service: ContractService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("contracting_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, lambda _error: Problem("not-found"), (NoResultFound,), "contracting")

    def contracts(session: Session, query: ContractsQuery) -> ContractsPage:
        """List the contracts, the latest first."""
        found, following = service.page(session, text=query.q, cursor=query.cursor, size=query.limit)
        return ContractsPage(contracts=[ContractSummary(**_summary(each)) for each in found], cursor=following)

    def contract(session: Session, contract_id: str) -> ContractShown:
        """Show a contract and its versions."""
        row = service.contract(session, contract_id)
        return ContractShown(
            **_summary(row), inquiry=row.inquiry, offer_number=row.offer_number, accepted_by=row.accepted_by,
            versions=[VersionSummary(**_version(each)) for each in row.versions],
        )  # fmt: skip

    def version(session: Session, contract_id: str, number: int) -> VersionShown:
        """Show the terms of one version, as the document that stated them and by path."""
        versions = {each.version: each for each in service.contract(session, contract_id).versions}
        found, before = versions.get(number), versions.get(number - 1)
        if found is None:
            raise Problem("not-found")
        changes = diff(before.terms_by_path, found.terms_by_path) if before else ()
        return VersionShown(
            **_version(found), document_kind=found.kind, document=found.document, terms=found.terms_by_path,
            changes=[ContractChange(**each._asdict()) for each in changes],
        )  # fmt: skip

    def file_of(kind: str) -> Callable[..., File]:
        def file(session: Session, contract_id: str, number: int) -> File:
            row = service.contract(session, contract_id)
            if not any(each.version == number for each in row.versions):
                raise Problem("not-found")
            content = service.file(row, service.standing(session, row, number), kind)
            if content is None:
                raise Problem("not-found")
            return File(content, f"{row.number}-v{number}.{kind}")

        file.__name__ = kind
        file.__doc__ = (
            f"Download a version as {kind.upper()}, as both sides sign it; a draft before it is put up for that."
        )
        return file

    def evidence(session: Session, contract_id: str) -> File:
        """Download the evidence of the deal: all that was said and sent in it, in one archive that verifies itself."""
        row = service.contract(session, contract_id)
        return File(service.evidence(row.deal_id), f"evidence-{row.number}.zip")

    one = "/contracts/<contract_id>"
    for kind, media_type in _FILES.items():
        path = f"{one}/versions/<int:number>/{kind}"
        endpoints.download(path, file_of(kind), permission="deal.read", media_type=media_type)
    endpoints.download(f"{one}/evidence", evidence, permission="deal.read", media_type="application/zip")
    endpoints.read("/contracts", contracts, permission="deal.read", query=ContractsQuery, answer=ContractsPage)
    endpoints.read(one, contract, permission="deal.read", answer=ContractShown)
    endpoints.read(f"{one}/versions/<int:number>", version, permission="deal.read", answer=VersionShown)
    return routes


_FILES = {"pdf": "application/pdf", "xml": "application/xml", "json": "application/json"}


def _summary(row: ContractRow) -> dict[str, Any]:
    return {
        "id": row.id, "number": row.number, "deal": row.deal_id, "acceptance": row.acceptance, "buyer": row.buyer,
        "seller": row.seller, "state": row.state, "version": row.version, "concluded_at": row.concluded_at,
    }  # fmt: skip


def _version(row: ContractVersionRow) -> dict[str, Any]:
    return {
        "version": row.version, "at": row.at, "by": row.by, "terms_hash": row.terms_hash, "is_intact": row.is_intact
    }  # fmt: skip
