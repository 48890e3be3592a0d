"""The pages on which a contract is signed: what is signed and by whom, the files, and the organisation's keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.contracting import clauses, keyring, keys, saying, stepup
from tradehub.contracting.keys import SigningKey, UnusableKey
from tradehub.contracting.model import ENDED, Conflict, Refused
from tradehub.contracting.service import ContractService
from tradehub.contracting.store import ContractRow
from tradehub.contracting.wording import Mistake
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.http import Principal
from tradehub.platform.passkeys import Presence, Site
from tradehub.platform.security import SignInRefused, TooManyAttempts

Confirm = Callable[[Principal, str], None]
Present = Callable[[Principal, Site, str, bytes], Presence]
NameOf = Callable[[Session, str], str]

MISTYPED = ("NOT_FRESH", "WRONG_PASSWORD", "WRONG_PASSKEY", "TOO_MANY", "NO_FILE")
"""Rules that the form itself fell short of."""

FILES = {
    "pdf": ("application/pdf", "pdf"),
    "xml": ("application/xml", "xml"),
    "json": ("application/json", "json"),
}


@dataclass(frozen=True)
class SigningPages:
    """What the pages stand on. ``confirm`` raises SignInRefused or TooManyAttempts for a password that is not right.

    ``present`` takes what a passkey answered about a SHA-256, and raises SignInRefused where that is not right.
    """

    service: ContractService
    database: Database
    name_of: NameOf
    confirm: Confirm
    present: Present

    def add(self, routes: Blueprint) -> None:
        _add_signing(routes, self)
        _add_files(routes, self)
        _add_keys(routes, self)

    def found(self, session: Session, contract_id: str) -> ContractRow:
        try:
            return self.service.contract(session, contract_id)
        except NoResultFound:
            abort(404)

    def freshened(self) -> Principal:
        """Return who asks, as one who has shown lately who it is. Raises Refused where that was not so.

        A password that was typed is looked at even where none was needed.
        """
        who, at = http.principal(), clock.now()
        password = request.form.get("password", "")
        if not password and stepup.is_fresh(who, at=at):
            return who
        if not password or who.is_token:
            raise Refused("NOT_FRESH")
        try:
            self.confirm(who, password)
        except SignInRefused:
            raise Refused("WRONG_PASSWORD") from None
        except TooManyAttempts:
            raise Refused("TOO_MANY") from None
        return stepup.freshened(who, at=at)

    def present_for(self, contract_sha256: str) -> tuple[Principal, Presence | None]:
        """Return who signs, as ``freshened`` does, and what a passkey signed of this contract where one was asked."""
        answer = request.form.get(http.PASSKEY_FIELD, "")
        if not answer:
            return self.freshened(), None
        who = http.principal()
        try:
            presence = self.present(who, Site(request.host), answer, bytes.fromhex(contract_sha256))
        except (SignInRefused, ValueError):
            raise Refused("WRONG_PASSKEY") from None
        return stepup.freshened(who, at=clock.now()), presence


def signing_card(service: ContractService, session: Session, contract: ContractRow, version: int) -> dict[str, object]:
    """Return what the contract page shows of signatures; nothing for a service that signs none."""
    if not service.can_sign:
        return {}
    standing = service.standing(session, contract, version)
    org = http.principal().org
    mine = "buyer" if org == contract.buyer else "seller"
    languages = service.languages(session, contract)
    return {
        "standing": standing,
        "roles": saying.ROLES,
        "mine": mine,
        "may_sign": contract.version == version and contract.is_in not in ENDED and mine not in standing.signatures,
        "can_typeset": service.parts.typesetter.can_typeset(),
        "written_in": [(each, saying.LANGUAGE_NAMES[each]) for each in languages],
        "made_of": service.made_of(session, contract, version),
        "templates": [each for each in clauses.listed(session, org) if each.language in languages],
    }


def _add_signing(routes: Blueprint, pages: SigningPages) -> None:
    @routes.post("/contracts/<contract_id>/prepare")
    @http.requires("deal.bind")
    def prepare(contract_id: str) -> ResponseReturnValue:
        try:
            pages.service.prepare(http.principal(), contract_id)
        except NoResultFound:
            abort(404)
        except (Refused, Conflict, Mistake) as refused:
            return _page(pages, contract_id, refused=saying.why(refused)), 409
        return http.see(url_for(".sign_form", contract_id=contract_id))

    @routes.get("/contracts/<contract_id>/sign")
    @http.requires("deal.bind")
    def sign_form(contract_id: str) -> str:
        return _page(pages, contract_id)

    @routes.post("/contracts/<contract_id>/sign")
    @http.requires("deal.bind")
    def sign(contract_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            pages.found(session, contract_id)
        version = request.form.get("version", 0, type=int)
        try:
            expected = request.form.get("json_sha256", "")
            who, presence = pages.present_for(expected)
            key = brought_key() if request.form.get("key") == "brought" else None
            pages.service.sign(
                who, contract_id, version=version, expected_sha256=expected, key=key,
                presence=presence.as_record() if presence else None,
            )  # fmt: skip
        except (Refused, Conflict, UnusableKey) as refused:
            status = 422 if isinstance(refused, UnusableKey) or str(refused) in MISTYPED else 409
            return _page(pages, contract_id, refused=saying.why(refused)), status
        return http.see(url_for(".contract", contract_id=contract_id))

    @routes.post("/contracts/<contract_id>/template")
    @http.requires("deal.bind")
    def template(contract_id: str) -> ResponseReturnValue:
        """Let the contract's text be made of another template, while nobody has signed it."""
        chosen, language = request.form.get("template_id") or None, request.form.get("language", "")
        try:
            with pages.database.write(org=http.principal().org) as session:
                pages.service.choose_template(session, contract_id, chosen, language)
        except NoResultFound:
            abort(404)
        except Refused as refused:
            return _page(pages, contract_id, refused=saying.why(refused)), 409
        return http.see(url_for(".contract", contract_id=contract_id))


