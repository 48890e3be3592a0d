"""Who asks to bind an organisation, on a page or by the API, and what people are told where its own rules say no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app, request
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from tradehub.partners.authority import Asker, Forbidden, Needs, Wanted
from tradehub.platform import http
from tradehub.platform.api import Answer
from tradehub.platform.problems import Problem

Ask = Callable[[Session, Asker, Wanted, str, str], str]
"""Ask others to approve what is wanted, with a note and the form's id; returns the local URL of the request."""


class ApprovalAsked(Answer):
    """Where the request for approval is shown to people."""

    request: str


FORBIDDEN: Mapping[str, LazyString] = {
    "NO_AUTHORITY": lazy_gettext("Your role does not let you bind your organisation."),
    "OVER_LIMIT": lazy_gettext("It is above your limit, and nobody in your organisation may approve such an amount."),
    "NO_RATE": lazy_gettext("Your organisation's spending limits state no rate for this currency."),
    "NO_APPROVER": lazy_gettext("It needs approval, and nobody else in your organisation may give it."),
}
"""Why the organisation's own rules refuse an act."""

NOT_NEEDED = lazy_gettext("You may do this without approval.")
"""What is said where approval is asked for and nobody has to give it."""


def asker() -> Asker:
    """Return who speaks in this request."""
    who = http.principal()
    return Asker(who.org, who.user_id, who.name, "api" if who.is_token else "web")


def approvers(verdict: Needs) -> list[str]:
    """Return the people who may approve, by name."""
    return sorted({name for names in verdict.people.values() for name in names})


def asked_at() -> str | None:
    """Return the address at which a program asks for approval of the act of this request; None where people alone do,
    on the pages."""
    path = f"{request.path}/approval"
    return path if current_app.url_map.bind("").test(path, method="POST") else None


def facts(verdict: Needs | Forbidden) -> dict[str, Any]:
    """Return what a program is told of a refusal: its code, the rule it rests on, and how far one may go alone."""
    most = None if verdict.most is None else {"amount": str(verdict.most.amount), "currency": verdict.most.currency}
    return {"code": verdict.code, "rule": verdict.rule, "article": verdict.article, "most": most}


def unauthorised(verdict: Needs | Forbidden, detail: str | None = None, **more: Any) -> Problem:
    """Return what a program is told where the organisation's own rules say no; ``more`` goes before the verdict's facts."""
    told = {**facts(verdict), **more}
    if isinstance(verdict, Needs):
        return Problem("needs-approval", detail, approvers=approvers(verdict), approval=asked_at(), **told)
    return Problem("refused", detail, status=403, **{"title": str(FORBIDDEN[verdict.code]), **told})


def on_an_order(verdict: Needs | Forbidden) -> str:
    """Return why an order's terms cannot be changed so by the reader, and who can, or where it is asked for."""
    if isinstance(verdict, Forbidden):
        return str(FORBIDDEN[verdict.code])
    return str(
        gettext(
            "This is above what you may bind your organisation to alone. Propose the change on the contract's page: there it "
            "is asked for of those who may approve it (%(people)s).",
            people=", ".join(approvers(verdict)) or "–",
        )
    )
