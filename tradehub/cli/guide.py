"""``tradehub guide``: a partner's guides as files, learned from samples, tested on them, and shown as a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from tradehub.cli.convert import Target, parsed
from tradehub.cli.files import EXIT, Judged, Unusable, envelope_issues, judge, map_store
from tradehub.edi import Interchange, Issue, ReadMessage, Severity
from tradehub.edi.guides import GuideFile
from tradehub.edi.intake import stand_in
from tradehub.edi.schema import Guide
from tradehub.partners import guides as files
from tradehub.platform import clock, resources

LANGUAGES = {"en": "en", "zh": "zh_Hans"}
"""What a user writes: the catalogue."""

_PARTNER = click.argument("partner")
_MESSAGE = click.argument("message")
_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Profiles and guides; if absent, ./partners, or those that ship with tradehub.",
)
_SAMPLES = click.option(
    "--samples",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Sample files; <folder>/PARTNER/samples if absent.",
)
_GUIDE = click.option(
    "--guide",
    "path",
    type=click.Path(path_type=Path),
    help="Another guide than <folder>/PARTNER/guides/<message>.yaml.",
)


@click.group("guide")
def guide() -> None:
    """A partner's guide: what it changes of a standard's message."""


class Sample(NamedTuple):
    """A file that holds messages of the type in question."""

    path: Path
    judged: Judged
    messages: tuple[ReadMessage, ...]


# init ---------------------------------------------------------------------------------------------


@guide.command("init")
@_PARTNER
@_MESSAGE
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILES...]")
@_FOLDER
@_SAMPLES
@click.option("--output", "-o", type=click.Path(path_type=Path, allow_dash=True), help="Write here; - is the screen.")
@click.option("--force", is_flag=True, help="Write over a guide that is there.")
def init(
    partner: str,
    message: str,
    paths: tuple[Path, ...],
    folder: Path | None,
    samples: Path | None,
    output: Path | None,
    force: bool,
) -> None:
    """Learn a first guide for MESSAGE (x12:850:004010, edifact:ORDERS:D96A) from sample files, for you to edit."""
    from tradehub.edi.learning import counted, draft, survey

    wanted = target_of(message)
    home = folder or Path("partners")
    named = paths or sample_paths(home if home.is_dir() else folder_of(folder), partner, samples)
    found = read_samples(named, wanted, None)
    if not found:
        raise Unusable(f"none of the {len(named)} files holds a {message}")
    seen = survey(map_store().get(*wanted), (each for sample in found for each in sample.messages))
    text = draft(seen, partner, message, len(found), clock.now().date())
    goal = output or files.path_of(home, partner, message)
    if str(goal) == "-":
        click.echo(text, nl=False)
        return
    if goal.exists() and not force:
        raise Unusable(f"{goal} is there already; --force writes over it")
    goal.parent.mkdir(parents=True, exist_ok=True)
    goal.write_text(text, encoding="utf-8")
    click.echo(f"{goal}: learned from {counted(seen.messages, 'message')} in {counted(len(found), 'file')}")


# test ---------------------------------------------------------------------------------------------


@guide.command("test")
@_PARTNER
@_MESSAGE
@_FOLDER
@_SAMPLES
@_GUIDE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each.")
def test(
    partner: str, message: str, folder: Path | None, samples: Path | None, path: Path | None, as_json: bool
) -> None:
    """Judge the partner's samples under its guide. Exit status 0: all accepted, 1: one is rejected, 2: cannot be done."""
    from tradehub.edi.learning import counted

    wanted = target_of(message)
    home = folder_of(folder)
    own = sound(path or files.path_of(home, partner, message))
    named = sample_paths(home, partner, samples)
    found = read_samples(named, wanted, own)
    if not found:
        raise Unusable(f"none of the {len(named)} files holds a {message}")
    rows = [_row(each) for each in found]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        _table(rows)
        others = len(named) - len(found)
        click.echo(counted(len(found), "file") + (f"; {others} hold no {message}" if others else ""))
    sys.exit(max(EXIT[row["verdict"]] for row in rows))


