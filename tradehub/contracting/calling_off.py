"""Agreeing on the ceilings of a blanket agreement, and calling off orders under it.

One side proposes ceilings, the other agrees; from then on the buyer calls off. Two who call off at once wait for each
other at the agreement's row, and what is counted is guarded by its revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from tradehub.contracting.binding import CallingOff, Unauthorised, bound, frozen, intended, overtaken
from tradehub.contracting.blanket import Agreement, Ceiling, Release, release
from tradehub.contracting.execution import Execution, Placed
from tradehub.contracting.model import ENDED, Conflict, Refused
from tradehub.contracting.store import BlanketLineRow, BlanketRow, CallOffRow, ContractRow, ContractVersionRow
from tradehub.documents import KINDS, Line, Order, TradeDocument
from tradehub.documents.lines import keyed
from tradehub.documents.parts import DatedEvent, PartyId, Reference
from tradehub.documents.terms import NOT_TERMS
from tradehub.partners.authority import Allowed, Asker, Forbidden, Verdict, Wanted
from tradehub.platform import audit, clock
from tradehub.platform.ids import new_id

NOUGHT = Decimal(0)


@dataclass(frozen=True)
class Ceilings:
    """Ceilings as one side proposes them; by line number, (quantity, amount)."""

    valid_from: date
    valid_until: date
    ceiling: Decimal | None
    lines: Mapping[str, tuple[Decimal | None, Decimal | None]]


class CallOffs(Execution):
    """The part of the contract service that knows blanket agreements."""

    def blanket(self, session: Session, contract_id: str) -> BlanketRow | None:
        return session.scalar(select(BlanketRow).where(BlanketRow.contract_id == contract_id))

    def propose_blanket(
        self, session: Session, contract_id: str, ceilings: Ceilings, *, by: PartyId, at: datetime
    ) -> BlanketRow:
        """Propose that a contract be a blanket agreement; it takes the place of a proposal not yet agreed to.

        Raises Refused: ENDED, AGREED_ALREADY, PERIOD (that ends before it begins), UNKNOWN_LINE, NO_CEILING.
        """
        contract = self._live(session, contract_id)
        lines = keyed(_lines(contract.versions[-1]))
        _refuse_unsound(ceilings, lines)
        earlier = self.blanket(session, contract_id)
        if earlier is not None:
            if earlier.confirmed_at is not None:
                raise Refused("AGREED_ALREADY")
            session.delete(earlier)
            session.flush()
        document = _document(contract.versions[-1])
        row = BlanketRow(
            contract_id=contract_id, buyer=contract.buyer, seller=contract.seller, valid_from=ceilings.valid_from,
            valid_until=ceilings.valid_until, currency=document.currency, ceiling=ceilings.ceiling, used=NOUGHT,
            released=0, revision=1, agreed_at=at, agreed_by=by,
            lines=[_line_row(name, position, line, ceilings) for position, (name, line) in enumerate(lines.items(), 1)],
        )  # fmt: skip
        session.add(row)
        session.flush()
        self._tell(session, contract, "blanket-proposed", by=by, at=at, details={})
        return row

    def confirm_blanket(self, session: Session, contract_id: str, *, by: PartyId, revision: int, at: datetime) -> None:
        """Agree to the ceilings that the other side proposed. Raises Refused (NOT_YOURS, NO_BLANKET), Conflict."""
        contract = self._live(session, contract_id)
        row = self._locked(session, contract_id)
        if row.agreed_by == by:
            raise Refused("NOT_YOURS")
        if row.revision != revision or row.confirmed_at is not None:
            raise Conflict(contract_id)
        row.confirmed_at, row.confirmed_by = at, by
        standing = self.standing(session, contract, contract.version) if self.can_sign else None
        if standing is not None and standing.bundle is not None and not standing.signatures:
            self.unprepare(session, contract)
        session.flush()
        self._tell(session, contract, "blanket-agreed", by=by, at=at, details={})

    def call_off(
        self,
        session: Session,
        contract_id: str,
        wanted: Mapping[str, Decimal],
        *,
        asker: Asker,
        on: date,
        at: datetime,
        delivery_on: date | None = None,
    ) -> CallOffRow:
        """Release an order under the agreement: quantities by line number, on the day ``on`` in the buyer's zone.

        Raises Refused: NOT_BUYER, NO_BLANKET, NOT_AGREED, ENDED, and what ``blanket.release`` refuses; Unauthorised
        where the buyer's own rules do not let ``asker`` bind it to so much.
        """
        by = asker.org
        contract = self._live(session, contract_id)
        if by != contract.buyer:
            raise Refused("NOT_BUYER")
        row = self._locked(session, contract_id)
        if row.confirmed_at is None:
            raise Refused("NOT_AGREED")
        made = release(agreement_of(row), _lines(contract.versions[-1]), wanted, on=on)
        verdict = self.may_call_off(session, contract, made, asker)
        if not isinstance(verdict, Allowed):
            raise Unauthorised(verdict)
        order = _order(contract, made, on, delivery_on)
        self._count(session, row, made)
        release_id = new_id()
        placed = self._placed(session, contract, order, release_id, row.released + 1)
        call_off = CallOffRow(
            id=release_id, contract_id=contract_id, number=row.released + 1, buyer=contract.buyer, seller=contract.seller,
            order_number=placed.number, order_id=placed.order_id, at=at, by=by, amount=made.amount,
            document=order.model_copy(update={"number": placed.number}).model_dump(mode="json"),
        )  # fmt: skip
        session.add(call_off)
        session.flush()
        session.refresh(row)
        details = {"order": placed.number, "amount": str(made.amount)}
        self._tell(session, contract, "called-off", by=by, at=at, details=details)
        return call_off

    def preview_call_off(self, session: Session, contract_id: str, wanted: Mapping[str, Decimal], on: date) -> Release:
        """Return what a call-off would come to, changing nothing. Raises as ``call_off`` does."""
        contract = self._live(session, contract_id)
        row = self.blanket(session, contract_id)
        if row is None:
            raise Refused("NO_BLANKET")
        if row.confirmed_at is None:
            raise Refused("NOT_AGREED")
        return release(agreement_of(row), _lines(contract.versions[-1]), wanted, on=on)

    def may_call_off(self, session: Session, contract: ContractRow, made: Release, asker: Asker) -> Verdict:
        """Return whether the buyer's own rules let ``asker`` bind it to a release."""
        return self.parts.authorise(session, asker, bound(contract, made)) if self.can_sign else Allowed()

    def to_approve(self, session: Session, calling: CallingOff, asker: Asker, *, on: date) -> Wanted:
        """Freeze a call-off for those who may approve it. Raises as ``call_off`` does; NOT_NEEDED where nobody has to."""
        contract = self._live(session, calling.contract_id)
        if asker.org != contract.buyer:
            raise Refused("NOT_BUYER")
        made = self.preview_call_off(session, calling.contract_id, calling.wanted, on)
        verdict = self.may_call_off(session, contract, made, asker)
        if isinstance(verdict, Allowed):
            raise Refused("NOT_NEEDED")
        if isinstance(verdict, Forbidden):
            raise Unauthorised(verdict)
        return frozen(contract, made, calling, seller=self.parts.party(session, PartyId(contract.seller)).name or "")

    def carry_out(self, session: Session, asker: Asker, wanted: Wanted) -> None:
        """Call off what was approved. Raises Overtaken, by the rule that refuses it, where it can be no more."""
        calling, at = intended(wanted), clock.now()
        try:
            self.call_off(
                session, calling.contract_id, calling.wanted, asker=asker, on=at.date(), at=at,
                delivery_on=calling.delivery_on,
            )  # fmt: skip
        except (Refused, Conflict) as refused:
            raise overtaken(refused) from refused

    def _placed(self, session: Session, contract: ContractRow, order: Order, release_id: str, number: int) -> Placed:
        hook = self.parts.on_call_off if self.can_sign else None
        placed = hook(session, contract, order, release_id) if hook is not None else None
        return placed or Placed(None, f"{contract.number}/{number}")

    def _count(self, session: Session, row: BlanketRow, made: Release) -> None:
        moved = session.execute(
            update(BlanketRow)
            .where(BlanketRow.contract_id == row.contract_id, BlanketRow.revision == row.revision)
            .values(revision=row.revision + 1, used=made.after.used, released=row.released + 1)
            .execution_options(synchronize_session=False)
        )
        if not isinstance(moved, CursorResult) or moved.rowcount != 1:
            raise Conflict(row.contract_id)
        for line in row.lines:
            after = made.after.lines[line.line]
            line.quantity_used, line.amount_used = after.quantity_used, after.amount_used

    def _live(self, session: Session, contract_id: str) -> ContractRow:
        contract = self._one(session, contract_id)
        if contract.is_in in ENDED:
            raise Refused("ENDED", contract.state)
        return contract

    def _locked(self, session: Session, contract_id: str) -> BlanketRow:
        """Return the agreement as it is now, and keep others from calling off until the transaction ends."""
        wanted = select(BlanketRow).where(BlanketRow.contract_id == contract_id).with_for_update()
        row = session.scalar(wanted.execution_options(populate_existing=True))
        if row is None:
            raise Refused("NO_BLANKET")
        for line in row.lines:
            session.refresh(line)
        return row

    def _tell(
        self, session: Session, contract: ContractRow, action: str, *, by: PartyId, at: datetime,
        details: Mapping[str, str],
    ) -> None:  # fmt: skip
        audit.append(
            session, chain=f"deal:{contract.deal_id}", org=by, actor=None, action=f"contract.{action}",
            subject=contract.id, at=at, details={"contract": contract.number, **details},
        )  # fmt: skip


