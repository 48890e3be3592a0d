"""``tradehub negotiation``: the rules of formation printed, drawn, and run over a written history (docs/negotiation.md)."""

from __future__ import annotations

import json
import sys
from typing import TextIO

import click


@click.group()
def negotiation() -> None:
    """The rules by which offers and acceptances become contracts."""


@negotiation.command()
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def table(form: str) -> None:
    """Print the rules, the laws' differences, the moves, the order of checks, the refusals and the terms' classes."""
    from tradehub.negotiation import printing

    say = {"text": printing.text, "markdown": printing.markdown, "json": printing.as_json}[form]
    click.echo(say(printing.tables()))


@negotiation.command()
def diagram() -> None:
    """Draw the life of an offer, as SVG."""
    from tradehub.negotiation.drawing import diagram as drawn

    click.echo(drawn(), nl=False)


@negotiation.command()
@click.argument("file", type=click.File(encoding="utf-8", errors="surrogateescape"), metavar="FILE.jsonl")
def simulate(file: TextIO) -> None:
    """Run the rules over a history: a JSON object a line in (- for standard input), what became of each a line out.

    Exit status 0 where all lines could be read, whatever was refused; 2 where any could not.
    """
    from tradehub.negotiation.simulation import simulate as simulated

    invalid = False
    for answer in simulated(file):
        invalid |= answer["outcome"] == "invalid" if "outcome" in answer else False
        click.echo(json.dumps(answer, ensure_ascii=False))
    sys.exit(2 if invalid else 0)
