"""What is wrong with a message, told in the reader's own language: each fault, each step, on each page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from tests.exchange.conftest import Bench
from tests.exchange.test_bad_input import EDIFACT_CASES, UBL_CASES, X12_CASES
from tests.web.house import House, build, post
from tradehub.documents import PartyId
from tradehub.edi import Fault, Severity, read
from tradehub.edi.xml import read_xml
from tradehub.exchange import web, wording
from tradehub.exchange.codec import Codec
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.inbound import Arrived
from tradehub.platform import resources
from tradehub.web.language import Catalogues

CHINESE = re.compile("[\u4e00-\u9fff]")
WORDS = [fault.word for fault in Fault]


class Found(NamedTuple):
    fault: str
    segment: int | None = 2
    tag: str | None = "BEG"
    element: int | None = 3
    component: int | None = None
    value: str | None = None
    rule: str | None = None
    text: str = "in the words of the engine"


@pytest.fixture(params=["en", "zh_Hans"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    app = Flask(__name__)
    Babel(app).domain_instance = Catalogues()
    with app.test_request_context(), force_locale(request.param):
        yield request.param


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"value": "X" * 200, "rule": "AN 1/22"},
        {"value": "50 %(no)s %", "rule": "P0304"},
        {"tag": None, "element": None},
    ],
    ids=["bare", "bounds", "condition", "no place"],
)
def test_each_fault_has_a_sentence(language: str, word: str, facts: dict[str, str]) -> None:
    said = wording.sentence(Found(word, **facts))  # type: ignore[arg-type]
    assert said != Found(word).text
    assert "%(" not in said.replace("%(no)s", "")
    assert len(said) < 250
    assert bool(CHINESE.search(said)) == (language == "zh_Hans")


@pytest.mark.parametrize(
    ("found", "known"),
    [
        (Found("too_long", value="PO-" + "9" * 22, rule="AN 1/22"), ["PO-99", "22"]),
        (Found("too_short", value="7", rule="ID 2/3"), ["7", "2"]),
        (Found("missing_element"), ["BEG03"]),
        (Found("missing_conditional", rule="P0304"), ["BEG03", "P0304"]),
        (Found("invalid_code", tag="DTM", element=1, component=2, value="ZQ"), ["ZQ", "DTM01.2"]),
        (Found("invalid_date", value="20240230"), ["20240230"]),
        (Found("wrong_segment_count", segment=8, tag="SE", element=1, value="9"), ["SE", "8", "9"]),
        (Found("missing_segment", tag="UNS", element=None), ["UNS"]),
    ],
)
def test_a_sentence_names_value_and_limits(language: str, found: Found, known: list[str]) -> None:
    said = wording.sentence(found)
    assert [each for each in known if each not in said] == []


def test_letters_in_a_numeric_element_are_no_number(language: str) -> None:
    as_number = wording.sentence(Found("not_a_number", value="12,05x"))
    assert wording.sentence(Found("invalid_character", value="12,05x", rule="R")) == as_number
    assert wording.sentence(Found("invalid_character", value="12,05x", rule="AN")) != as_number
    assert wording.detail(Found("invalid_character", rule="R")) == ""


# what people see


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    return make_bench(engine_codec())


@pytest.fixture
def house(bench: Bench, tmp_path: Path) -> House:
    pages = web.blueprint(bench.exchange, bench.database, name_of=bench.exchange.partners.name_of)
    return build(bench.database, tmp_path, extra=[pages])


CASES = {
    **{f"x12 {name}": ("ningbo", case.text) for name, case in X12_CASES.items() if case.validation == "rejected"},
    **{
        f"edifact {name}": ("rhein", case.text) for name, case in EDIFACT_CASES.items() if case.validation == "rejected"
    },
    **{f"ubl {name}": ("nordic", case.text) for name, case in UBL_CASES.items() if case.validation == "rejected"},
    "no edi": ("ningbo", "Dear Haidi"),
}


def test_no_finding_of_a_chinese_page_is_english(bench: Bench, house: House) -> None:
    client = house.signed_in("owner")
    post(client, "/lang/zh_Hans", next="/account")
    channels = {"ningbo": "drop", "rhein": "drop", "nordic": "post"}
    count = 0
    for name, (partner, text) in CASES.items():
        arrived = Arrived(text.encode(), PartyId("haidi"), PartyId(partner), channels[partner])
        message = bench.exchange.inbound.receive(arrived).message_id
        bench.jobs.drain()
        page = client.get(f"/messages/{message}").text
        (banner,) = re.findall(r'<div class="note [^>]*>.*?<div>(.*?)</div>', page, re.DOTALL)
        said = [
            banner,
            *re.findall(r"data-finding><bdi>(.*?)</bdi>", page),
            *re.findall(r'class="why">(.*?)</span>', page),
        ]
        assert [each for each in said if not CHINESE.search(each)] == [], name
        count += len(said)
    assert count > 3 * len(CASES) / 2


def test_the_work_queue_says_why_in_chinese(bench: Bench, house: House) -> None:
    bench.exchange.inbound.receive(
        Arrived(X12_CASES["bad date"].text.encode(), PartyId("haidi"), PartyId("ningbo"), "drop")
    )
    bench.jobs.drain()
    with house.app.test_request_context(), force_locale("zh_Hans"), bench.database.read("haidi") as session:
        (entry,) = web.section().entries(session, None)  # type: ignore[arg-type]
    assert "BEG05" in entry.detail
    assert "20261399" in entry.detail
    assert "day that does not exist" not in entry.detail
    assert CHINESE.search(entry.detail)


def test_the_business_view_names_its_terms_in_words(bench: Bench, house: House) -> None:
    message = bench.exchange.inbound.receive(
        Arrived(X12_CASES["sound"].text.encode(), PartyId("haidi"), PartyId("ningbo"), "drop")
    ).message_id
    bench.jobs.drain()
    page = house.signed_in("owner").get(f"/messages/{message}").text
    for words in ("Issued on", "Buyer: Name of the party", "Line 1: Unit price", "Line 1: Buyer&#39;s item number"):
        assert f">{words}</th>" in page, words


def test_every_fault_of_the_samples_has_a_sentence(language: str) -> None:
    """Whatever the engine finds in sound and broken text, a sentence is there for it."""
    maps = resources.map_store()
    issues = [
        issue
        for _partner, text in CASES.values()
        for issue in (
            read_xml(text.encode(), maps).issues
            if text.startswith("<")
            else [issue for message in read(text.encode(), maps) for issue in message.issues]
        )
    ]
    assert {issue.fault.word for issue in issues} <= set(wording.FAULTS)
    assert {issue.severity.value for issue in issues} <= set(wording.SEVERITIES)
    assert {each.value for each in Severity} == set(wording.SEVERITIES)