def agreement_of(row: BlanketRow) -> Agreement:
    """Return a stored agreement as the model knows it."""
    lines = {
        each.line: Ceiling(
            each.unit, each.quantity_ceiling, each.amount_ceiling, each.quantity_used, each.amount_used
        )
        for each in row.lines
    }  # fmt: skip
    return Agreement(row.valid_from, row.valid_until, row.currency, row.ceiling, row.used, lines)


def suggested(version: ContractVersionRow) -> Ceilings | None:
    """Return the ceilings that the contract's own terms suggest: its period of delivery, and the lines' quantities."""
    document = _document(version)
    period = document.delivery_period
    lines = {
        name: (line.max_quantity or (line.quantity.value if line.quantity else None), None)
        for name, line in keyed(_lines(version)).items()
    }
    if period is None or period.start is None or period.end is None:
        return None
    return Ceilings(period.start, period.end, None, lines)


def lines_of(version: ContractVersionRow) -> dict[str, Line]:
    """Return the contract's lines by number."""
    return keyed(_lines(version))


def _refuse_unsound(ceilings: Ceilings, lines: Mapping[str, Line]) -> None:
    if ceilings.valid_until < ceilings.valid_from:
        raise Refused("PERIOD", f"{ceilings.valid_from} – {ceilings.valid_until}")
    unknown = sorted(set(ceilings.lines) - set(lines))
    if unknown:
        raise Refused("UNKNOWN_LINE", unknown[0], place=unknown[0])
    limits = [ceilings.ceiling, *(each for pair in ceilings.lines.values() for each in pair)]
    if all(each is None for each in limits):
        raise Refused("NO_CEILING")


