"""The pages of signing: from two browsers to a signed contract, and what each of them is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest

from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven, window
from tests.contracting.test_signing import RSA, brought
from tests.negotiation.pages import form_fields, text_of
from tests.people import PASSWORD
from tests.web.house import post
from tradehub.contracting import keyring, typesetting
from tradehub.contracting.typesetting import NoTypesetter
from tradehub.contracting.verify_evidence import verify
from tradehub.platform import clock
from tradehub.platform.security import FRESH_FOR


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    proven = made.build(tmp_path_factory.mktemp("pages") / "data")
    made.let_in(proven)
    return proven


@pytest.fixture(scope="module")
def contract(house):
    return house.contract(DELTA)


@contextmanager
def later() -> Iterator[None]:
    """So long after signing in that the password is asked for again."""
    with clock.frozen(clock.now() + FRESH_FOR):
        yield


def test_two_people_sign_in_turn_with_a_held_key_and_a_brought_one(house, contract):
    lin, dana = window(house, "lin"), window(house, "dana")
    at = f"/contracts/{contract.id}"
    answer = post(lin, "/contracts/keys", page="/contracts/keys", origin="made", password=PASSWORD)
    assert answer.status_code == 303, answer.text
    page = lin.get(at).text
    assert "Put up for signature" in page
    assert f"{at}/sign" not in dana.get("/").text
    assert post(lin, f"{at}/prepare", page=at).headers["Location"] == f"{at}/sign"
    assert f'href="{at}/sign"' in dana.get("/").text

    form = dict(form_fields(lin.get(f"{at}/sign").text, f"{at}/sign"))
    assert "password" not in form
    refused = lin.post(f"{at}/sign", data={**form, "password": "wrong password"})
    assert (refused.status_code, "This is not your password" in refused.text) == (422, True)
    with later():
        assert 'name="password"' in lin.get(f"{at}/sign").text
        stale = lin.post(f"{at}/sign", data=form)
        assert (stale.status_code, "password once more" in stale.text) == (422, True)
        assert lin.post(f"{at}/sign", data={**form, "password": PASSWORD}).headers["Location"] == at
    assert "Not signed yet" in text_of(dana.get(at).text)

    assert re.search(r'name="pkcs12" value="" required', dana.get(f"{at}/sign").text), "nobody holds a key for her"
    form = dict(form_fields(dana.get(f"{at}/sign").text, f"{at}/sign"))
    assert form["key"] == "brought"
    stale = dana.post(f"{at}/sign", data={**form, "password": PASSWORD, "json_sha256": "0" * 64, **_key()})
    assert (stale.status_code, "has changed since" in stale.text) == (409, True)
    wrong = dana.post(f"{at}/sign", data={**form, "password": PASSWORD, **_key("no")})
    assert (wrong.status_code, "no PKCS#12 file" in wrong.text) == (422, True)
    nothing = dana.post(f"{at}/sign", data={**form, "password": PASSWORD})
    assert "Choose the file" in nothing.text
    good = dana.post(f"{at}/sign", data={**form, "password": PASSWORD, **_key()})
    assert good.status_code == 303, text_of(good.text)

    assert not any(f"{at}/sign" in each.get("/").text for each in (lin, dana))
    shown = text_of(lin.get(at).text)
    assert shown.count("Signed") >= 2
    assert "key held by the hub" in shown
    assert "key brought for this signature" in shown
    archive = lin.get(f"{at}/evidence")
    assert archive.headers["Content-Disposition"] == f'attachment; filename="evidence-{contract.number}.zip"'
    assert sum("signed by" in each.detail for each in verify(archive.data)) == 2
    assert dana.get(f"{at}/pdf").data.startswith(b"%PDF-")
    assert dana.get(f"{at}/xml").data.count(b"<ds:Signature ") == 2
    again = lin.post(f"{at}/sign", data={**form, "password": PASSWORD, "key": "held"})
    assert again.status_code == 400  # the form was another session's


def _key(password: str = "pw") -> dict[str, object]:
    return {"pkcs12": (BytesIO(brought(RSA, at=clock.now())), "key.p12"), "pkcs12_password": password}


def test_a_viewer_reads_and_a_stranger_finds_nothing(house, contract):
    at = f"/contracts/{contract.id}"
    vera, zoe = window(house, "vera"), window(house, "zoe")
    assert "Put up for signature" not in vera.get(at).text
    for what in ("pdf", "xml", "json", "evidence"):
        assert vera.get(f"{at}/{what}").status_code == 200
        assert zoe.get(f"{at}/{what}").status_code == 404
    assert vera.get(f"{at}/sign").status_code == 403
    assert zoe.get(f"{at}/sign").status_code == 404
    assert post(zoe, f"{at}/prepare", page="/contracts/keys").status_code == 404
    assert vera.get("/contracts/keys").status_code == 403


def test_keys_are_retired_and_nobody_elses_is_seen(house):
    lin, zoe = window(house, "lin"), window(house, "zoe")
    with house.hub.database.read(org=HAIDI) as session:
        key = keyring.listed(session, HAIDI)
    if not key:
        post(lin, "/contracts/keys", page="/contracts/keys", origin="made", password=PASSWORD)
        with house.hub.database.read(org=HAIDI) as session:
            key = keyring.listed(session, HAIDI)
    with later():
        assert post(lin, "/contracts/keys", page="/contracts/keys", origin="made").status_code == 422
    assert key[0].fingerprint not in zoe.get("/contracts/keys").text
    assert post(zoe, f"/contracts/keys/{key[0].id}/retire", page="/contracts/keys").status_code == 404
    assert post(lin, f"/contracts/keys/{key[0].id}/retire", page="/contracts/keys").status_code == 303
    assert "Retired" in lin.get("/contracts/keys").text


def test_passwords_are_not_guessed_here_either(house):
    guess = window(house, "max")
    for _ in range(10):
        assert (
            "not your password"
            in post(guess, "/contracts/keys", page="/contracts/keys", origin="made", password="x").text
        )
    closed = post(guess, "/contracts/keys", page="/contracts/keys", origin="made", password=PASSWORD)
    assert (closed.status_code, "Too many wrong passwords" in closed.text) == (422, True)


def test_templates_are_written_previewed_saved_as_versions_and_used(house):
    lin, dana, zoe = window(house, "lin"), window(house, "dana"), window(house, "zoe")
    new = "/contracts/templates/new"
    assert 'name="language" value="zh_Hans"' in lin.get(new, headers={"Accept-Language": "zh-CN"}).text
    wrong = post(lin, "/contracts/templates", page=new, name="Frame", language="en", text="# {{buyr}}")
    assert wrong.status_code == 422
    assert "Line 1, column 3, “buyr”: there is no placeholder of this name." in text_of(wrong.text)
    hostile = "# {{buyer}} <script>alert(1)</script>\n\n{% raw %}{{7*7}}"
    assert post(lin, "/contracts/templates", page=new, name="Frame", language="en", text=hostile).status_code == 422
    made_ = post(
        lin, "/contracts/templates", page=new, name="Frame", language="en", text="# Of {{buyer}} <i>x</i> {% x %}"
    )
    assert made_.status_code == 303
    at = made_.headers["Location"]
    assert "&lt;i&gt;x&lt;/i&gt; {% x %}" in lin.get(at).text
    taken = post(lin, "/contracts/templates", page=new, name=" Frame ", language="en", text="x")
    assert (taken.status_code, "of this name" in taken.text) == (422, True)
    text = "# {{contract_number}}\n{{line_item}}"
    preview = post(lin, "/contracts/templates/preview", page=new, language="zh_Hans", text=text)
    assert "Line 2, column 1, “line_item”" in preview.text
    assert post(lin, at, page=at, text="# Second {{seller}}").status_code == 303
    assert 'value="Frame"' not in lin.get(at).text
    assert "Second" in lin.get(at).text
    assert "Of " in lin.get(f"{at}?version=1").text
    assert zoe.get(at).status_code == 404
    assert dana.get(at).status_code == 404

    contract = house.contract(HAIDI)
    page = f"/contracts/{contract.id}"
    chinese = post(
        lin, "/contracts/templates", page=new, name="框架", language="zh_Hans", text="# 合同 {{contract_number}}"
    )
    template_id = chinese.headers["Location"].rsplit("/", 1)[1]
    assert post(lin, f"{page}/template", page=page, template_id=template_id, language="zh_Hans").status_code == 303
    assert "框架" in lin.get(page).text
    clauses = lin.get(f"{page}/json").json["clauses"]
    assert clauses == {"zh_Hans": f"# 合同 {contract.number}"}
    assert post(lin, f"{page}/template", page=page, template_id="", language="zh_Hans").status_code == 303
    assert "货物买卖合同" in lin.get(f"{page}/json").json["clauses"]["zh_Hans"]


def test_without_weasyprint_the_page_says_so_and_the_print_view_remains(house, monkeypatch):
    def missing():
        raise NoTypesetter("no library")

    monkeypatch.setattr(typesetting, "_weasyprint", missing)
    lin = window(house, "lin")
    contract = house.contract(HAIDI)
    page = lin.get(f"/contracts/{contract.id}").text
    assert "WeasyPrint is not installed" in page
    assert re.search(r"contracts/\w+/pdf", page) is None
    assert lin.get(f"/contracts/{contract.id}/pdf").status_code == 404
    assert lin.get(f"/contracts/{contract.id}/print").status_code == 200
    assert verify(lin.get(f"/contracts/{contract.id}/evidence").data)


def test_ceilings_are_proposed_agreed_to_and_called_off_from(house):
    lin, dana = window(house, "lin"), window(house, "dana")
    contract = house.contract(DELTA)
    at = f"/contracts/{contract.id}"
    today = clock.now().date()
    period = {"valid_from": today.isoformat(), "valid_until": today.isoformat()}
    for typed, sentence in {"many": "Write a number", "1,010": "without a comma", "-1": "Not less than zero"}.items():
        wrong = post(lin, f"{at}/blanket", page=f"{at}/blanket", **period, **{"quantity.0": typed})
        assert (wrong.status_code, sentence in wrong.text) == (422, True)
    none = post(lin, f"{at}/blanket", page=f"{at}/blanket", **period)
    assert (none.status_code, "at least one ceiling" in none.text) == (409, True)
    good = post(lin, f"{at}/blanket", page=f"{at}/blanket", **period, ceiling="20000", **{"quantity.0": "300"})
    assert good.status_code == 303
    assert "Proposed by Haidi Trading" in text_of(lin.get(at).text)
    assert [f"{at}#blanket" in each.get("/").text for each in (lin, dana)] == [False, True]
    assert post(lin, f"{at}/blanket/agree", page=at, revision=1).status_code == 409
    assert post(dana, f"{at}/blanket/agree", page=at, revision=1).status_code == 303

    review = post(lin, f"{at}/call-off", page=f"{at}/call-off", **{"quantity.0": "200"})
    assert "15,410.00" in text_of(review.text)
    sent = lin.post(f"{at}/call-off", data={**dict(form_fields(review.text, f"{at}/call-off")), "step": "send"})
    assert sent.status_code == 303
    shown = text_of(lin.get(at).text)
    assert "4,590.00" in shown
    over = post(lin, f"{at}/call-off", page=f"{at}/call-off", **{"quantity.0": "101"})
    assert (over.status_code, "Line 1: More than the line’s quantity that is left. (101 > 100)" in text_of(over.text)) == (
        409, True,
    )  # fmt: skip
    theirs = post(dana, f"{at}/call-off", page=f"{at}/call-off", step="send", **{"quantity.0": "1"})
    assert (theirs.status_code, "Only the buyer" in theirs.text) == (409, True)
