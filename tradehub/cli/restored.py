"""``tradehub restored``: go on after a backup was put back, with numbers that cannot have been used since it was made."""

from __future__ import annotations

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.cli.beside import hub_of_settings
from tradehub.exchange.store import ControlNumberRow
from tradehub.negotiation.store import NumberRow
from tradehub.platform import audit, clock
from tradehub.platform.numbers import Series

CHAIN = "hub"
RAISED = "numbers.raised"
"""The entry that ``tradehub verify`` reads: numbers passed over on purpose are not missing."""


@click.command()
@click.option(
    "--ahead",
    type=click.IntRange(1, 1_000_000),
    default=1_000,
    show_default=True,
    help="Numbers to pass over in each series: more than were used since the backup was made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restored(ahead: int, as_json: bool) -> None:
    """Say that this hub was restored from a backup. Every series of control and document numbers goes on AHEAD numbers
    further, for partners refuse a number that comes again with other content. Do it once, before the hub runs."""
    with hub_of_settings() as hub, hub.database.write() as session:
        told = pass_over(session, ahead)
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, count in told.items():
        click.echo(f"{name.replace('_', ' ')}: {count} series, {ahead} numbers passed over in each")
    click.echo("Partners whose agreement carries the history of a deal are told by its next message, and so are you.")


def pass_over(session: Session, ahead: int) -> dict[str, int]:
    """Raise every series by ``ahead``, note it in the chain ``hub``, and return how many there were of each kind."""
    control = list(session.scalars(select(ControlNumberRow).with_for_update()))
    series = list(session.scalars(select(Series).with_for_update()))
    numbers = list(session.scalars(select(NumberRow).with_for_update()))
    passed = [[*key_of(row), row.last + 1, row.last + ahead] for row in control]
    for row in control:
        row.last += ahead
    for run in series:
        run.last += ahead
    for number in numbers:
        number.next += ahead
    session.flush()
    audit.append(
        session, chain=CHAIN, org=None, actor=None, action=RAISED, subject=None,
        details={"ahead": ahead, "control_numbers": passed}, at=clock.now(),
    )  # fmt: skip
    return {"control_numbers": len(control), "document_numbers": len(series) + len(numbers)}


def key_of(row: ControlNumberRow) -> tuple[str, str, str, str]:
    return (row.sender, row.receiver, row.standard, row.level)


def passed_over(session: Session) -> dict[tuple[str, str, str, str], set[int]]:
    """Return the control numbers that were passed over, by their series."""
    found: dict[tuple[str, str, str, str], set[int]] = {}
    entries = select(audit.AuditEntry).where(audit.AuditEntry.chain == CHAIN, audit.AuditEntry.action == RAISED)
    for entry in session.scalars(entries):
        for sender, receiver, standard, level, first, last in entry.details["control_numbers"]:
            found.setdefault((sender, receiver, standard, level), set()).update(range(first, last + 1))
    return found
