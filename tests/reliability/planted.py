"""Hubs that break the promise on purpose, so that the campaign shows that it would notice."""

from __future__ import annotations

import threading
import time

from flask import Flask

from tradehub.cli import serve
from tradehub.exchange.inbound import Arrived, Inbound, Receipt
from tradehub.exchange.service import ExchangeService
from tradehub.partners.service import PolledChannelOf
from tradehub.platform import ids

LATE_S = 0.3
"""How much too late the promise is kept: the window in which a kill shows that it was given too early."""


def hasty() -> None:
    """Answer before the commit: the sender is told 202, and the message is kept soon after."""
    keep = Inbound.receive

    def receive(self: Inbound, arrived: Arrived) -> Receipt:
        threading.Timer(LATE_S, keep, (self, arrived)).start()
        given = ids.new_id()
        return Receipt(given, given)

    Inbound.receive = receive  # type: ignore[method-assign]


def careless() -> None:
    """Move the file away before the commit."""

    def poll(self: ExchangeService, channel: PolledChannelOf) -> int:
        count = 0
        for arrival in self.open_channel(channel.id, channel.channel).poll():
            arrival.accept()
            time.sleep(LATE_S)
            self.inbound.receive(
                Arrived(arrival.payload, channel.owner, channel.party, channel.name, arrival.key, arrival.name)
            )
            count += 1
        return count

    ExchangeService.poll = poll  # type: ignore[method-assign]


def forgetful() -> None:
    """Take every arrival for a new one: what is sent again is acted on again."""
    record = Inbound.record

    def anew(self: Inbound, session: object, arrived: Arrived, digest: str) -> Receipt:
        unmarked = Arrived(arrived.payload, arrived.owner, arrived.partner, arrived.channel, None, arrived.name)
        return record(self, session, unmarked, digest)  # type: ignore[arg-type]

    Inbound.record = anew  # type: ignore[method-assign]


def hasty_pages() -> Flask:
    hasty()
    return serve.application()


def forgetful_pages() -> Flask:
    forgetful()
    return serve.application()


careless_pages = serve.application
