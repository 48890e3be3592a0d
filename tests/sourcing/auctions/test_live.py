"""What the live streams tell, and to whom."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from tests.sourcing.auctions.house import SECRET
from tests.sourcing.auctions.words import ANN, BEN, OWNER, TEN
from tradehub.documents import PartyId
from tradehub.sourcing.auctions import live, store, tickets, wire
from tradehub.sourcing.auctions.live import Follower, Live, Watched
from tradehub.sourcing.auctions.rules import Display, Kind
from tradehub.sourcing.auctions.tickets import Ticket

KEY = SECRET
PAGE = "http://hub.example"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Asked:
    """A request as Granian hands it over, and what was answered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.told: list[str] = []
        self.gone = asyncio.Event()

    def response_str(self, status, headers, body) -> None:
        self.status, self.headers = status, dict(headers)

    def response_stream(self, status, headers):
        self.status, self.headers = status, dict(headers)
        return self

    async def send_str(self, text: str) -> None:
        self.told.append(text)

    async def client_disconnect(self) -> None:
        await self.gone.wait()


class Scope:
    proto, method, path = "http", "GET", live.PATH

    def __init__(self, ticket: str, **more) -> None:
        self.query_string = f"ticket={ticket}"
        self.__dict__.update(more)


def watching(house, id: str, *parties: PartyId) -> tuple[Live, dict[str, Watched], list[Follower]]:
    streams = Live(house.database, KEY)
    followers = [Follower(id, each) for each in parties]
    return streams, {id: Watched(followers=set(followers))}, followers


def told(streams: Live, watched) -> dict[PartyId, dict]:
    news = streams.news(watched)
    for follower, _ in news:
        follower.is_new = False
    return {follower.party: json.loads(text.split("data: ")[1]) for follower, text in news}


def test_a_new_screen_hears_how_it_stands_and_then_only_what_changes(house) -> None:
    id = house.hold()
    streams, watched, _ = watching(house, id, ANN, BEN)
    assert set(told(streams, watched)) == {ANN, BEN}
    assert told(streams, watched) == {}
    house.bid(id, BEN, "1000", limit="950.12")
    heard = told(streams, watched)
    assert (heard[ANN]["v"], heard[ANN]["lots"][0]["leads"], heard[BEN]["lots"][0]["leads"]) == (1, False, True)
    assert "950.12" not in json.dumps(heard[ANN])
    late = Follower(id, OWNER)
    watched[id].followers.add(late)
    assert set(told(streams, watched)) == {OWNER}


def test_what_changes_by_the_time_alone_is_told_when_it_does(house, at_ten) -> None:
    id = house.hold(Kind.DUTCH, starts_at=TEN + timedelta(seconds=30))
    streams, watched, _ = watching(house, id, ANN)
    assert told(streams, watched)[ANN]["status"] == "scheduled"
    at_ten.move(timedelta(seconds=29))
    assert told(streams, watched) == {}
    at_ten.move(timedelta(seconds=1))
    assert told(streams, watched)[ANN]["status"] == "running"
    at_ten.move(timedelta(seconds=60))
    assert told(streams, watched)[ANN]["lots"][0]["price"] == "990.00"
    at_ten.move(timedelta(hours=2))
    assert told(streams, watched)[ANN]["status"] == "empty"
    at_ten.move(timedelta(hours=2))
    assert told(streams, watched) == {}


@pytest.mark.parametrize("more", [{}, {"display": Display.RANK}, {"kind": Kind.DUTCH}, {"kind": Kind.VICKREY}], ids=str)
def test_a_stream_tells_what_the_page_would_be_answered(house, at_ten, more) -> None:
    id = house.hold(**more)
    at_ten.move(timedelta(seconds=70))
    house.bid(id, ANN, "1000")
    parties = (ANN, BEN, OWNER)
    streams, watched, _ = watching(house, id, *parties)
    heard = told(streams, watched)
    for party in parties:
        assert heard[party] == json.loads(json.dumps(wire.payload(house.room(id, party).view)))


def test_who_is_not_invited_hears_nothing(house) -> None:
    streams, watched, _ = watching(house, house.hold(), PartyId("stranger"))
    assert told(streams, watched) == {}


def answer(streams: Live, scope: Scope) -> Asked:
    streams._looked_at = time.monotonic()

    async def ask() -> Asked:
        asked = Asked()
        asked.gone.set()
        await streams.__rsgi__(scope, asked)
        return asked

    return asyncio.run(ask())


def test_only_a_ticket_lets_in(house, monkeypatch) -> None:
    monkeypatch.setattr(live, "BEAT_EVERY_S", 0.01)
    streams = Live(house.database, KEY)
    good = tickets.issue(KEY, Ticket("a-1", ANN, PAGE))
    assert answer(streams, Scope(tickets.issue(b"another key", Ticket("a-1", ANN, PAGE)))).status == 403
    assert answer(streams, Scope("x" * 10_000)).status == 403
    assert answer(streams, Scope(good, path="/auctions/other")).status == 404
    assert answer(streams, Scope(good, method="POST")).status == 404
    asked = answer(streams, Scope(good))
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    assert streams.count() == 0


@pytest.mark.parametrize("limit", ["STREAMS_MAX", "STREAMS_PER_PARTY"])
def test_too_many_streams_are_turned_away(house, monkeypatch, limit) -> None:
    monkeypatch.setattr(live, limit, 0)
    assert answer(Live(house.database, KEY), Scope(tickets.issue(KEY, Ticket("a-1", ANN, PAGE)))).status == 503


def test_streams_end_and_none_begins_where_the_auctions_are_not_looked_at(house, monkeypatch) -> None:
    """A sign of life from a stream that sees nothing would keep its screen from asking for itself."""
    monkeypatch.setattr(live, "BLIND_AFTER_S", -1)
    assert answer(Live(house.database, KEY), Scope(tickets.issue(KEY, Ticket("a-1", ANN, PAGE)))).status == 503


def test_a_database_that_cannot_be_read_stops_no_stream_for_good(house, monkeypatch) -> None:
    streams = Live(house.database, KEY)
    monkeypatch.setattr(live, "LOOK_AGAIN_S", 0.01)
    outcomes = [OperationalError("select", {}, Exception("away")), []]

    def news(watched):
        outcome = outcomes.pop(0)
        if not outcomes:
            streams._stopping.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    streams._watched["a-1"] = Watched()
    monkeypatch.setattr(streams, "news", news)
    streams._watch()
    assert streams.is_looking()


def test_an_auction_that_cannot_be_read_silences_no_other(house) -> None:
    broken, sound = house.hold(), house.hold(title="Castings")
    house.bid(broken, BEN, "1000", limit="950.12")
    with house.database.write() as session:
        session.execute(update(store.EventRow).values(sealed="AAAA"))
    streams, watched, _ = watching(house, sound, ANN)
    watched[broken] = Watched(followers={Follower(broken, ANN)})
    assert list(told(streams, dict(sorted(watched.items(), key=lambda each: each[0] != broken)))) == [ANN]


def test_a_slow_screen_gets_the_newest_state_and_a_quiet_one_a_sign_of_life(monkeypatch) -> None:
    async def listen() -> list[str]:
        follower = Follower("a-1", ANN)
        follower.tell("one")
        follower.tell("two")
        return [await live._next(follower), await live._next(follower)]

    monkeypatch.setattr(live, "BEAT_EVERY_S", 0.01)
    first, second = asyncio.run(listen())
    assert first == "two"
    assert second.startswith("event: beat\ndata: ")
