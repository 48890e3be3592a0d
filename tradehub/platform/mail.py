"""Mail to people: a letter is a row and the job that posts it, in the transaction of what it tells of.

The server is a setting (``TRADEHUB_MAIL_SERVER``); without one no letter is written. A letter leaves at least once: a
repeat carries the same Message-ID, by which mailboxes know it. What the server cannot take now is tried again for three
days; what it refuses for good is kept with its words.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform import clock, ids, metrics
from tradehub.platform.db import Base
from tradehub.platform.jobs import JobContext, Jobs, RetryLater

POST = "platform.post"
"""The job that posts a letter; its argument is the letter's id."""

TRIED_FOR = timedelta(days=3)
"""How long a letter is tried that the server cannot take now; as long as mail servers among themselves try."""

KEPT = timedelta(days=30)
"""How long a letter that has left, or was refused, is kept: long enough to answer why one did not arrive."""

PATIENCE_S = 30
"""How long the mail server may take for one answer."""

SUBJECT_MAX = 200
TOLD_MAX = 300
"""Characters kept of what a server says."""

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

log = structlog.get_logger(__name__)


class Letter(Base):
    """Mail to one person. ``closed_at`` is set once: it has left, or ``fault`` says why it never will."""

    __tablename__ = "letter"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), index=True)
    address: Mapped[str] = mapped_column(String(254))
    name: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    headers: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    fault: Mapped[str | None]


class NoMailServer(ValueError):
    """The setting names no mail server that letters may be handed to."""


@dataclass(frozen=True)
class MailServer:
    """Where letters are handed in, as ``smtp+starttls://user:password@mail.example:587`` says it.

    ``smtp`` uses TLS where the server offers it, ``smtp+starttls`` refuses to go on without, ``smtps`` begins with it. A
    password goes over no plain connection, but to this machine itself.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    @classmethod
    def named(cls, url: str) -> MailServer:
        """Raises NoMailServer, which names the setting and never the password."""
        parts = urlsplit(url)
        try:
            port = parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            port = 0
        if parts.scheme not in PORTS or not parts.hostname or not port:
            raise NoMailServer(
                "TRADEHUB_MAIL_SERVER is smtp://, smtp+starttls:// or smtps://, then USER:PASSWORD@ where it asks for "
                "them, then HOST or HOST:PORT"
            )
        return cls(parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))

    @contextmanager
    def connected(self) -> Iterator[smtplib.SMTP]:
        """Raises OSError or SMTPException."""
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE_S, context=context)
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=PATIENCE_S)
        with connection:
            connection.ehlo_or_helo_if_needed()
            is_private = self.scheme == "smtps"
            if not is_private and (self.scheme == "smtp+starttls" or connection.has_extn("starttls")):
                connection.starttls(context=context)
                is_private = True
            if self.user:
                if not is_private and self.host not in LOCAL:
                    raise smtplib.SMTPNotSupportedError(
                        "the server offers no TLS, and the password goes over no other way"
                    )
                connection.login(self.user, self.password)
            yield connection


class Mail:
    """The letters of one hub. ``sender`` is the address that they come from; ``host`` names the hub in Message-IDs."""

    def __init__(self, jobs: Jobs, server: MailServer | None, *, sender: str, host: str) -> None:
        self._jobs = jobs
        self._server = server
        self._sender = sender
        self._host = host
        jobs.register(POST, self._post)

    @property
    def is_on(self) -> bool:
        return self._server is not None

    def put(
        self, session: Session, *, user_id: str, address: str, name: str, subject: str, text: str,
        headers: Mapping[str, str] = {},
    ) -> str:  # fmt: skip
        """Let a letter leave when the caller's transaction is committed, and return its id."""
        letter = Letter(
            id=ids.new_id(), user_id=user_id, address=address, name=one_line(name), subject=one_line(subject),
            text=text, headers=dict(headers), created_at=clock.now(),
        )  # fmt: skip
        session.add(letter)
        session.flush()
        self._jobs.enqueue_in_tx(session, POST, letter.id, id=f"post:{letter.id}")
        return letter.id

    def tidy(self, session: Session) -> None:
        """Forget letters that were done with long ago."""
        session.execute(delete(Letter).where(Letter.closed_at < clock.now() - KEPT))

    def message(self, letter: Letter) -> EmailMessage:
        """Return the letter as it leaves. No value of it can begin a header of its own: each is one line."""
        message = EmailMessage()
        message["From"] = Address("tradehub", addr_spec=self._sender)
        message["To"] = Address(letter.name, addr_spec=letter.address)
        message["Subject"] = letter.subject
        message["Date"] = letter.created_at
        message["Message-ID"] = f"<{letter.id}@{self._host}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered
        for name, value in letter.headers.items():
            message[name] = one_line(value)
        message.set_content(letter.text)
        return message

    def _post(self, ctx: JobContext, letter_id: str) -> None:
        with self._jobs.database.read() as session:
            letter = session.get(Letter, letter_id)
        if letter is None or letter.closed_at is not None:
            return
        fault = self._handed_over(letter)
        with ctx.write() as session:
            row = session.get_one(Letter, letter_id)
            row.closed_at, row.fault = clock.now(), fault
        metrics.LETTERS.labels("refused" if fault else "sent").inc()

    def _handed_over(self, letter: Letter) -> str | None:
        """Return None where the letter has left, or why it never will. Raises RetryLater."""
        try:
            if self._server is None:
                raise OSError("there is no mail server any more")
            message = self.message(letter)
            with self._server.connected() as connection:
                connection.send_message(message, self._sender, [letter.address])
        except (OSError, smtplib.SMTPException, ValueError) as error:
            said, is_final = _said(error)
            if not is_final and clock.now() - letter.created_at < TRIED_FOR:
                raise RetryLater(reason=said) from error
            log.warning("a letter was not delivered", letter=letter.id, user=letter.user_id, said=said)
            return said
        return None


def one_line(text: str) -> str:
    """Return a text that may stand in a header: one line, of bounded length."""
    plain = "".join(each if each.isprintable() else " " for each in text)
    plain = plain.replace("=?", "= ?")  # no encoded word (RFC 2047): what it hides would be read as it says
    return " ".join(plain.split())[:SUBJECT_MAX]


def _said(error: Exception) -> tuple[str, bool]:
    """Return what the server said, and whether it will say the same tomorrow (RFC 5321, 4.2.1: 5yz)."""
    words: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, words = error.smtp_code, error.smtp_error
    else:
        is_ours = isinstance(error, ValueError) and not isinstance(error, OSError)  # a certificate's fault is both
        return one_line(str(error) or type(error).__name__)[:TOLD_MAX], is_ours
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    is_about_us = isinstance(error, smtplib.SMTPAuthenticationError)  # mended by the operator, not by another letter
    return one_line(f"{code} {told}")[:TOLD_MAX], code >= 500 and not is_about_us
