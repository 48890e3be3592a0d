"""``tradehub send``: put a document into the outbox, to leave in the partner's own dialect."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from tradehub.cli.beside import hub_of_settings
from tradehub.cli.files import EXIT, Unusable, documents, judge, load
from tradehub.documents import KINDS, Document, PartyId
from tradehub.exchange.model import Delivery, Validation
from tradehub.exchange.store import MessageRow
from tradehub.hub import Hub
from tradehub.platform import ids
from tradehub.platform.outbox import OutboxRow

ON_THE_PAGES = "web"
"""Outcome of an outbox row that needs no message, for its receiver works on our own pages."""

_DONE = (Delivery.SENT, Delivery.FAILED, Delivery.NONE)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "partner", required=True, help="The partner's id.")
@click.option("--kind", help="What a JSON file holds, for instance order; without it the file says so itself.")
@click.option("--wait", "wait_s", default=10.0, show_default=True, help="Seconds to wait for a running hub to send it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def send(file: Path, partner: str, kind: str | None, wait_s: float, as_json: bool) -> None:
    """Send the documents of FILE (X12, EDIFACT, UBL or JSON) to a partner, in the messages agreed with it.

    Exit status 0: sent or waiting; 1: rejected before it left, or not delivered; 2: unusable.
    """
    with hub_of_settings() as hub:
        rows = _put(hub, _documents(file, kind), partner)
        told = [_outcome(hub, row, wait_s) for row in rows]
    for each in told:
        click.echo(json.dumps(each) if as_json else _line(each))
    if any(each["validation"] == Validation.REJECTED or each["delivery"] == Delivery.FAILED for each in told):
        sys.exit(1)


def _put(hub: Hub, found: list[Document], partner: str) -> list[str]:
    with hub.database.write() as session:
        if hub.partners.party(session, partner) is None:
            raise Unusable(f"there is no partner named {partner}")
        return [
            hub.outbox.put(
                session,
                each,
                sender=PartyId(hub.settings.home_org),
                to=PartyId(partner),
                idempotency_key=f"cli:{ids.new_id()}",
            )
            for each in found
        ]


def _documents(file: Path, kind: str | None) -> list[Document]:
    if file.suffix != ".json":
        judged = judge(file)
        if EXIT[judged.grade] == 1:
            click.echo(f"{file}: rejected; see `tradehub check`", err=True)
            sys.exit(1)
        return documents(judged)
    try:
        plain = json.loads(load(file))
        told = plain.pop("kind", None)
        return [KINDS[kind or told].model_validate(plain)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"{file} is no document: {error}") from error


def _outcome(hub: Hub, outbox_id: str, wait_s: float) -> dict[str, Any]:
    """Return what became of an outbox row, after waiting for a worker as long as was asked."""
    until = time.monotonic() + wait_s
    while True:
        with hub.database.read() as session:
            row = session.scalar(select(MessageRow).where(MessageRow.outbox_id == outbox_id))
            waiting = session.get_one(OutboxRow, outbox_id)
        is_done = waiting.closed_at is not None if row is None else row.delivery in _DONE
        if is_done or time.monotonic() >= until:
            break
        time.sleep(0.2)
    if row is None:
        return {"outbox": outbox_id, "message": None, "validation": None, "delivery": waiting.outcome, "reason": None}
    reason = row.validation_reason or row.delivery_reason
    return {
        "outbox": outbox_id, "message": row.id, "type": row.message, "control_number": row.control_number,
        "validation": row.validation, "delivery": row.delivery, "reason": reason, "text": row.reason_text,
    }  # fmt: skip


def _line(told: dict[str, Any]) -> str:
    if told["delivery"] == ON_THE_PAGES:
        return "shown on the pages, where the partner works"
    if told["message"] is None:
        return f"waiting in the outbox as {told['outbox']}; a running hub will send it"
    why = f" ({told['reason']}: {told['text'] or ''})" if told["reason"] else ""
    return f"{told['type']} {told['control_number'] or ''}: {told['validation']}, {told['delivery']}{why}"
