"""Mail that says what waits: to those who may see it, of what is new, in their language and as often as they wish."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests import mailbox
from tests.fakes import FakeJobs
from tests.mailbox import Mailbox
from tests.people import PASSWORD
from tests.web.house import OURS, House, build, later, token_in
from tradehub.platform import clock
from tradehub.platform.db import Database
from tradehub.platform.http import Principal
from tradehub.platform.mail import Letter, Mail, MailServer
from tradehub.platform.schedules import Schedule
from tradehub.platform.security import User
from tradehub.platform.worklist import Entry, Section
from tradehub.web.notices import NOTIFY, Notices

URL = "https://hub.haidi.example"
VALVES = Entry("/deals/1", "N-2026-0001 \u00b7 Gate valve", "Ningbo Valves", ("turn", "Your turn"))
PUMPS = Entry("/deals/2", "N-2026-0002 \u00b7 Pump", "Rhein Armaturen")


@dataclass
class Office:
    """The house with mail: what stands in whose queue is ``queues``, by the person's name."""

    house: House
    jobs: FakeJobs
    box: Mailbox
    notices: Notices
    queues: dict[str, list[Entry]] = field(default_factory=dict)

    def tell(self, after: timedelta = timedelta(0)) -> list[str]:
        """Look into the queues, after a while, and return whom the letters that this makes are for."""
        before = len(self.box.letters)
        with later(after):
            self.notices.tell()
            self.jobs.drain()
        return sorted(each["To"].addresses[0].username for each in self.box.letters[before:])

    def text(self) -> str:
        return str(self.box.letters[-1].get_content()).replace("\r\n", "\n")


