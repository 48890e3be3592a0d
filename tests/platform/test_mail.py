"""Letters: in the transaction of what they tell of, at least once, and never a header that somebody else has written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import mailbox
from tests.fakes import FakeJobs
from tests.mailbox import Mailbox
from tradehub.platform import clock, mail
from tradehub.platform.db import Database
from tradehub.platform.mail import Letter, Mail, MailServer, NoMailServer


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox.opened() as opened:
        yield opened


def post_office(jobs: FakeJobs, url: str) -> Mail:
    return Mail(jobs, MailServer.named(url) if url else None, sender="hub@haidi.example", host="hub.haidi.example")


def put(
    post: Mail, database: Database, *, name: str = "Lin Hai", subject: str = "Your turn", text: str = "7 valves"
) -> str:
    with database.write() as session:
        return post.put(
            session, user_id="lin", address="lin@haidi.example", name=name, subject=subject, text=text,
            headers={"List-Unsubscribe": "<https://hub.haidi.example/stop>"},
        )  # fmt: skip


def letter(database: Database) -> Letter:
    with database.read() as session:
        return session.scalars(select(Letter)).one()


@pytest.mark.usefixtures("noon")
def test_a_letter_arrives_as_it_was_written(database: Database, jobs: FakeJobs, box: Mailbox) -> None:
    id = put(
        post_office(jobs, box.url),
        database,
        name="\u6797\u6d77",
        subject="\u8f6e\u5230\u60a8: 7",
        text="\u9600\u95e8 7\n",
    )
    assert jobs.drain() == 1
    [came] = box.letters
    assert came["To"].addresses[0].addr_spec == "lin@haidi.example"
    assert came["To"].addresses[0].display_name == "\u6797\u6d77"
    assert came["From"].addresses[0].addr_spec == "hub@haidi.example"
    assert came["Subject"] == "\u8f6e\u5230\u60a8: 7"
    assert came.get_content().replace("\r\n", "\n") == "\u9600\u95e8 7\n"
    assert came["Message-ID"] == f"<{id}@hub.haidi.example>"
    assert came["Auto-Submitted"] == "auto-generated"
    assert came["List-Unsubscribe"] == "<https://hub.haidi.example/stop>"
    assert letter(database).closed_at == clock.now()
    assert letter(database).fault is None


def test_what_did_not_happen_is_told_to_nobody(database: Database, jobs: FakeJobs, box: Mailbox) -> None:
    post = post_office(jobs, box.url)
    with suppress(ZeroDivisionError), database.write() as session:
        post.put(session, user_id="lin", address="lin@haidi.example", name="Lin", subject="", text="")
        raise ZeroDivisionError
    assert jobs.drain() == 0
    assert box.letters == []


@pytest.mark.parametrize(
    "evil",
    ["x\r\nBcc: all@haidi.example", "x\nSubject: y", "x\u2028To: z", "x\0\r\n\r\nbody", "=?utf-8?q?a=0D=0ABcc:_b?="],
)
def test_no_value_begins_a_header_of_its_own(evil: str, database: Database, jobs: FakeJobs, box: Mailbox) -> None:
    put(post_office(jobs, box.url), database, name=evil, subject=evil, text="7 valves\n")
    jobs.drain()
    [came] = box.letters
    assert came["Bcc"] is None
    assert [len(came.get_all(name)) for name in ("To", "Subject", "From")] == [1, 1, 1]
    assert len(came["To"].addresses) == 1
    assert came.get_content().strip() == "7 valves"


def test_what_the_server_cannot_take_now_it_gets_later_under_the_same_name(
    database: Database, jobs: FakeJobs, box: Mailbox
) -> None:
    box.answers = ["451 4.3.2 try later", "452 4.2.2 mailbox full"]
    id = put(post_office(jobs, box.url), database)
    start = clock.now()
    for seconds in (0, 60, 120):
        with clock.frozen(start + timedelta(seconds=seconds)):
            jobs.drain()
    assert [each["Message-ID"] for each in box.letters] == [f"<{id}@hub.haidi.example>"]
    assert letter(database).fault is None


@pytest.mark.parametrize(
    ("answer", "said"), [("550 5.1.1 no such user", "550 5.1.1 no such user"), ("553 \u00e9", "553")]
)
def test_what_it_refuses_for_good_is_not_tried_again(
    answer: str, said: str, database: Database, jobs: FakeJobs, box: Mailbox
) -> None:
    box.answers = [answer]
    put(post_office(jobs, box.url), database)
    jobs.drain()
    assert letter(database).fault is not None
    assert said in letter(database).fault
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert jobs.drain() == 0
    assert box.letters == []


@pytest.mark.usefixtures("noon")
def test_a_server_that_is_gone_is_tried_for_three_days(database: Database, jobs: FakeJobs) -> None:
    with mailbox.opened() as gone:
        url = gone.url
    put(post_office(jobs, url), database)
    start, tries = clock.now(), 0
    for hours in range(80):
        with clock.frozen(start + timedelta(hours=hours)):
            tries += jobs.drain()
    assert 60 < tries < 90
    assert letter(database).closed_at == start + mail.TRIED_FOR
    assert "refused" in letter(database).fault


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A server that takes letters only under TLS and with a password; its certificate is one that this process trusts."""
    with mailbox.opened(tmp_path) as opened:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        yield opened


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
def test_a_wrong_password_is_mended_by_the_operator_and_loses_no_letter(
    scheme: str, database: Database, jobs: FakeJobs, guarded: Mailbox
) -> None:
    start, url = clock.now(), guarded.url.replace("smtp://", f"{scheme}://")
    put(post_office(jobs, url.replace("//", "//hub:wrong@")), database)
    jobs.drain()
    assert letter(database).closed_at is None
    mended = FakeJobs(database)
    mended.queue = jobs.queue
    post_office(mended, url.replace("//", "//hub:right%20horse@"))
    with clock.frozen(start + timedelta(hours=1)):
        mended.drain()
    assert list(dict.fromkeys(guarded.logins)) == [
        ("hub", "wrong"),
        ("hub", "right horse"),
    ]  # in each form, until one will do
    assert len(guarded.letters) == 1


