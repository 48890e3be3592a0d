"""Which answer is due to whom: envelope settings and acknowledgements by standard."""

from __future__ import annotations

from tradehub.partners.profile import Control, Envelope, Profile

ACK_OF = {"x12": "x12:997:004010", "edifact": "edifact:CONTRL:D3", "ubl": "ubl:ApplicationResponse:2.1"}
"""The message by which each standard acknowledges; sent also where there is no agreement to name another."""

IDENTITY_OF = {"x12": "x12-isa", "edifact": "edifact-unb", "ubl": "ubl"}
"""The scheme of the names that stand in each standard's envelope."""


def envelope_of(profile: Profile | None) -> Envelope:
    return profile.envelope if profile is not None else Envelope()


def control_of(profile: Profile | None, standard: str) -> Control:
    """Return what is done about control numbers of ``standard``."""
    envelope = envelope_of(profile)
    by_standard = {"x12": envelope.x12.control, "edifact": envelope.edifact.control, "ubl": envelope.ubl.control}
    return by_standard.get(standard, Control())
