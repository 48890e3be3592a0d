"""Which answer is due to whom: envelope settings and acknowledgements by standard."""

from __future__ import annotations

from tradehub.partners.profile import Control, Envelope, Profile

ACK_OF = {"x12": "x12:997:004010", "edifact": "edifact:CONTRL:D3", "ubl": "ubl:ApplicationResponse:2.1"}
"""The message by which each standard acknowledges; sent also where there is no agreement to name another."""

BUSINESS_ACK_OF = {"x12": "824", "edifact": "APERAK"}
"""The message by which a capability's refusal is told, where it was agreed on. UBL tells it in its acknowledgement."""

IDENTITY_OF = {"x12": "x12-isa", "edifact": "edifact-unb", "ubl": "ubl"}
"""The scheme of the names that stand in each standard's envelope."""


def envelope_of(profile: Profile | None) -> Envelope:
    return profile.envelope if profile is not None else Envelope()


def functional_set_of(profile: Profile | None) -> str:
    """Return 997 or 999, whichever was agreed to answer the partner's X12 messages; empty: by their release."""
    entries = profile.agreements if profile is not None else ()
    sent = [each.ack.send for each in entries if each.direction == "in" and each.message.startswith("x12:")]
    return next((each for each in sent if each in {"997", "999"}), "") or ""


def control_of(profile: Profile | None, standard: str) -> Control:
    """Return what is done about control numbers of ``standard``."""
    envelope = envelope_of(profile)
    by_standard = {"x12": envelope.x12.control, "edifact": envelope.edifact.control, "ubl": envelope.ubl.control}
    return by_standard.get(standard, Control())
