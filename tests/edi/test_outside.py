"""What stands around messages, or where none is: kept, told of, and written back where it stood."""

from __future__ import annotations

from random import Random

import pytest

from tests.edi.engine import maps
from tests.edi.test_interchanges import EDIFACT, GOOD, GS, ISA, NOON, X12
from tests.edi.test_stream import chunks
from tradehub.edi import Fault, Reading, ReadMessage, acknowledge, read, write_back

TA1 = f"{ISA}TA1*000000007*240301*1200*A*000~IEA*0*000000001~"
WIDE = ISA.replace("HAIDI          *", "HAIDI            *")
PACKAGE = (
    "UNA:+.? 'UNB+UNOC:3+A+B+240301:1200+1'UNH+1+MEDBIN:D:93A:UN'BGM+OBJ++9'"
    "UNO+1+AID:7+OBJ:BSG:SCP:91+{length}:14:1:A'{object}UNP+{length}+1'UNT+5+1'UNZ+1+1'"
)


def taken(text: str | bytes) -> tuple[Reading, list[ReadMessage]]:
    reading = read(text if isinstance(text, bytes) else text.encode(), maps())
    return reading, list(reading)


def back(reading: Reading, messages: list[ReadMessage]) -> bytes:
    return write_back(
        messages, maps(), una=reading.una, interchanges=reading.interchanges, objects=reading.objects
    )  # fmt: skip


def told(reading: Reading) -> list[tuple[Fault, str]]:
    whole = [issue for each in reading.interchanges for issue in each.issues]
    whole += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
    return [(issue.fault, str(issue.at)) for issue in (*reading.issues, *whole)]


OUTSIDE = (Fault.TRAILING_GARBAGE, "NTE")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TA1, []),
        (X12.replace("GS*", "TA1*000000007*240301*1200*A*000~GS*", 1), []),
        (X12.replace("GS*", "NTE*1~GS*", 1), [OUTSIDE]),
        (X12.replace("ST*", "NTE*1~ST*", 1), [OUTSIDE]),
        (X12.replace(GOOD, GOOD + "NTE*1~" + GOOD.replace("*0001~", "*0002~")).replace("GE*1", "GE*2"), [OUTSIDE]),
        (X12.replace("GE*", "NTE*1~GE*", 1), [OUTSIDE]),
        (X12.replace("IEA*", "NTE*1~IEA*", 1), [OUTSIDE]),
        (X12 + "NTE*1~", [OUTSIDE]),
        (X12.replace("IEA*", "GE*1*1~IEA*", 1), [(Fault.TRAILING_GARBAGE, "GE")]),
        (X12 + "IEA*1*000000001~", [(Fault.TRAILING_GARBAGE, "IEA")]),
        (EDIFACT.replace("UNH+", "NTE+?'1'UNH+", 1), [OUTSIDE]),
        (EDIFACT.replace("UNZ+", "NTE+1'UNZ+", 1), [OUTSIDE]),
        (EDIFACT.replace("UNZ+", "UNE+1+1'UNZ+", 1), [(Fault.TRAILING_GARBAGE, "UNE")]),
        (EDIFACT + "UNZ+1+1'", [(Fault.TRAILING_GARBAGE, "UNZ")]),
        (EDIFACT + EDIFACT.replace("1200+1'", "1200+2'").replace("UNZ+1+1", "UNZ+1+2"), []),
        ("UNB+UNOA:1+A+B+240301:1200+5'" + EDIFACT[9:], [(Fault.MISSING_TRAILER, "UNZ")]),
        ("UNA:*.? ~HDR*ORDER*2008-01-01~ITM*A-250*12~UNZ*45*kk~", [
            (Fault.BAD_ENVELOPE, "UNB"), (Fault.TRAILING_GARBAGE, "HDR"), (Fault.TRAILING_GARBAGE, "ITM"),
            (Fault.WRONG_MESSAGE_COUNT, "UNZ01"), (Fault.CONTROL_NUMBER_MISMATCH, "UNZ02"), (Fault.EMPTY_LEVEL, "UNZ"),
        ]),
    ],
)  # fmt: skip
def test_a_segment_outside_of_messages_is_told_of_and_written_back_where_it_stood(text, said):
    reading, messages = taken(text)
    assert told(reading) == said
    assert back(reading, messages).decode() == text


def test_what_came_by_the_chunk_keeps_what_stands_outside():
    text = (X12.replace("ST*", "NTE*1~ST*", 1) * 40).encode()
    reading = read(chunks(text, Random(2)), maps())
    assert back(reading, list(reading)) == text


def test_a_message_behind_the_end_of_its_interchange_stays_there():
    text = X12 + GOOD.replace("0001", "0002")
    reading, messages = taken(text)
    assert len(messages) == 2
    assert back(reading, messages).decode() == text


