"""Files that go with an offer or with words: what is taken, who sees it, and that its hash is a term."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.negotiation.conftest import BUYER, DELTA, RHEIN, SELLER, terms
from tests.negotiation.pages import Browser, build, form_fields, text_of
from tests.negotiation.test_api import Client, priced, token
from tests.negotiation.words import HAIDI, NINGBO
from tradehub.documents.parts import Attachment
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import attachments, store
from tradehub.negotiation.attachments import PDF, TEXT, Unfit, clean_name, kind_of
from tradehub.negotiation.model import Kind, State
from tradehub.negotiation.recording import Actor, NotFound

DRAWING = b"%PDF-1.7\nvalve, revision C\n"
OTHER = b"%PDF-1.7\nvalve, revision D\n"
DIGEST = sha256(DRAWING).hexdigest()


def packed(*names: str, first: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        if first:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, "<x/>")
    return out.getvalue()


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


@pytest.fixture
def deal(house) -> str:
    return house.deal_with(DELTA)


def attach(house, actor, deal, name="V-22.pdf", content=DRAWING) -> Attachment:
    with house.database.write(actor.party) as session:
        row = house.service.attach(session, actor, deal, name, content)
        return Attachment(name=row.name, mime=row.media_type, sha256=row.sha256)


def seen(house, org, deal) -> list[str]:
    with house.database.read(org) as session:
        return [each.sha256 for each in house.service.files(session, deal)]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (DRAWING, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"II*\0....", "image/tiff"),
        (b"AC1032....", "image/vnd.dwg"),
        (b"ISO-10303-21;\nHEADER;\n", "model/step"),
        (b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n", "image/vnd.dxf"),
        ("\ufeff件号;数量\n1;2\n".encode(), "text/plain"),
        (packed("[Content_Types].xml", "word/document.xml"),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (packed("content.xml", first="application/vnd.oasis.opendocument.spreadsheet"),
         "application/vnd.oasis.opendocument.spreadsheet"),
    ],
)  # fmt: skip
def test_what_a_file_is_its_content_says(content, media_type):
    kind = kind_of(content)
    assert kind is not None
    assert kind.media_type == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\0\x03", b"\x7fELF\x02", b"<!DOCTYPE html><script>", b"\xef\xbb\xbf <svg onload=x>", b"#!/bin/sh\n",
        b"@echo off\r\n", b"plain\0text", b"\xff\xfe\x00", packed("setup.exe"),
        packed("xl/workbook.xml", "xl/vbaProject.bin"), b"PK\x03\x04",
    ],
)  # fmt: skip
def test_what_might_run_or_cannot_be_told_is_not_taken(content):
    assert kind_of(content) is None


@pytest.mark.parametrize(
    ("name", "kind", "clean"),
    [
        ("V-22 rev C.pdf", PDF, "V-22 rev C.pdf"),
        ("../../etc/passwd", TEXT, "passwd.txt"),
        (r"C:\temp\阀门 图纸.PDF", PDF, "阀门 图纸.PDF"),
        ("run.bat", TEXT, "run.bat.txt"),
        ("invoice\u202efdp.exe", PDF, "invoicefdp.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", PDF, "aSet-Cookie_ x.pdf"),
        ("", PDF, "file.pdf"),
        ("..", PDF, "file.pdf"),
        (".pdf", PDF, "pdf.pdf"),
        ('"><script>.csv', TEXT, "___script_.csv"),
        ("x" * 300 + ".pdf", PDF, "x" * (attachments.NAME_MAX - 4) + ".pdf"),
    ],
)
def test_a_name_is_no_path_and_ends_in_what_the_content_is(name, kind, clean):
    assert clean_name(name, kind) == clean


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "EMPTY"), (b"MZ\0", "UNKNOWN_TYPE"), (DRAWING + b" " * attachments.FILE_MAX, "TOO_LARGE")],
)
def test_what_is_not_taken_says_why(house, deal, content, code):
    with pytest.raises(Unfit) as unfit:
        attach(house, BUYER, deal, content=content)
    assert unfit.value.code == code


def test_no_more_files_are_kept_than_anybody_sends(house, deal, monkeypatch):
    monkeypatch.setattr("tradehub.negotiation.attaching.UNSENT_MAX", 1)
    attach(house, BUYER, deal)
    attach(house, BUYER, deal)
    with pytest.raises(Unfit, match="TOO_MANY"):
        attach(house, BUYER, deal, content=OTHER)


def test_a_partner_that_reads_messages_alone_is_named_a_file(house):
    deal = house.deal_with(NINGBO)
    attach(house, BUYER, deal)
    assert seen(house, HAIDI, deal) == [DIGEST]


def test_the_other_side_sees_a_file_once_an_offer_names_it_and_nobody_else_ever(house, deal):
    drawing = attach(house, SELLER, deal)
    assert (seen(house, DELTA, deal), seen(house, HAIDI, deal)) == ([DIGEST], [])
    with house.database.read(HAIDI) as session, pytest.raises(NotFound):
        house.service.file(session, deal, DIGEST)
    house.do(SELLER, "make_offer", deal, replace(terms("12.40", None, None), attachments=(drawing,)))
    with house.database.read(HAIDI) as session:
        row, content = house.service.file(session, deal, DIGEST)
        assert (row.name, content) == ("V-22.pdf", DRAWING)
    with house.database.read(RHEIN) as session, pytest.raises(NotFound):
        house.service.file(session, deal, DIGEST)
    with house.database.write(RHEIN) as session, pytest.raises(NotFound):
        house.service.attach(session, Actor(RHEIN), deal, "x.pdf", OTHER)


def test_the_terms_hash_covers_the_content_of_a_file(house, deal):
    drawing, other = attach(house, SELLER, deal), attach(house, SELLER, deal, content=OTHER)
    draft = terms("12.40", None, None)
    for files in ((), (drawing,), (other,), (drawing, other)):
        house.do(SELLER, "make_offer", deal, replace(draft, attachments=files))
    hashes = [each.terms_hash for each in house.load(deal).offers[1:]]
    assert len(set(hashes)) == 4
    document = house.load(deal).offers[-1].document
    turned = document.model_copy(update={"attachments": document.attachments[::-1]})
    assert terms_hash(turned) == hashes[-1]


def test_a_counter_keeps_the_files_it_does_not_speak_of_and_can_leave_them_out(house, deal):
    drawing = attach(house, SELLER, deal)
    house.do(SELLER, "make_offer", deal, replace(terms("12.40", None, None), attachments=(drawing,)))
    kept = house.do(BUYER, "make_offer", deal, terms("12.00"))
    assert [each.sha256 for each in house.load(deal).offer(kept).document.attachments] == [DIGEST]
    house.do(SELLER, "make_offer", deal, replace(terms("12.20"), attachments=()))
    with house.database.read(HAIDI) as session:
        view = house.service.deal(session, deal)
        changed = [each for each in view.changes(view.rounds[-2], view.rounds[-1]) if each.is_file]
        assert [(each.direction, each.before.value) for each in changed] == [("removed", "V-22.pdf")]


def test_an_acceptance_that_brings_another_drawing_is_a_counter_offer(house, deal):
    house.do(SELLER, "make_offer", deal, terms("12.40", None, None))
    offer = house.load(deal).offers[-1]
    mine = attach(house, BUYER, deal)
    own = offer.document.model_copy(update={"attachments": (mine,)})
    house.do(BUYER, "accept", deal, offer.id, document=own, terms_hash=offer.terms_hash)
    with house.database.read(HAIDI) as session:
        rounds = house.service.deal(session, deal).rounds
        assert [each.state for each in rounds[1:]] == [State.COUNTERED, State.EFFECTIVE]
        assert rounds[-1].files == ((DIGEST, "V-22.pdf"),)


@pytest.mark.parametrize("digest", [DIGEST, "0" * 64])
def test_a_file_that_the_other_side_has_not_sent_cannot_be_named(house, deal, digest):
    attach(house, SELLER, deal)
    guessed = (Attachment(name="x.pdf", sha256=digest),)
    with pytest.raises(Unfit, match="NOT_HERE"):
        house.do(BUYER, "make_offer", deal, replace(terms("12.00"), attachments=guessed))
    with pytest.raises(Unfit, match="NOT_HERE"):
        house.do(BUYER, "comment", deal, "look", files=[digest])
    assert seen(house, HAIDI, deal) == []


def test_what_an_offer_calls_a_file_is_what_it_was_brought_as(house, deal):
    drawing = attach(house, SELLER, deal)
    lying = drawing.model_copy(update={"name": "../x.html", "mime": "text/html"})
    house.do(SELLER, "make_offer", deal, replace(terms("12.40", None, None), attachments=(lying,)))
    assert house.load(deal).offers[-1].document.attachments == (drawing,)


def test_words_carry_files_and_their_hash_stands_in_the_chain(house, deal):
    attach(house, BUYER, deal)
    house.do(BUYER, "comment", deal, "Is it this one?", is_question=True, files=[DIGEST])
    said = house.load(deal).statements[-1]
    assert (said.kind, said.attachments) == (Kind.QUESTION, ((DIGEST, "V-22.pdf"),))
    assert seen(house, DELTA, deal) == [DIGEST]
    with house.database.read(HAIDI) as session:
        assert store.statement_rows(session, [deal])[-1].hashed_values()["particulars"]["attachments"] == [
            [DIGEST, "V-22.pdf"]
        ]


def test_no_statement_names_more_files_than_a_person_reads(house, deal, monkeypatch):
    attach(house, BUYER, deal)
    monkeypatch.setattr(attachments, "NAMED_MAX", 0)
    with pytest.raises(Unfit, match="TOO_MANY"):
        house.do(BUYER, "comment", deal, "look", files=[DIGEST])


def with_file(browser, page, action, name, content, **changes):
    """Post a form of the page with a file chosen in it."""
    data: dict[str, list] = {}
    for field, value in form_fields(page, action):
        if field != "files":
            data.setdefault(field, []).append(value)
    data |= {field: value if isinstance(value, list) else [value] for field, value in changes.items()}
    return browser.client.post(action, data={**data, "files": [(io.BytesIO(content), name)]})


def test_a_file_goes_through_the_review_and_is_downloaded_by_the_other_side(house, app, deal):
    seller, buyer = Browser(app, "ann@delta.example"), Browser(app, "li@haidi.example")
    action = f"/deals/{deal}/counter"
    form = seller.get(action)
    review = with_file(
        seller, form, action, "阀门 V-22.pdf", DRAWING, line_price=["12.40", "", ""], step="review",
    )  # fmt: skip
    assert review.status_code == 200, review.text[:2000]
    assert "阀门 V-22.pdf" in text_of(review.text)
    seller.send(review.text, action, {"step": "send"})
    page = buyer.get(f"/deals/{deal}")
    assert f'href="/deals/{deal}/files/{DIGEST}"' in page
    assert f"Attachment {DIGEST[:8]}" in text_of(page)
    assert f"/files/{DIGEST}" in buyer.get(f"/deals/{deal}/accept")
    got = buyer.client.get(f"/deals/{deal}/files/{DIGEST}")
    assert (got.data, got.mimetype) == (DRAWING, "application/pdf")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith('attachment; filename="__ V-22.pdf"; filename*=UTF-8')
    assert "sandbox" in got.headers["Content-Security-Policy"]
    stranger = Browser(app, "max@rhein.example")
    assert stranger.client.get(f"/deals/{deal}/files/{DIGEST}").status_code == 404
    form = buyer.get(action)
    buyer.send(form, action, {"line_price": ["12.00"], "attachment": []})
    assert house.load(deal).offers[-1].document.attachments == ()


def test_a_file_that_is_not_taken_is_told_of_at_its_field_and_the_rest_is_kept(house, app, deal):
    seller = Browser(app, "ann@delta.example")
    action = f"/deals/{deal}/counter"
    answer = with_file(seller, seller.get(action), action, "x.pdf", b"MZ\0", line_price=["12.40", "", ""])
    assert answer.status_code == 422
    assert "x.pdf: Files of this kind are not taken" in text_of(answer.text)
    assert 'value="12.40"' in answer.text
    assert len(house.load(deal).offers) == 1


def test_a_comment_brings_a_file(house, app, deal):
    buyer = Browser(app, "li@haidi.example")
    action = f"/deals/{deal}/comment"
    answer = with_file(
        buyer, buyer.get(f"/deals/{deal}"), action, "sheet.csv", b"a;b\n", text="See here", kind="comment"
    )
    assert answer.status_code == 303
    assert [name for _, name in house.load(deal).statements[-1].attachments] == ["sheet.csv"]
    assert "sheet.csv" in text_of(buyer.get(f"/deals/{deal}"))


def test_the_api_brings_names_lists_and_gives_files(house, app, deal):
    buyer, seller = Client(app, token(house, HAIDI)), Client(app, token(house, DELTA))
    body = {"name": "V-22.pdf", "content": b64encode(DRAWING).decode()}
    made = seller.post(f"/deals/{deal}/files", body)
    assert (made["sha256"], made["media_type"], made["is_sent"]) == (DIGEST, "application/pdf", False)
    assert buyer.get(f"/deals/{deal}/files")["files"] == []
    document = priced("12.40", attachments=[{"name": "anything", "sha256": DIGEST}])
    seller.post(f"/deals/{deal}/offers", {"document": document})
    assert [each["name"] for each in buyer.get(f"/deals/{deal}/files")["files"]] == ["V-22.pdf"]
    diff = buyer.get(f"/deals/{deal}/diff")["terms"]
    assert ("added", "V-22.pdf") in [(each["direction"], each["after"]) for each in diff]
    got = app.test_client().get(
        f"/api/v1/deals/{deal}/files/{DIGEST}", headers={"Authorization": f"Bearer {buyer.token}"}
    )
    assert (got.status_code, got.data, got.mimetype) == (200, DRAWING, "application/octet-stream")
    buyer.post(f"/deals/{deal}/comments", {"text": "This one?", "files": [DIGEST]})
    said = buyer.get(f"/deals/{deal}/statements")["statements"][-1]
    assert said["files"] == [{"sha256": DIGEST, "name": "V-22.pdf"}]


@pytest.mark.parametrize(
    ("content", "pointer"), [("%%%", "/content"), (b64encode(b"MZ\0").decode(), "/content")]
)  # fmt: skip
def test_the_api_says_what_is_wrong_with_a_file(house, app, deal, content, pointer):
    seller = Client(app, token(house, DELTA))
    problem = seller.post(f"/deals/{deal}/files", {"name": "x", "content": content}, status=422)
    assert problem["errors"][0]["pointer"] == pointer
    seller.post(f"/deals/{deal}/comments", {"text": "x", "files": ["0" * 64]}, status=422)


def test_what_a_message_names_and_nobody_brought_has_no_link(house, app, deal):
    far = Attachment(name="far.pdf", sha256="0" * 64)
    named = replace(terms("12.40", None, None), attachments=(far,), standard_terms="e" * 64)
    house.do(Actor(DELTA, channel="message"), "make_offer", deal, named)
    browser = Browser(app, "li@haidi.example")
    pages = [browser.get(f"/deals/{deal}"), browser.get(f"/deals/{deal}/rounds/2")]
    assert [text_of(page).count("not held here") for page in pages] == [1, 2]
    for page in pages:
        assert "far.pdf" in text_of(page)
        assert f"/files/{far.sha256}" not in page
        assert f"/standard-terms/{'e' * 64}" not in page
