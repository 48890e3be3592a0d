"""Putting a contract before its parties, signing it, and proving it later.

A version is prepared once: from then on its JSON, XML and PDF stand still, and each party adds its signatures to the
same texts. Setting a page and signing take longer than a transaction may, so they are done between a look and a guarded
UPDATE: of two who sign at once, the one who comes second signs again, on what the first one left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tradehub.contracting import bundle, clauses, evidence, keyring, keys, signing, stepup
from tradehub.contracting.bundle import Text
from tradehub.contracting.evidence import Record, SignedContract
from tradehub.contracting.jcs import canonical
from tradehub.contracting.keys import SigningKey
from tradehub.contracting.model import ENDED, Conflict, Refused
from tradehub.contracting.store import BlanketRow, BundleRow, ContractRow, ContractVersionRow, SignatureRow
from tradehub.documents import Order
from tradehub.documents.parts import Party, PartyId
from tradehub.partners.authority import Allowed, Asker, Binding, Verdict
from tradehub.platform import audit, clock
from tradehub.platform.db import Database
from tradehub.platform.files import PayloadStore
from tradehub.platform.http import Principal
from tradehub.platform.sealing import Sealer

ATTEMPTS = 5
"""How often a signature is made anew because the other party signed meanwhile: there is only one other party."""

ROLES = ("buyer", "seller")

HUB_KEY = "evidence"


class Typesetter(Protocol):
    """What turns a contract into text and pages."""

    def clauses(self, contract: Mapping[str, Any], texts: Sequence[Text]) -> dict[str, str]: ...
    def pdf(
        self, contract: Mapping[str, Any], canonical_text: bytes, json_sha256: str, *, is_draft: bool = False
    ) -> bytes: ...
    def can_typeset(self) -> bool: ...


class Placed(NamedTuple):
    """The order that a call-off became: its id, where it is kept as one, and its number."""

    order_id: str | None
    number: str


def _nothing(*_what: Any) -> None:
    """Do nothing: nobody follows up on it."""


def _anybody(*_what: Any) -> Verdict:
    """Let everybody bind the organisation: nobody states limits."""
    return Allowed()


@dataclass(frozen=True)
class Parts:
    """What the contract needs of the rest of the hub.

    ``record(deal_id)`` gives what was said and sent in a deal; ``party`` how a party is named; ``language`` the
    language it reads. ``on_signed(session, contract, party, at)`` is told of each valid signature in its transaction,
    ``on_call_off(session, contract, order, release_id)`` of each order released, and says what it was placed as.
    ``authorise`` says whether somebody may bind the organisation.
    """

    database: Database
    payloads: PayloadStore
    sealer: Callable[[], Sealer]
    record: Callable[[str], Record]
    party: Callable[[Session, PartyId], Party]
    language: Callable[[Session, PartyId], str]
    typesetter: Typesetter
    on_signed: Callable[[Session, ContractRow, PartyId, datetime], None] = _nothing
    on_call_off: Callable[[Session, ContractRow, Order, str], Placed | None] = _nothing
    authorise: Callable[[Session, Asker, Binding], Verdict] = _anybody


@dataclass(frozen=True)
class Made:
    """A contract's texts as they would be put before the parties. ``pdf`` is None without a typesetter."""

    contract: Mapping[str, Any]
    json: bytes
    xml: bytes
    pdf: bytes | None

    @property
    def json_sha256(self) -> str:
        return sha256(self.json).hexdigest()


@dataclass(frozen=True)
class Standing:
    """How far a version is: its bundle where it was prepared, and who has signed it, by role."""

    version: ContractVersionRow
    bundle: BundleRow | None
    signatures: Mapping[str, SignatureRow]


