"""A crowd at an auction: the real server, many simulated screens, and the time from a bid to each of them.

``make auction`` runs it with 200 bidders; ``tests/sourcing/auctions/test_crowd.py`` with a few. A screen is a connection
that does what the page's script does: it asks for the state, follows the stream that the answer names, or asks again and
again where it names none. A bid's time runs from before it is sent until a screen has received a state that holds it,
so it takes in the web server, the database and the way to the screen. Screens and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.people import CHEAP
from tests.sourcing.auctions.words import OWNER
from tradehub.cli.serve import live_options, web_options
from tradehub.documents import PartyId
from tradehub.hub import Hub
from tradehub.platform import clock
from tradehub.platform.schema import upgrade
from tradehub.platform.security import Security
from tradehub.platform.settings import Settings
from tradehub.sourcing.auctions.drafting import Draft, DraftLine
from tradehub.sourcing.auctions.rules import Increment, Kind, Rules
from tradehub.sourcing.auctions.service import Actor

MEDIAN_MS = 300
"""What the median from bid to screen has to stay below, with 200 bidders on 2 cores."""

START_S = 60
HOST = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")
_VERSION = re.compile(rb'"v": ?(\d+)')


@dataclass
class Figures:
    """What was measured. Milliseconds from bid to screen; CPU in per cent of one core."""

    bids: int
    screens: int
    median: float
    p95: float
    worst: float
    missing: int
    answer_median: float
    server_cpu: float
    crowd_cpu: float

    def __str__(self) -> str:
        return (
            f"{self.screens} screens, {self.bids} bids: from bid to screen median {self.median:.0f} ms, p95 {self.p95:.0f} ms,"
            f" worst {self.worst:.0f} ms, {self.missing} never shown; answer to the bidder {self.answer_median:.0f} ms;"
            f" CPU server {self.server_cpu:.0f} %, crowd {self.crowd_cpu:.0f} % of a core"
        )


@dataclass
class Scene:
    """A prepared data folder: the auction, and a signed-in session for each bidder."""

    data: Path
    auction: str
    sessions: list[str]


def prepare(data: Path, bidders: int) -> Scene:
    """Make a hub with one running auction and a signed-in person for each of its bidders."""
    hub = Hub(Settings(data_dir=data, _env_file=None))
    upgrade(hub.database)
    security = Security(hub.database, CHEAP)
    parties = [PartyId(f"bidder-{number}") for number in range(bidders)]
    with hub.database.write() as session:
        links = []
        for party in (OWNER, *parties):
            security.add_organisation(session, party, party.title())
            user = security.add_user(session, party, f"p@{party}.example", party, ["seller", "approver"])
            links.append(security.issue_link(session, user, party))
    sessions = [security.open_link(link, "correct horse battery") for link in links]
    now = clock.now()
    rules = Rules(Kind.REVERSE, "USD", now, now + timedelta(hours=1), Increment(Decimal(1)))
    draft = Draft("Crowd", rules, (DraftLine("Valve", Decimal(1000), "C62", Decimal(1000)),), tuple(parties))
    with hub.database.write(OWNER) as session:
        auction = hub.auctions.hold(session, Actor(OWNER), draft)
    hub.database.dispose()
    return Scene(data, auction, sessions[1:])


@contextmanager
def serving(scene: Scene, *, streams: bool, whole: bool = True) -> Iterator[tuple[int, list[int]]]:
    """Run ``tradehub serve`` on the scene, or its two servers alone; gives the pages' port and the process ids."""
    port, live = _free_ports(2)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEHUB_")}
    environment |= {
        "TRADEHUB_LIVE_PORT": str(live if streams else 0), "TRADEHUB_LOG_LEVEL": "WARNING",
        "TRADEHUB_DATA_DIR": str(scene.data), "TRADEHUB_PORT": str(port),
    }  # fmt: skip
    settings = Settings(data_dir=scene.data, port=port, _env_file=None)
    commands = [["-m", "tradehub", "serve"]]
    if not whole:
        commands = [["-m", "granian", *web_options(settings)], ["-m", "granian", *live_options(HOST, live)]]
    said = scene.data / "server.log"
    with said.open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, *each], stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
            for each in commands
        ]
    try:
        for each in [port, *([live] if streams else [])]:
            _wait_for(each, processes[0], said)
        yield port, [each.pid for each in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection((HOST, port), 1) as probe:
                probe.sendall(f"GET /health HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
                if probe.recv(16):
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers on port {port}:\n{log.read_text()}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


# --- the crowd ------------------------------------------------------------------------------------


@dataclass
class Screen:
    """One bidder's page: a kept connection for asking, and perhaps a stream."""

    port: int
    cookie: str
    auction: str
    seen: dict[int, float] = field(default_factory=dict)
    version: int = -1
    csrf: str = ""
    form_id: str = ""
    mark: str = ""
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def request(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body; like a browser, once more where a kept connection ended."""
        try:
            return await self._request(method, path, body, headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._idle.clear()
            return await self._request(method, path, body, headers)

    async def _request(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(HOST, self.port)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{self.port}", f"Cookie: session={self.cookie}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        status, found = await _head(reader)
        length = int(found.get("content-length", "0"))
        answer = await reader.readexactly(length) if status != 304 else b""
        self._idle.append((reader, writer))
        return status, found, answer

    async def open(self) -> None:
        """Load the page, for the form's token, as a browser does."""
        status, _, page = await self.request("GET", f"/auctions/{self.auction}", Accept="text/html")
        form = page.decode().partition('class="bid-form"')[2]
        token, form_id = re.search(r'csrf_token" value="([^"]+)', form), re.search(r'form_id" value="([^"]+)', form)
        assert status == 200, page[:500]
        assert token, page[:500]
        assert form_id
        self.csrf, self.form_id = token[1], form_id[1]

    async def ask(self) -> str | None:
        """Ask for the state; return the address of a stream where the answer names one."""
        more = {"If_None_Match": self.mark} if self.mark else {}
        status, headers, body = await self.request(
            "GET", f"/auctions/{self.auction}/state", Accept="application/json", **more
        )
        if status == 304:
            return None
        assert status == 200, body
        self.mark = headers["etag"]
        self.shows(body)
        address = json.loads(body).get("stream")
        return str(address) if address else None

    def shows(self, text: bytes) -> None:
        found = _VERSION.search(text)
        if found:
            now = time.perf_counter()
            self.version = int(found[1])
            self.seen.setdefault(self.version, now)

    async def follow(self, address: str) -> None:
        parts = urlsplit(address)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        status, _ = await _head(reader)
        assert status == 200, status
        try:
            while line := await reader.readline():
                if line.startswith(b"data: {"):
                    self.shows(line)
        finally:
            self._idle.append((reader, writer))

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def poll(self, every_s: float) -> None:
        while True:
            began = time.perf_counter()
            await self.ask()
            await asyncio.sleep(max(0.0, every_s - (time.perf_counter() - began)))

    async def bid(self, amount: str) -> tuple[str, int, str | None]:
        """Place a bid as the page's script does; return what became of it, the version and the next valid amount."""
        body = urlencode({"csrf_token": self.csrf, "form_id": self.form_id, "lot": "1", "amount": amount})
        status, _, answer = await self.request("POST", f"/auctions/{self.auction}/bid", body, Accept="application/json")
        assert status == 200, answer
        said = json.loads(answer)
        self.form_id = said["form_id"]
        return said["kind"], said["state"]["v"], said["state"]["lots"][0]["price"]


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (each.partition(":") for each in head[1:] if each)
    return int(head[0].split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def watch(
    scene: Scene, port: int, server: list[int], *, seconds: float, rate: float, poll_s: float | None
) -> Figures:
    """Let every bidder watch and some bid, one after the other, and return how long each bid took to each screen."""
    screens = [Screen(port, each, scene.auction) for each in scene.sessions]
    following = []
    for screen in screens:
        await screen.open()
        address = await screen.ask()
        if poll_s is None:
            assert address, "the hub names no stream"
            following.append(asyncio.create_task(screen.follow(address)))
        else:
            following.append(asyncio.create_task(screen.poll(poll_s)))
            await asyncio.sleep(poll_s / len(screens))
    await asyncio.sleep(1)
    cpu, mine, began = _cpu_of(server), time.process_time(), time.perf_counter()
    bids: list[tuple[int, float]] = []
    answers: list[float] = []
    price = Decimal(1_000_001)
    while time.perf_counter() - began < seconds:
        due = began + len(answers) / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        bidder = screens[len(answers) % len(screens)]
        sent = time.perf_counter()
        kind, version, now = await bidder.bid(str(price - 1))
        answers.append(time.perf_counter() - sent)
        if kind == "ok":
            bids.append((version, sent))
        price = Decimal(now) if now else price
    await asyncio.sleep(1 + 2 * (poll_s or 0))
    lasted = time.perf_counter() - began
    figures = _figures(screens, bids, answers, (_cpu_of(server) - cpu) / lasted, (time.process_time() - mine) / lasted)
    for each in following:
        broke = each.done() and each.exception()
        assert not broke, broke
        each.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    for screen in screens:
        await screen.close()
    return figures


def _figures(
    screens: list[Screen], bids: list[tuple[int, float]], answers: list[float], server_cpu: float, crowd_cpu: float
) -> Figures:
    times, missing = [], 0
    for screen in screens:
        known = sorted(screen.seen.items())
        for version, sent in bids:
            at = next((when for seen, when in known if seen >= version), None)
            if at is None:
                missing += 1
            else:
                times.append((at - sent) * 1000)
    times.sort()
    return Figures(
        bids=len(bids), screens=len(screens), median=statistics.median(times), p95=times[int(len(times) * 0.95)],
        worst=times[-1], missing=missing, answer_median=statistics.median(answers) * 1000,
        server_cpu=server_cpu * 100, crowd_cpu=crowd_cpu * 100,
    )  # fmt: skip


def _cpu_of(pids: list[int]) -> float:
    """Return the seconds of CPU that processes and all that they started have used (Linux)."""
    tree, found = set(pids), 0.0
    stats = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(each.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    grown = True
    while grown:
        more = {child for child, (parent, _) in stats.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    for each in tree:
        found += stats.get(each, (0, 0))[1] / TICKS
    return found


def run(
    data: Path, *, bidders: int, seconds: float, rate: float, poll_s: float | None = None, whole: bool = True
) -> Figures:
    """Prepare, serve and watch; ``poll_s`` lets the screens ask that often instead of following streams."""
    scene = prepare(data, bidders)
    with serving(scene, streams=poll_s is None, whole=whole) as (port, server):
        return asyncio.run(watch(scene, port, server, seconds=seconds, rate=rate, poll_s=poll_s))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the time from a bid to every bidder's screen.")
    parser.add_argument("--bidders", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=4, help="bids a second")
    parser.add_argument("--poll", type=float, help="ask every so many seconds instead of following the stream")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="auction-") as folder:
        figures = run(
            Path(folder), bidders=options.bidders, seconds=options.seconds, rate=options.rate, poll_s=options.poll
        )
    sys.stdout.write(f"{figures}\n")
    good = figures.median < MEDIAN_MS and not figures.missing
    sys.stdout.write(
        f"{'reached' if good else 'NOT reached'}: median below {MEDIAN_MS} ms, every bid on every screen\n"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
