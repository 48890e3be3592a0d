"""``tradehub partners``: profiles as files, checked, compared with the database, applied, written out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from tradehub.cli.files import Unusable
from tradehub.edi import guides
from tradehub.edi.schema import Guide
from tradehub.partners import files
from tradehub.partners.files import Profiles
from tradehub.partners.model import MESSAGES, Finding, Step, check
from tradehub.platform import clock, resources

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Profiles; those that ship with tradehub if absent.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_MARKS = {"add": "+", "change": "~", "suspend": "-", "keep": "=", "conflict": "!"}


@click.group("partners")
def partners() -> None:
    """Partner profiles as files."""


@partners.command("check")
@_FOLDER
@_JSON
def check_command(folder: Path | None, as_json: bool) -> None:
    """Look for faults in the profiles, without a database or a network. Exit status 1 if there are errors."""
    _checked(_source(folder), as_json=as_json)


@partners.command("plan")
@_FOLDER
@_JSON
def plan_command(folder: Path | None, as_json: bool) -> None:
    """Show what apply would do."""
    from tradehub.cli.beside import hub_of_settings

    read = _checked(_source(folder), as_json=as_json)
    with hub_of_settings() as hub, hub.database.read() as session:
        plan = hub.partners.plan(session, read.incoming)
    _say_steps(plan.steps, as_json=as_json)


@partners.command("apply")
@_FOLDER
@_JSON
@click.option("--by", default="command line", help="Who applies it, for the revision.")
def apply_command(folder: Path | None, as_json: bool, by: str) -> None:
    """Bring the database, and the schedules of polled channels, to what the files say, all or nothing.

    Exit status 1 where a partner made on the pages stands in the way of a file; it is left alone.
    """
    from tradehub.cli.beside import hub_of_settings

    read = _checked(_source(folder), as_json=as_json)
    with hub_of_settings() as hub, hub.database.write() as session:
        plan = hub.partners.apply(session, read.incoming, by=by, at=clock.now())
        hub.schedule_polls(session)
    _say_steps(plan.steps, as_json=as_json)
    if plan.conflicts:
        sys.exit(1)


@partners.command("export")
@click.argument("party")
def export_command(party: str) -> None:
    """Print a partner of the database as a profile."""
    from tradehub.cli.beside import hub_of_settings

    with hub_of_settings() as hub, hub.database.read() as session:
        profile = hub.partners.profile(session, party)
    if profile is None:
        raise Unusable(f"there is no partner named {party}")
    click.echo(files.write(profile), nl=False)


def _source(folder: Path | None) -> Path:
    found = folder if folder is not None else resources.folder("partners")
    if not found.is_dir():
        raise Unusable(f"{found} is not a folder")
    return found


def _checked(folder: Path, *, as_json: bool) -> Profiles:
    read = files.read_folder(folder)
    certificates = {str(path.relative_to(folder)) for path in folder.glob("certs/*")}
    findings = (
        *read.findings,
        *check(
            read.profiles, maps=_maps(), today=clock.now().date(), certificates=certificates, guide_faults=_guide_faults
        ),
    )
    _say_findings(findings, as_json=as_json)
    if any(each.severity == "error" for each in findings):
        sys.exit(1)
    return read


def _maps() -> set[str]:
    """Return the messages that there are maps for, from the files of ``edi_mappings``."""
    root = resources.folder("edi_mappings")
    found = {f"{each.parent.parent.name}:{each.stem}:{each.parent.name}" for each in root.glob("*/*/*.yaml")}
    return {each for each in found if each.rsplit(":", 1)[0] in MESSAGES}


def _guide_faults(message: str, guide: Guide) -> Iterable[tuple[str, str]]:
    return guides.faults(guide, resources.map_store().spec(*message.split(":")))


def _say_findings(findings: Iterable[Finding], *, as_json: bool) -> None:
    for each in findings:
        if as_json:
            told = {"party": each.party, "place": each.place, "severity": each.severity, "rule": each.rule}
            click.echo(json.dumps({**told, "text": each.text}, ensure_ascii=False))
            continue
        place = f"{each.party}.yaml: {each.place}" if each.place else f"{each.party}.yaml"
        click.echo(f"{each.severity}: {place}: {each.text} [{each.rule}]", err=True)


def _say_steps(steps: Iterable[Step], *, as_json: bool) -> None:
    for step in steps:
        differences = step.differences if step.action in ("change", "suspend") else ()
        if as_json:
            changes = [{"path": each.path, "before": each.before, "after": each.after} for each in differences]
            told = {"party": step.party, "action": step.action, "changes": changes}
            click.echo(json.dumps(told, ensure_ascii=False))
            continue
        click.echo(f"{_MARKS[step.action]} {step.party}: {step.action}")
        for each in differences:
            click.echo(f"    {each.path}: {each.before or '-'} -> {each.after or '-'}")
