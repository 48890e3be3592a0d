"""A message's way in and out: kept, judged, handed on once, answered; made, numbered, sent, acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.exchange.conftest import Bench, Booked
from tests.exchange.plain import PlainCodec, message, transmission
from tradehub.edi.schema import Guide
from tradehub.exchange.codec import NO_GUIDES, Codec, Reading
from tradehub.exchange.service import CannotReplay
from tradehub.exchange.transport import TransportError
from tradehub.platform import clock


def statuses(bench: Bench, message_id: str) -> tuple[str, str, str]:
    row = bench.message(message_id)
    return row.validation, row.delivery, row.acknowledgement


def verdicts(bench: Bench) -> list[tuple[bool, str]]:
    """What the last acknowledgement in Ningbo's folder says of each message."""
    plain = json.loads(bench.sent()[-1])
    return [(each["accepted"], each["text"]) for each in plain["messages"][0]["verdicts"]]


def acknowledgement(row: Any, *, accepted: bool = True) -> bytes:
    verdict = {"accepted": accepted, "interchange": row.control_number, "text": "" if accepted else "AK5*R"}
    return transmission({"type": "997", "number": "1", "document": None, "verdicts": [verdict]}, number="900")


def test_a_sound_message_is_kept_handed_on_once_and_answered(bench: Bench) -> None:
    raw = transmission(message())
    receipt = bench.receive(raw)
    assert bench.message(receipt.message_id).validation == "pending"
    bench.jobs.drain()
    assert statuses(bench, receipt.message_id) == ("accepted", "handed_on", "accepted")
    row = bench.message(receipt.message_id)
    assert bench.payloads.get(str(row.payload_sha256)) == raw
    assert (row.message, row.reference, row.deal, row.agreement_id, row.agreement_revision) == (
        "x12:850:004010", "PO-1", "deal-1", "ningbo:in:x12:850:004010", 1,
    )  # fmt: skip
    assert bench.booked() == ["PO-1"]
    assert verdicts(bench) == [(True, "")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (transmission(message(), **{"from": "ZZ|NOBODY"}), "unknown-sender"),
        (transmission(message(), **{"from": "ZZ|HAIDITRADING"}), "sender-not-of-channel"),
        (transmission(message(), to="ZZ|NINGBOVALVES"), "unknown-receiver"),
        (transmission(message(), reason="truncated"), "truncated"),
        (transmission(message(type="864")), "unknown-message"),
        (transmission(message(type="837")), "unknown-message"),
        (transmission(message(fault="invalid_date")), "syntax"),
    ],
)
def test_what_is_wrong_is_kept_answered_and_changes_nothing_else(bench: Bench, raw: bytes, reason: str) -> None:
    receipt = bench.receive(raw)
    bench.jobs.drain()
    assert statuses(bench, receipt.message_id) == ("rejected", "none", "rejected")
    row = bench.message(receipt.message_id)
    assert row.validation_reason == reason
    assert bench.payloads.get(str(row.payload_sha256)) == raw
    assert bench.booked() == []
    assert [accepted for accepted, _ in verdicts(bench)] == [False]


def test_what_is_no_edi_at_all_is_kept_and_refused_on_the_spot(bench: Bench) -> None:
    receipt = bench.receive(b"Dear Haidi, please find attached")
    assert receipt.reason == "not-edi"
    assert bench.jobs.drain() == 0
    assert statuses(bench, receipt.message_id) == ("rejected", "none", "none")
    assert bench.sent() == []


def test_a_capabilitys_refusal_is_shown_and_undoes_what_it_did(bench: Bench) -> None:
    receipt = bench.receive(transmission(message(document="NO-DEAL")))
    bench.jobs.drain()
    assert statuses(bench, receipt.message_id) == ("accepted", "refused", "accepted")
    row = bench.message(receipt.message_id)
    assert (row.delivery_reason, row.reason_text) == ("unknown-deal", "no deal knows this number")
    assert bench.booked() == []


def test_one_message_of_several_is_rejected_and_the_others_go_on(bench: Bench) -> None:
    bench.receive(
        transmission(message("1", document="PO-1"), message("2", fault="invalid_code"), message("3", document="PO-3"))
    )
    bench.jobs.drain()
    assert bench.booked() == ["PO-1", "PO-3"]
    assert sorted((row.message_number, row.validation) for row in bench.messages()) == [
        ("1", "accepted"), ("2", "rejected"), ("3", "accepted"),
    ]  # fmt: skip
    assert [accepted for accepted, _ in verdicts(bench)] == [True, False, True]


