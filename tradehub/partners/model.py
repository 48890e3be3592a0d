"""What holds between partners: agreements and their look-up, faults of a set of profiles, and the plan of a sync."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from tradehub.documents.parts import PartyId
from tradehub.edi.schema import Guide
from tradehub.partners.profile import AckPolicy, Profile

MESSAGES: dict[str, str] = {
    "x12:840": "inquiry", "x12:843": "offer", "x12:850": "order", "x12:855": "order_response", "x12:860": "order_change",
    "x12:865": "order_response", "x12:856": "despatch", "x12:810": "invoice",
    "x12:997": "application_response", "x12:TA1": "application_response",
    "x12:999": "application_response", "x12:824": "application_response",
    "edifact:REQOTE": "inquiry", "edifact:QUOTES": "offer", "edifact:ORDERS": "order",
    "edifact:ORDRSP": "order_response", "edifact:ORDCHG": "order_change", "edifact:DESADV": "despatch",
    "edifact:INVOIC": "invoice", "edifact:CONTRL": "application_response",
    "edifact:APERAK": "application_response",
    "ubl:RequestForQuotation": "inquiry", "ubl:Quotation": "offer", "ubl:Order": "order",
    "ubl:OrderResponse": "order_response", "ubl:OrderChange": "order_change", "ubl:DespatchAdvice": "despatch", "ubl:Invoice": "invoice",
    "ubl:CreditNote": "invoice", "ubl:ApplicationResponse": "application_response",
}  # fmt: skip
"""The document kind that each message carries, by standard and type."""

OF_CHANGES = frozenset({"x12:865"})
"""Messages that answer the change of an order where another one answers the order itself (X12 855)."""

RECEIPTS = frozenset({"x12:TA1", "x12:997", "x12:999", "edifact:CONTRL", "ubl:ApplicationResponse"})
"""Messages that answer messages and are not answered themselves."""

ACKNOWLEDGEMENTS = RECEIPTS | {"x12:824", "edifact:APERAK"}
"""Messages that answer messages. They are taken under the agreement of what they answer and need none of their own."""


def kind_of(message: str) -> str | None:
    """Return the document kind of ``x12:850:004010``, or None for a message that we have no word for."""
    return MESSAGES.get(message.rsplit(":", 1)[0])


@dataclass(frozen=True)
class Agreement:
    """What ``owner`` and ``partner`` agreed about one message in one direction, as it stood at ``revision``."""

    id: str
    owner: PartyId
    partner: PartyId
    direction: Literal["in", "out"]
    message: str
    channel: str
    ack: AckPolicy
    revision: int
    guide: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    is_active: bool = True

    @property
    def sender(self) -> PartyId:
        return self.partner if self.direction == "in" else self.owner

    @property
    def receiver(self) -> PartyId:
        return self.owner if self.direction == "in" else self.partner

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


class NoAgreement(LookupError):
    """Nobody agreed to this message. ``rule`` is no-agreement, agreement-not-valid or partner-suspended."""

    def __init__(self, rule: str, document: str) -> None:
        super().__init__(f"{rule}: {document}")
        self.rule = rule


def agree(
    agreements: Sequence[Agreement],
    *,
    sender: PartyId,
    receiver: PartyId,
    document: str,
    on: date,
    of_change: bool = False,
) -> Agreement:
    """Return the agreement by which ``document`` may go from ``sender`` to ``receiver`` on a day.

    ``document`` is a message (``x12:850:004010``; a release with a guide's suffix, as in ``004010VICS``, meets the
    plain one) or a document kind (``order``), ``of_change`` an answer to the change of an order. The first in the
    profile's order wins. Raises NoAgreement.
    """
    fits = [
        each
        for each in agreements
        if each.sender == sender and each.receiver == receiver and _is_for(each.message, document)
    ]
    if ":" not in document:
        apart = [each for each in fits if (each.message.rsplit(":", 1)[0] in OF_CHANGES) == of_change]
        fits = apart or fits
    if not fits:
        raise NoAgreement("no-agreement", document)
    active = [each for each in fits if each.is_active]
    if not active:
        raise NoAgreement("partner-suspended", document)
    valid = [each for each in active if each.holds_on(on)]
    if not valid:
        raise NoAgreement("agreement-not-valid", document)
    return valid[0]


def _is_for(message: str, document: str) -> bool:
    if ":" not in document:
        return kind_of(message) == document
    return message == document or (message.startswith("x12:") and document.startswith(message))


@dataclass(frozen=True)
class Finding:
    """What is wrong with a profile, where, by which rule."""

    party: str
    place: str
    rule: str
    text: str
    severity: Literal["error", "warning"] = "error"


GuideFaults = Callable[[str, Guide], Iterable[tuple[str, str]]]
"""Return what of a guide does not fit the map of a message (``x12:850:004010``): its place in the guide, and why."""


def check(
    profiles: Mapping[str, Profile],
    *,
    maps: Collection[str] | None,
    today: date,
    certificates: Collection[str] = (),
    guide_faults: GuideFaults | None = None,
) -> tuple[Finding, ...]:
    """Return the faults of a set of profiles taken together. ``maps`` are the messages we can read and write.

    Without ``maps`` unknown messages are not looked for, without ``guide_faults`` guides are not held to their maps.
    ``certificates`` are the certificate files that exist.
    """
    findings = [*_duplicate_identities(profiles.values())]
    for profile in profiles.values():
        findings += _faults_of_references(profile, profiles)
        findings += _faults_of_agreements(profile, maps, today)
        findings += _faults_of_guides(profile, maps, guide_faults)
        findings += _faults_of_certificates(profile, certificates, today)
    return tuple(findings)


def _duplicate_identities(profiles: Iterable[Profile]) -> Iterable[Finding]:
    holders: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for profile in profiles:
        for identity in profile.identities if profile.is_active else ():
            holders[identity.key].append(profile.id)
    for key, ids in holders.items():
        if len(ids) > 1:
            name = " ".join(part for part in key if part)
            yield Finding(ids[-1], "identities", "duplicate-identity", f"{name} is also a name of {ids[0]}")


def _faults_of_references(profile: Profile, profiles: Mapping[str, Profile]) -> Iterable[Finding]:
    if profile.owner not in profiles:
        yield Finding(profile.id, "owner", "unknown-owner", f"there is no profile of {profile.owner}")
    for number, each in enumerate(profile.agreements, 1):
        if each.channel not in profile.channels:
            yield Finding(
                profile.id, f"agreements[{number}].channel", "unknown-channel", f"no channel named {each.channel}"
            )
    if profile.agreements and not profile.identities:
        yield Finding(profile.id, "identities", "no-identity", "agreements need a name by which the partner is known")


def _faults_of_agreements(profile: Profile, maps: Collection[str] | None, today: date) -> Iterable[Finding]:
    seen: set[tuple[str, str]] = set()
    for number, each in enumerate(profile.agreements, 1):
        at = f"agreements[{number}]"
        if each.key in seen:
            yield Finding(profile.id, at, "duplicate-agreement", f"{each.direction} {each.message} stands twice")
        seen.add(each.key)
        if kind_of(each.message) is None or (maps is not None and each.message not in maps):
            yield Finding(profile.id, f"{at}.message", "unknown-map", f"there is no map for {each.message}")
        if each.valid_from and each.valid_until and each.valid_until < each.valid_from:
            yield Finding(profile.id, f"{at}.valid_until", "dates-reversed", "ends before it begins")
        elif each.valid_until and each.valid_until < today:
            yield Finding(profile.id, f"{at}.valid_until", "agreement-ended", f"ended on {each.valid_until}", "warning")


_OF_ENVELOPE = ("delimiters", "charset", "acknowledge")
"""What a guide says on the envelope when it is used by hand; a partner's stands in its profile."""


