"""The transports by the kind of channel. A new one is a module with two methods, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tradehub.exchange import secrets
from tradehub.exchange.folder import FolderTransport
from tradehub.exchange.http import HttpTransport
from tradehub.exchange.transport import Transport, TransportError
from tradehub.partners.profile import Channel, FolderChannel, HttpChannel


def opener(data_dir: Path) -> Callable[[str, Channel], Transport]:
    """Return what opens a channel: folders and secrets lie in ``data_dir``."""

    def open_channel(channel_id: str, channel: Channel) -> Transport:
        if isinstance(channel, FolderChannel):
            return FolderTransport(
                channel_id,
                data_dir / channel.in_dir,
                data_dir / channel.out_dir,
                settle=channel.settle,
                max_bytes=channel.max_bytes,
            )
        if isinstance(channel, HttpChannel):
            try:
                token = secrets.resolve(channel.send_token, data_dir)
            except secrets.MissingSecret as missing:
                raise TransportError(f"there is no secret at {missing}", permanent=True) from missing
            return HttpTransport(
                secrets.address(channel.url),
                token,
                timeout=channel.timeout,
                private_network=channel.private_network,
            )
        raise TransportError(f"nothing is sent over a channel of kind {channel.kind}", permanent=True)

    return open_channel
