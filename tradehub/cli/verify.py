"""``tradehub verify``: whether a hub's records hold together, whatever happened to its machine.

Each check looks at all of one kind of record and says what is wrong with which. A hub may be at work meanwhile: what
seems to have been forgotten is looked at twice, for it may just have been taken up.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import click
from sqlalchemy import ColumnElement, not_, select
from sqlalchemy.orm import Session

from tradehub.cli.files import Unusable
from tradehub.cli.restored import key_of, passed_over
from tradehub.contracting.calling_off import lines_of
from tradehub.contracting.model import State
from tradehub.contracting.store import ContractRow, ContractVersionRow
from tradehub.documents.terms import terms_hash
from tradehub.exchange import outbound
from tradehub.exchange.inbound import PROCESS
from tradehub.exchange.model import Delivery, Direction, Reason, Validation
from tradehub.exchange.store import ControlNumberRow, MessageRow
from tradehub.hub import Hub
from tradehub.negotiation import model
from tradehub.negotiation import store as negotiation
from tradehub.negotiation.drafting import limited_to
from tradehub.negotiation.model import Negotiation
from tradehub.negotiation.store import DealRow, OfferRow, StatementRow
from tradehub.platform import audit, clock
from tradehub.platform.files import DamagedPayload, NoPayload
from tradehub.platform.outbox import SEND, OutboxRow
from tradehub.platform.schema import current
from tradehub.platform.settings import Settings

LIVE = ("queued", "delayed", "running")
MOST_JOBS = 1_000_000
SHOWN = 20
"""Faults printed of one check; ``--json`` has them all."""


@dataclass(frozen=True)
class Verdict:
    """What a check looked at, and what it found wrong, a sentence each."""

    check: str
    looked_at: int
    wrong: tuple[str, ...]


@click.command()
@click.option("--all", "everything", is_flag=True, help="Read every payload again, not only look whether it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(everything: bool, as_json: bool) -> None:
    """Check chains, payloads, numbers, jobs and contracts. Exit status 0: all is sound; 1: something is not."""
    settings = Settings()
    if not settings.database_url and not (settings.data_dir / "tradehub.db").is_file():
        raise Unusable(f"there is no hub in {settings.data_dir}")
    hub = Hub(settings)
    try:
        if current(hub.database) is None:
            raise Unusable("the database is empty")
        verdicts = examine(hub, everything=everything)
    finally:
        hub.jobs.close()
        hub.database.dispose()
    click.echo(_json(verdicts) if as_json else _text(verdicts))
    if any(each.wrong for each in verdicts):
        raise SystemExit(1)


def examine(hub: Hub, *, everything: bool = True) -> list[Verdict]:
    """Return what each check finds. ``everything`` reads all payloads, which takes as long as the archive is large."""
    with hub.database.read() as session:
        verdicts = [
            _verdict("audit chains", *_audit_chains(session)),
            _verdict("negotiation chains", *_negotiation_chains(session)),
            _verdict("contracts", *_contracts(session)),
            _verdict("control numbers", *_control_numbers(session)),
            _verdict("payloads", *_payloads(hub, session, everything=everything)),
        ]
    return [*verdicts, _verdict("unfinished work", *_unfinished(hub))]


def _audit_chains(session: Session) -> tuple[int, list[str]]:
    names = audit.chains(session)
    broken = [each for each in (audit.verify(session, name) for name in names) if each is not None]
    return len(names), [f"audit chain {each.chain}: entry {each.number} is {each.reason}" for each in broken]


def _negotiation_chains(session: Session) -> tuple[int, list[str]]:
    deals = list(session.execute(select(DealRow.id, DealRow.number).order_by(DealRow.number)))
    wrong = []
    for id, number in deals:
        broken = negotiation.verify(session, id)
        if broken is not None:
            wrong.append(f"deal {number}: statement {broken} is not as it was made")
    orphans = session.scalars(select(StatementRow.id).where(StatementRow.deal_id.not_in(select(DealRow.id))))
    return len(deals), wrong + [f"statement {each} belongs to no deal" for each in orphans]


def _contracts(session: Session) -> tuple[int, list[str]]:
    """The frozen terms have their hash, the first version has that of an offer, or of the lines accepted of it; no more
    is bound of an offer than it offered, and every contract has its acceptance."""
    contracts = {each.id: each for each in session.scalars(select(ContractRow))}
    wrong = []
    for version in session.scalars(select(ContractVersionRow).order_by(ContractVersionRow.contract_id)):
        name = contracts[version.contract_id].number if version.contract_id in contracts else version.contract_id
        if not version.is_intact:
            wrong.append(f"contract {name}: the terms of version {version.version} do not have the hash agreed on")
    offered: dict[str, set[str]] = defaultdict(set)
    for deal, agreed in session.execute(select(OfferRow.deal_id, OfferRow.terms_hash)):
        offered[deal].add(agreed)
    firsts = select(ContractVersionRow).where(ContractVersionRow.version == 1)
    for first in session.scalars(firsts):
        contract = contracts.get(first.contract_id)
        if contract is None or first.terms_hash in offered[contract.deal_id]:
            continue
        if first.terms_hash not in _terms_of_parts(session, contract.deal_id):
            wrong.append(f"contract {contract.number}: no offer of its deal has these terms")
    wrong += _parts(session, contracts.values())
    known = select(ContractRow.deal_id)
    concluded = select(DealRow.number).where(DealRow.state == "concluded", DealRow.id.not_in(known))
    return len(contracts), wrong + [
        f"deal {each} is concluded and has no contract" for each in session.scalars(concluded)
    ]


def _terms_of_parts(session: Session, deal_id: str) -> set[str]:
    """Return the hash of the terms of every acceptance in part in a deal, computed anew from its statements (R22)."""
    row = session.get_one(DealRow, deal_id)
    found = model.contracts(negotiation.load(session, row), now=clock.now())
    return {
        terms_hash(limited_to(stated.document, each.lines))
        for each in found
        if each.lines
        for stated in (each.offer, each.terms)
    }


def _parts(session: Session, contracts: Iterable[ContractRow]) -> Iterator[str]:
    """Say where the several contracts of a deal are not those of its acceptances, or bind more than was offered."""
    of_deal: dict[str, list[ContractRow]] = defaultdict(list)
    for each in contracts:
        of_deal[each.deal_id].append(each)
    for deal, several in of_deal.items():
        if len(several) > 1:
            yield from _parts_of(negotiation.load(session, session.get_one(DealRow, deal)), several)


def _parts_of(deal: Negotiation, contracts: Iterable[ContractRow]) -> Iterator[str]:
    made = {each.id: each for each in model.contracts(deal, now=clock.now())}
    bound: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for contract in contracts:
        if contract.acceptance not in made:
            yield f"contract {contract.number}: nothing was accepted under {contract.acceptance}"
        elif contract.is_in is not State.NEVER_CONCLUDED:
            offer = made[contract.acceptance].offer
            for name, line in lines_of(contract.versions[0]).items():
                bound[offer.id, name] += line.quantity.value if line.quantity else 0
    for (id, name), quantity in bound.items():
        offer = deal.offer(id)
        if quantity > offer.lines.get(name, 0):
            yield f"offer {offer.number}: of line {name} more is bound than was offered"


def _control_numbers(session: Session) -> tuple[int, list[str]]:
    """Of each series every number from 1 to the last is on exactly one transmission that was made, or was passed over
    after a backup was put back."""
    used, passed = _used_numbers(session), passed_over(session)
    wrong = []
    rows = list(session.scalars(select(ControlNumberRow)))
    for row in rows:
        series = f"{row.standard} {row.level} numbers from {row.sender} to {row.receiver}"
        found = used.get(key_of(row), {})
        if missing := sorted(set(range(1, row.last + 1)) - found.keys() - passed.get(key_of(row), set())):
            wrong.append(f"{series}: missing {_listed(missing)} of {row.last}")
        if beyond := sorted(number for number in found if number > row.last):
            wrong.append(f"{series}: {_listed(beyond)} used, though the last is {row.last}")
        if twice := sorted(number for number, messages in found.items() if len(messages) > 1):
            wrong.append(f"{series}: used more than once: {_listed(twice)}")
    return len(rows), wrong


def _used_numbers(session: Session) -> dict[tuple[str, str, str, str], dict[int, set[str]]]:
    """Return the messages that bear each number of each series."""
    used: dict[tuple[str, str, str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    out = select(MessageRow).where(MessageRow.direction == Direction.OUT, MessageRow.control_number.is_not(None))
    for row in session.scalars(out.where(MessageRow.sender_id.is_not(None))):
        for level, number in _numbers_of(row):
            used[str(row.sender_id), str(row.receiver_id), str(row.standard), level][number].add(row.id)
    return used


def _numbers_of(row: MessageRow) -> Iterator[tuple[str, int]]:
    levels = {"x12": ("interchange", "group"), "edifact": ("interchange",), "ubl": ("document",) if row.answers else ()}
    for level in levels.get(str(row.standard), ()):
        text = row.group_number if level == "group" else row.control_number
        digits = "".join(each for each in str(text).rpartition("-")[2] if each.isdigit())
        if digits:
            yield level, int(digits)


def _payloads(hub: Hub, session: Session, *, everything: bool) -> tuple[int, list[str]]:
    """Every message's bytes are kept, and are those that came or left."""
    known: dict[str, str] = {}
    rows = select(MessageRow.id, MessageRow.payload_sha256).where(MessageRow.payload_sha256.is_not(None))
    for id, digest in session.execute(rows.order_by(MessageRow.id)):
        known.setdefault(str(digest), id)
    wrong = []
    for digest, id in known.items():
        if fault := _fault_of(hub, digest, everything=everything):
            wrong.append(f"message {id}: its payload {digest[:12]} is {fault}")
    unread = MessageRow.validation_reason.is_not_distinct_from(Reason.TOO_LARGE)
    unkept = select(MessageRow.id).where(MessageRow.payload_sha256.is_(None), not_(unread))
    bare = unkept.where((MessageRow.direction == Direction.IN) | (MessageRow.delivery == Delivery.SENT))
    return len(known), wrong + [f"message {id} has no payload" for id in session.scalars(bare)]