def test_the_same_again_is_answered_with_the_same_bytes_and_not_acted_on(bench: Bench) -> None:
    raw = transmission(message())
    first = bench.receive(raw)
    bench.jobs.drain()
    answer = bench.sent()
    again = bench.receive(raw)
    (bench.data_dir / "exchange/ningbo/to-partner").joinpath(bench.messages("out")[0].file_name or "").unlink()
    bench.jobs.drain()
    assert statuses(bench, again.message_id) == ("duplicate", "none", "accepted")
    assert bench.message(again.message_id).duplicate_of == first.message_id
    assert bench.booked() == ["PO-1"]
    assert bench.sent() == answer
    assert len(bench.messages("out")) == 1


def test_a_number_used_for_other_content_is_rejected(bench: Bench) -> None:
    first = bench.receive(transmission(message(document="PO-1")))
    bench.jobs.drain()
    other = bench.receive(transmission(message(document="PO-2")))
    bench.jobs.drain()
    row = bench.message(other.message_id)
    assert (row.validation, row.validation_reason) == ("rejected", "same-number-other-content")
    assert row.duplicate_of == first.message_id
    assert bench.booked() == ["PO-1"]
    assert verdicts(bench) == [(False, "same-number-other-content")]


def test_what_was_rejected_may_come_again_mended_under_its_number(bench: Bench) -> None:
    bench.receive(transmission(message(fault="invalid_code")))
    bench.jobs.drain()
    bench.receive(transmission(message()))
    bench.jobs.drain()
    assert bench.booked() == ["PO-1"]


def test_a_fault_of_ours_leaves_nothing_and_answers_nothing(bench: Bench) -> None:
    receipt = bench.receive(transmission(message(document="BUG")))
    with pytest.raises(ZeroDivisionError):
        bench.jobs.drain()
    assert statuses(bench, receipt.message_id) == ("pending", "pending", "none")
    assert bench.booked() == []
    assert bench.sent() == []


def test_a_replay_takes_the_mended_copy_in_and_keeps_the_first(bench: Bench) -> None:
    raw = transmission(message("1", document="PO-1"), message("2", fault="invalid_code"))
    receipt = bench.receive(raw)
    bench.jobs.drain()
    bad = next(row for row in bench.messages() if row.validation == "rejected")
    mended = transmission(message("1", document="PO-1"), message("2", document="PO-2"))
    with bench.database.write("haidi") as session:
        again = bench.exchange.replay(session, bad.id, actor="mei", payload=mended)
    bench.jobs.drain()
    assert bench.booked() == ["PO-1", "PO-2"]
    assert bench.payloads.get(str(bench.message(receipt.message_id).payload_sha256)) == raw
    assert bench.message(bad.id).settled_at is not None
    assert {row.validation for row in bench.messages() if row.replay_of == receipt.message_id} == {
        "duplicate",
        "accepted",
    }
    assert bench.message(again.message_id).replay_of == receipt.message_id


def test_a_stranger_can_neither_replay_nor_resend(bench: Bench) -> None:
    receipt = bench.receive(transmission(message(fault="x")))
    bench.jobs.drain()
    with bench.database.write("delta") as session, pytest.raises(LookupError):
        bench.exchange.replay(session, receipt.message_id, actor="eve")
    with bench.database.write("haidi") as session, pytest.raises(CannotReplay):
        bench.exchange.resend(session, receipt.message_id, actor="mei")


def test_a_document_leaves_once_under_the_next_number_and_awaits_its_answer(bench: Bench) -> None:
    bench.put("PO-7")
    bench.put("PO-7")
    bench.put("PO-8")
    bench.jobs.drain()
    assert [json.loads(each)["number"] for each in bench.sent()] == ["1", "2"]
    row = bench.messages("out")[0]
    assert (row.validation, row.delivery, row.acknowledgement) == ("accepted", "sent", "expected")
    assert row.ack_deadline is not None
    assert row.ack_deadline - row.created_at < timedelta(hours=24, minutes=1)
    assert bench.reached == []
    bench.receive(acknowledgement(row))
    bench.jobs.drain()
    assert bench.message(row.id).acknowledgement == "accepted"
    assert bench.reached == ["PO-7"]
    assert len(bench.sent()) == 2  # an acknowledgement is not acknowledged