def _page(pages: SigningPages, contract_id: str, *, refused: str | None = None) -> str:
    who = http.principal()
    with pages.database.read(org=who.org) as session:
        contract = pages.found(session, contract_id)
        standing = pages.service.standing(session, contract, contract.version)
        held = keyring.held(session, who.org, at=clock.now())
        return render_template(
            "contracting/sign.html",
            contract=contract,
            names={each: pages.name_of(session, each) for each in (contract.buyer, contract.seller)},
            refused=refused,
            held=held,
            is_fresh=stepup.is_fresh(who, at=clock.now()),
            **signing_card(pages.service, session, contract, standing.version.version),
        )


def brought_key() -> SigningKey:
    """Return the key in the posted file. Raises Refused (NO_FILE) or UnusableKey."""
    file = request.files.get("pkcs12")
    raw = file.read(keys.PKCS12_MAX + 1) if file is not None else b""
    if not raw:
        raise Refused("NO_FILE")
    return keys.from_pkcs12(raw, request.form.get("pkcs12_password", ""), at=clock.now())


# --- files ---------------------------------------------------------------------------------------------------------


def _add_files(routes: Blueprint, pages: SigningPages) -> None:
    @routes.get("/contracts/<contract_id>/pdf")
    @http.requires("deal.read")
    def pdf(contract_id: str) -> ResponseReturnValue:
        return _file(pages, contract_id, "pdf")

    @routes.get("/contracts/<contract_id>/xml")
    @http.requires("deal.read")
    def xml(contract_id: str) -> ResponseReturnValue:
        return _file(pages, contract_id, "xml")

    @routes.get("/contracts/<contract_id>/json")
    @http.requires("deal.read")
    def json(contract_id: str) -> ResponseReturnValue:
        return _file(pages, contract_id, "json")

    @routes.get("/contracts/<contract_id>/evidence")
    @http.requires("deal.read")
    def evidence(contract_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            contract = pages.found(session, contract_id)
        archive = pages.service.evidence(contract.deal_id)
        return download(archive, "application/zip", f"evidence-{contract.number}.zip")


def _file(pages: SigningPages, contract_id: str, kind: str) -> Response:
    mimetype, suffix = FILES[kind]
    with pages.database.read(org=http.principal().org) as session:
        contract = pages.found(session, contract_id)
        version = request.args.get("version", contract.version, type=int)
        if not any(each.version == version for each in contract.versions):
            abort(404)
        standing = pages.service.standing(session, contract, version)
    content = pages.service.file(contract, standing, kind)
    if content is None:
        abort(404)
    return download(content, mimetype, f"{contract.number}-v{version}.{suffix}")


def download(content: bytes, mimetype: str, name: str) -> Response:
    """Return a file to keep: it is never shown inside a page of ours. ``name`` is one that we made."""
    return Response(
        content,
        mimetype=mimetype,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


# --- keys ----------------------------------------------------------------------------------------------------------


def _add_keys(routes: Blueprint, pages: SigningPages) -> None:
    @routes.get("/contracts/keys")
    @http.requires("deal.bind")
    def signing_keys() -> str:
        return _keys(pages)

    @routes.post("/contracts/keys")
    @http.requires("deal.bind")
    def make_key() -> ResponseReturnValue:
        """Make a key here, or keep the one that was brought."""
        brought = request.form.get("origin") == "brought"
        try:
            who, at = pages.freshened(), clock.now()
            stepup.demand(who, at=at)
            key = brought_key() if brought else keys.make(who.org_name, who.org, at=at)
        except (Refused, UnusableKey) as refused:
            return _keys(pages, refused=saying.why(refused)), 422
        with pages.database.write(org=who.org) as session:

            def act() -> str:
                keyring.keep(
                    session, pages.service.parts.sealer(), key, org=who.org,
                    origin="brought" if brought else "made", by=who.user_id, at=at,
                )  # fmt: skip
                return http.local_path(request.form.get("next"), url_for(".signing_keys"))

            return http.once(session, act)

    @routes.post("/contracts/keys/<key_id>/retire")
    @http.requires("deal.bind")
    def retire_key(key_id: str) -> ResponseReturnValue:
        with pages.database.write(org=http.principal().org) as session:
            try:
                keyring.retire(session, key_id, by=http.principal().user_id, at=clock.now())
            except NoResultFound:
                abort(404)
        return http.see(url_for(".signing_keys"))


def _keys(pages: SigningPages, *, refused: str | None = None) -> str:
    who, at = http.principal(), clock.now()
    with pages.database.read(org=who.org) as session:
        listed = keyring.listed(session, who.org)
    return render_template(
        "contracting/keys.html", keys=listed, refused=refused, is_fresh=stepup.is_fresh(who, at=at), now=at,
        hub_key=pages.service.hub_key(),
    )  # fmt: skip
