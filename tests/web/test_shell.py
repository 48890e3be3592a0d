"""What every answer carries, what an error shows, and the small habits of the pages."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from tests.web.house import OURS, Crate, House, build, post, token_in
from tradehub.platform import clock, ids
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry
from tradehub.web import headers, words

WEB = Path(headers.__file__).parent
TEMPLATES = sorted(path for path in WEB.parent.glob("*/templates/**/*.html") if path.parts[-3] != "cli")
"""Of the pages that are served; what the command line writes is a file that stands alone, under no policy."""


def test_every_answer_carries_the_policy(house: House) -> None:
    client = house.signed_in("owner")
    for url in ("/", "/sign-in", "/nowhere", "/broken", "/static/skin.css", "/health", "/account", "/static/nowhere"):
        answer = client.get(url, buffered=True)
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ), url
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in answer.headers
        assert answer.headers["Cache-Control"] == ("no-cache" if url == "/static/skin.css" else "no-store"), url


def test_over_https_cookies_are_bound_to_the_host(database: Database, tmp_path: Path) -> None:
    house = build(database, tmp_path, base_url="https://hub.example")
    client = house.client()
    page = client.get("/sign-in", base_url="https://hub.example")
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    form = {"csrf_token": token_in(page), "email": "owner@example.com", "password": "correct horse battery"}
    answer = client.post("/sign-in", data=form, base_url="https://hub.example")
    assert answer.status_code == 303
    for cookie in [*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]:
        assert re.match(r"__Host-\w+=[^;]*;.*Secure; HttpOnly; Path=/; SameSite=Lax$", cookie), cookie
    assert client.get("/sign-in", base_url="https://evil.example").status_code == 400


@pytest.mark.parametrize(
    "alien",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_a_token(house: House, alien: dict[str, str]) -> None:
    client = house.signed_in("owner")
    form = {"csrf_token": token_in(client.get("/account")), "form_id": ids.new_id()}
    assert client.post("/deals/crate-1/label", data=form, headers=alien).status_code == 400
    assert client.post("/deals/crate-1/label", data=form, headers={"Origin": "http://localhost"}).status_code == 303


def test_the_token_of_another_session_is_refused(house: House) -> None:
    theirs = token_in(house.signed_in("stranger").get("/account"))
    client = house.signed_in("owner")
    form = {"csrf_token": theirs, "form_id": ids.new_id()}
    assert client.post("/deals/crate-1/label", data=form).status_code == 400


def test_a_form_posted_twice_acts_once_and_ends_at_the_same_page(house: House) -> None:
    client = house.signed_in("owner")
    form_id = ids.new_id()
    answers = [post(client, "/deals/crate-1/label", form_id=form_id) for _ in range(3)]
    assert {(each.status_code, each.headers["Location"]) for each in answers} == {(303, "/deals/crate-1")}
    with house.hub.database.read() as session:
        assert session.get_one(Crate, "crate-1").label == "Ours!"


def test_errors_are_pages_for_people_and_problems_for_programs(house: House) -> None:
    assert "Haidi Trading" in house.signed_in("owner").get("/nowhere").text
    for url, status in (("/nowhere", 404), ("/broken", 500)):
        page = house.client().get(url)
        assert page.status_code == status
        assert "<h1>" in page.text
        assert "secret detail" not in page.text
        problem = house.client().get(url, headers={"Accept": "application/json"})
        assert problem.status_code == status
        assert problem.mimetype == "application/problem+json"
        assert problem.json["status"] == status
        assert "secret detail" not in problem.text
    assert house.client().post("/exchange/http/nordic").mimetype == "application/problem+json"
    assert house.client().post("/exchange/http/nordic").headers["WWW-Authenticate"].startswith("Bearer")


def test_too_large_a_request_is_refused(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token(OURS, 'exchange.send')}"}
    assert house.client().post("/exchange/http/nordic", data=b"x", headers=headers).status_code == 200
    client = house.client()
    field = (
        b'--B\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + b"x" * (2 * 1024 * 1024 + 1) + b"\r\n--B--\r\n"
    )
    assert client.post("/sign-in", data=field, content_type="multipart/form-data; boundary=B").status_code == 413
    assert client.post("/sign-in", data=b"x" * (10 * 1024 * 1024 + 1)).status_code == 413


def test_health_and_figures(house: House) -> None:
    assert house.client().get("/health").json == {"status": "up", "database": "up"}
    assert "tradehub_http_requests_total" in house.client().get("/metrics").text
    away = {"X-Forwarded-For": "203.0.113.9"}
    assert house.client().get("/metrics", headers=away).status_code == 404
    token = {"Authorization": f"Bearer {house.token(OURS, 'metrics.read')}"}
    assert house.client().get("/metrics", headers=away | token).status_code == 200


def test_a_token_that_is_over_opens_nothing(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token(OURS, 'exchange.send', life=timedelta(hours=1))}"}
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert house.client().post("/exchange/http/nordic", headers=headers).status_code == 401


def test_home_is_the_work_queue(database: Database, tmp_path: Path) -> None:
    rows = [Entry(f"/deals/{n}", f"N-{n} & Co", status=("turn", "Your turn"), at=clock.now()) for n in range(20)]
    house = build(database, tmp_path, entries=lambda _session, _who: rows)
    page = house.signed_in("owner").get("/").text
    assert page.count("data-row") == 8
    assert 'href="/deals/0"' in page
    assert "N-0 &amp; Co" in page
    assert "N-0 &amp; Co" not in house.signed_in("member").get("/").text


def test_what_the_other_side_has_to_do_is_no_work_of_ours(database: Database, tmp_path: Path) -> None:
    rows = [Entry("/deals/1", "N-1", status=("wait", "Waiting for them"), at=clock.now())]
    page = (
        build(database, tmp_path, entries=lambda _session, _who: rows, is_ours=False).signed_in("owner").get("/").text
    )
    assert "Nothing waits for you." in page
    assert 'href="/deals/1"' in page


def test_from_a_page_that_was_posted_to_one_goes_on_to_one_that_can_be_asked_for(house: House) -> None:
    client = house.signed_in("owner")
    refused = post(client, "/account/password", old="not mine", new="whatever it is")
    assert refused.status_code == 422
    assert 'data-posted="/account"' in refused.text
    assert 'name="next" value="/account"' in refused.text
    assert client.get("/account").status_code == 200
    assert "data-posted" not in client.get("/account").text


def test_a_search_that_finds_one_page_opens_it(database: Database, tmp_path: Path) -> None:
    def search(_session: object, _who: object, words: str) -> list[Entry]:
        return [Entry(f"/deals/{each}", each) for each in ("A-1", "A-2") if each.startswith(words)]

    client = build(database, tmp_path, search=search).signed_in("owner")
    assert client.get("/search?q=A-2").headers["Location"] == "/deals/A-2"
    assert client.get("/search?q=A").text.count("data-row") == 2
    assert "A-1" not in client.get("/search?q=nothing").text


def test_language_follows_person_then_cookie_then_browser(house: House) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    page = house.client().get("/sign-in", headers=chinese).text
    assert '<html lang="zh-Hans"' in page
    assert "\u767b\u5f55" in page
    assert '<html lang="en"' in house.client().get("/sign-in", headers={"Accept-Language": "fr"}).text
    client = house.signed_in("owner")
    assert post(client, "/lang/zh_Hans", next="/account").headers["Location"] == "/account"
    client.delete_cookie("lang")
    assert '<html lang="zh-Hans"' in client.get("/account", headers={"Accept-Language": "en"}).text
    assert post(client, "/lang/tlh").status_code == 404


def test_colours_are_kept(house: House) -> None:
    client = house.client()
    assert "data-bs-theme" not in client.get("/sign-in").text
    client.post("/theme", data={"theme": "dark", "csrf_token": token_in(client.get("/sign-in"))})
    assert 'data-bs-theme="dark"' in client.get("/sign-in").text


def test_numbers_and_days_are_written_as_the_reader_does(house: House) -> None:
    with house.app.test_request_context(headers={"Accept-Language": "en"}):
        assert words.amount(Decimal("12.5")) == "12.50"
        assert words.amount(Decimal("1234.12345")) == "1,234.12345"
        assert words.number(Decimal("24000.00")) == "24,000"
        assert words.number(Decimal("0.5")) == "0.5"
        assert words.day(clock.now().date().replace(2026, 3, 2)) == "2 Mar 2026"
        assert words.ago(clock.now() - timedelta(hours=3, seconds=1)) == "3 hours ago"
        assert words.ago(clock.now() + timedelta(days=2, seconds=9)) == "in 2 days"


def test_vendored_files_are_what_their_list_says() -> None:
    vendor = WEB / "static" / "vendor"
    listed = dict(reversed(line.split()) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    present = {each.name for each in vendor.iterdir() if each.suffix in (".css", ".js", ".svg", ".woff2")}
    assert listed.keys() == present
    for name, digest in listed.items():
        assert sha256((vendor / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_keep_to_the_policy(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(
        r"""\sstyle\s*=|<[a-z][^>{]*\son\w+\s*=|javascript:|\|\s*safe\b|hx-on|hx-vals\s*=\s*["']js""", source
    )
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source, re.DOTALL):
        assert "csrf" in form, form[:200]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_icons_that_a_template_names_exist(template: Path) -> None:
    sprite = (WEB / "static" / "vendor" / "tabler-icons.svg").read_text()
    for name in re.findall(r"kit\.icon\('([a-z0-9-]+)'\)", template.read_text(encoding="utf-8")):
        assert f'id="{name}"' in sprite, name