def _row(sample: Sample) -> dict[str, Any]:
    told = [each for each in _issues(sample) if each.severity is not Severity.NOTE]
    first = next(iter(sorted(told, key=lambda each: list(Severity).index(each.severity))), None)
    return {
        "file": str(sample.path),
        "verdict": sample.judged.grade,
        "messages": len(sample.messages),
        "issues": len(told),
        "first": _said(first) if first else "",
    }


def _issues(sample: Sample) -> Iterator[Issue]:
    """Yield what is wrong with the file's messages of the type, then with what is around them."""
    for each in sample.messages:
        yield from each.issues
    yield from sample.judged.issues
    for interchange in sample.judged.interchanges:
        yield from envelope_issues(interchange)


def _said(issue: Issue) -> str:
    value = f" [{issue.value[:40]}]" if issue.value else ""
    return f"{issue.at}: {issue.text}{value}"


def _table(rows: Sequence[dict[str, Any]]) -> None:
    names = [Path(row["file"]).name for row in rows]
    wide = max(len(each) for each in [*names, "file"])
    verdicts = max(len(row["verdict"]) for row in rows)
    click.echo(f"{'file':<{wide}}  {'verdict':<{verdicts}}  first issue")
    for name, row in zip(names, rows, strict=True):
        colour = {"accepted": "green", "accepted with warnings": "yellow"}.get(row["verdict"], "red")
        more = f" (and {row['issues'] - 1} more)" if row["issues"] > 1 else ""
        verdict = click.style(f"{row['verdict']:<{verdicts}}", fg=colour)
        click.echo(f"{name:<{wide}}  {verdict}  {row['first']}{more}".rstrip())


# show -------------------------------------------------------------------------------------------