def test_a_rejecting_acknowledgement_is_no_proof_of_reach(bench: Bench) -> None:
    bench.put("PO-7")
    bench.jobs.drain()
    row = bench.messages("out")[0]
    bench.receive(acknowledgement(row, accepted=False))
    bench.jobs.drain()
    after = bench.message(row.id)
    assert (after.acknowledgement, after.ack_reason, after.reason_text) == ("rejected", "rejected-by-receiver", "AK5*R")
    assert (bench.reached, bench.failed) == ([], ["PO-7"])


def test_an_acknowledgement_of_nothing_is_shown(bench: Bench) -> None:
    verdict = {"accepted": True, "interchange": "4711"}
    receipt = bench.receive(transmission({"type": "997", "number": "1", "document": None, "verdicts": [verdict]}))
    bench.jobs.drain()
    row = bench.message(receipt.message_id)
    assert (row.delivery, row.delivery_reason) == ("refused", "acknowledges-nothing")


@pytest.mark.parametrize(
    ("number", "to", "reason"),
    [
        ("UNWRITABLE", "ningbo", "cannot-be-written"),
        ("ILLFORMED", "ningbo", "own-judgement"),
        ("PO-1", "stranger", "no-agreement"),
    ],
)
def test_what_would_be_refused_does_not_leave(bench: Bench, number: str, to: str, reason: str) -> None:
    bench.put(number, to=to)
    bench.put("PO-9")
    bench.jobs.drain()
    stopped = bench.messages("out")[0]
    assert (stopped.validation, stopped.validation_reason, stopped.delivery) == ("rejected", reason, "none")
    assert [json.loads(each)["number"] for each in bench.sent()] == ["1"]  # it took no number with it
    assert bench.failed == [number]


def test_a_web_party_needs_no_message(bench: Bench) -> None:
    bench.put("PO-1", to="delta")
    bench.jobs.drain()
    assert bench.messages("out") == []


def test_a_failing_transport_is_tried_again_with_the_same_bytes(
    bench: Bench, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[bytes] = []

    class Flaky:
        def send(self, envelope: Any) -> str:
            carried.append(envelope.payload)
            if len(carried) < 3:
                raise TransportError("disk full", permanent=False)
            return "ok"

    monkeypatch.setattr(bench.exchange.outbound, "open_channel", lambda *_: Flaky())
    bench.put("PO-1")
    bench.jobs.drain()
    assert bench.messages("out")[0].delivery == "retrying"
    noon.move(timedelta(minutes=1))
    bench.jobs.drain()
    assert len(carried) == 2
    noon.move(timedelta(minutes=2))
    bench.jobs.drain()
    row = bench.messages("out")[0]
    assert (row.delivery, row.attempts, len(set(carried))) == ("sent", 3, 1)


def test_a_transport_that_never_works_is_given_up_and_shown(
    bench: Bench, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead:
        def send(self, envelope: Any) -> str:
            raise TransportError("no route", permanent=False)

    monkeypatch.setattr(bench.exchange.outbound, "open_channel", lambda *_: Dead())
    bench.put("PO-1")
    for _ in range(12):
        bench.jobs.drain()
        noon.move(timedelta(hours=6))
    row = bench.messages("out")[0]
    assert (row.delivery, row.delivery_reason, row.attempts) == ("failed", "gave-up", 10)
    assert bench.failed == ["PO-1"]


def test_resending_sends_the_same_bytes(bench: Bench) -> None:
    bench.put("PO-1")
    bench.jobs.drain()
    row = bench.messages("out")[0]
    before = bench.sent()
    (bench.data_dir / "exchange/ningbo/to-partner" / str(row.file_name)).unlink()
    with bench.database.write("haidi") as session:
        bench.exchange.resend(session, row.id, actor="mei")
    bench.jobs.drain()
    assert bench.sent() == before
    assert bench.message(row.id).attempts == 2


def test_judging_a_long_message_holds_up_no_other_writer(make_bench: Callable[[Codec], Bench]) -> None:
    class Slow(PlainCodec):
        """Another writer wants its turn while a message is judged. It would wait in vain, were the lock held."""

        def read(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
            with bench.database.write() as session:
                session.add(Booked(number="meanwhile", message=""))
            return super().read(payload, guides)

    bench = make_bench(Slow())
    bench.put("PO-1")
    bench.jobs.drain()
    assert [row.delivery for row in bench.messages("out")] == ["sent"]
    assert "meanwhile" in bench.booked()
