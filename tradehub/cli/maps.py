"""``tradehub maps``: what maps there are, and what is wrong with them."""

from __future__ import annotations

import sys

import click

from tradehub.cli.files import Unusable, map_store
from tradehub.edi import MapError
from tradehub.edi.linting import map_faults, xml_fault
from tradehub.edi.placed import FileFault
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
@click.argument("names", nargs=-1, metavar="[MAPS...]")
def lint(names: tuple[str, ...]) -> None:
    """Look for faults in every map, or in those named (x12:850:004010), and in the guides of the partners.

    Each fault is named with file, line and place. Exit status 1 if there are any.
    """
    from tradehub.cli.guide import faults_of_guides, folder_of

    chosen = [each for each in known() if not names or ":".join(each) in names]
    if not chosen:
        raise Unusable(f"there is no map {', '.join(names)}; see `tradehub maps list`")
    said = dict.fromkeys(str(fault) for each in chosen for fault in _faults(*each))
    guides, count = faults_of_guides(folder_of(None)) if not names else ([], 0)
    for fault in (*said, *guides):
        click.echo(fault)
    guided = f", {count} guides" if count else ""
    click.echo(f"{len(chosen)} maps{guided}, {len(said) + len(guides)} faults")
    sys.exit(1 if said or guides else 0)


def _faults(standard: str, message: str, release: str) -> list[FileFault]:
    store = map_store()
    if standard != "ubl":
        return map_faults(store, standard, message, release)
    from tradehub.edi.xml import xml_map

    try:
        xml_map(store, message, release)
    except MapError as wrong:
        return [xml_fault(store, f"{standard}/{release}/{message}.yaml", wrong)]
    return []


def known() -> list[tuple[str, str, str]]:
    """Return (standard, message, release) of every map file."""
    root = resources.folder("edi_mappings")
    files = (each for each in root.glob("*/*/*.yaml") if each.stem not in NOT_MAPS)
    return sorted((each.parent.parent.name, each.stem, each.parent.name) for each in files)
