"""The live side of auctions: a process of its own that tells every open screen what changed, within moments.

A stream of server-sent events holds its connection for as long as a screen is open, and a thread of the web server with
it; 200 of them would leave nobody to serve pages. Here a connection costs a coroutine. One thread looks at the versions
of the watched auctions twenty times a second, so it makes no difference which process took the bid; what also changes
by the time alone (a start, a step of the clock, an end) is sent when its moment comes. docs/decisions/0060 has the figures.

``granian --interface rsgi --factory tradehub.sourcing.auctions.live:application``
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qs

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tradehub.documents import PartyId
from tradehub.platform import clock
from tradehub.platform.db import Database
from tradehub.platform.sealing import Sealer, Tampered
from tradehub.platform.settings import Settings
from tradehub.sourcing.auctions import model, store, tickets, views, wire
from tradehub.sourcing.auctions.envelopes import Envelopes
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.memory import Memory

LOOK_EVERY_S = 0.05
"""How long a bid waits at most until it is seen here. One query asks for all auctions that are watched."""

LOOK_AGAIN_S = 1.0
"""The pause after the database could not be read."""

BLIND_AFTER_S = 10.0
"""After so long without a look, streams end and no new one begins."""

BEAT_EVERY_S = 5.0
"""How often a stream says that it lives, with the hub's time. A screen that hears nothing for three times as long asks
for itself."""

STREAM_LIFE_S = 600.0
"""After that a screen has to show a new ticket: who is no longer let in hears no more."""

STREAMS_MAX = 2_000
"""More streams than this are turned away; their screens ask for themselves."""

STREAMS_PER_PARTY = 50
"""Of one organisation for one auction: its people with their windows, and not the whole house's room for one of them."""

QUERY_MAX = 2_048

PATH = "/auctions/stream"

log = structlog.get_logger(__name__)


class Sending(Protocol):
    async def send_str(self, data: str) -> None: ...


class Asked(Protocol):
    """A request and the way to answer it, as Granian's RSGI has it."""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Sending: ...
    async def client_disconnect(self) -> None: ...


class Scope(Protocol):
    proto: str
    method: str
    path: str
    query_string: str


@dataclass(eq=False)
class Follower:
    """An open screen. Only the newest state waits for it: a slow one leaves states out, and never lags behind."""

    auction: str
    party: PartyId
    newest: str | None = None
    due: asyncio.Event = field(default_factory=asyncio.Event)
    is_new: bool = True

    def tell(self, text: str) -> None:
        self.newest = text
        self.due.set()


@dataclass
class Watched:
    """An auction that somebody follows. ``changes_at`` is when the time alone changes how it stands."""

    auction: Auction | None = None
    changes_at: datetime | None = None
    followers: set[Follower] = field(default_factory=set)


