"""How many requests one client may make in a while, counted in memory: each process of a hub counts its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

WINDOW_S = 60


@dataclass(frozen=True)
class Allowance:
    """What a client has left in this window, and how many seconds the window still lasts."""

    limit: int
    left: int
    reset_s: int
    is_spent: bool

    @property
    def headers(self) -> dict[str, str]:
        """The fields of the IETF's draft on RateLimit header fields; ``Retry-After`` where nothing is left."""
        fields = {
            "RateLimit-Policy": f'"token";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"token";r={self.left};t={self.reset_s}',
        }
        return {**fields, "Retry-After": str(self.reset_s)} if self.is_spent else fields


class Limiter:
    """``limit`` requests of one client in each window. All clients share the windows, so that old counts just go."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = Lock()
        self._window = 0
        self._counts: Counter[str] = Counter()

    def take(self, client: str, now: datetime) -> Allowance:
        """Count one request of ``client``, and say whether it was one too many."""
        second = int(now.timestamp())
        window = second // WINDOW_S
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            self._counts[client] += 1
            made = self._counts[client]
        return Allowance(self.limit, max(self.limit - made, 0), WINDOW_S - second % WINDOW_S, made > self.limit)
