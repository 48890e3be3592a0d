"""A whole hub with people on both sides, and the search of everything that it keeps for a price nobody else would write.

Searched: every table of the database, as text and as stored; every file under the data folder, the database's own files
and its write-ahead log among them; and all that was logged, at the most talkative level.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from tests import databases
from tests.fakes import FakeJobs
from tests.people import CHEAP, let_in
from tradehub.cli import demo
from tradehub.documents import PartyId
from tradehub.hub import Hub
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.web import create_app

HAIDI, DELTA, NINGBO, RHEIN = (PartyId(each) for each in ("haidi", "delta", "ningbo", "rhein"))
PEOPLE = (("li", HAIDI), ("mo", HAIDI), ("dan", DELTA), ("nina", NINGBO))


@contextmanager
def whole_hub(database_url: str, folder: Path) -> Iterator[tuple[Hub, Flask, dict[str, str]]]:
    """Run the demo's hub with jobs that wait to be told; gives the ids of its people by name as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tradehub.hub.Jobs", lambda database, poll_s: FakeJobs(database))
        url = database_url.replace(str(folder.parent), str(folder)) if "sqlite" in database_url else database_url
        hub = Hub(Settings(data_dir=folder, database=url, demo=True, _env_file=None))
    databases.make_whole(hub.database)
    demo.settle(hub)
    security = Security(hub.database, CHEAP)
    users = {}
    for name, org in PEOPLE:
        with hub.database.write() as session:
            users[name] = let_in(security, session, org, f"{name}@example.com", list(ROLES))
    yield hub, create_app(hub, hasher=CHEAP), users
    hub.database.dispose()


def spellings(price: str) -> list[str]:
    """Return a price (``48151.62``) as people and programs write it."""
    whole, _, cents = price.partition(".")
    groups = f"{int(whole):,}"
    digits = (whole + cents).rstrip("0")
    grouped = [f"{groups.replace(',', mark)}{point}{cents}" for mark, point in
               ((",", "."), (" ", "."), (" ", ","), ("\u202f", "."), ("\u202f", ","), ("\u00a0", "."), (".", ","))]  # fmt: skip
    return [price, f"{whole},{cents}", whole + cents, *grouped,
            *(f"{digits[0]}.{digits[1:]}{mark}" for mark in "Ee")]  # fmt: skip


def renderings(spelled: Iterable[str]) -> list[bytes]:
    """The price as it is typed, printed, encoded and counted in small units."""
    found = []
    for each in spelled:
        plain = each.encode()
        found += [plain, each.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode()]
        # base64 at each of its three alignments, without the characters that its neighbours decide
        found += [base64.b64encode(b" " * pad + plain)[2 if pad else 0 : -4].rstrip(b"=")[-10:] for pad in range(3)]
    return [each for each in found if len(each) >= 8]


def kept(hub: Hub, logged: str) -> bytes:
    """Return all that the hub keeps anywhere, and all that it has logged."""
    parts = [logged.encode()]
    engine = hub.database.engine
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            parts += [repr(tuple(row)).encode() for row in rows]
    files = [path for path in hub.settings.data_dir.rglob("*") if path.is_file()]
    parts += [path.read_bytes() + path.name.encode() for path in files]
    return b"\n".join(parts)
