"""Files and standard terms of an inquiry: each supplier that is asked has the same, and nobody else."""

from __future__ import annotations

import io
from base64 import b64encode
from hashlib import sha256

import pytest
from sqlalchemy import select

from tests.negotiation.conftest import BUYER, DELTA, RHEIN
from tests.negotiation.pages import Browser, build, form_fields, text_of
from tests.negotiation.test_api import Client, token
from tests.negotiation.words import HAIDI
from tradehub.negotiation import evidence, store
from tradehub.negotiation.attachments import NAMED_MAX, Kept, Unfit
from tradehub.negotiation.drafting import Draft, LineDraft

DRAWING = b"%PDF-1.7 a valve"
DIGEST = sha256(DRAWING).hexdigest()
DRAFT = Draft((LineDraft("1", name="Valve V-22", unit="C62"),), "USD")


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


def published(house) -> str:
    with house.database.write(HAIDI) as session:
        return house.service.publish(session, HAIDI, {"en": "1. Payment\nThirty days."}).sha256


def deals(house) -> list[store.DealRow]:
    with house.database.read() as session:
        return list(session.scalars(select(store.DealRow).order_by(store.DealRow.seller_id)))


def holds(house, deal: store.DealRow, terms: str) -> None:
    """The supplier of the deal has the file and the terms, and the evidence has them too."""
    with house.database.read(deal.seller_id) as session:
        row, content = house.service.file(session, deal.id, DIGEST)
        (first,) = house.service.deal(session, deal.id).rounds
    assert (row.name, content) == ("V-22.pdf", DRAWING)
    assert (first.files, first.offer.standard_terms) == (((DIGEST, "V-22.pdf"),), terms)
    with house.database.read() as session:
        assert evidence.attachments(session, deal.id) == [DIGEST]
        assert list(evidence.standard_terms(session, deal.id)) == [terms]


def test_the_form_takes_a_file_shows_it_in_the_review_and_sends_it_to_all(house, app):
    terms, browser = published(house), Browser(app, "li@haidi.example")
    page = browser.get("/inquiries/new")
    assert "Our standard terms, version 1" in text_of(page)
    data = dict(form_fields(page, "/inquiries/new"))
    said = {"line_name": "Valve V-22", "line_quantity": "5", "suppliers": [DELTA, RHEIN], "step": "review"}
    review = browser.client.post("/inquiries/new", data={**data, **said, "files": [(io.BytesIO(DRAWING), "V-22.pdf")]})
    assert review.status_code == 200, text_of(review.text)
    assert "V-22.pdf" in text_of(review.text)
    browser.send(review.text, "/inquiries/new", {"step": "send"})
    for deal in deals(house):
        holds(house, deal, terms)
    assert [each.seller_id for each in deals(house)] == [DELTA, RHEIN]


def test_a_file_that_is_not_taken_is_told_at_its_field_and_the_others_stay(house, app):
    browser = Browser(app, "li@haidi.example")
    data = dict(form_fields(browser.get("/inquiries/new"), "/inquiries/new"))
    brought = [(io.BytesIO(DRAWING), "V-22.pdf"), (io.BytesIO(b"MZ\0"), "x.exe")]
    said = {"line_name": "Valve", "line_quantity": "5", "suppliers": DELTA, "step": "send", "files": brought}
    answer = browser.client.post("/inquiries/new", data={**data, **said})
    assert answer.status_code == 422
    assert "x.exe" in text_of(answer.text)
    assert [name for name, _ in form_fields(answer.text, "/inquiries/new")].count("kept") == 1
    assert deals(house) == []


def test_a_sign_that_we_did_not_make_names_no_file(house, app):
    browser = Browser(app, "li@haidi.example")
    data = dict(form_fields(browser.get("/inquiries/new"), "/inquiries/new"))
    said = {"line_name": "Valve", "line_quantity": "5", "suppliers": DELTA, "step": "review", "kept": "WyJhIl0.forged"}
    assert "Attachments" not in text_of(browser.client.post("/inquiries/new", data={**data, **said}).text)


def test_the_api_brings_files_and_standard_terms_with_an_inquiry(house, app):
    terms, buyer = published(house), Client(app, token(house, HAIDI))
    line = {"number": "1", "item": {"name": "Valve V-22"}, "quantity": {"value": "5", "unit": "C62"}}
    body = {
        "suppliers": [DELTA, RHEIN], "document": {"currency": "USD", "lines": [line]}, "standard_terms": terms,
        "files": [{"name": "V-22.pdf", "content": b64encode(DRAWING).decode()}],
    }  # fmt: skip
    buyer.post("/inquiries", body)
    for deal in deals(house):
        holds(house, deal, terms)
    body["files"] = [{"name": "x", "content": "%%%"}]
    problem = buyer.post("/inquiries", body, status=422)
    assert problem["errors"][0]["pointer"] == "/content"


def test_no_more_files_go_with_an_inquiry_than_with_an_offer(house):
    many = [Kept(f"{n:064x}", "x.pdf", "application/pdf", 1) for n in range(NAMED_MAX + 1)]
    with house.database.write(HAIDI) as session, pytest.raises(Unfit, match="TOO_MANY"):
        house.service.send_inquiry(session, BUYER, DRAFT, [DELTA], files=many)
