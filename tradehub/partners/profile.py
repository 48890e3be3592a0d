"""A partner's profile: ``partners/<id>.yaml`` as a strict value. Every scalar arrives as text and is read here."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from tradehub.documents.parts import PartyId
from tradehub.edi.schema import Guide

LATER_CHANNELS = frozenset({"as2", "sftp", "ftps", "imap", "smtp", "mailbox", "webhook"})
"""Kinds that are planned and refused until they are built: a profile must not promise what nobody keeps."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,12}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError("must be true or false")


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return date.fromisoformat(value)
    raise ValueError("must be a day, YYYY-MM-DD")


def _span(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a duration such as 30s, 15m, 24h or 2d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = re.fullmatch(r"(\d{1,6})(B|KiB|MiB|GiB)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a size such as 512KiB or 20MiB")
    return int(found[1]) * _SIZES[found[2]]


def span_text(value: timedelta) -> str:
    """Return a duration as a profile spells it, in the largest unit that leaves no rest."""
    seconds = int(value.total_seconds())
    unit = next((unit for unit, size in reversed(_UNITS.items()) if seconds and seconds % size == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def _size_text(value: int) -> str:
    unit = next((unit for unit, size in reversed(_SIZES.items()) if value and value % size == 0), "B")
    return f"{value // _SIZES[unit]}{unit}"


def _reference(value: str) -> str:
    if not re.fullmatch(r"(env|file):[A-Za-z0-9_./-]+", value) or ".." in value or value.startswith("file:/"):
        raise ValueError("must be a reference, env:NAME or file:PATH inside the data folder, never the secret itself")
    return value


def _inside(value: str) -> str:
    if not value or value.startswith(("/", "~")) or ".." in value.split("/") or "\\" in value or "\0" in value:
        raise ValueError("must be a path inside the data folder")
    return value.strip("/")


def _cron(value: str) -> str:
    if not re.fullmatch(r"\S+( \S+){4}", value) or not re.fullmatch(r"[0-9*/,A-Za-z \-]+", value):
        raise ValueError("must be a cron line of five fields")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Day = Annotated[date, BeforeValidator(_day)]
Span = Annotated[timedelta, BeforeValidator(_span), PlainSerializer(span_text, return_type=str)]
Size = Annotated[int, BeforeValidator(_size), PlainSerializer(_size_text, return_type=str)]
SecretReference = Annotated[str, AfterValidator(_reference)]
FolderPath = Annotated[str, AfterValidator(_inside)]
Cron = Annotated[str, AfterValidator(_cron)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Direction = Literal["in", "out"]
Status = Literal["draft", "test", "live", "suspended", "closed"]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(Entry):
    """A name that the partner is known by. ``scheme`` says where."""

    scheme: Literal[
        "x12-isa", "x12-gs", "edifact-unb", "tradacoms", "ubl", "as2", "gln", "duns", "peppol", "vat", "email",
        "uscc", "lei",
    ]  # fmt: skip
    qualifier: str = Field(default="", max_length=4)
    value: Text
    usage: Literal["live", "test"] = "live"

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.scheme, self.qualifier, self.value)


class Contact(Entry):
    role: Text
    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    timezone: Text | None = None


class Certificate(Entry):
    """A certificate and the days between which it verifies and encrypts; several may overlap."""

    file: FolderPath
    use: tuple[Literal["sign", "encrypt", "tls-client", "tls-server-pin"], ...]
    verify_from: Day | None = None
    encrypt_from: Day | None = None
    until: Day | None = None


class Retry(Entry):
    """How often a message is tried again: after ``first``, then ``factor`` times longer each time, up to ``max``."""

    first: Span = timedelta(minutes=1)
    factor: Whole = 2
    max: Span = timedelta(hours=5)
    tries: Whole = 10


class PolledChannel(Entry):
    """A channel that we look into: by ``cron``, or ``every`` so many seconds."""

    cron: Cron | None = None
    every: Span | None = None

    @model_validator(mode="after")
    def _one_clock(self) -> PolledChannel:
        if (self.cron is None) == (self.every is None):
            raise ValueError("a polled channel has either cron or every")
        return self


class FolderChannel(PolledChannel):
    """Two folders under the data folder: the partner writes into ``in_dir`` and fetches from ``out_dir``."""

    kind: Literal["folder"]
    in_dir: FolderPath
    out_dir: FolderPath
    settle: Span = timedelta(seconds=1)
    max_bytes: Size = 20 * 1024**2
    retry: Retry = Retry()


class HttpChannel(Entry):
    """We POST to ``url`` with the token ``send_token``; the partner POSTs to us with ``receive_token``."""

    kind: Literal["http"]
    url: Annotated[str, Field(pattern=r"^(https?://|\$\{[A-Z0-9_]+:-https?://)\S+$", max_length=500)]
    send_token: SecretReference
    receive_token: SecretReference
    private_network: Flag = False
    timeout: Span = timedelta(seconds=20)
    max_bytes: Size = 20 * 1024**2
    retry: Retry = Retry()


class WebChannel(Entry):
    """People who work on our own pages; nothing is sent and nothing is fetched."""

    kind: Literal["web"]


Channel = Annotated[FolderChannel | HttpChannel | WebChannel, Field(discriminator="kind")]


Sign = Annotated[str, Field(pattern=r"^[^A-Za-z0-9 ]$")]


class Delimiters(Entry):
    segment: Sign = "~"
    element: Sign = "*"
    component: Sign = ">"


class Control(Entry):
    """What is done about a control number that was used before for other content, and for how long it is remembered."""

    check_duplicates: Literal["reject", "hold", "accept"] = "reject"
    window_days: Whole = 365


class X12Envelope(Entry):
    version: Annotated[str, Field(pattern=r"^\d{5}$")] = "00401"
    usage: Literal["P", "T"] = "P"
    delimiters: Delimiters = Delimiters()
    control: Control = Control()


class EdifactEnvelope(Entry):
    """``syntax`` is what was agreed on, for instance UNOC:3; without one, the narrowest that holds the texts."""

    syntax: Annotated[str, Field(pattern=r"^UNO[A-Z]:[1-4]$")] | None = None
    test: Flag = False
    control: Control = Control()


class UblEnvelope(Entry):
    profile: Text | None = None
    control: Control = Control()


class Envelope(Entry):
    x12: X12Envelope = X12Envelope()
    edifact: EdifactEnvelope = EdifactEnvelope()
    ubl: UblEnvelope = UblEnvelope()


class AckPolicy(Entry):
    """What answers a message: ``send`` for an inbound one, ``expect`` within how long for an outbound one."""

    send: Literal["997", "999", "CONTRL", "ApplicationResponse"] | None = None
    expect: Literal["997", "999", "CONTRL", "ApplicationResponse", "http"] | None = None
    within: Span = timedelta(hours=24)
    on_missing: Literal["task", "ignore"] = "task"


class AgreementEntry(Entry):
    """What was agreed on one message. One that is not ``enabled`` is kept, and nothing travels by it."""

    direction: Direction
    message: Annotated[str, Field(pattern=r"^(x12|edifact|ubl):[A-Za-z0-9]{2,40}:[A-Za-z0-9.]{1,12}$")]
    channel: Key
    enabled: Flag = True
    guide: Text | None = None
    ack: AckPolicy = AckPolicy()
    valid_from: Day | None = None
    valid_until: Day | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.direction, self.message)


TermClass = Literal[
    "remarks", "contacts", "notice_address", "document_format", "document_copies", "label_text", "marking", "line", "item",
    "unit", "quantity", "price", "currency", "payment", "charges", "delivery_date", "incoterm", "delivery_place",
    "delivery_mode", "warranty", "liability", "disputes", "law", "packaging", "inspection", "unknown",
]  # fmt: skip
"""The classes of terms by which negotiation judges what a changed acceptance is."""


class Negotiation(Entry):
    """How the partner and ``owner`` negotiate, beyond the law that governs it (docs/channels.md, What partners agree).

    ``reasonable_time`` is how long an offer without a period stays open, ``undue_delay`` how long an answer that needs
    no form may take, ``receipt_within`` when a receipt is overdue. ``materiality`` says of a class of terms
    (``delivery_date``, ``packaging`` ...) whether changing it makes an acceptance a counter-offer. ``chain_heads``: each
    message of a deal says which history of it its sender has.
    """

    law: Literal["CISG", "PRC", "UCC"] = "CISG"
    reasonable_time: Span = timedelta(days=14)
    undue_delay: Span = timedelta(days=2)
    receipt_within: Span = timedelta(days=1)
    rounds_max: Annotated[Whole, Field(ge=1)] | None = None
    materiality: dict[TermClass, Flag] = {}
    silence_accepts: Flag = False
    performance_accepts: Flag = False
    formation: Literal["agreement", "confirmation", "signature"] = "agreement"
    battle: Literal["last_shot", "knock_out"] = "last_shot"
    chain_heads: Flag = False


class Profile(Entry):
    """One partner of ``owner``: who it is, how it is reached, what was agreed. ``shared``: named to everybody.

    ``guides`` patch the maps of messages (docs/maps.md, A partner's guide); an agreement names the one it goes by.
    """

    version: Literal["1"] = Field(alias="schema")
    id: Key
    owner: Key
    name: Text
    status: Status
    shared: Flag = False
    roles: tuple[Text, ...] = ()
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    language: Text | None = None
    timezone: Text | None = None
    identities: tuple[Identity, ...] = ()
    contacts: tuple[Contact, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    channels: dict[Key, Channel] = {}
    envelope: Envelope = Envelope()
    negotiation: Negotiation = Negotiation()
    guides: dict[Key, Guide] = {}
    agreements: tuple[AgreementEntry, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_not_built(cls, given: Any) -> Any:
        channels = given.get("channels") if isinstance(given, dict) else None
        if isinstance(channels, dict):
            for name, channel in channels.items():
                kind = channel.get("kind") if isinstance(channel, dict) else None
                if kind in LATER_CHANNELS:
                    raise ValueError(f"channel {name}: kind {kind} is not built yet; folder, http and web are")
        return given

    @property
    def party(self) -> PartyId:
        return PartyId(self.id)

    @property
    def is_web(self) -> bool:
        return any(channel.kind == "web" for channel in self.channels.values())

    @property
    def is_active(self) -> bool:
        return self.status in ("test", "live")
