"""The partner's side of a channel: how the robot takes what the hub sent, and gives what it answers.

A door is what any partner without our software would write: two folders, or an HTTP endpoint and a POST.
"""

from __future__ import annotations

import hmac
import queue
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

MAX_BODY = 20 * 1024 * 1024
"""Bytes of one message from the hub; as much as the hub takes from us."""

TIMEOUT_S = 20


class DoorClosed(Exception):
    """What was to be given could not be given now."""


class Door(Protocol):
    def incoming(self) -> Iterator[bytes]:
        """Yield what has come; each counts as taken once the next one is asked for."""

    def give(self, payload: bytes, *, name: str, content_type: str) -> None:
        """Give a transmission to the hub. Raises DoorClosed."""

    def close(self) -> None: ...


class FolderDoor:
    """Fetch from one folder, deliver into another."""

    def __init__(self, fetch_from: Path, deliver_to: Path) -> None:
        self.fetch_from = fetch_from
        self.deliver_to = deliver_to
        for each in (fetch_from, deliver_to):
            each.mkdir(parents=True, exist_ok=True)

    def incoming(self) -> Iterator[bytes]:
        for path in sorted(self.fetch_from.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".tmp":
                yield path.read_bytes()
                path.unlink()

    def give(self, payload: bytes, *, name: str, content_type: str) -> None:
        draft = self.deliver_to / f"{name}.tmp"
        draft.write_bytes(payload)
        draft.rename(self.deliver_to / name)

    def close(self) -> None:
        return


class HttpDoor:
    """Listen for the hub's POSTs on ``listen`` and POST to ``hub``; each side shows the other's token."""

    def __init__(self, listen: tuple[str, int], hub: str, *, token_in: str, token_out: str) -> None:
        self.hub = hub
        self.token_out = token_out
        self._waiting: queue.Queue[bytes] = queue.Queue()
        self._server = ThreadingHTTPServer(listen, _endpoint(token_in, self._waiting))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def incoming(self) -> Iterator[bytes]:
        while True:
            try:
                payload = self._waiting.get_nowait()
            except queue.Empty:
                return
            yield payload

    def give(self, payload: bytes, *, name: str, content_type: str) -> None:
        target = urlsplit(self.hub)
        kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
        connection = kind(target.netloc, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.token_out}", "Content-Type": content_type, "Idempotency-Key": name}
        try:
            connection.request("POST", target.path, body=payload, headers=headers)
            answer = connection.getresponse()
            text = answer.read(2000).decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise DoorClosed(f"{self.hub}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise DoorClosed(f"{self.hub}: {answer.status} {text}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _endpoint(token: str, waiting: queue.Queue[bytes]) -> type[BaseHTTPRequestHandler]:
    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), token.encode()):
                self._answer(401, "token")
                return
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MAX_BODY:
                self._answer(413, "size")
                return
            waiting.put(self.rfile.read(length))
            self._answer(202, "taken")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the robot tells what it does itself."""

    return Endpoint
