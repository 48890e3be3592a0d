"""Envelopes: only the right key opens them, and nothing about them tells what is inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.platform import ids
from tradehub.sourcing.tenders import sealing
from tradehub.sourcing.tenders.sealing import NotOpened, Work

CHEAP = Work(1, 8, 1)
ABOUT = ("tender", "t-1", "commercial", "ningbo", "1")
KEY = ids.random_bytes(32)


def envelope(contents: bytes, about=ABOUT) -> bytes:
    return sealing.seal(contents, sealing.public_of(KEY), about, ids.random_bytes)


@given(st.binary(max_size=9000))
def test_what_was_sealed_comes_out_again(contents: bytes) -> None:
    assert sealing.unseal(envelope(contents), KEY, ABOUT) == contents


def test_the_same_words_never_look_the_same() -> None:
    assert envelope(b"12.40") != envelope(b"12.40")


@given(st.binary(max_size=4000), st.binary(max_size=4000))
def test_the_length_does_not_tell_a_short_bid_from_a_longer_one(one: bytes, other: bytes) -> None:
    assert len(envelope(one)) == len(envelope(other))


@pytest.mark.parametrize("place", [0, 1, 40, -1])
def test_a_changed_envelope_does_not_open(place: int) -> None:
    changed = bytearray(envelope(b"12.40"))
    changed[place] ^= 1
    with pytest.raises(NotOpened):
        sealing.unseal(bytes(changed), KEY, ABOUT)


@pytest.mark.parametrize("wrong", [("tender", "t-2", *ABOUT[2:]), (*ABOUT[:3], "rhein", "1"), (*ABOUT[:4], "2")])
def test_an_envelope_moved_to_another_bidder_or_tender_does_not_open(wrong) -> None:
    with pytest.raises(NotOpened):
        sealing.unseal(envelope(b"12.40"), KEY, wrong)


def test_another_key_does_not_open_it_nor_does_a_point_of_low_order() -> None:
    with pytest.raises(NotOpened):
        sealing.unseal(envelope(b"12.40"), ids.random_bytes(32), ABOUT)
    with pytest.raises(NotOpened):
        sealing.unseal(b"\x01" + bytes(32) + bytes(64), KEY, ABOUT)
    with pytest.raises(NotOpened):
        sealing.unseal(b"", KEY, ABOUT)


def test_the_key_of_a_person_comes_from_passphrase_and_salt_alone() -> None:
    salt = ids.random_bytes(32)
    assert sealing.key_from("a long passphrase", salt, CHEAP) == sealing.key_from("a long passphrase", salt, CHEAP)
    assert sealing.key_from("a long passphrase", salt, CHEAP) != sealing.key_from("a long passphrasf", salt, CHEAP)
    assert sealing.key_from("a long passphrase", ids.random_bytes(32), CHEAP) != sealing.key_from(
        "a long passphrase", salt, CHEAP
    )


def test_a_fingerprint_binds_the_contents_and_needs_its_salt() -> None:
    one, other = ids.random_bytes(32), ids.random_bytes(32)
    assert sealing.fingerprint(b"12.40", one) == sealing.fingerprint(b"12.40", one)
    assert sealing.fingerprint(b"12.40", one) != sealing.fingerprint(b"12.40", other)
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.fingerprint(b"12.40", b"")
