"""``tradehub dictionary``: a user's own tables of a standard, in our notation, and where they differ from ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from tradehub.cli.files import MAX_BYTES, Unusable, map_store
from tradehub.edi import MapError, schema, unece, x12_tables
from tradehub.edi.facts import Difference, Facts, differences, files
from tradehub.edi.schema import StructureNode
from tradehub.platform import resources


@click.group()
def dictionary() -> None:
    """Dictionaries of the standards."""


@dictionary.command("import")
@click.argument("release")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="Write the YAML here.")
@click.option("--all", "whole", is_flag=True, help="Also what one side does not hold at all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a fault or difference, a line each.")
def import_(release: str, source: Path, into: Path, whole: bool, as_json: bool) -> None:
    """Read your own tables of RELEASE (x12:004010, edifact:D01B) from the folder SOURCE.

    X12: CSV files in the form of docs/dictionaries.md. EDIFACT: the text files that the UN/ECE publishes. Writes them in our
    notation and says where they differ from ours. Exit status 0: they agree, 1: there are differences or faults, 2: unusable.
    """
    standard, _, name = release.partition(":")
    if standard not in {"x12", "edifact"} or not name.isalnum():
        raise Unusable(f"{release!r} is no release: write x12:004010 or edifact:D01B")
    texts = _texts(source)
    facts = x12_tables.read(texts, name) if standard == "x12" else unece.read(texts, name)
    try:
        theirs = facts.settle()
    except MapError as error:
        raise Unusable(str(error)) from error
    made = files(facts, source.name)
    if not made:
        raise Unusable(f"{source} holds no tables of {standard}; see docs/dictionaries.md")
    _write(into, made)
    found = list(_differences(facts, theirs, whole=whole))
    _say(facts, found, as_json=as_json)
    if not as_json:
        click.echo(
            f"{into}: {len(facts.elements)} elements, {len(facts.composites)} composites, {len(facts.segments)} segments, "
            f"{len(facts.structures)} messages, {len(facts.codes)} code lists; {len(facts.faults)} faults, "
            f"{len(found)} differences from ours"
        )
    sys.exit(1 if found or facts.faults else 0)


def _texts(source: Path) -> dict[str, str]:
    """Return the texts of a folder's files by name. What is not UTF-8 is read as the code page of old directories."""
    texts = {}
    for path in sorted(each for each in source.rglob("*") if each.is_file()):
        if path.stat().st_size > MAX_BYTES:
            raise Unusable(f"{path} is larger than {MAX_BYTES // 1024**2} MB")
        content = path.read_bytes()
        try:
            texts[path.name] = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            texts[path.name] = content.decode("cp850")
    return texts


def _write(into: Path, made: dict[str, str]) -> None:
    for name, text in made.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _differences(facts: Facts, theirs: schema.Dictionary, *, whole: bool) -> Iterable[Difference]:
    store = map_store()
    ours = store.dictionary(facts.standard, facts.release)
    structures: dict[str, tuple[StructureNode, ...]] = {}
    for path in sorted(resources.folder("edi_mappings").glob(f"{facts.standard}/{facts.release}/structure/*.yaml")):
        place = f"{facts.standard}/{facts.release}/structure/{path.name}"
        structures[path.stem] = schema.load_structure(store.plain(place)[1], ours, place)
    return differences(theirs, ours, facts.structures, structures, whole=whole)


def _say(facts: Facts, found: Iterable[Difference], *, as_json: bool) -> None:
    for fault in facts.faults:
        told = {"fault": fault.text, "file": fault.file, "line": fault.line, "place": fault.place}
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else f"fault: {fault}")
    for each in found:
        if as_json:
            click.echo(json.dumps(each._asdict(), ensure_ascii=False))
        else:
            click.echo(
                f"{each.kind}: {each.place}: {each.theirs or 'nothing'} in the tables, {each.ours or 'nothing'} in ours"
            )