def _fault_of(hub: Hub, digest: str, *, everything: bool) -> str:
    if not everything:
        return "" if digest in hub.payloads else "missing"
    try:
        hub.payloads.get(digest)
    except NoPayload:
        return "missing"
    except DamagedPayload:
        return "damaged"
    return ""


def _unfinished(hub: Hub) -> tuple[int, list[str]]:
    """Whatever is not done has a job that will do it, or a person is asked."""
    before = _waiting(hub)
    live = _live_work(hub)
    forgotten = {each: text for each, text in before.items() if each not in live}
    if forgotten:
        after = _waiting(hub)
        forgotten = {each: text for each, text in forgotten.items() if each in after}
    return len(before), sorted(forgotten.values())


def _waiting(hub: Hub) -> dict[tuple[str, str], str]:
    """Return what waits for a job, by the job's name and argument: rows of the outbox, messages in and out."""
    waiting: dict[tuple[str, str], str] = {}
    with hub.database.read() as session:
        made = {each.outbox_id: each for each in session.scalars(select(MessageRow).where(_is_open()))}
        for row in session.scalars(select(OutboxRow).where(OutboxRow.closed_at.is_(None))):
            if row.id not in made:
                waiting[SEND, row.id] = f"outbox {row.id}: the {row.kind} for {row.recipient} is not being made"
        for message in made.values():
            waiting[outbound.TRANSMIT, message.id] = f"message {message.id} to {message.partner} is not being sent"
        pending = select(MessageRow).where(MessageRow.direction == Direction.IN)
        pending = pending.where(MessageRow.validation == Validation.PENDING, MessageRow.received_with.is_(None))
        for message in session.scalars(pending):
            waiting[PROCESS, message.id] = f"message {message.id} from {message.partner} is not being read"
    return waiting


