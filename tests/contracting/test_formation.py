"""A contract that comes about when both have signed (R21), walked on the pages from the offer to the order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.contracting import proven as made
from tests.contracting.proven import ASKED, DELTA, HAIDI, Proven, window
from tests.negotiation.pages import form_fields, text_of
from tests.people import PASSWORD
from tests.web.house import post
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow
from tradehub.partners.profile import Negotiation
from tradehub.platform import clock


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    proven = made.build(tmp_path_factory.mktemp("formation") / "data")
    made.let_in(proven)
    return proven


def offered(house: Proven) -> str:
    """Let the two agree that they sign, and Delta make an offer."""
    hub = house.hub
    with hub.database.write() as session:
        profile = hub.partners.profile(session, DELTA)
        assert profile is not None
        hub.partners.hand_over(session, DELTA, "web", by="test", at=clock.now())
        agreed = profile.model_copy(update={"negotiation": Negotiation(formation="signature")})
        hub.partners.save(session, agreed, by="test", at=clock.now())
    with hub.database.write(org=HAIDI) as session:
        hub.negotiation.send_inquiry(session, Actor(HAIDI, name="Lin Hai"), ASKED, [DELTA])
        deal = session.scalars(select(DealRow.id).where(DealRow.seller_id == DELTA).order_by(DealRow.id.desc())).first()
    terms = Draft(lines=(LineDraft("1", price=Decimal(70)), LineDraft("2", price=Decimal("0.80"))), currency="USD")
    with hub.database.write(org=DELTA) as session:
        hub.negotiation.make_offer(session, Actor(DELTA, name="Dana Whitfield"), deal, terms)
    hub.jobs.drain()
    return deal


def test_an_accepted_offer_waits_for_both_signatures_and_only_then_is_ordered(house):
    deal = offered(house)
    lin, dana = window(house, "lin"), window(house, "dana")
    at = f"/deals/{deal}"
    form = dict(form_fields(lin.get(f"{at}/accept").text, f"{at}/accept"))
    assert "when both have signed" in text_of(lin.get(f"{at}/accept").text)
    assert lin.post(f"{at}/accept", data=form).status_code == 303
    house.hub.jobs.drain()

    page = lin.get(at).text
    assert "Awaiting signature" in text_of(page)
    assert lin.get(f"/orders/deal/{deal}").status_code == 404
    contract = lin.get(f"/contracts/deal/{deal}").headers["Location"]
    assert f'href="{contract}"' in page
    assert post(lin, f"{contract}/prepare", page=contract).status_code == 303

    for window_, is_last in ((lin, False), (dana, True)):
        assert f'href="{contract}/sign"' in window_.get("/").text
        made_key = post(window_, "/contracts/keys", page="/contracts/keys", origin="made", password=PASSWORD)
        assert made_key.status_code == 303
        form = dict(form_fields(window_.get(f"{contract}/sign").text, f"{contract}/sign"))
        signed = window_.post(f"{contract}/sign", data={**form, "password": PASSWORD})
        assert signed.status_code == 303, text_of(signed.text)
        house.hub.jobs.drain()
        assert ("Awaiting signature" in text_of(lin.get(at).text)) is not is_last
        assert (lin.get(f"/orders/deal/{deal}").status_code != 404) is is_last
    assert "Concluded" in text_of(lin.get(contract).text)
