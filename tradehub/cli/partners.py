"""``tradehub partners``: profiles as files, checked, compared with the database, applied, written out."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from tradehub.partners import files
from tradehub.partners.files import Profiles
from tradehub.partners.model import MESSAGES, Finding, Step, check
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, resources
from tradehub.platform.db import Database
from tradehub.platform.settings import Settings

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Profiles; those that ship with tradehub if absent.",
)
_MARKS = {"add": "+", "change": "~", "suspend": "-", "keep": "=", "conflict": "!"}


@click.group("partners")
def partners() -> None:
    """Partner profiles as files."""


@partners.command("check")
@_FOLDER
def check_command(folder: Path | None) -> None:
    """Look for faults in the profiles, without a database or a network. Exit status 1 if there are errors."""
    _checked(_source(folder))


@partners.command("plan")
@_FOLDER
def plan_command(folder: Path | None) -> None:
    """Show what apply would do."""
    read = _checked(_source(folder))
    with _database().read() as session:
        plan = PartnerService().plan(session, read.incoming)
    _say_steps(plan.steps)


@partners.command("apply")
@_FOLDER
@click.option("--by", default="command line", help="Who applies it, for the revision.")
def apply_command(folder: Path | None, by: str) -> None:
    """Bring the database to what the files say, all or nothing."""
    read = _checked(_source(folder))
    with _database().write() as session:
        plan = PartnerService().apply(session, read.incoming, by=by, at=clock.now())
    _say_steps(plan.steps)
    if plan.conflicts:
        sys.exit(1)


@partners.command("export")
@click.argument("party")
def export_command(party: str) -> None:
    """Print a partner of the database as a profile."""
    with _database().read() as session:
        profile = PartnerService().profile(session, party)
    if profile is None:
        raise click.ClickException(f"there is no partner named {party}")
    click.echo(files.write(profile), nl=False)


def _database() -> Database:
    return Database(Settings().database)


def _source(folder: Path | None) -> Path:
    found = folder if folder is not None else resources.folder("partners")
    if not found.is_dir():
        raise click.ClickException(f"{found} is not a folder")
    return found


def _checked(folder: Path) -> Profiles:
    read = files.read_folder(folder)
    certificates = {str(path.relative_to(folder)) for path in folder.glob("certs/*")}
    findings = (
        *read.findings,
        *check(read.profiles, maps=_maps(), today=clock.now().date(), certificates=certificates),
    )
    _say_findings(findings)
    if any(each.severity == "error" for each in findings):
        sys.exit(1)
    return read


def _maps() -> set[str]:
    """Return the messages that there are maps for, from the files of ``edi_mappings``."""
    root = resources.folder("edi_mappings")
    found = {f"{each.parent.parent.name}:{each.stem}:{each.parent.name}" for each in root.glob("*/*/*.yaml")}
    return {each for each in found if each.rsplit(":", 1)[0] in MESSAGES}


def _say_findings(findings: Iterable[Finding]) -> None:
    for each in findings:
        place = f"{each.party}.yaml: {each.place}" if each.place else f"{each.party}.yaml"
        click.echo(f"{each.severity}: {place}: {each.text} [{each.rule}]", err=True)


def _say_steps(steps: Iterable[Step]) -> None:
    for step in steps:
        click.echo(f"{_MARKS[step.action]} {step.party}: {step.action}")
        for each in step.differences if step.action in ("change", "suspend") else ():
            click.echo(f"    {each.path}: {each.before or '-'} -> {each.after or '-'}")
