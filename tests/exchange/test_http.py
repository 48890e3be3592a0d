"""Posting to a partner: what counts as a receipt, what is tried again, and where we refuse to go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tradehub.exchange.http import MAX_ANSWER, HttpTransport
from tradehub.exchange.transport import Envelope, TransportError

ENVELOPE = Envelope("0199", "Order-1.xml", b"<Order/>", "application/xml")


@dataclass
class Partner:
    """A server on this machine that answers as it is told and keeps what it got."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def partner() -> Iterator[Partner]:
    told = Partner()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.seen.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/in?x=1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def transport(url: str, *, private_network: bool = True) -> HttpTransport:
    return HttpTransport(url, "s3cret", timeout=timedelta(seconds=5), private_network=private_network)


def test_the_bytes_arrive_with_token_name_and_key(partner: Partner) -> None:
    assert transport(partner.url).send(ENVELOPE) == "HTTP 202 Accepted: thanks"
    ((path, headers, body),) = partner.seen
    assert (path, body) == ("/in?x=1", b"<Order/>")
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["Idempotency-Key"] == "0199"
    assert headers["Content-Type"] == "application/xml"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (409, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_what_is_tried_again(partner: Partner, status: int, permanent: bool) -> None:
    partner.status = status
    with pytest.raises(TransportError, match=f"HTTP {status}") as caught:
        transport(partner.url).send(ENVELOPE)
    assert caught.value.permanent is permanent


def test_a_redirect_is_not_followed(partner: Partner) -> None:
    partner.status, partner.headers = 307, {"Location": partner.url}
    with pytest.raises(TransportError) as caught:
        transport(partner.url).send(ENVELOPE)
    assert caught.value.permanent
    assert len(partner.seen) == 1


def test_a_long_answer_is_cut(partner: Partner) -> None:
    partner.body = b"x" * (4 * MAX_ANSWER)
    assert len(transport(partner.url).send(ENVELOPE)) < 600


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://[::1]:1/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://0.0.0.0/"],
)
def test_a_private_address_is_refused_unless_the_profile_allows_it(url: str) -> None:
    with pytest.raises(TransportError, match="private network") as caught:
        transport(url, private_network=False).send(ENVELOPE)
    assert caught.value.permanent


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "http:///"])
def test_only_http_is_posted_to(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        transport(url).send(ENVELOPE)
    assert caught.value.permanent


def test_nobody_there_is_tried_again() -> None:
    with pytest.raises(TransportError) as caught:
        transport("http://127.0.0.1:1/").send(ENVELOPE)
    assert not caught.value.permanent
