"""HTTP(S) to a partner: one POST, a token, and nothing that could lead elsewhere.

Only the host of the profile is asked; its address is looked up once, judged, and that address is used. No redirect is
followed. What the partner answers is read up to a cap and within a time.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from tradehub.exchange.transport import Arrival, Envelope, TransportError

MAX_ANSWER = 64 * 1024
"""A receipt is a few lines; what is longer is not read."""

_TRY_AGAIN = frozenset({408, 425, 429})


class HttpTransport:
    def __init__(self, url: str, token: str, *, timeout: timedelta, private_network: bool) -> None:
        self.url = url
        self.token = token
        self.timeout = timeout.total_seconds()
        self.private_network = private_network

    def send(self, envelope: Envelope) -> str:
        """POST the bytes. 2xx is the partner's receipt: he has them. 4xx is final but for 408, 425 and 429."""
        target = urlsplit(self.url)
        connection = _Pinned(target, self._address(target), self.timeout)
        try:
            connection.request(
                "POST",
                (target.path or "/") + (f"?{target.query}" if target.query else ""),
                body=envelope.payload,
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": envelope.content_type,
                    "Content-Disposition": f'attachment; filename="{envelope.name}"',
                    "Idempotency-Key": envelope.key,
                    "User-Agent": "tradehub",
                },
            )
            with connection.getresponse() as answer:
                text = answer.read(MAX_ANSWER).decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise TransportError(f"{target.hostname}: {error or type(error).__name__}", permanent=False) from error
        finally:
            connection.close()
        return _receipt(answer, text)

    def poll(self) -> Iterator[Arrival]:
        return iter(())

    def _address(self, target: SplitResult) -> str:
        if target.scheme not in ("http", "https") or not target.hostname:
            raise TransportError(f"not an address to post to: {self.url}", permanent=True)
        try:
            found = socket.getaddrinfo(target.hostname, _port(target), type=socket.SOCK_STREAM)
        except OSError as error:
            raise TransportError(f"{target.hostname}: {error.strerror}", permanent=False) from error
        for *_, address in found:
            ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
            if self.private_network or ip.is_global:
                return str(ip)
        raise TransportError(
            f"{target.hostname} is in a private network, which the profile does not allow", permanent=True
        )


class _Pinned(HTTPConnection):
    """A connection to an address judged before, under the host's own name (TLS included)."""

    def __init__(self, target: SplitResult, address: str, timeout: float) -> None:
        super().__init__(str(target.hostname), _port(target), timeout=timeout)
        self._pinned = address
        self._tls = ssl.create_default_context() if target.scheme == "https" else None

    def connect(self) -> None:
        plain = socket.create_connection((self._pinned, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain


def _port(target: SplitResult) -> int:
    return target.port or (443 if target.scheme == "https" else 80)


def _receipt(answer: HTTPResponse, text: str) -> str:
    said = f"HTTP {answer.status} {answer.reason}: {text[:500]}".strip(": ")
    if 200 <= answer.status < 300:
        return said
    raise TransportError(said, permanent=answer.status < 500 and answer.status not in _TRY_AGAIN)
