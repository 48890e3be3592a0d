"""The hub of a data folder, for commands that work beside a running one, or before it runs again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError

from tradehub.cli.files import Unusable
from tradehub.hub import Hub
from tradehub.platform import schema
from tradehub.platform.db import Database
from tradehub.platform.settings import Settings


@contextmanager
def hub_of_settings() -> Iterator[Hub]:
    """Give the hub that the environment names. Raises Unusable where none has ever been set up, or of another version.

    Looking makes nothing: a mistyped folder stays as it was.
    """
    settings = Settings()
    refuse_unless_set_up(settings.database)
    hub = Hub(settings)
    try:
        yield hub
    finally:
        hub.database.dispose()


def refuse_unless_set_up(url: str) -> None:
    named = make_url(url)
    shown = named.render_as_string(hide_password=True)
    if named.get_backend_name() == "sqlite":
        shown = str(named.database)
        if not Path(shown).is_file():
            raise Unusable(_nothing(shown))
    database = Database(url)
    try:
        found = schema.current(database)
    except DatabaseError as error:
        raise Unusable(f"{shown} cannot be opened: {str(error.orig).splitlines()[0]}") from error
    finally:
        database.dispose()
    if found is None:
        raise Unusable(_nothing(shown))
    if found != schema.newest():
        raise Unusable(f"{shown} is of another version of tradehub: start this one there once with `tradehub serve`")


def _nothing(where: str) -> str:
    return f"{where} has never been set up: start the hub there once with `tradehub serve`"
