"""What the pages of negotiation share: what they are given, who speaks on them, and what an organisation lets them do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import abort, flash, request
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.negotiation import forms
from tradehub.negotiation.model import Refused
from tradehub.negotiation.recording import Actor, Unauthorised
from tradehub.negotiation.service import NegotiationService
from tradehub.partners.asking import Ask, asker
from tradehub.partners.authority import Allowed, Asker, Forbidden, Needs, Verdict, Wanted
from tradehub.partners.suggesting import Suggest
from tradehub.platform import http
from tradehub.platform.db import Database

Panel = Callable[[Session, str], Markup]
"""A part of the deal page that another capability renders, given the deal's id; empty where it has nothing to say."""


def nobody_to_ask(session: Session, asker: Asker, wanted: Wanted, note: str, key: str) -> str:
    abort(404)


class NotAuthorised(Exception):
    """The organisation's own rules want approval first, or forbid it."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        self.verdict = verdict
        super().__init__(verdict.code)


@dataclass(frozen=True)
class Pages:
    service: NegotiationService
    database: Database
    suggest: Suggest
    panels: Sequence[Panel]
    ask: Ask


def actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, "api" if who.is_token else "web")


def version() -> int:
    """The version of the deal that the form showed; a form without one is none of ours."""
    value = request.form.get("expected_version", type=int)
    if value is None:
        abort(400, "expected_version")
    return value


def rehearsed(pages: Pages, act: Callable[[Session], object]) -> Refused | None:
    """Return what would refuse an act that a page shows for review; nothing of it stays.

    What takes approval is not refused: the review says so itself.
    """
    with pages.database.write(org=http.principal().org) as session:
        trial = session.begin_nested()
        try:
            act(session)
        except Unauthorised:
            return None
        except Refused as refused:
            return refused
        finally:
            trial.rollback()
    return None


def demand(verdict: Verdict) -> None:
    """Raises NotAuthorised unless the organisation allows it."""
    if not isinstance(verdict, Allowed):
        raise NotAuthorised(verdict)


def asked(pages: Pages, session: Session, wanted: Wanted) -> str:
    """Ask for approval and return where the request is shown."""
    note = request.form.get("approval_note", "")[: forms.TEXT_MAX]
    url = pages.ask(session, asker(), wanted, note, http.form_id())
    flash(gettext("Approval is asked for. You will find the answer in your work."), "ok")
    return url
