"""The worked deal of docs/api.md, carried out over HTTP as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from tests import databases
from tests.fakes import FakeJobs
from tests.people import CHEAP
from tradehub.cli import demo
from tradehub.documents import PartyId
from tradehub.hub import Hub
from tradehub.platform import clock
from tradehub.platform.security import TOKEN_SCOPES, Security
from tradehub.platform.settings import Settings
from tradehub.web import create_app

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
STEPS = re.findall(r"```sh\n(curl .*?)```\n```json\n(\d{3}) (.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LEFT_OUT = "…"


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the guide takes for granted: a hub that is served, and a token of each side."""
    monkeypatch.setattr("tradehub.hub.Jobs", lambda database, poll_s: FakeJobs(database))
    with clock.frozen(MONDAY):
        hub = Hub(Settings(data_dir=tmp_path, demo=True, _env_file=None))
        databases.make_whole(hub.database)
        demo.settle(hub)
        app, security = create_app(hub, hasher=CHEAP), Security(hub.database, CHEAP)
        with hub.database.write() as session:
            tokens = {
                name: security.issue_token(session, PartyId(org), name, TOKEN_SCOPES, life=timedelta(days=1))
                for name, org in (("BUYER", "haidi"), ("SELLER", "delta"))
            }
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {"HUB": f"http://127.0.0.1:{server.port}", **tokens}
        server.shutdown()
        thread.join()
        server.server_close()
        hub.database.dispose()


def test_the_worked_deal_of_the_guide_holds(known: dict[str, str]) -> None:
    assert len(STEPS) > 12
    for number, (command, status, shown) in enumerate(STEPS, 1):
        got, answer = run(filled(command, known))
        assert got == int(status), f"step {number}: {got} {answer}"
        compare(json.loads(shown), answer, known, f"step {number}")
    assert {"INQUIRY", "DEAL", "OFFER", "COUNTER", "LAST", "HASH", "CONTRACT", "ORDER"} <= known.keys()


def filled(command: str, known: dict[str, str]) -> str:
    """Put values in the place of names, in and out of quotes, as a shell would where the guide closes its quotes."""
    return re.sub(r"'?\$([A-Z]+)'?", lambda name: known[name[1]], command)


def run(command: str) -> tuple[int, object]:
    """Do what curl would, as far as the guide uses it."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    url, headers, body = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        else:
            url = word
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request("GET" if body is None else "POST", path, body, headers)
    answer = connection.getresponse()
    kind = "application/json" if answer.status < 400 else "application/problem+json"
    assert answer.headers["Content-Type"] == kind
    return answer.status, json.loads(answer.read())


def compare(shown: object, got: object, known: dict[str, str], place: str) -> None:
    """Hold an answer against what the guide shows of it, and learn what it names there."""
    if shown == LEFT_OUT:
        return
    if isinstance(shown, dict):
        assert isinstance(got, dict), place
        for name, value in shown.items():
            if name != LEFT_OUT:
                assert name in got, f"{place}: no {name} in {got}"
                compare(value, got[name], known, f"{place} {name}")
        assert LEFT_OUT in shown or shown.keys() == got.keys(), place
    elif isinstance(shown, list):
        assert isinstance(got, list), place
        more = len(shown) > 1 and shown[-1] == LEFT_OUT
        assert len(got) == len(shown) or (more and len(got) >= len(shown) - 1), f"{place}: {got}"
        for each, other in zip(shown, got, strict=False):
            compare(each, other, known, place)
    elif isinstance(shown, str) and shown.startswith("$"):
        assert known.setdefault(shown[1:], str(got)) == got, place
    else:
        assert shown == got, f"{place}: {got}"
