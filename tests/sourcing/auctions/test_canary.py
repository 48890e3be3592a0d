"""Bids under seal and limits of automatic bids, in a whole hub: nothing that it keeps or logs has them in clear."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.people import PASSWORD
from tests.sourcing.auctions.house import draft
from tests.sourcing.canary import DELTA, HAIDI, NINGBO, kept, renderings, spellings, whole_hub
from tests.web.house import post, sign_in
from tradehub.platform import clock
from tradehub.sourcing.auctions.drafting import DraftLine
from tradehub.sourcing.auctions.rules import Kind
from tradehub.sourcing.auctions.service import Actor

CANARY = "4815162.34"
LINE = (DraftLine("Valve V-22", Decimal(1000), "C62", Decimal("4000.00")),)


@pytest.mark.parametrize(
    ("kind", "fields", "others"),
    [
        (Kind.VICKREY, {"amount": CANARY}, {"amount": "5000000"}),
        (Kind.ENGLISH, {"amount": "4000000", "limit": CANARY}, {"amount": "4100000"}),
    ],
)
def test_no_secret_amount_is_anywhere(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind, fields, others
) -> None:
    caplog.set_level(logging.DEBUG)
    with whole_hub(database_url, tmp_path / "data") as (hub, app, users):
        now = clock.now()
        wanted = draft(kind, bidders=(DELTA, NINGBO), lines=LINE, starts_at=now, ends_at=now + timedelta(hours=1))
        with hub.database.write(HAIDI) as session:
            id = hub.auctions.hold(session, Actor(HAIDI, users["li"], "Li"), wanted)
        clients = {name: app.test_client() for name in ("dan", "nina", "li")}
        for name, client in clients.items():
            assert sign_in(client, f"{name}@example.com", PASSWORD).status_code == 303
        room = f"/auctions/{id}"
        for name, form in (("dan", fields), ("nina", others)):
            assert post(clients[name], f"{room}/bid", lot="1", confirmed=form["amount"], **form).status_code == 303
        for client in clients.values():
            for path in (room, f"{room}/state", f"{room}/bids.csv", "/auctions.csv", f"/search?q={CANARY}"):
                assert client.get(path).status_code == 200
        hub.jobs.drain()
        everything = kept(hub, caplog.text)
        assert [each for each in renderings(spellings(CANARY)) if each in everything] == []
        with clock.frozen(now + timedelta(hours=1)), hub.database.write() as session:
            assert hub.auctions.settle(session, id, clock.now())
        if kind is Kind.VICKREY:  # the price paid is the canary: what becomes an offer is found, so the search works
            assert any(each in kept(hub, "") for each in renderings(spellings(CANARY)))