def _is_open() -> ColumnElement[bool]:
    return (MessageRow.direction == Direction.OUT) & MessageRow.delivery.in_((Delivery.PENDING, Delivery.RETRYING))


def _live_work(hub: Hub) -> set[tuple[str, str]]:
    found = [each for state in LIVE for each in hub.jobs.list(state=state, limit=MOST_JOBS)]
    return {(each.name, str(each.args[0])) for each in found if each.args}


def _verdict(check: str, looked_at: int, wrong: Iterable[str]) -> Verdict:
    return Verdict(check, looked_at, tuple(wrong))


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown if len(numbers) <= 10 else f"{shown} and {len(numbers) - 10} more"


def _text(verdicts: list[Verdict]) -> str:
    lines = []
    for each in verdicts:
        lines.append(f"{each.check:<20}{each.looked_at:>8}  {f'{len(each.wrong)} WRONG' if each.wrong else 'sound'}")
        lines += [f"    {fault}" for fault in each.wrong[:SHOWN]]
        if len(each.wrong) > SHOWN:
            lines.append(f"    and {len(each.wrong) - SHOWN} more")
    return "\n".join(lines)


def _json(verdicts: list[Verdict]) -> str:
    checks = [{"check": each.check, "looked_at": each.looked_at, "wrong": each.wrong} for each in verdicts]
    return json.dumps({"sound": not any(each.wrong for each in verdicts), "checks": checks}, indent=2)