def _faults_of_guides(
    profile: Profile, maps: Collection[str] | None, guide_faults: GuideFaults | None
) -> Iterable[Finding]:
    for name, guide in profile.guides.items():
        for field in sorted(guide.model_fields_set.intersection(_OF_ENVELOPE)):
            text = "is agreed on in the profile: envelope, and ack of the agreement"
            yield Finding(profile.id, f"guides.{name}.{field}", "guide-of-envelope", text)
    for number, each in enumerate(profile.agreements, 1):
        if each.guide is None:
            continue
        known = profile.guides.get(each.guide)
        at = f"agreements[{number}].guide"
        if known is None:
            yield Finding(profile.id, at, "unknown-guide", f"there is no guide {each.guide} in this profile")
        elif each.message.startswith("ubl:"):
            yield Finding(profile.id, at, "guide-for-segments-only", "only maps of X12 and EDIFACT take a guide")
        elif guide_faults is not None and (maps is None or each.message in maps):
            for place, text in guide_faults(each.message, known):
                yield Finding(profile.id, f"guides.{each.guide}.{place}", "guide-does-not-fit", text)


def _faults_of_certificates(profile: Profile, existing: Collection[str], today: date) -> Iterable[Finding]:
    for number, each in enumerate(profile.certificates, 1):
        at = f"certificates[{number}]"
        if each.file not in existing:
            yield Finding(profile.id, f"{at}.file", "no-certificate-file", f"{each.file} is not there")
        if each.until and each.until < today:
            yield Finding(profile.id, f"{at}.until", "certificate-ended", f"ended on {each.until}", "warning")
        elif each.until and each.until - today <= timedelta(days=30):
            yield Finding(profile.id, f"{at}.until", "certificate-ends-soon", f"ends on {each.until}", "warning")


