"""``tradehub split FILE --into DIR``: each message of a file in an interchange of its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from tradehub.cli.files import Unusable, load, map_store
from tradehub.edi import ReadMessage, detect, read
from tradehub.edi.splitting import split as parts_of


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder for the files.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def split(path: Path, into: Path, force: bool) -> None:
    """Write each message of FILE, however many interchanges and groups it holds, into a file of its own.

    Each is a valid interchange with the control references that the message came with. Exit status 0: done, 2: FILE holds no
    message of X12 or EDIFACT.
    """
    payload = load(path)
    if detect(payload).standard not in {"x12", "edifact"}:
        raise Unusable(f"{path} is neither X12 nor EDIFACT")
    count = 0
    into.mkdir(parents=True, exist_ok=True)
    for count, part in enumerate(parts_of(read(payload, map_store())), 1):
        goal = into / _name(path, count, part.message)
        if goal.exists() and not force:
            raise Unusable(f"{goal} is there already; --force writes over it")
        goal.write_bytes(part.payload)
        click.echo(str(goal))
    if not count:
        raise Unusable(f"{path} holds no message")
    sys.exit(0)


def _name(path: Path, number: int, message: ReadMessage) -> str:
    """Return a file's name: that of the whole, the message's number in it, its type and control number."""
    told = (f"{number:05}", message.type, message.control_number)
    return "-".join((path.stem, *(re.sub(r"[^A-Za-z0-9]+", "_", each) for each in told if each))) + (
        path.suffix or ".edi"
    )