class Execution:
    """The part of the contract service that signs and proves."""

    _parts: Parts | None = None

    @property
    def can_sign(self) -> bool:
        return self._parts is not None

    @property
    def parts(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("this contract service was made without what signing needs")
        return self._parts

    # Looking -------------------------------------------------------------------------------------------------------

    def of_deal(self, session: Session, deal_id: str) -> Sequence[ContractRow]:
        """Return the contracts of a deal, the first one first: an offer that was accepted in parts made several (R22)."""
        wanted = select(ContractRow).where(ContractRow.deal_id == deal_id)
        return session.scalars(wanted.order_by(func.length(ContractRow.number), ContractRow.number)).all()

    def standing(self, session: Session, contract: ContractRow, version: int) -> Standing:
        """Return how far a version of the contract is on its way to being signed."""
        row = next(each for each in contract.versions if each.version == version)
        of = (BundleRow.contract_id == contract.id, BundleRow.version == version)
        found = session.scalar(select(BundleRow).where(*of))
        signed = select(SignatureRow).where(SignatureRow.contract_id == contract.id, SignatureRow.version == version)
        return Standing(row, found, {each.role: each for each in session.scalars(signed)})

    def languages(self, session: Session, contract: ContractRow) -> list[str]:
        """Return the languages that the contract is written in: those of its parties, the buyer's first."""
        read = [self.parts.language(session, PartyId(each)) for each in (contract.buyer, contract.seller)]
        return list(dict.fromkeys(read))

    def draft(self, contract_id: str, version: int, *, with_pdf: bool = True) -> Made:
        """Return a version as it would be prepared now. The caller has made sure that it may be seen."""
        return self._made(contract_id, version, with_pdf=with_pdf, is_draft=True)

    def payload(self, digest: str) -> bytes:
        return self.parts.payloads.get(digest)

    def file(self, contract: ContractRow, standing: Standing, kind: str) -> bytes | None:
        """Return a version as ``pdf``, ``xml`` or ``json``, as both parties sign it; a draft where nobody has put it up
        for signature. None without a typesetter."""
        if standing.bundle is not None:
            digest = getattr(standing.bundle, f"{kind}_sha256")
            return self.payload(digest) if digest else None
        made = self.draft(contract.id, standing.version.version, with_pdf=kind == "pdf")
        content: bytes | None = getattr(made, kind)
        return content

    # Preparing -----------------------------------------------------------------------------------------------------

    def prepare(self, who: Principal, contract_id: str, *, version: int | None = None) -> BundleRow:
        """Put the latest version before its parties and return the bundle; a second time changes nothing.

        ``version`` is the one that was looked at. Raises NoResultFound for a contract that ``who`` does not see, Refused
        (ENDED), Conflict where another version is the latest, wording.Mistake for a template that has become unsound.
        """
        with self.parts.database.read(org=who.org) as session:
            contract = self._one(session, contract_id)
            if version not in (None, contract.version):
                raise Conflict(contract_id)
            standing = self.standing(session, contract, contract.version)
            _refuse_ended(contract)
            if standing.bundle is not None:
                return standing.bundle
            version = contract.version
        made = self._made(contract_id, version)
        row = self._bundle_row(contract, version, made, who)
        with self.parts.database.write(org=who.org) as session:
            contract = self._one(session, contract_id)
            if contract.version != version:
                raise Conflict(contract_id)
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                kept = self.standing(session, contract, version).bundle
                if kept is None:
                    raise
                return kept
            contract.versions[-1].templates = dict(made.contract["templates"])
            self._note(session, contract, "prepared", who, row.prepared_at, {"json_sha256": row.json_sha256})
        return row

    def _bundle_row(self, contract: ContractRow, version: int, made: Made, who: Principal) -> BundleRow:
        put = self.parts.payloads.put
        base = put(made.pdf) if made.pdf is not None else None
        return BundleRow(
            contract_id=contract.id, version=version, buyer=contract.buyer, seller=contract.seller,
            prepared_at=clock.now(), prepared_by=who.user_id, languages=list(made.contract["languages"]),
            json_sha256=put(made.json), xml_sha256=put(made.xml),
            xml_body_sha256=sha256(signing.body_of(made.xml)).hexdigest(), pdf_sha256=base, base_sha256=base,
            base_length=len(made.pdf) if made.pdf is not None else None,
            chain_length=made.contract["chain"]["length"], chain_head=made.contract["chain"]["head"], revision=1,
        )  # fmt: skip

    def unprepare(self, session: Session, contract: ContractRow) -> None:
        """Take the latest version back from before the parties. Raises Refused (SIGNED_ALREADY) once one has signed."""
        of = (BundleRow.contract_id == contract.id, BundleRow.version == contract.version)
        # Whoever signs just now holds the row: looked at before that ends, there would seem to be no signature.
        session.scalar(select(BundleRow).where(*of).with_for_update())
        standing = self.standing(session, contract, contract.version)
        if standing.signatures:
            raise Refused("SIGNED_ALREADY")
        session.execute(delete(BundleRow).where(*of))

    def choose_template(
        self, session: Session, contract_id: str, template_id: str | None, language: str
    ) -> ContractRow:
        """Let the latest version's text be made of one of the reader's own templates, or, without one, of the hub's in
        ``language``; it is then no longer before its parties.

        Raises NoResultFound for a contract or template that the session does not see, Refused (ENDED, SIGNED_ALREADY).
        """
        contract = self._one(session, contract_id)
        _refuse_ended(contract)
        row = None if template_id is None else clauses.template(session, template_id)
        self.unprepare(session, contract)
        if row is not None:
            clauses.choose(contract.versions[-1], row, self.parts.payloads)
        else:
            clauses.choose_standard(contract.versions[-1], language)
        return contract

    def made_of(self, session: Session, contract: ContractRow, version: int) -> list[Text]:
        """Return what a version's text is made of, in each of the languages of its parties."""
        row = next(each for each in contract.versions if each.version == version)
        return clauses.texts(row, self.languages(session, contract), self.parts.payloads)

    def _made(self, contract_id: str, version: int, *, with_pdf: bool = True, is_draft: bool = False) -> Made:
        parts = self.parts
        with parts.database.read() as session:
            contract = self._one(session, contract_id)
            row = next(each for each in contract.versions if each.version == version)
            parties = {role: parts.party(session, PartyId(getattr(contract, role))) for role in ROLES}
            texts = clauses.texts(row, self.languages(session, contract), parts.payloads)
            blanket = _ceilings(session.scalar(select(BlanketRow).where(BlanketRow.contract_id == contract_id)))
        record = parts.record(contract.deal_id)
        plain = bundle.content(contract, row, record, parties=parties, texts=texts, clauses={}, blanket=blanket)
        plain["clauses"] = parts.typesetter.clauses(plain, texts)
        text = canonical(plain)
        digest = sha256(text).hexdigest()
        pdf = None
        if with_pdf and parts.typesetter.can_typeset():
            pdf = signing.with_fields(parts.typesetter.pdf(plain, text, digest, is_draft=is_draft))
        return Made(plain, text, bundle.as_xml(plain, digest), pdf)

    # Signing -------------------------------------------------------------------------------------------------------

    def sign(
        self, who: Principal, contract_id: str, *, version: int, expected_sha256: str, key: SigningKey | None = None,
        presence: Mapping[str, str] | None = None,
    ) -> SignatureRow:  # fmt: skip
        """Sign the prepared version for the organisation of ``who``; without ``key``, with the one the hub holds.

        ``expected_sha256`` is that of the contract.json which was shown; ``presence`` what a passkey of the person
        signed of it (``platform.passkeys.Presence``), which goes into the statement that is signed. Raises Refused: NOT_FRESH, ENDED,
        NOT_PREPARED, SIGNED_ALREADY, NO_KEY, SAME_CERTIFICATE; Conflict where the text or version is another one by
        now; keys.UnusableKey; NoResultFound where ``who`` does not see the contract.
        """
        stepup.demand(who, at=clock.now())
        for _ in range(ATTEMPTS):
            signed = self._sign_once(who, contract_id, version, expected_sha256, key, presence)
            if signed is not None:
                return signed
        raise Conflict(contract_id)

    def _sign_once(
        self, who: Principal, contract_id: str, version: int, expected_sha256: str, key: SigningKey | None,
        presence: Mapping[str, str] | None,
    ) -> SignatureRow | None:  # fmt: skip
        """Sign what is there now; None where the other party was quicker."""
        at = clock.now()
        with self.parts.database.read(org=who.org) as session:
            contract = self._one(session, contract_id)
            seen = self._signable(session, contract, version, expected_sha256, who)
            chosen = key or self._held(session, who.org, at)
            others = {each.fingerprint for each in self.standing(session, contract, version).signatures.values()}
        keys.check(chosen.certificate, at=at)
        if chosen.fingerprint in others:
            raise Refused("SAME_CERTIFICATE", chosen.fingerprint)
        role = "buyer" if who.org == contract.buyer else "seller"
        record = self.parts.record(contract.deal_id)
        put, get = self.parts.payloads.put, self.parts.payloads.get
        said = _statement(contract, seen, record, role, at) | ({"presence": dict(presence)} if presence else {})
        head = signing.sign_head(said, chosen)
        xml = signing.sign_xml(get(seen.xml_sha256), role, chosen)
        pdf = signing.sign_pdf(get(seen.pdf_sha256), role, chosen, at=at) if seen.pdf_sha256 else None
        row = SignatureRow(
            contract_id=contract_id, version=version, role=role, buyer=contract.buyer, seller=contract.seller,
            party=who.org, at=at, user_id=who.user_id, user_name=who.name,
            subject=keys.subject(chosen.certificate), fingerprint=chosen.fingerprint, is_held=key is None,
            head_sha256=put(head), certificates_sha256=put(chosen.certificate_pem),
            by_passkey=presence is not None,
        )  # fmt: skip
        after = {"xml_sha256": put(xml), "pdf_sha256": put(pdf) if pdf is not None else None}
        with self.parts.database.write(org=who.org) as session:
            if not self._move_on(session, seen, after):
                return None
            session.add(row)
            session.flush()
            contract = self._one(session, contract_id)
            self._note(session, contract, "signed", who, at, {"role": role, "certificate": chosen.fingerprint,
                                                             "json_sha256": seen.json_sha256})  # fmt: skip
            self.parts.on_signed(session, contract, who.org, at)
        return row

    def _signable(
        self, session: Session, contract: ContractRow, version: int, expected_sha256: str, who: Principal
    ) -> BundleRow:
        _refuse_ended(contract)
        if contract.version != version:
            raise Conflict(contract.id)
        standing = self.standing(session, contract, version)
        if standing.bundle is None:
            raise Refused("NOT_PREPARED")
        if standing.bundle.json_sha256 != expected_sha256:
            raise Conflict(contract.id)
        if any(each.party == who.org for each in standing.signatures.values()):
            raise Refused("SIGNED_ALREADY")
        return standing.bundle

    def _held(self, session: Session, org: PartyId, at: datetime) -> SigningKey:
        row = keyring.held(session, org, at=at)
        if row is None:
            raise Refused("NO_KEY")
        return keyring.opened(row, self.parts.sealer())

    def _move_on(self, session: Session, seen: BundleRow, after: Mapping[str, str | None]) -> bool:
        moved = session.execute(
            update(BundleRow)
            .where(BundleRow.contract_id == seen.contract_id, BundleRow.version == seen.version)
            .where(BundleRow.revision == seen.revision, BundleRow.json_sha256 == seen.json_sha256)
            .values(revision=seen.revision + 1, **after)
            .execution_options(synchronize_session=False)
        )
        return isinstance(moved, CursorResult) and moved.rowcount == 1

    # Proving -------------------------------------------------------------------------------------------------------

    def evidence(self, deal_id: str) -> bytes:
        """Return the evidence of a deal as one archive. The caller has made sure that it may be seen."""
        record = self.parts.record(deal_id)
        key = self.parts.sealer().signing_key(HUB_KEY)
        return evidence.write(
            record, self._versions(deal_id), at=clock.now(), hub_key=self.hub_key(), sign=key.sign
        )  # fmt: skip

    def hub_key(self) -> str:
        """Return the public key that the hub signs evidence with, in hexadecimal."""
        return self.parts.sealer().signing_key(HUB_KEY).public_key().public_bytes_raw().hex()

    def _versions(self, deal_id: str) -> list[SignedContract]:
        """Return what is to be proved: of each contract the latest version, then the earlier ones that were put before
        the parties."""
        with self.parts.database.read() as session:
            standings = [
                (contract, self.standing(session, contract, each.version))
                for contract in self.of_deal(session, deal_id)
                for each in reversed(contract.versions)
            ]
        return [
            self._signed_contract(contract, each)
            for contract, each in standings
            if each.bundle is not None or each.version.version == contract.version
        ]

    def _signed_contract(self, contract: ContractRow, standing: Standing) -> SignedContract:
        get, row, version = self.parts.payloads.get, standing.bundle, standing.version.version
        if row is None:
            made = self.draft(contract.id, version)
            return SignedContract(contract.number, version, made.json, made.xml, made.pdf)
        return SignedContract(
            contract.number, version, get(row.json_sha256), get(row.xml_sha256),
            get(row.pdf_sha256) if row.pdf_sha256 else None,
            {role: get(each.head_sha256) for role, each in standing.signatures.items()},
            {role: get(each.certificates_sha256) for role, each in standing.signatures.items()},
        )  # fmt: skip

    def _one(self, session: Session, contract_id: str) -> ContractRow:
        """Return a contract with its versions. Raises NoResultFound where the session sees none."""
        row = session.scalars(select(ContractRow).where(ContractRow.id == contract_id)).one()
        _ = row.versions
        return row

    def _note(
        self, session: Session, contract: ContractRow, action: str, who: Principal, at: datetime,
        details: Mapping[str, str],
    ) -> None:  # fmt: skip
        audit.append(
            session, chain=f"deal:{contract.deal_id}", org=who.org, actor=who.user_id, action=f"contract.{action}",
            subject=contract.id, at=at,
            details={"contract": contract.number, "version": contract.version, **details},
        )  # fmt: skip


def _refuse_ended(contract: ContractRow) -> None:
    if contract.is_in in ENDED:
        raise Refused("ENDED", contract.state)


def _ceilings(row: BlanketRow | None) -> dict[str, Any] | None:
    if row is None or row.confirmed_at is None:
        return None
    return {
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
        "currency": row.currency,
        "ceiling": _text(row.ceiling),
        "lines": [
            {"line": each.line, "unit": each.unit, "quantity_ceiling": _text(each.quantity_ceiling),
             "amount_ceiling": _text(each.amount_ceiling)}
            for each in row.lines
        ],
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _statement(contract: ContractRow, seen: BundleRow, record: Record, role: str, at: datetime) -> dict[str, Any]:
    """Return what a party says by signing: this contract, these texts, on the chain up to this head."""
    return {
        "format": "tradehub-signature/1",
        "role": role,
        "party": getattr(contract, role),
        "at": at.isoformat(timespec="microseconds"),
        "deal": contract.deal_id,
        "contract": contract.number,
        "version": seen.version,
        "contract_sha256": seen.json_sha256,
        "xml_sha256": seen.xml_body_sha256,
        "pdf": {"length": seen.base_length, "sha256": seen.base_sha256} if seen.base_sha256 else None,
        "length": record.length,
        "head": record.head,
    }
