"""The REST API of contracting: contracts with every version of their frozen terms, ceilings and what is called off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from flask import Blueprint
from pydantic import BaseModel, Field
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.contracting import clauses, saying, template_api
from tradehub.contracting.binding import CallingOff, Unauthorised
from tradehub.contracting.bundle import Language
from tradehub.contracting.calling_off import Ceilings
from tradehub.contracting.model import Conflict, Refused
from tradehub.contracting.service import ContractService
from tradehub.contracting.store import BlanketRow, BundleRow, ContractRow, ContractVersionRow
from tradehub.contracting.wording import Mistake
from tradehub.documents.terms import diff
from tradehub.partners.asking import ApprovalAsked, Ask, asker, unauthorised
from tradehub.platform import api, clock, http, paging
from tradehub.platform.api import Answer, Api, Entry, File, example
from tradehub.platform.db import Database
from tradehub.platform.faults import fault
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


class SignatureShown(BaseModel):
    """That a party signed the version's file, and the SHA-256 of the certificate it signed with. People sign, on the
    pages."""

    party: str
    at: datetime
    name: str
    fingerprint: str


class TemplateNamed(BaseModel):
    """What the text in a language is made of: the ``id`` of a template, ``standard`` for the hub's own, and which version
    of it."""

    language: str
    id: str
    name: str
    version: int
    sha256: str


class VersionShown(VersionSummary, Answer):
    """``terms`` by path in their canonical form, ``changes`` against the version before. ``prepared_at`` says when it was
    put up for signature; from then on its files stand still. ``templates``: what its text is made of, by language."""

    document_kind: str
    document: dict[str, Any]
    terms: dict[str, str]
    changes: list[ContractChange]
    templates: list[TemplateNamed]
    prepared_at: datetime | None
    signatures: list[SignatureShown]


class PrepareBody(Entry):
    """``version`` is the one that was read: another may have been agreed since."""

    model_config = example({"version": 1})

    version: int


class PreparedShown(Answer):
    """What is put before the parties, by SHA-256. ``pdf_sha256`` is null on a hub that sets no PDF."""

    version: int
    at: datetime
    languages: list[str]
    json_sha256: str
    xml_sha256: str
    pdf_sha256: str | None


class TemplateBody(Entry):
    """``language`` is one that the contract is written in, ``template`` one of your own in it; null for the hub's."""

    model_config = example({"language": "en", "template": None})

    language: Language
    template: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class TemplatesChosen(Answer):
    templates: list[TemplateNamed]


LineName = Annotated[str, Field(max_length=35)]
Positive = Annotated[Decimal, Field(gt=0, max_digits=24, decimal_places=9)]


class CeilingEntry(Entry):
    quantity: Positive | None = None
    amount: Positive | None = None


class BlanketBody(Entry):
    """Ceilings by line, and of all orders together; at least one of them all."""

    model_config = example(
        {
            "valid_from": "2026-06-01",
            "valid_until": "2026-12-31",
            "ceiling": "5000",
            "lines": {"1": {"quantity": "100"}},
        }
    )

    valid_from: date
    valid_until: date
    ceiling: Positive | None = None
    lines: dict[LineName, CeilingEntry] = Field(default={}, max_length=10_000)


class AgreeBody(Entry):
    """``revision`` is that of the ceilings that were shown: others may have been proposed meanwhile."""

    model_config = example({"revision": 1})

    revision: int


class CallOffBody(Entry):
    """Quantities by line of the contract."""

    model_config = example({"lines": {"1": "60"}, "delivery_on": "2026-07-10"})

    lines: dict[LineName, Positive] = Field(min_length=1, max_length=10_000)
    delivery_on: date | None = None


class CallOffApprovalBody(CallOffBody):
    model_config = example({"lines": {"1": "60"}, "note": "For the summer campaign."})

    note: str = Field("", max_length=2000)
    """For those who approve; the seller does not see it."""


class CeilingShown(BaseModel):
    """``None`` where there is no ceiling."""

    line: str
    unit: str | None
    quantity: Decimal | None
    quantity_used: Decimal
    amount: Decimal | None
    amount_used: Decimal


class CallOffShown(Answer):
    """An order under the agreement. ``order`` is its number, ``order_id`` that of its own record, where it has one."""

    number: int
    order: str
    order_id: str | None
    amount: Decimal
    at: datetime
    by: str


