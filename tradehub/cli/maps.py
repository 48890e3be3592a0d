"""``tradehub maps``: what maps there are, and what is wrong with them."""

from __future__ import annotations

import sys

import click

from tradehub.cli.files import map_store
from tradehub.edi import MapError
from tradehub.platform import resources

NOT_MAPS = {"elements", "segments", "codes", "structure", "groups"}


@click.group()
def maps() -> None:
    """Maps of messages."""


@maps.command("list")
def list_() -> None:
    """Name every map as ``--to`` takes it."""
    for standard, message, release in known():
        click.echo(f"{standard}:{message}:{release}")


@maps.command()
def lint() -> None:
    """Look for faults in every map. Exit status 1 if there are any."""
    found = 0
    for standard, message, release in known():
        try:
            faults = _faults(standard, message, release)
        except MapError as error:
            faults = [str(error)]
        for each in faults:
            click.echo(f"{standard}/{release}/{message}.yaml: {each}")
        found += len(faults)
    click.echo(f"{len(known())} maps, {found} faults")
    sys.exit(1 if found else 0)


def _faults(standard: str, message: str, release: str) -> list[str]:
    if standard == "ubl":
        from tradehub.edi.xml import xml_map

        xml_map(map_store(), message, release)
        return []
    return list(map_store().lint(standard, message, release))


def known() -> list[tuple[str, str, str]]:
    """Return (standard, message, release) of every map file."""
    root = resources.folder("edi_mappings")
    files = (each for each in root.glob("*/*/*.yaml") if each.stem not in NOT_MAPS)
    return sorted((each.parent.parent.name, each.stem, each.parent.name) for each in files)
