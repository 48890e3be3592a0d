"""The words of approvals for people: what an act, a state, a refusal and a fault of a policy are called."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.platform import entered

ACTS: Mapping[str, LazyString] = {
    "offer": lazy_gettext("Firm offer"),
    "acceptance": lazy_gettext("Acceptance"),
    "award": lazy_gettext("Award"),
    "signature": lazy_gettext("Contract signature"),
    "amendment": lazy_gettext("Contract amendment"),
    "call_off": lazy_gettext("Call-off order"),
    "bid": lazy_gettext("Bid in an auction"),
}

STATES: Mapping[str, tuple[str, LazyString]] = {
    "pending": ("wait", lazy_gettext("Waiting for approval")),
    "approved": ("work", lazy_gettext("Approved")),
    "done": ("ok", lazy_gettext("Approved and done")),
    "declined": ("bad", lazy_gettext("Not approved")),
    "expired": ("off", lazy_gettext("Expired")),
    "withdrawn": ("off", lazy_gettext("Withdrawn")),
    "overtaken": ("warn", lazy_gettext("Overtaken: nothing was done")),
}
"""A request's state -> the kind of its pill, and its word."""

CHIPS: Mapping[str, tuple[LazyString, frozenset[str]]] = {
    "all": (lazy_gettext("All"), frozenset(STATES)),
    "pending": (lazy_gettext("Waiting"), frozenset({"pending"})),
    "done": (lazy_gettext("Approved"), frozenset({"done"})),
    "declined": (lazy_gettext("Not approved"), frozenset({"declined"})),
    "ended": (lazy_gettext("Not carried out"), frozenset({"expired", "withdrawn", "overtaken"})),
}
"""A filter of the list -> its word, and the states that it lets through."""

STEP_STATES: Mapping[str, tuple[str, LazyString]] = {
    "done": ("ok", lazy_gettext("Approved")),
    "now": ("turn", lazy_gettext("Asked now")),
    "ahead": ("off", lazy_gettext("Not reached")),
}

BECAUSE: Mapping[str, LazyString] = {
    "over_limit": lazy_gettext("Above the requester's limit"),
    "chain": lazy_gettext("Approval chain"),
    "two_persons": lazy_gettext("Two-person rule"),
}

REFUSALS: Mapping[str, LazyString] = {
    "REQUEST_DONE": lazy_gettext("This has been approved and done already."),
    "REQUEST_DECLINED": lazy_gettext("Somebody has declined this already."),
    "REQUEST_WITHDRAWN": lazy_gettext("Who asked for it has taken it back."),
    "REQUEST_OVERTAKEN": lazy_gettext("The deal moved on, so this request has ended."),
    "REQUEST_EXPIRED": lazy_gettext("This request has expired. It can be asked for again."),
    "OWN_REQUEST": lazy_gettext("Nobody approves what they asked for themselves."),
    "FOR_REQUESTER": lazy_gettext("You stand in for the person who asked: their own word does not count here."),
    "NO_DELEGATION": lazy_gettext("You do not stand in for this person today."),
    "SAME_PERSON": lazy_gettext("You have approved this already. The next word must be somebody else's."),
    "SAME_AUTHORITY": lazy_gettext(
        "One of you stood in for the other, so both words are one. Somebody else must approve."
    ),
    "NOT_ASKED": lazy_gettext("You are not among those who are asked now."),
    "REASON_MISSING": lazy_gettext("Say why you do not approve it."),
    "NOT_NEEDED": lazy_gettext("You may do this without approval."),
    "NO_AUTHORITY": lazy_gettext("Who asked for it may no longer bind your organisation to it."),
    "OVER_LIMIT": lazy_gettext("Nobody in your organisation may approve such an amount."),
    "NO_RATE": lazy_gettext("The spending limits state no rate for this currency."),
    "NO_APPROVER": lazy_gettext("Nobody else in your organisation may approve this."),
    "STALE_VERSION": lazy_gettext("The deal moved on after this was asked for."),
    "POLICY_CHANGED": lazy_gettext("The spending limits changed meanwhile and now ask for more. Ask for it again."),
    "SELF": lazy_gettext("Nobody stands in for themselves."),
    "PERIOD": lazy_gettext("The last day lies before the first."),
    "LOOP": lazy_gettext("This person's own word is delegated, at the same time, back to you."),
    "TAKER": lazy_gettext("Choose somebody who may approve."),
}
"""Why a word does not count, a request ended, or a delegation is refused."""

FAULTS: Mapping[str, LazyString] = {
    "CURRENCY": lazy_gettext("A currency has three letters."),
    "DAYS": lazy_gettext("Between 1 and 90 days."),
    "TWICE": lazy_gettext("This stands here twice."),
    "RATE": lazy_gettext("A rate is above zero, and for another currency than the policy's own."),
    "ROLE": lazy_gettext("This role does not bind."),
    "NAME": lazy_gettext("Give it a name."),
    "BAND": lazy_gettext("The upper end must lie above the lower one."),
    "NO_STEPS": lazy_gettext("Say who approves."),
    "APPROVER": lazy_gettext("One of these may not approve, or has left."),
    **entered.FAULTS,
    "number": lazy_gettext("This is not a number."),
    "missing": lazy_gettext("An amount is missing."),
}
"""What is wrong with a policy, at the row where it is wrong."""