def test_who_is_not_who_they_say_gets_neither_password_nor_letter(
    database: Database, jobs: FakeJobs, guarded: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    put(post_office(jobs, guarded.url.replace("//", "//hub:right%20horse@")), database)
    jobs.drain()
    assert (guarded.logins, guarded.letters) == ([], [])
    assert letter(database).closed_at is None


@pytest.mark.parametrize("url", ["smtp+starttls://", "smtp://hub:right%20horse@", "smtps://"])
def test_where_there_is_no_tls_no_password_goes_and_nothing_at_all_if_it_is_demanded(
    url: str, database: Database, jobs: FakeJobs, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "LOCAL", frozenset())
    monkeypatch.setattr(mail, "PATIENCE_S", 1)
    put(post_office(jobs, box.url.replace("smtp://", url)), database)
    jobs.drain()
    assert (box.logins, box.letters) == ([], [])
    assert letter(database).closed_at is None


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("smtp://mail.example", "mail.example", 25, ""),
        ("smtp+starttls://a%40b:p%3A@mail.example", "mail.example", 587, "a@b"),
        ("smtps://u:p@mail.example:2465", "mail.example", 2465, "u"),
    ],
)
def test_a_server_is_named_by_its_address(url: str, host: str, port: int, user: str) -> None:
    server = MailServer.named(url)
    assert (server.host, server.port, server.user) == (host, port, user)


@pytest.mark.parametrize(
    "url", ["mail.example", "http://u:secret@mail.example", "smtp://u:secret@", "smtp://u:secret@x:port"]
)
def test_what_names_no_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(NoMailServer) as refused:
        MailServer.named(url)
    assert "secret" not in str(refused.value)
    assert "TRADEHUB_MAIL_SERVER" in str(refused.value)


def test_letters_are_forgotten_when_nobody_asks_for_them_any_more(
    database: Database, jobs: FakeJobs, box: Mailbox
) -> None:
    post = post_office(jobs, box.url)
    put(post, database)
    jobs.drain()
    for days, kept in ((29, 1), (31, 0)):
        with clock.frozen(clock.now() + timedelta(days=days)), database.write() as session:
            post.tidy(session)
            assert len(session.scalars(select(Letter)).all()) == kept