@guide.command("show")
@_PARTNER
@_MESSAGE
@_FOLDER
@_SAMPLES
@_GUIDE
@click.option("--output", "-o", type=click.Path(path_type=Path, allow_dash=True), help="Write here; - is the screen.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="The language of the page.")
@click.option("--all", "whole", is_flag=True, help="Also the segments that the partner has no use for.")
def show(
    partner: str,
    message: str,
    folder: Path | None,
    samples: Path | None,
    path: Path | None,
    output: Path | None,
    language: str,
    whole: bool,
) -> None:
    """Write the partner's implementation guide as a page (HTML): the standard's message, and what the partner changes.

    Without a guide it shows the standard's message alone. Examples come from the partner's samples, where there are any.
    """
    wanted = target_of(message)
    home = folder_of(folder)
    named = path or files.path_of(home, partner, message)
    own = sound(named) if path is not None or named.exists() else None
    found: list[Sample] = []
    if samples is not None or files.samples_of(home, partner):
        found = read_samples(sample_paths(home, partner, samples), wanted, own)
    goal = output or Path(f"{partner}-{message.replace(':', '-')}.html")
    text = _page(partner, wanted, home, own, found, language=LANGUAGES[language], whole=whole)
    if str(goal) == "-":
        click.echo(text, nl=False)
        return
    goal.parent.mkdir(parents=True, exist_ok=True)
    goal.write_text(text, encoding="utf-8")
    click.echo(f"{goal}: {'the guide ' + str(named) if own else 'no guide, the standard alone'}")


def _page(
    partner: str, wanted: Target, home: Path, own: GuideFile | None, found: list[Sample], *, language: str, whole: bool
) -> str:
    from tradehub.cli.guide_page import Samples, page
    from tradehub.edi.learning import survey
    from tradehub.edi.outline import outline, titles

    store = map_store()
    guide_ = own.guide if own and own.guide else Guide()
    rules = store.get(*wanted, guide_)
    messages = [each for sample in found for each in sample.messages]
    nodes = outline(
        store.spec(*wanted),
        rules.spec,
        survey=survey(rules, messages) if messages else None,
        titles=titles(store.text, wanted.standard, wanted.release),
    )
    return page(
        nodes,
        head=rules.head,
        guide=guide_,
        partner=_name_of(home, partner),
        samples=Samples(len(messages), len(found)),
        on=clock.now().date(),
        language=language,
        whole=whole,
    )


def _name_of(folder: Path, partner: str) -> str:
    """Return the partner's name by its profile, or the id where there is none."""
    from tradehub.partners.files import read

    path = folder / f"{partner}.yaml"
    profile = read(partner, path.read_bytes())[0] if path.is_file() else None
    return profile.name if profile is not None else partner


# lint ---------------------------------------------------------------------------------------------


@guide.command("lint")
@click.argument("partner", default="*")
@_FOLDER
def lint(partner: str, folder: Path | None) -> None:
    """Look for faults in the guides of PARTNER, or of all. Exit status 1 if there are any."""
    from tradehub.edi.learning import counted

    faults, count = faults_of_guides(folder_of(folder), partner)
    for each in faults:
        click.echo(each)
    click.echo(f"{counted(count, 'guide')}, {counted(len(faults), 'fault')}")
    sys.exit(1 if faults else 0)


def faults_of_guides(folder: Path, partner: str = "*") -> tuple[list[str], int]:
    """Return the faults of a folder's guides, one line each, and how many guides there are."""
    found = list(files.guide_files(folder, partner))
    return [str(fault) for each in found for fault in loaded(each).faults], len(found)


# shared -------------------------------------------------------------------------------------------


def target_of(message: str) -> Target:
    """Return the map that MESSAGE names. Raises Unusable where there is none that a guide can patch."""
    wanted = parsed(message)
    if wanted.standard not in {"x12", "edifact"}:
        raise Unusable("a guide patches X12 and EDIFACT messages")
    return wanted


def folder_of(folder: Path | None) -> Path:
    if folder is not None:
        return folder
    here = Path("partners")
    return here if here.is_dir() else resources.folder("partners")


def loaded(path: Path) -> GuideFile:
    """Return a guide with its faults. Raises Unusable where it cannot be read."""
    try:
        return files.load(path, map_store().spec)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: byte {error.start} is no UTF-8 text") from error
    except ValueError as error:
        raise Unusable(str(error)) from error


def sound(path: Path) -> GuideFile:
    """Return a guide without faults. Raises Unusable, with all there are, otherwise."""
    if not path.exists():
        raise Unusable(f"there is no guide {path}; `tradehub guide init` makes a first one")
    file = loaded(path)
    if file.faults:
        raise Unusable("the guide has faults\n" + "\n".join(f"  {each}" for each in file.faults))
    return file


def finder_of(partner: str, folder: Path | None) -> Callable[[Interchange, str, str], Guide | None]:
    """Return a function that finds the partner's guide for a message, by its type and release.

    A guide of the release that stands in for one without maps serves it too. Raises Unusable where there is no guide.
    """
    home = folder_of(folder)
    if not files.is_name(partner):
        raise Unusable(f"{partner!r} is no id of a partner: small letters, digits, - and _")
    own = files.by_map(sound(each) for each in files.guide_files(home, partner))
    if not own:
        raise Unusable(f"{partner} has no guides in {home / partner / 'guides'}")

    def find(interchange: Interchange, message: str, release: str) -> Guide | None:
        standard = interchange.standard
        wanted = release[:6] if standard == "x12" else release
        file = own.get(f"{standard}/{stand_in(map_store(), standard, message, wanted)}/{message}")
        return file.guide if file is not None else None

    return find


def sample_paths(folder: Path, partner: str, samples: Path | None) -> tuple[Path, ...]:
    """Return the partner's sample files. Raises Unusable where there are none."""
    if not files.is_name(partner):
        raise Unusable(f"{partner!r} is no id of a partner: small letters, digits, - and _")
    found = files.sample_files(samples) if samples is not None else files.samples_of(folder, partner)
    if not found:
        raise Unusable(
            f"there are no samples in {samples or folder / partner / 'samples'}; name files, or --samples DIR"
        )
    return found


def read_samples(paths: Iterable[Path], wanted: Target, own: GuideFile | None) -> list[Sample]:
    """Return the files that hold messages of the type, judged under the guide."""
    found = []
    for path in paths:
        judged = judge(path, guide=own.guide if own else None)
        messages = tuple(each for each in judged.messages if is_of(each, wanted))
        if messages:
            found.append(Sample(path, judged, messages))
    return found


def is_of(message: ReadMessage, wanted: Target) -> bool:
    """Return whether a message is read under the map in question."""
    return message.map_key == f"{wanted.standard}/{wanted.release}/{wanted.message}"