def _line_row(name: str, position: int, line: Line, ceilings: Ceilings) -> BlanketLineRow:
    quantity, amount = ceilings.lines.get(name, (None, None))
    return BlanketLineRow(
        line=name, position=position, unit=line.quantity.unit if line.quantity else None, quantity_ceiling=quantity,
        amount_ceiling=amount, quantity_used=NOUGHT, amount_used=NOUGHT,
    )  # fmt: skip


def _document(version: ContractVersionRow) -> TradeDocument:
    document = KINDS[version.kind].model_validate(version.document)
    if not isinstance(document, TradeDocument):
        raise TypeError(f"{version.kind} states no terms")
    return document


def _lines(version: ContractVersionRow) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = getattr(_document(version), "lines", ())
    return lines


def _order(contract: ContractRow, made: Release, on: date, delivery_on: date | None) -> Order:
    """Return the release: an order of its own, under the contract's terms, that names the contract."""
    agreed = _document(contract.versions[-1])
    terms = {name: getattr(agreed, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
    dates = (DatedEvent(type="requested_delivery", on=delivery_on),) if delivery_on else ()
    return Order(
        **{
            **terms,
            "type": "release",
            "action": "original",
            "issued_on": on,
            "parties": agreed.parties,
            "references": tuple(Reference(type=each, value=contract.number) for each in ("contract", "blanket_order")),
            "dates": dates,
            "lines": made.lines,
        }
    )  # fmt: skip