class BlanketShown(Answer):
    """``agreed_by`` proposed the ceilings, ``confirmed_at`` says when the other side agreed to them."""

    revision: int
    valid_from: date
    valid_until: date
    currency: str | None
    ceiling: Decimal | None
    used: Decimal
    agreed_by: str
    confirmed_at: datetime | None
    lines: list[CeilingShown]
    call_offs: list[CallOffShown]


class BlanketOf(Answer):
    """``None`` where nobody has proposed ceilings."""

    blanket: BlanketShown | None


def blueprint(service: ContractService, database: Database, *, ask: Ask) -> Blueprint:
    """Return the endpoints. ``ask`` asks for approval of a call-off that the buyer's rules do not let go on."""
    routes = Blueprint("contracting_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (NoResultFound, Refused, Conflict), "contracting")
    _add_call_offs(endpoints, service, ask)
    _add_signing(endpoints, service)
    template_api.add(endpoints)

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
        contract = service.contract(session, contract_id)
        versions = {each.version: each for each in contract.versions}
        found, before = versions.get(number), versions.get(number - 1)
        if found is None:
            raise Problem("not-found")
        changes = diff(before.terms_by_path, found.terms_by_path) if before else ()
        standing = service.standing(session, contract, number)
        return VersionShown(
            **_version(found), document_kind=found.kind, document=found.document, terms=found.terms_by_path,
            changes=[ContractChange(**each._asdict()) for each in changes],
            templates=_templates(service, session, contract, number),
            prepared_at=standing.bundle.prepared_at if standing.bundle else None,
            signatures=[
                SignatureShown(party=each.party, at=each.at, name=each.user_name, fingerprint=each.fingerprint)
                for each in standing.signatures.values()
            ],
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


def _add_signing(endpoints: Api, service: ContractService) -> None:
    def prepare(body: PrepareBody, contract_id: str) -> tuple[int, PreparedShown]:
        """Put the latest version up for signature: its files stand still from then on. A second time changes nothing.

        People sign it, on the pages.
        """
        try:
            return 201, _prepared(service.prepare(http.principal(), contract_id, version=body.version))
        except Mistake as mistake:
            raise Problem("refused", title=saying.why(mistake), code="UNSOUND_TEMPLATE", value=mistake.value) from None

    def choose_template(session: Session, body: TemplateBody, contract_id: str) -> tuple[int, TemplatesChosen]:
        """Choose the template that the text in a language is made of, while nobody has signed. What was put up for
        signature has to be put up anew."""
        contract = service.contract(session, contract_id)
        languages = service.languages(session, contract)
        if body.language not in languages:
            raise _unfit("/language", "not_written_in", saying.NOT_WRITTEN_IN, body.language)
        if body.template is not None:
            _demand_own(session, body.template, body.language)
        contract = service.choose_template(session, contract_id, body.template, body.language)
        return 201, TemplatesChosen(templates=_templates(service, session, contract, contract.version))

    one = "/contracts/<contract_id>"
    endpoints.labour(f"{one}/prepare", prepare, permission="deal.bind", body=PrepareBody, answer=PreparedShown)
    endpoints.write(
        f"{one}/template", choose_template, permission="deal.bind", body=TemplateBody, answer=TemplatesChosen
    )


def _demand_own(session: Session, template_id: str, language: str) -> None:
    """Raises Problem for what is no template of the reader's in the language."""
    try:
        found = clauses.template(session, template_id)
    except NoResultFound:
        raise _unfit("/template", "no_such_template", saying.NO_SUCH_TEMPLATE, template_id) from None
    if found.language != language:
        raise _unfit("/template", "other_language", saying.OTHER_LANGUAGE, template_id)


def _unfit(at: str, code: str, why: object, value: str) -> Problem:
    return Problem("does-not-fit", errors=[fault(at, code, why, value)])


def _templates(service: ContractService, session: Session, contract: ContractRow, version: int) -> list[TemplateNamed]:
    return [TemplateNamed(language=each.language, **each.named) for each in service.made_of(session, contract, version)]


def _prepared(row: BundleRow) -> PreparedShown:
    return PreparedShown(
        version=row.version, at=row.prepared_at, languages=row.languages, json_sha256=row.json_sha256,
        xml_sha256=row.xml_sha256, pdf_sha256=row.pdf_sha256,
    )  # fmt: skip


def _add_call_offs(endpoints: Api, service: ContractService, ask: Ask) -> None:
    def blanket(session: Session, contract_id: str) -> BlanketOf:
        """Show the ceilings of a contract, what is used of them, and the orders that were called off."""
        service.contract(session, contract_id)
        row = service.blanket(session, contract_id)
        return BlanketOf(blanket=_ceilings(row) if row is not None else None)

    def propose_blanket(session: Session, body: BlanketBody, contract_id: str) -> tuple[int, BlanketShown]:
        """Propose that a contract be a blanket agreement with these ceilings."""
        ceilings = Ceilings(
            body.valid_from, body.valid_until, body.ceiling,
            {name: (each.quantity, each.amount) for name, each in body.lines.items()},
        )  # fmt: skip
        row = service.propose_blanket(session, contract_id, ceilings, by=http.principal().org, at=clock.now())
        return 201, _ceilings(row)

    def agree_blanket(session: Session, body: AgreeBody, contract_id: str) -> tuple[int, BlanketShown]:
        """Agree to the ceilings that the other side proposed."""
        by, at = http.principal().org, clock.now()
        service.confirm_blanket(session, contract_id, by=by, revision=body.revision, at=at)
        row = service.blanket(session, contract_id)
        if row is None:
            raise Problem("not-found")
        return 201, _ceilings(row)

    def call_off(session: Session, body: CallOffBody, contract_id: str) -> tuple[int, CallOffShown]:
        """Order under a blanket agreement. The order leaves for the seller at once."""
        at = clock.now()
        made = service.call_off(
            session, contract_id, body.lines, asker=asker(), on=at.date(), at=at, delivery_on=body.delivery_on
        )
        return 201, CallOffShown(
            number=made.number,
            order=made.order_number,
            order_id=made.order_id,
            amount=made.amount,
            at=made.at,
            by=made.by,
        )

    def ask_call_off(session: Session, body: CallOffApprovalBody, contract_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for a call-off that is above what the token may bind to."""
        calling = CallingOff(contract_id, body.lines, body.delivery_on)
        wanted = service.to_approve(session, calling, asker(), on=clock.now().date())
        return 201, ApprovalAsked(request=ask(session, asker(), wanted, body.note, ""))

    one = "/contracts/<contract_id>"
    endpoints.read(f"{one}/blanket", blanket, permission="deal.read", answer=BlanketOf)
    endpoints.write(f"{one}/blanket", propose_blanket, permission="deal.bind", body=BlanketBody, answer=BlanketShown)
    endpoints.write(
        f"{one}/blanket/agreement", agree_blanket, permission="deal.bind", body=AgreeBody, answer=BlanketShown
    )
    endpoints.write(f"{one}/call-offs", call_off, permission="order.write", body=CallOffBody, answer=CallOffShown)
    endpoints.write(
        f"{one}/call-offs/approval", ask_call_off, permission="order.write", body=CallOffApprovalBody,
        answer=ApprovalAsked,
    )  # fmt: skip


def _told(error: Exception) -> Problem:
    if isinstance(error, Unauthorised):
        return unauthorised(error.verdict)
    if isinstance(error, Refused):
        return Problem("refused", title=saying.why(error), code=error.rule, place=error.place, value=error.value)
    if isinstance(error, Conflict):
        return Problem("other-version")
    return Problem("not-found")


def _ceilings(row: BlanketRow) -> BlanketShown:
    return BlanketShown(
        revision=row.revision, valid_from=row.valid_from, valid_until=row.valid_until, currency=row.currency,
        ceiling=row.ceiling, used=row.used, agreed_by=row.agreed_by, confirmed_at=row.confirmed_at,
        lines=[
            CeilingShown(
                line=each.line, unit=each.unit, quantity=each.quantity_ceiling, quantity_used=each.quantity_used,
                amount=each.amount_ceiling, amount_used=each.amount_used,
            )
            for each in row.lines
        ],
        call_offs=[
            CallOffShown(
                number=each.number, order=each.order_number, order_id=each.order_id, amount=each.amount, at=each.at, by=each.by
            )
            for each in row.call_offs
        ],
    )  # fmt: skip


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