@dataclass(frozen=True)
class Known:
    """A partner as the database has it. ``source`` is ``file`` or ``web``."""

    profile: Profile
    source: Literal["file", "web"]
    file_sha256: str | None
    revision: int


@dataclass(frozen=True)
class Incoming:
    """A profile as its file has it."""

    profile: Profile
    file_sha256: str


@dataclass(frozen=True)
class Difference:
    """One value that differs; None means that it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Step:
    """What a sync does to one partner. A ``conflict`` is left alone: made on the web, claimed by a file."""

    action: Literal["add", "change", "suspend", "keep", "conflict"]
    party: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class SyncPlan:
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action in ("add", "change", "suspend"))

    @property
    def conflicts(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action == "conflict")


def plan_sync(known: Mapping[str, Known], incoming: Mapping[str, Incoming]) -> SyncPlan:
    """Return what brings the database to what the files say. A file that is gone suspends its partner."""
    steps = [_step(party, known.get(party), incoming.get(party)) for party in sorted({*known, *incoming})]
    return SyncPlan(tuple(step for step in steps if step is not None))


def _step(party: str, before: Known | None, after: Incoming | None) -> Step | None:
    if before is None:
        return Step("add", party, differences({}, flat(after.profile))) if after else None
    if after is None:
        if before.source == "web":
            return None
        if before.profile.status in ("suspended", "closed"):
            return Step("keep", party)
        return Step("suspend", party, (Difference("status", before.profile.status, "suspended"),))
    if before.source == "web":
        return Step("conflict", party)
    changed = differences(flat(before.profile), flat(after.profile))
    return Step("change", party, changed) if changed else Step("keep", party)


def flat(profile: Profile) -> dict[str, str]:
    """Return each value that a profile states by its path; a list's items by their place, agreements by their key."""
    found: dict[str, str] = {}
    plain = profile.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    plain["agreements"] = {
        f"{each['direction']} {each['message']}": {
            name: value for name, value in each.items() if name not in ("direction", "message")
        }
        for each in plain.get("agreements", ())
    }
    _flatten("", plain, found)
    return found


def _flatten(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, each in value.items():
            _flatten(f"{path}.{name}" if path else str(name), each, found)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, 1):
            _flatten(f"{path}[{number}]", each, found)
    elif value is not None:
        found[path] = str(value)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    paths = [*before, *(path for path in after if path not in before)]
    return tuple(
        Difference(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    )