@pytest.fixture
def office(database: Database, tmp_path: Path, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with mailbox.opened() as box:
        monkeypatch.setenv("TRADEHUB_MAIL_SERVER", box.url)
        house = build(database, tmp_path, base_url=URL)
        jobs = FakeJobs(database)
        mail = Mail(jobs, MailServer.named(box.url), sender="hub@haidi.example", host="hub.haidi.example")
        queues: dict[str, list[Entry]] = {}

        def entries(_session: object, who: object) -> Sequence[Entry]:
            return queues.get(who.name, ())

        sections = [
            Section("turn", "Your turn", "deal.read", entries, "", "/deals"),
            Section("waiting", "Waiting for them", "deal.read", lambda *_: [PUMPS], "", "/deals", is_ours=False),
        ]
        yield Office(house, jobs, box, Notices(database, mail, sections, lambda: house.app), queues)


def test_a_letter_names_what_waits_and_where(office: Office) -> None:
    office.queues["Owner"] = [VALVES]
    assert office.tell() == ["owner"]
    letter = office.box.letters[0]
    assert letter["Subject"] == "Your turn: N-2026-0001 \u00b7 Gate valve"
    assert "Hello Owner," in office.text()
    assert "at Haidi Trading" in office.text()
    assert f"- N-2026-0001 \u00b7 Gate valve \u00b7 Ningbo Valves \u00b7 Your turn\n  {URL}/deals/1\n" in office.text()
    assert "Pump" not in office.text(), "what waits for others is nobody's work"


def test_nobody_is_told_twice_but_of_what_left_and_came_back(office: Office) -> None:
    office.queues["Owner"] = [VALVES]
    assert office.tell() == ["owner"]
    assert office.tell(timedelta(hours=1)) == []
    office.queues["Owner"] = []
    assert office.tell(timedelta(hours=2)) == []
    office.queues["Owner"] = [VALVES]
    assert office.tell(timedelta(hours=3)) == ["owner"]


def test_a_queue_that_stands_as_it_did_is_not_written_about(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each minute, for each person: nobody else could write to an embedded database meanwhile."""
    office.queues["Owner"] = [VALVES]
    assert office.tell() == ["owner"]
    writes: list[object] = []
    monkeypatch.setattr(Database, "transact", lambda _database, work, **_named: writes.append(work))
    with later(timedelta(hours=1)):
        office.notices.tell()
        assert writes == []
        office.queues["Owner"] = []
        office.notices.tell()
        assert len(writes) == 1


def test_what_comes_soon_after_comes_together(office: Office) -> None:
    office.queues["Owner"] = [VALVES]
    assert office.tell() == ["owner"]
    office.queues["Owner"] = [VALVES, PUMPS]
    assert office.tell(timedelta(minutes=9)) == []
    office.queues["Owner"] = [VALVES, PUMPS, Entry("/deals/3", "N-3"), Entry("/deals/4", "N-4")]
    assert office.tell(timedelta(minutes=10)) == ["owner"]
    assert office.box.letters[-1]["Subject"] == "3 things wait for you"
    assert "Gate valve" not in office.text()
    assert "1 thing that you know of waits as well." in office.text()


def test_a_long_queue_is_told_of_in_one_letter(office: Office) -> None:
    office.queues["Owner"] = [Entry(f"/deals/{number}", f"N-{number}") for number in range(100)]
    assert office.tell() == ["owner"]
    assert office.text().count(f"{URL}/deals/") == 40
    assert "And 60 more." in office.text()
    assert office.tell(timedelta(hours=1)) == []


def test_who_may_not_see_it_is_not_told_and_who_may_is_told_of_the_own(office: Office) -> None:
    office.queues |= {"Member": [VALVES], "Stranger": [PUMPS]}
    assert office.tell() == ["stranger"], "a member without a role sees no deals"
    assert "at Delta Fluid" in office.text()
    assert "Gate valve" not in office.text()


def test_who_has_left_is_not_told(office: Office) -> None:
    office.queues |= {"Owner": [VALVES], "Stranger": [PUMPS]}
    with office.house.hub.database.write() as session:
        office.house.security.remove_member(session, office.house.people["owner"], OURS)
        office.house.security.disable(session, office.house.people["stranger"])
    assert office.tell() == []


def test_a_letter_is_in_the_language_and_time_of_who_gets_it(office: Office) -> None:
    prefer(office, lang="zh_Hans", time_zone="Asia/Shanghai")
    office.queues["Owner"] = [Entry("/deals/1", "N-1", until=clock.now() + timedelta(hours=6)), PUMPS]
    assert office.tell() == ["owner"]
    assert re.search("[\u4e00-\u9fff]", office.box.letters[0]["Subject"])
    assert "2026\u5e743\u67083\u65e5 02:00:00" in office.text()
    assert "Hello" not in office.text()


def prefer(office: Office, **chosen: str) -> None:
    with office.house.hub.database.write() as session:
        office.house.security.set_preferences(session, office.house.people["owner"], **chosen)


def test_once_a_day_is_in_the_morning_of_who_gets_it(office: Office) -> None:
    prefer(office, mail="daily", time_zone="America/New_York")  # noon there is seven in the morning
    office.queues["Owner"] = [VALVES]
    assert office.tell() == []
    assert office.tell(timedelta(minutes=61)) == ["owner"]
    office.queues["Owner"] = [VALVES, PUMPS]
    assert office.tell(timedelta(hours=12)) == []
    assert office.tell(timedelta(hours=24, minutes=59)) == []
    assert office.tell(timedelta(hours=25)) == ["owner"]


def test_one_queue_that_breaks_keeps_nobody_else_waiting(office: Office) -> None:
    def broken(_session: object, who: Principal) -> list[Entry]:
        return [PUMPS] if who.name == "Stranger" else [Entry(f"/deals/{1 // 0}", "")]

    office.notices._sections = [replace(office.notices._sections[0], entries=broken)]
    with pytest.raises(ZeroDivisionError):
        office.notices.tell()
    office.jobs.drain()
    assert [each["To"].addresses[0].username for each in office.box.letters] == ["stranger"]


def test_two_workers_write_one_letter(office: Office) -> None:
    office.queues["Owner"] = [VALVES]
    one, inner = office.notices, office.notices._waiting

    def meanwhile(session: object, who: object) -> object:
        found = list(inner(session, who))
        one._waiting = inner
        one.tell()
        return iter(found)

    one._waiting = meanwhile
    assert office.tell() == ["owner"]


def test_the_wish_is_a_page_of_the_account_and_the_foot_of_each_letter(office: Office) -> None:
    secure = {"base_url": URL}
    client = owner(office)
    page = client.get("/account", **secure)
    assert 'action="/account/mail"' in page.text
    for wish, answer in (("daily", 303), ("hourly", 400)):
        made = client.post("/account/mail", data={"csrf_token": token_in(page), "mail": wish}, **secure)
        assert made.status_code == answer
    assert wish_of(office) == "daily"
    prefer(office, mail="at_once")
    office.queues["Owner"] = [VALVES]
    office.tell()
    way = re.search(rf"{URL}(/mail/stop/\S+)", office.text())[1]
    assert office.box.letters[0]["List-Unsubscribe"] == f"<{URL}{way}>"
    stranger = office.house.app.test_client()
    page = stranger.get(way, **secure)
    assert wish_of(office) == "at_once", "a mail program that looks at each link ends nothing"
    assert stranger.post(way, data={"csrf_token": token_in(page)}, **secure).status_code == 303
    assert wish_of(office) == "never"
    office.queues["Owner"] = [VALVES, PUMPS]
    assert office.tell(timedelta(days=1)) == []


def owner(office: Office) -> FlaskClient:
    """Return a browser in which the owner has signed in."""
    client = office.house.client()
    form = {
        "email": "owner@example.com",
        "password": PASSWORD,
        "csrf_token": token_in(client.get("/sign-in", base_url=URL)),
    }
    assert client.post("/sign-in", data=form, base_url=URL).status_code == 303
    return client


def wish_of(office: Office) -> str | None:
    with office.house.hub.database.read() as session:
        return session.get_one(User, office.house.people["owner"]).mail


def test_a_way_out_that_we_did_not_write_ends_nothing(office: Office) -> None:
    client = office.house.app.test_client()
    forged = f"/mail/stop/Im93bmVyIg.{'x' * 27}"
    page = client.get(forged, base_url=URL)
    assert page.status_code == 404
    form = {"csrf_token": token_in(client.get("/sign-in", base_url=URL))}
    assert client.post(forged, data=form, base_url=URL).status_code == 404
    assert wish_of(office) is None


def test_without_a_mail_server_nobody_is_asked_how_often(house: House) -> None:
    assert "/account/mail" not in house.signed_in("owner").get("/account").text


def test_the_clock_looks_only_while_there_is_a_mail_server(office: Office) -> None:
    database = office.house.hub.database
    without = Notices(
        database, Mail(FakeJobs(database), None, sender="hub@haidi.example", host="x"), [], lambda: office.house.app
    )
    for notices, there in ((office.notices, True), (without, False)):
        database.transact(notices.schedule)
        with database.read() as session:
            assert (session.get(Schedule, NOTIFY) is not None) is there


def test_the_job_tells_and_tidies(office: Office) -> None:
    office.notices.register(office.jobs)
    office.queues["Owner"] = [VALVES]
    with office.house.hub.database.write() as session:
        office.jobs.enqueue_in_tx(session, NOTIFY, "", id="tick")
    office.jobs.drain()
    assert len(office.box.letters) == 1
    with office.house.hub.database.write() as session:
        session.execute(update(Letter).values(closed_at=clock.now() - timedelta(days=40)))
        office.jobs.enqueue_in_tx(session, NOTIFY, "", id="tock")
    office.jobs.drain()
    with office.house.hub.database.read() as session:
        assert session.scalars(select(Letter)).all() == []


def test_who_manages_people_sees_whose_mail_does_not_arrive(office: Office) -> None:
    office.box.answers = ["550 5.1.1 no such mailbox"]
    office.queues["Owner"] = [VALVES]
    assert office.tell() == []
    page = owner(office).get("/users", base_url=URL).text
    assert "Mail does not arrive" in page
    assert "550 5.1.1 no such mailbox" in page
