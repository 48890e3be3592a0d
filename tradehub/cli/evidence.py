"""``tradehub evidence``: all that proves a deal, in one archive that a stranger can check without the hub."""

from __future__ import annotations

import json
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.cli.beside import hub_of_settings
from tradehub.cli.files import Unusable
from tradehub.contracting.store import ContractRow
from tradehub.contracting.verify_evidence import Pins, Refused, verify
from tradehub.hub import Hub
from tradehub.negotiation.evidence import find_deals
from tradehub.platform import ids


@click.command()
@click.argument("deal")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; else evidence-DEAL.zip in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evidence(deal: str, out: Path | None, as_json: bool) -> None:
    """Write the evidence of DEAL (its id or number, or its contract's number), and check what was written.

    Exit status 1: the hub's own records do not hold together; the first bad one is named, and the file is kept.
    """
    with hub_of_settings() as hub:
        with hub.database.read() as session:
            deal_id = _found(session, deal)
        archive = _archive(hub, deal_id)
        hub_key = hub.contracts.hub_key()
    path = out or Path(f"evidence-{deal}.zip")
    _write(path, archive)
    try:
        found = verify(archive, Pins(hub_key))
    except Refused as refused:
        raise click.ClickException(f"{path} was written, but {refused.record} is not sound: {refused.reason}") from None
    told = {"deal": deal_id, "file": str(path), "bytes": len(archive), "hub_key": hub_key}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{path}: {len(archive)} bytes")
    for each in found:
        click.echo(f"  {each.what}: {each.detail}")
    click.echo(f"check it with: python -I verify_evidence.py {path} --hub {hub_key}")


def _archive(hub: Hub, deal_id: str) -> bytes:
    """Return the archive; a contract that nobody signed yet is set by the application, which knows its words."""
    from tradehub.web import create_app

    with create_app(hub).app_context():
        return hub.contracts.evidence(deal_id)


def _found(session: Session, named: str) -> str:
    contracts = select(ContractRow.deal_id).where(ContractRow.number == named)
    found: list[str] = [*find_deals(session, named), *session.scalars(contracts)]
    if not found:
        raise Unusable(f"there is no deal {named}")
    if len(found) > 1:
        raise Unusable(f"several deals are called {named}; give one of their ids: {', '.join(found)}")
    return found[0]


def _write(path: Path, archive: bytes) -> None:
    """Write the file whole or not at all."""
    draft = path.with_name(f"{path.name}.{ids.new_id()}.tmp")
    try:
        draft.write_bytes(archive)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Unusable(f"{path}: {error.strerror}") from error
