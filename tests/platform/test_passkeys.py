"""Passkeys: what a device signs is taken once, for the act it was asked about, from the person and the site it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from tests.device import Device
from tradehub.documents.parts import PartyId
from tradehub.platform import clock
from tradehub.platform.http import Principal
from tradehub.platform.passkeys import (
    CHALLENGE_LIFE,
    CHALLENGES_MAX,
    NAME_MAX,
    PASSKEYS_MAX,
    PasskeyRefused,
    Passkeys,
    Site,
)
from tradehub.platform.security import SignInRefused

LIN = Principal("lin", PartyId("haidi"), "Lin Hai", email="lin@example.com", session="s")
DANA = Principal("dana", PartyId("delta"), "Dana", email="dana@example.com", session="t")
HERE = Site("hub.example:8443")
CONTRACT = sha256(b"contract.json").digest()


@pytest.fixture
def passkeys(database):
    return Passkeys(database)


@pytest.fixture
def at_noon():
    with clock.frozen(datetime(2026, 11, 27, 12, tzinfo=UTC)) as frozen:
        yield frozen


def add(passkeys, device, who=LIN, site=HERE, name="Phone"):
    passkeys.add(who, site, device.make(passkeys.invite(who, site)), name)


def test_a_device_that_was_added_answers_for_the_contract_it_was_asked_about(passkeys, database):
    device = Device(HERE)
    add(passkeys, device)
    answer = device.answer(passkeys.ask(LIN, HERE, CONTRACT))
    presence = passkeys.confirm(LIN, HERE, answer, CONTRACT)
    key = serialization.load_der_public_key(bytes.fromhex(presence.public_key))
    said = bytes.fromhex(presence.authenticator_data) + sha256(presence.client_data.encode()).digest()
    key.verify(bytes.fromhex(presence.signature), said, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(presence.signature), said + b"!", ec.ECDSA(hashes.SHA256()))
    with database.read() as session:
        (row,) = passkeys.of(session, "lin")
        assert (row.name, row.site, row.sign_count) == ("Phone", "hub.example", 1)
        assert row.used_at is not None


FORGED = {
    "asked about another contract": lambda device, options: (device.answer(options), LIN, HERE, sha256(b"other").digest()),
    "asked about a contract, used for none": lambda device, options: (device.answer(options), LIN, HERE, b""),
    "of another person": lambda device, options: (device.answer(options), DANA, HERE, CONTRACT),
    "on another site": lambda device, options: (device.answer(options), LIN, Site("evil.example"), CONTRACT),
    "from a page of another origin": lambda device, options: (
        device.answer(options, origin="https://evil.example"), LIN, HERE, CONTRACT,
    ),
    "over plain http": lambda device, options: (
        device.answer(options, origin="http://hub.example:8443"), LIN, HERE, CONTRACT,
    ),
    "without its owner verified": lambda device, options: (device.answer(options, flags=1), LIN, HERE, CONTRACT),
    "without anybody there": lambda device, options: (device.answer(options, flags=4), LIN, HERE, CONTRACT),
    "signed with another key": lambda device, options: (
        Device(HERE, credential=device.credential).answer(options), LIN, HERE, CONTRACT,
    ),
    "of a device that nobody added": lambda device, options: (Device(HERE).answer(options), LIN, HERE, CONTRACT),
    "made as for a registration": lambda device, options: (
        device.answer(options, kind="webauthn.create"), LIN, HERE, CONTRACT,
    ),
    "nothing": lambda device, options: ("", LIN, HERE, CONTRACT),
    "no object": lambda device, options: ("[1]", LIN, HERE, CONTRACT),
    "far too long": lambda device, options: (device.answer(options) + " " * 20_000, LIN, HERE, CONTRACT),
}  # fmt: skip


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_an_answer_that_is_not_right_in_every_part_is_refused(passkeys, forge):
    device = Device(HERE)
    add(passkeys, device)
    answer, who, site, subject = forge(device, passkeys.ask(LIN, HERE, CONTRACT))
    with pytest.raises(SignInRefused):
        passkeys.confirm(who, site, answer, subject)


def test_an_answer_counts_once(passkeys):
    device = Device(HERE)
    add(passkeys, device)
    answer = device.answer(passkeys.ask(LIN, HERE))
    passkeys.confirm(LIN, HERE, answer)
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, answer)


def test_a_challenge_is_good_for_minutes(passkeys, at_noon):
    device = Device(HERE)
    add(passkeys, device)
    answer = device.answer(passkeys.ask(LIN, HERE))
    at_noon.move(CHALLENGE_LIFE + timedelta(seconds=1))
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, answer)


def test_of_a_device_and_its_copy_the_one_that_lags_behind_is_refused(passkeys):
    device = Device(HERE)
    add(passkeys, device)
    for _ in range(2):
        passkeys.confirm(LIN, HERE, device.answer(passkeys.ask(LIN, HERE)))
    device.count = 0
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, device.answer(passkeys.ask(LIN, HERE)))


def test_only_the_latest_challenges_of_a_person_wait(passkeys):
    device = Device(HERE)
    add(passkeys, device)
    first = passkeys.ask(LIN, HERE)
    others = [passkeys.ask(LIN, HERE) for _ in range(CHALLENGES_MAX)]
    passkeys.ask(DANA, HERE)
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, device.answer(first))
    passkeys.confirm(LIN, HERE, device.answer(others[0]))


def test_what_makes_no_passkey_is_refused_with_its_rule(passkeys, database):
    device = Device(HERE)
    add(passkeys, device)
    cases = {
        "known": lambda: add(passkeys, device),
        "name": lambda: add(passkeys, Device(HERE), name=" "),
        "answer": lambda: add(passkeys, Device(Site("evil.example"))),
    }
    for rule, attempt in cases.items():
        with pytest.raises(PasskeyRefused, match=rule):
            attempt()
    with pytest.raises(PasskeyRefused, match="name"):
        add(passkeys, Device(HERE), name="x" * (NAME_MAX + 1))
    for _ in range(PASSKEYS_MAX - 1):
        add(passkeys, Device(HERE))
    with pytest.raises(PasskeyRefused, match="many"):
        add(passkeys, Device(HERE))
    with database.read() as session:
        assert len(passkeys.of(session, "lin")) == PASSKEYS_MAX


def test_a_passkey_is_forgotten_by_its_owner_alone(passkeys, database):
    device = Device(HERE)
    add(passkeys, device)
    with database.read() as session:
        (row,) = passkeys.of(session, "lin")
    assert not passkeys.forget(DANA, row.id)
    assert passkeys.good_at("lin", HERE)
    assert passkeys.forget(replace(LIN, name="Lin"), row.id)
    assert not passkeys.good_at("lin", HERE)
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, device.answer(passkeys.ask(LIN, HERE)))


@pytest.mark.parametrize(
    ("host", "serves", "origins"),
    [
        ("hub.example", True, ["https://hub.example"]),
        ("localhost:8000", True, ["https://localhost:8000", "http://localhost:8000"]),
        ("127.0.0.1:8000", False, ["https://127.0.0.1:8000"]),
        ("[::1]:8000", False, ["https://[::1]:8000"]),
        ("", False, ["https://"]),
    ],
)
def test_browsers_make_passkeys_for_names(host, serves, origins):
    assert Site(host).has_passkeys is serves
    assert Site(host).origins == origins


def test_the_audit_record_tells_of_each(passkeys, database):
    device = Device(HERE)
    add(passkeys, device)
    passkeys.confirm(LIN, HERE, device.answer(passkeys.ask(LIN, HERE)))
    with database.read() as session:
        passkeys.forget(LIN, passkeys.of(session, "lin")[0].id)
    with database.read() as session:
        told = [row[0] for row in session.execute(text("SELECT action FROM audit_entries ORDER BY number"))]
    assert told == ["passkey.added", "passkey.used", "passkey.forgotten"]


def test_who_signs_in_is_known_by_the_passkey_alone(passkeys):
    phone, laptop = Device(HERE), Device(HERE)
    add(passkeys, phone, LIN)
    add(passkeys, laptop, DANA)
    found = passkeys.recognise(HERE, laptop.answer(passkeys.ask_anybody(HERE, "1.2.3.4"), owner="dana"), "1.2.3.4")
    assert found.user_id == "dana"


STRANGE = {
    "no owner named": lambda device, options: device.answer(options),
    "another's name": lambda device, options: device.answer(options, owner="dana"),
    "owner not verified": lambda device, options: device.answer(options, owner="lin", flags=1),
    "another site's page": lambda device, options: device.answer(options, owner="lin", origin="https://evil.example"),
    "unknown device": lambda device, options: Device(HERE).answer(options, owner="lin"),
}


@pytest.mark.parametrize("forge", STRANGE.values(), ids=STRANGE)
def test_nobody_signs_in_with_an_answer_that_is_not_right_in_every_part(passkeys, forge):
    device = Device(HERE)
    add(passkeys, device)
    with pytest.raises(SignInRefused):
        passkeys.recognise(HERE, forge(device, passkeys.ask_anybody(HERE, "1.2.3.4")), "1.2.3.4")


def test_a_question_is_answered_from_where_it_was_put_and_for_what_it_was_put(passkeys):
    device = Device(HERE)
    add(passkeys, device)
    with pytest.raises(SignInRefused):
        passkeys.recognise(HERE, device.answer(passkeys.ask_anybody(HERE, "1.2.3.4"), owner="lin"), "5.6.7.8")
    with pytest.raises(SignInRefused):
        passkeys.recognise(HERE, device.answer(passkeys.ask(LIN, HERE), owner="lin"), "1.2.3.4")
    with pytest.raises(SignInRefused):
        passkeys.confirm(LIN, HERE, device.answer(passkeys.ask_anybody(HERE, "1.2.3.4"), owner="lin"))
    once = device.answer(passkeys.ask_anybody(HERE, "1.2.3.4"), owner="lin")
    assert passkeys.recognise(HERE, once, "1.2.3.4").user_id == "lin"
    with pytest.raises(SignInRefused):
        passkeys.recognise(HERE, once, "1.2.3.4")
