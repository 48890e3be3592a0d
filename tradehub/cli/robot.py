"""``tradehub robot PARTNER``: a supplier without people, for the demo and for trying a hub out.

It is a plain client of the partner's folders or HTTP endpoint: it reads what the hub sent, acknowledges it as its
standard provides, and answers as ``counterparty`` says. Its books (control numbers, offers, answers due) stand in one
file, so that it goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tradehub.cli.counterparty import SUPPLIERS, Supplier, Temper, answers
from tradehub.cli.doors import Door, DoorClosed, FolderDoor, HttpDoor
from tradehub.documents import KINDS, Document, Offer
from tradehub.exchange import secrets
from tradehub.exchange.codec import Codec, Frame, Written
from tradehub.exchange.engine import engine_codec
from tradehub.partners.files import read_folder
from tradehub.partners.model import ACKNOWLEDGEMENTS, OF_CHANGES, kind_of
from tradehub.partners.profile import FolderChannel, HttpChannel, Identity, Profile
from tradehub.platform import clock, resources

LOOK_EVERY_S = 0.5


class Books:
    """What the robot remembers, in one JSON file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: dict[str, Any] = {"numbers": {}, "offers": {}, "due": [], "taken": []}
        if path.is_file():
            self.kept |= json.loads(path.read_text(encoding="utf-8"))

    def number(self, series: str) -> int:
        """Return the next number of a series, from 1."""
        self.kept["numbers"][series] = self.kept["numbers"].get(series, 0) + 1
        return int(self.kept["numbers"][series])

    def is_new(self, payload: bytes) -> bool:
        """Note that it came; false where the same transmission came before."""
        digest = hashlib.sha256(payload).hexdigest()
        if digest in self.kept["taken"]:
            return False
        self.kept["taken"].append(digest)
        return True

    def offers(self) -> dict[str, Offer]:
        return {number: Offer.model_validate(each) for number, each in self.kept["offers"].items()}

    def plan(self, document: Document, at: datetime) -> None:
        if isinstance(document, Offer) and document.number:
            self.kept["offers"][document.number] = document.model_dump(mode="json")
        self.kept["due"].append([at.isoformat(), document.kind, document.model_dump(mode="json")])

    def due(self, now: datetime) -> list[Document]:
        return [KINDS[kind].model_validate(each) for at, kind, each in self.kept["due"] if at <= now.isoformat()]

    def done(self) -> None:
        """Strike the first answer that was due; it has been given."""
        self.kept["due"].pop(0)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.kept), encoding="utf-8")
        draft.rename(self.path)


