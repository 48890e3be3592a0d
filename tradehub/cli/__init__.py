"""The command line. Each command stands in its own module, imported only when it is called.

A command exits with 0 when what it judged was accepted, 1 when it was rejected, 2 when it could not be used at all.
"""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "check": "tradehub.cli.check:check",
    "convert": "tradehub.cli.convert:convert",
    "demo": "tradehub.cli.demo:demo",
    "dictionary": "tradehub.cli.dictionary:dictionary",
    "evidence": "tradehub.cli.evidence:evidence",
    "guide": "tradehub.cli.guide:guide",
    "maps": "tradehub.cli.maps:maps",
    "negotiation": "tradehub.cli.negotiation:negotiation",
    "partners": "tradehub.cli.partners:partners",
    "replay": "tradehub.cli.replay:replay",
    "restored": "tradehub.cli.restored:restored",
    "robot": "tradehub.cli.robot:robot",
    "send": "tradehub.cli.send:send",
    "serve": "tradehub.cli.serve:serve",
    "live": "tradehub.cli.serve:live",
    "split": "tradehub.cli.split:split",
    "verify": "tradehub.cli.verify:verify",
    "worker": "tradehub.cli.serve:worker",
}
"""Where each command stands: ``module:name``."""


class Commands(click.Group):
    """A group that imports a command when it is asked for, so that ``tradehub check`` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=Commands)
@click.version_option(package_name="tradehub")
def main() -> None:
    """tradehub: negotiate and carry out trades, each side over the channel it has."""
