"""A codec for a made-up syntax (JSON), so that what the exchange does can be tested apart from any standard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tradehub.documents import KINDS, Document
from tradehub.edi.schema import Guide
from tradehub.exchange.codec import NO_GUIDES, CannotWrite, Finding, Frame, Leaf, Name, Part, Reading, Verdict, Written
from tradehub.exchange.model import Reason
from tradehub.partners.model import kind_of

RELEASE = {"x12": "004010", "edifact": "D96A", "ubl": "2.1"}
ACK = {"x12": "997", "edifact": "CONTRL", "ubl": "ApplicationResponse"}
SCHEME = {"x12": "x12-isa", "edifact": "edifact-unb", "ubl": "ubl"}


def transmission(*messages: dict[str, Any], **facts: Any) -> bytes:
    """Return what Ningbo sends to Haidi, or another as ``facts`` say."""
    plain = {"standard": "x12", "number": "1", "from": "ZZ|NINGBOVALVES", "to": "ZZ|HAIDITRADING", **facts}
    return json.dumps({**plain, "messages": list(messages)}).encode()


def message(number: str = "0001", *, type: str = "850", document: str | None = "PO-1", **facts: Any) -> dict[str, Any]:
    return {"type": type, "number": number, "document": document, **facts}


class PlainCodec:
    def detect(self, payload: bytes) -> str | None:
        try:
            return str(json.loads(payload)["standard"])
        except (ValueError, KeyError, TypeError):
            return None

    def leaves(self, payload: bytes) -> Sequence[Leaf]:
        return ()

    def read_as_others(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        return self.read(payload, guides)

    def silenced(self, reading: Reading) -> Reading:
        return replace(reading, findings=())

    def read(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        plain = json.loads(payload)
        standard = plain["standard"]
        return Reading(
            standard=standard,
            sender=_name(standard, plain["from"]),
            receiver=_name(standard, plain["to"]),
            control_number=plain["number"],
            is_test=False,
            parts=tuple(_part(standard, each) for each in plain["messages"]),
            reason=Reason(plain["reason"]) if "reason" in plain else None,
            native=plain,
        )

    def knows(self, message: str) -> bool:
        return True

    def write(self, message: str, document: Document, frame: Frame, guide: Guide | None = None) -> Written:
        if document.number == "UNWRITABLE":
            raise CannotWrite("the number does not fit")
        type = message.split(":")[1]
        plain: dict[str, Any] = {
            "type": type,
            "number": "0001",
            "document": document.number,
            "whole": document.model_dump(mode="json", exclude_defaults=True),
            "group": str(frame.group_number),
        }
        if document.number == "ILLFORMED":
            plain["fault"] = "invalid_code"
        return _written(message, frame, [plain])

    def acknowledge(
        self,
        reading: Reading,
        refused: Mapping[int, Reason],
        whole: Reason | None,
        refusals: Mapping[int, str],
        frame: Frame,
    ) -> Written | None:
        verdicts = [
            {
                "interchange": reading.control_number,
                "message": part.message_number,
                "accepted": part.accepted and position not in refused and whole is None,
                "text": str(whole or refused.get(position, "")),
            }
            for position, part in enumerate(reading.parts)
        ]
        standard = str(reading.standard)
        name = f"{standard}:{ACK[standard]}:{RELEASE[standard]}"
        return _written(
            name, frame, [{"type": ACK[standard], "number": "0001", "document": None, "verdicts": verdicts}]
        )


def _written(name: str, frame: Frame, messages: list[dict[str, Any]]) -> Written:
    payload = json.dumps(
        {
            "standard": name.split(":")[0],
            "number": str(frame.interchange_number),
            "from": f"{frame.sender.qualifier}|{frame.sender.value}",
            "to": f"{frame.receiver.qualifier}|{frame.receiver.value}",
            "messages": messages,
        }
    ).encode()
    return Written(
        payload, name, str(frame.interchange_number), str(frame.group_number), "0001", "application/json", ".json"
    )


def _name(standard: str, text: str) -> Name:
    qualifier, _, value = text.partition("|")
    return Name(SCHEME[standard], qualifier, value)


def _part(standard: str, plain: dict[str, Any]) -> Part:
    release = RELEASE[standard]
    kind = kind_of(f"{standard}:{plain['type']}:{release}")
    fault = plain.get("fault")
    findings = (Finding("error", fault, f"{fault} found", 3, "PO1", 2),) if fault else ()
    document = None
    if kind and plain["document"] and not fault:
        document = KINDS[kind].model_validate(plain.get("whole") or {"number": plain["document"]})
    verdicts = tuple(Verdict(**each) for each in plain.get("verdicts", ()))
    return Part(
        plain["type"], release, plain.get("group"), plain["number"], kind, document, findings, not fault, verdicts
    )