class Robot:
    """A supplier at its door. ``say`` is told what it does, in one line each."""

    def __init__(
        self,
        supplier: Supplier,
        profiles: tuple[Profile, Profile],
        door: Door,
        codec: Codec,
        books: Books,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.supplier = supplier
        self.own, self.hub = profiles
        self.door = door
        self.codec = codec
        self.books = books
        self.say = say
        agreed = [each.message for each in self.own.agreements if each.direction == "in"]
        self.messages = {kind_of(each): each for each in agreed if each.rsplit(":", 1)[0] not in OF_CHANGES}

    def step(self) -> int:
        """Take what has come and give what is due; return how many things that were."""
        count = 0
        for payload in self.door.incoming():
            self._take(payload)
            self.books.save()
            count += 1
        for document in self.books.due(clock.now()):
            if not self._give(document):
                break
            self.books.done()
            self.books.save()
            count += 1
        return count

    def _take(self, payload: bytes) -> None:
        reading = self.codec.read(payload)
        for part in reading.parts:
            self.say(f"<- {part.type} {part.document.number if part.document else ''}")
        standard = reading.standard or ""
        if all(f"{standard}:{part.type}" in ACKNOWLEDGEMENTS for part in reading.parts):
            return
        receipt = self.codec.acknowledge(reading, {}, None, {}, self._frame(standard))
        if receipt is not None:
            self._send_or_say(receipt)
        if not self.books.is_new(payload):
            return  # sent again: acknowledged again, and answered once
        for part in reading.parts:
            if part.document is not None and part.accepted:
                self._answer(part.document)

    def _answer(self, document: Document) -> None:
        now = clock.now()
        serial = self.books.number("document")
        given = answers(self.supplier, document, self.books.offers(), today=today(now), serial=serial)
        at = now
        for each in given:
            at += timedelta(seconds=each.after)
            self.books.plan(each.document, at)

    def _give(self, document: Document) -> bool:
        message = self.messages[document.kind]
        standard = message.split(":")[0]
        return self._send_or_say(self.codec.write(message, document, self._frame(standard)))

    def _send_or_say(self, written: Written) -> bool:
        try:
            self._send(written)
        except DoorClosed as closed:
            self.say(f"   not taken: {closed}")
            return False
        return True

    def _send(self, written: Written) -> None:
        number = self.books.number("file")
        name = f"{self.own.id}-{number:06d}{written.suffix}"
        self.door.give(written.payload, name=name, content_type=written.content_type)
        self.say(f"-> {written.message}")

    def _frame(self, standard: str) -> Frame:
        schemes = {"x12": "x12-isa", "edifact": "edifact-unb", "ubl": "ubl"}
        scheme = schemes.get(standard, "ubl")
        return Frame(
            sender=_identity(self.own, scheme),
            receiver=_identity(self.hub, scheme),
            group_sender=_identity(self.own, "x12-gs", scheme).value,
            group_receiver=_identity(self.hub, "x12-gs", scheme).value,
            envelope=self.own.envelope,
            at=clock.now(),
            interchange_number=self.books.number("interchange"),
            group_number=self.books.number("group"),
            message_number=self.books.number("message"),
        )


def today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _identity(profile: Profile, *schemes: str) -> Identity:
    for scheme in schemes:
        for each in profile.identities:
            if each.scheme == scheme:
                return each
    raise click.ClickException(f"{profile.id} has no name under {' or '.join(schemes)}")


def profiles_of(partner: str, folder: Path) -> tuple[Profile, Profile]:
    """Return the profiles of ``partner`` and of the organisation it trades with."""
    incoming = read_folder(folder).incoming
    if partner not in incoming:
        raise click.ClickException(f"no profile of {partner} in {folder}: there are {', '.join(incoming) or 'none'}")
    own = incoming[partner].profile
    return own, incoming[own.owner].profile


def open_door(own: Profile, data: Path, hub: str) -> Door:
    """Open the partner's side of its first channel."""
    channel = next(iter(own.channels.values()))
    if isinstance(channel, FolderChannel):
        return FolderDoor(data / channel.out_dir, data / channel.in_dir)
    if isinstance(channel, HttpChannel):
        listen = secrets.address(channel.url).split("//", 1)[1].split("/", 1)[0]
        host, _, port = listen.partition(":")
        return HttpDoor(
            (host, int(port or 80)),
            f"{hub}/exchange/http/{own.id}",
            token_in=secrets.resolve(channel.send_token, data),
            token_out=secrets.resolve(channel.receive_token, data),
        )
    raise click.ClickException(f"{own.name} works on the pages; there is nothing for a robot to do")


@click.command()
@click.argument("partners", nargs=-1, required=True, metavar="PARTNER...")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var/demo"), help="Data folder of the hub.")
@click.option("--hub", default="http://127.0.0.1:8000", help="Address of the hub, for partners on HTTP.")
@click.option("--seed", type=int, default=1, help="Decides prices and dates.")
@click.option("--answer", type=click.Choice(["accept", "change", "counter", "reject"]), help="How it answers an order.")
@click.option("--quiet", is_flag=True, help="Say nothing.")
def robot(partners: tuple[str, ...], data: Path, hub: str, seed: int, answer: Any, quiet: bool) -> None:
    """Play each PARTNER without people: quote, haggle, confirm, ship and bill."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    players = [player(each, data, hub, seed=seed, answer=answer, quiet=quiet) for each in partners]
    try:
        while not stopped.is_set():
            for each in players:
                each.step()
            stopped.wait(LOOK_EVERY_S)
    finally:
        for each in players:
            each.door.close()


def player(
    partner: str, data: Path, hub: str, *, seed: int = 1, answer: Temper | None = None, quiet: bool = False
) -> Robot:
    """Return a robot at its door, ready to step."""
    supplier = SUPPLIERS.get(partner)
    if supplier is None:
        raise click.ClickException(f"the robot can play {', '.join(SUPPLIERS)}")
    supplier = supplier._replace(seed=seed, temper=answer or supplier.temper)
    profiles = profiles_of(partner, resources.folder("partners"))
    door = open_door(profiles[0], data, hub)
    say: Callable[[str], None] = (lambda line: None) if quiet else (lambda line: click.echo(f"{partner:8} {line}"))
    return Robot(supplier, profiles, door, engine_codec(), Books(data / "robots" / f"{partner}.json"), say)