# envelopes of another form


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (X12.replace(ISA, WIDE), "*"),
        (X12.replace(ISA, WIDE).replace("*", "|"), "|"),
        (X12.replace("~", " \r\n"), "*"),
        (X12.replace(">~", "> \r\n").replace(" *NINGBO", "*NINGBO").replace("~", " \r\n"), "*"),
        (X12.replace("240301*1200*U", "240301*12\n00*U").replace("~", "\n").replace("  ", ""), "*"),
    ],
    ids=["wider", "wider, other separator", "ends in blanks and lines", "narrower, likewise", "wrapped and narrower"],
)
def test_an_isa_of_another_width_still_says_how_the_file_is_parted(text, element):
    reading, (message,) = taken(text)
    assert (message.document["number"], message.issues) == ("PO-1", ())
    interchange = reading.interchanges[0]
    assert (interchange.delimiters.element, interchange.sender.value, interchange.control_number) == (
        element, "HAIDI", "000000001",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "release", "said"),
    [
        (GOOD, "", [(Fault.BAD_ENVELOPE, "ISA"), (Fault.BAD_ENVELOPE, "GS")]),
        (GOOD.replace("0001~BEG", "0001*004010~BEG"), "004010", [
            (Fault.BAD_ENVELOPE, "ISA"), (Fault.BAD_ENVELOPE, "GS"),
        ]),
        (f"{GS}{GOOD}GE*1*1~", "004010", [(Fault.BAD_ENVELOPE, "ISA")]),
        (f"{GS}{GOOD}GE*1*1~".replace("~", "\n").replace("*", "|"), "004010", [(Fault.BAD_ENVELOPE, "ISA")]),
    ],
)  # fmt: skip
def test_messages_without_an_interchange_are_read(text, release, said):
    reading, (message,) = taken(text)
    assert (message.release, message.document["number"], message.accepted) == (release, "PO-1", False)
    assert told(reading) == said
    assert back(reading, [message]).decode() == text


@pytest.mark.parametrize("text", ["ST 850 0001 ", "ST*850", "ST*850*0001*", "STOP*850*0001~", "GS*1*2~"])
def test_what_only_looks_like_a_message_is_not_edi(text):
    reading, messages = taken(text)
    assert (told(reading), messages) == ([(Fault.NOT_EDI, "interchange")], [])


@pytest.mark.parametrize(
    ("old", "new", "elements"),
    [("*U*00401", "**U*00401", 17), ("*U*00401", "*00401", 15), (" *00*", " 00*", 15), ("*P*>~", "*P~", 15)],
)
@pytest.mark.parametrize("follows", ["GS*", "TA1*000000007*240301*1200*A*000~GS*"])
def test_an_isa_of_more_or_fewer_elements_ends_before_the_group(old, new, elements, follows):
    text = X12.replace(old, new, 1).replace("GS*", follows, 1)
    reading, (message,) = taken(text)
    assert (message.document["number"], message.accepted) == ("PO-1", False)
    assert reading.interchanges[0].issues[0].text == f"ISA has {elements} elements, not 16"
    assert reading.interchanges[0].delimiters[0::2][:2] == ("*", "~")
    assert back(reading, [message]).decode() == text


@pytest.mark.parametrize("text", [ISA[:60], "ISA*" + "*" * 500, "ISA*00*~*GE*1", ISA.replace(">~", "")])
def test_an_isa_that_shows_no_separators_cannot_be_read(text):
    reading, messages = taken(text)
    assert (messages, told(reading)) == ([], [(Fault.BAD_ENVELOPE, "interchange")])


@pytest.mark.parametrize("count", ["6\u00b3", "\u0666", "9" * 5000, "-6", "6.0", "x", ""])
def test_a_count_that_is_no_number_is_a_wrong_count(count):
    for text, place in ((X12.replace("SE*6*", f"SE*{count}*"), "segment 6 (SE01)"),
                        (EDIFACT.replace("UNT+9+", f"UNT+{count}+"), "segment 9 (UNT01)")):  # fmt: skip
        reading, (message,) = taken(text)
        assert (Fault.WRONG_SEGMENT_COUNT, place) in [(issue.fault, str(issue.at)) for issue in message.issues]
        assert acknowledge(reading.interchanges[0], at=NOON, control="1")


def test_a_count_may_have_zeros_in_front():
    assert taken(X12.replace("SE*6*", "SE*0006*"))[1][0].issues == ()


def test_a_byte_order_mark_before_bytes_that_are_not_utf_8_is_not_believed():
    text = b"\xef\xbb\xbf" + X12.replace("Haidi~", "Haid\xed~").encode("cp1252")
    reading, (message,) = taken(text)
    assert message.document["parties"][0]["name"] == "Haid\xed"
    assert (Fault.CHARSET, "interchange") in told(reading)
    assert back(reading, [message]) == text[3:]


# packages


@pytest.mark.parametrize("object_", [b"'+:?\r\n  \xff\x00 '", b"", b"plain", b"UNP+1'UNO+2+'\x1a"])
def test_an_object_in_a_package_is_no_text(object_):
    text = PACKAGE.format(length=len(object_), object="@").encode().replace(b"@", object_)
    reading, (message,) = taken(text)
    assert reading.objects == (object_,)
    assert [issue.fault for issue in message.issues] == [Fault.UNKNOWN_MESSAGE]
    assert "UNO+1+AID:7" in message.raw
    assert back(reading, [message]) == text


@pytest.mark.parametrize(("length", "object_"), [("99", "abc"), ("x", "abc"), ("", "abc'"), ("2", "abc")])
def test_an_object_of_another_length_than_stated_is_read_as_text(length, object_):
    text = PACKAGE.format(length=length, object=object_)
    reading, messages = taken(text)
    assert reading.objects == ()
    assert back(reading, messages).decode() == text
