"""Two partners that keep books: what they sent, what was acknowledged, and what came back.

Ningbo drops files and watches where they go; Nordic posts and posts again until it is told 2xx, as partners do.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.exchange.test_bad_input import UBL, X12

AGAIN_S = 0.1
"""Between two tries of a post."""

LOOK_S = 0.005
"""Between two looks into the folders, so that a kill follows an acknowledgement at once."""


@dataclass
class Transmission:
    """One order on its way, as its sender sees it. ``taken`` are the messages' ids that the hub answered with."""

    number: str
    channel: str
    payload: bytes
    key: str | None = None
    sent: int = 0
    acknowledged: bool = False
    taken: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return sha256(self.payload).hexdigest()


class Ledger:
    """What was sent by its order number; ``news`` is set by each acknowledgement."""

    def __init__(self) -> None:
        self.sent: dict[str, Transmission] = {}
        self.news = threading.Event()

    def acknowledged(self) -> list[Transmission]:
        return [each for each in list(self.sent.values()) if each.acknowledged]

    def note(self, transmission: Transmission) -> None:
        transmission.acknowledged = True
        self.news.set()

    def __iter__(self) -> Iterator[Transmission]:
        return iter(list(self.sent.values()))

    def __len__(self) -> int:
        return len(self.sent)


class FolderPartner:
    """Ningbo Valves: X12 by files. A file that lies in ``processed`` was acknowledged to it."""

    def __init__(self, data_dir: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.into = data_dir / "exchange/ningbo/from-partner"
        self.back = data_dir / "exchange/ningbo/to-partner"
        self.into.mkdir(parents=True)
        self._by_file: dict[str, Transmission] = {}
        self._noticed: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def send(self, number: str, control: int, *, times: int) -> None:
        """Drop an order under as many names."""
        text = X12.replace("PO-1", number).replace("000000007", f"{control:09}").replace("*5~", f"*{control}~")
        text = text.replace("*5*X*", f"*{control}*X*")
        order = self.ledger.sent[number] = Transmission(number, "folder", text.encode(), sent=times)
        for time in range(times):
            name = f"{number}-{time}.edi"
            self._by_file[name] = order
            draft = self.into / f"{name}.part"
            draft.write_bytes(order.payload)
            draft.rename(self.into / name)

    def answers(self) -> dict[str, bytes]:
        """Return the files that came back, by name."""
        return {path.name: path.read_bytes() for path in self.back.glob("[!.]*")} if self.back.is_dir() else {}

    def left(self) -> list[str]:
        """Return the files that wait to be taken or are being taken."""
        found = [path for folder in (self.into, self.into / "work") if folder.is_dir() for path in folder.iterdir()]
        return sorted(path.name for path in found if path.is_file())

    def processed(self) -> list[str]:
        """Return the names, as they were given, of the files that were taken."""
        folder = self.into / "processed"
        return sorted(path.name.partition("-")[2] for path in folder.iterdir()) if folder.is_dir() else []

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_S):
            for name in self.processed():
                if name not in self._noticed:
                    self._noticed.add(name)
                    self.ledger.note(self._by_file[name])


class HttpPartner:
    """Nordic Flow: UBL by posts, with a server of its own for what comes back."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.token = ""
        self.port = 0
        self.answers: dict[str, list[bytes]] = defaultdict(list)
        self._stopped = threading.Event()
        self._posting: list[threading.Thread] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _endpoint(self.answers))
        self._server.daemon_threads = True
        self._serving = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})
        self._serving.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def send(self, number: str, *, key: str | None, times: int) -> None:
        """Post an order until it was answered 2xx as many times."""
        order = Transmission(number, "http", UBL.replace("PO-1", number).encode(), key)
        self.ledger.sent[number] = order
        thread = threading.Thread(target=self._post_until_taken, args=(order, times))
        self._posting.append(thread)
        thread.start()

    def close(self) -> None:
        self._stopped.set()
        for each in self._posting:
            each.join()
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def _post_until_taken(self, order: Transmission, times: int) -> None:
        while len(order.taken) < times and not self._stopped.is_set():
            with suppress(OSError, HTTPException):
                if self._post(order):
                    self.ledger.note(order)
                    continue
            self._stopped.wait(AGAIN_S)

    def _post(self, order: Transmission) -> bool:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/xml"}
        if order.key:
            headers["Idempotency-Key"] = order.key
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            order.sent += 1
            connection.request("POST", "/exchange/http/nordic", body=order.payload, headers=headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status // 100 != 2:
            return False
        order.taken.append(json.loads(said)["message"])
        return True


def _endpoint(answers: dict[str, list[bytes]]) -> type[BaseHTTPRequestHandler]:
    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answers[self.headers["Idempotency-Key"]].append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Endpoint