class Live:
    """The streams of one process. ``key`` is the hub's secret, with which tickets are signed."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key
        self._memory = Memory(Envelopes(lambda: Sealer(key)))
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked_at = 0.0

    # what Granian calls

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="auctions", daemon=True)
        self._thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2)
        self._database.dispose()

    async def __rsgi__(self, scope: Scope, asked: Asked) -> None:
        if scope.proto != "http" or scope.method != "GET" or not scope.path.endswith(PATH):
            asked.response_str(404, _headers(), "not found\n")
            return
        ticket = tickets.read(self._key, _ticket(scope.query_string))
        if ticket is None:
            asked.response_str(403, _headers(), "no valid ticket\n")
        elif not self.is_looking() or not self._has_room(ticket):
            asked.response_str(503, _headers(ticket.origin), "too many streams\n")
        else:
            await self._stream(asked, ticket)

    def count(self) -> int:
        """Return how many screens are open."""
        return sum(len(each.followers) for each in list(self._watched.values()))

    def _has_room(self, ticket: tickets.Ticket) -> bool:
        with self._lock:
            watched = self._watched.get(ticket.auction)
            theirs = sum(each.party == ticket.party for each in watched.followers) if watched else 0
        return theirs < STREAMS_PER_PARTY and self.count() < STREAMS_MAX

    def is_looking(self) -> bool:
        """True while the auctions are looked at. Where they are not, a sign of life would be a lie: streams end."""
        return time.monotonic() - self._looked_at < BLIND_AFTER_S

    # one screen

    async def _stream(self, asked: Asked, ticket: tickets.Ticket) -> None:
        follower = Follower(ticket.auction, ticket.party)
        gone = asyncio.ensure_future(asked.client_disconnect())
        sending = asked.response_stream(200, _stream_headers(ticket.origin))
        self._join(follower)
        until = asyncio.get_running_loop().time() + STREAM_LIFE_S
        try:
            while not gone.done() and asyncio.get_running_loop().time() < until and self.is_looking():
                await sending.send_str(await _next(follower))
        except (OSError, RuntimeError):
            log.debug("a screen went away while it was told")
        finally:
            self._leave(follower)
            gone.cancel()

    def _join(self, follower: Follower) -> None:
        with self._lock:
            self._watched.setdefault(follower.auction, Watched()).followers.add(follower)

    def _leave(self, follower: Follower) -> None:
        with self._lock:
            watched = self._watched[follower.auction]
            watched.followers.discard(follower)
            if not watched.followers:
                del self._watched[follower.auction]

    # the auctions

    def _watch(self) -> None:
        pause = LOOK_EVERY_S
        while not self._stopping.wait(pause):
            with self._lock:
                watched = dict(self._watched)
            try:
                self._tell(self.news(watched) if watched else [])
            except SQLAlchemyError:
                log.exception("the auctions could not be read")
                pause = LOOK_AGAIN_S
            else:
                self._looked_at = time.monotonic()
                pause = LOOK_EVERY_S

    def news(self, watched: Mapping[str, Watched]) -> list[tuple[Follower, str]]:
        """Return what each screen is to hear now: those of auctions that changed, and those just opened."""
        told: list[tuple[Follower, str]] = []
        with self._database.read() as session:
            versions = store.versions(session, list(watched))
            for id, version in versions.items():
                each, now = watched[id], clock.now()
                changed = (
                    each.auction is None
                    or each.auction.version != version
                    or (each.changes_at is not None and each.changes_at <= now)
                )
                if changed:
                    row = store.row(session, id)
                    if row is None:
                        continue
                    try:
                        each.auction = self._memory.opened(session, self._memory.load(session, row), now)
                    except Tampered:  # the others go on; its own screens ask by themselves
                        log.exception("an auction cannot be read", auction=id)
                        continue
                    each.changes_at = model.changes_at(each.auction, now)
                followers = [screen for screen in list(each.followers) if changed or screen.is_new]
                told += states(each.auction, followers, now) if each.auction else []
        return told

    def _tell(self, told: Sequence[tuple[Follower, str]]) -> None:
        def tell() -> None:
            for follower, text in told:
                follower.is_new = False
                follower.tell(text)

        if told and self._loop is not None:
            self._loop.call_soon_threadsafe(tell)


def states(auction: Auction, followers: Iterable[Follower], now: datetime) -> list[tuple[Follower, str]]:
    """Return the auction's state for each screen, made once for each party; nothing for a party that may see none.

    What all of them see alike, the bids and the line, is made once.
    """
    made: dict[PartyId, str] = {}
    told = []
    alike = None
    if views.has_one_history(auction):
        alike = [(lot["moves"], lot["chart"]) for lot in wire.payload(views.view(auction, auction.owner, now))["lots"]]
    for each in followers:
        if each.party != auction.owner and each.party not in auction.aliases:
            continue
        if each.party not in made:
            state = wire.payload(views.view(auction, each.party, now, history=alike is None))
            for lot, (moves, chart) in zip(state["lots"], alike or (), strict=False):
                lot["moves"], lot["chart"] = moves, chart
            made[each.party] = f"event: state\ndata: {json.dumps(state, separators=(',', ':'))}\n\n"
        told.append((each, made[each.party]))
    return told


def application() -> Live:
    """Return the streams, for Granian. Settings come from the environment."""
    settings = Settings()
    return Live(Database(settings.database), settings.secret_key)


async def _next(follower: Follower) -> str:
    """Wait for what is new, or for the time to say that the stream lives."""
    try:
        async with asyncio.timeout(BEAT_EVERY_S):
            await follower.due.wait()
    except TimeoutError:
        return f"event: beat\ndata: {round(clock.now().timestamp() * 1000)}\n\n"
    follower.due.clear()
    return follower.newest or ""


def _ticket(query: str) -> str:
    return next(iter(parse_qs(query[:QUERY_MAX]).get("ticket", [])), "")


def _headers(origin: str = "", **more: str) -> list[tuple[str, str]]:
    found = {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if origin:
        found |= {"access-control-allow-origin": origin, "vary": "origin"}
    return list((found | more).items())


def _stream_headers(origin: str) -> list[tuple[str, str]]:
    # A proxy that collects answers would hold the news back.
    return _headers(origin, **{"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"})
