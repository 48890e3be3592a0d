"""``tradehub replay``: take a received message in once more, as it was or mended."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tradehub.cli.beside import hub_of_settings
from tradehub.cli.files import Unusable, load
from tradehub.exchange.service import CannotReplay


@click.command()
@click.argument("message")
@click.option(
    "--with", "mended", type=click.Path(path_type=Path), help="A mended copy to take instead of the original."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(message: str, mended: Path | None, as_json: bool) -> None:
    """Read and judge MESSAGE (its id) again, after its map or partner was mended. The original is kept."""
    payload = load(mended) if mended else None
    try:
        with hub_of_settings() as hub, hub.database.write() as session:
            receipt = hub.exchange.replay(session, message, actor="command line", payload=payload)
    except LookupError:
        raise Unusable(f"there is no message {message}") from None
    except CannotReplay:
        raise Unusable(f"{message} did not come in; only what was received can be replayed") from None
    told = {"message": receipt.message_id, "replay_of": message}
    click.echo(json.dumps(told) if as_json else f"taken in again as {receipt.message_id}")
