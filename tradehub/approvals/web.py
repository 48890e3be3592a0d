"""The pages of approvals: what waits for one's word, one's own requests, delegates, and the organisation's limits."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import werkzeug.exceptions
from babel.numbers import format_decimal
from flask import Blueprint, Response, abort, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.approvals import forms, wording
from tradehub.approvals.forms import PolicyForm
from tradehub.approvals.model import APPROVERS_MAX, STEPS_MAX, TOKEN_ROLE, Policy, Refused, State
from tradehub.approvals.service import (
    BINDING_ROLES,
    ApprovalService,
    NotFound,
    PolicyChanged,
    PolicyRefused,
    RequestView,
)
from tradehub.partners.asking import asker
from tradehub.partners.authority import Act, Asker, Wanted
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.entered import Entered
from tradehub.platform.worklist import Entry, Section

Shows = Callable[[Session, Wanted], Markup]
"""Render what would be done: the terms, what they change and what was said so far."""

Partners = Callable[[Session], Sequence[tuple[str, str]]]
"""The organisation's partners, as (id, name)."""

TEXT_MAX = 2_000
QUERY_MAX = 200
PAGE = 50
"""Requests on one page of the list."""

BLANK_ROWS = 3
"""Empty rows at the end of each table of the policy's form; saving gives new ones."""

ANSWERS: Mapping[State, LazyString] = {
    State.PENDING: lazy_gettext("Your approval is on record. Others are asked next."),
    State.DONE: lazy_gettext("Approved, and done."),
    State.DECLINED: lazy_gettext("Declined. Nothing was done, and who asked is told."),
    State.OVERTAKEN: lazy_gettext("Your approval came too late: the deal had moved on. Nothing was done."),
}


def blueprint(
    service: ApprovalService,
    database: Database,
    *,
    shows: Shows,
    partners: Partners,
    refusals: Mapping[str, LazyString],
) -> Blueprint:
    """Return the pages. ``refusals`` says why an act that was approved could no longer be done."""
    pages = Blueprint("approvals", __name__, template_folder="templates")
    words = {**refusals, **wording.REFUSALS}
    pages.context_processor(lambda: {"wording": wording, "refusals": words, "acts": Act})
    pages.add_app_template_filter(typed_amount)
    pages.register_error_handler(NotFound, _not_found)
    _add_lists(pages, service, database)
    _add_delegates(pages, service, database)
    _add_request(pages, service, database, shows)
    _add_policy(pages, service, database, partners)
    return pages


def _not_found(_error: NotFound) -> ResponseReturnValue:
    return current_app.handle_http_exception(werkzeug.exceptions.NotFound())


def typed_amount(text: str) -> str:
    """Return an amount that was typed as amounts are read; as it stands where it is no number."""
    value = Entered({"amount": text}).number("amount")
    return text if value is None else str(format_decimal(value, locale=get_locale(), decimal_quantization=False))


def panel(service: ApprovalService, refusals: Mapping[str, LazyString]) -> Callable[[Session, str], Markup]:
    """Return the part of the deal page that shows what approval was asked for; nothing where none was."""
    words = {**refusals, **wording.REFUSALS}

    def show(session: Session, deal_id: str) -> Markup:
        found = service.of_deal(session, asker(), deal_id)
        if not found:
            return Markup()
        text = render_template("approvals/_card.html", requests=found, wording=wording, refusals=words)
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def sections(service: ApprovalService) -> Sequence[Section]:
    """Return the parts of the work queue: what waits for my word, and what became of requests that concern me."""
    return (
        Section(
            "approve",
            lazy_gettext("To approve"),
            "approval.decide",
            lambda session, _who: [_entry(each) for each in service.inbox(session, asker())],
            lazy_gettext("Nothing waits for your approval."),
            "/approvals",
        ),
        Section(
            "approvals-ended",
            lazy_gettext("Answers to requests for approval"),
            "approval.decide",
            lambda session, _who: [_entry(each) for each in service.to_note(session, asker())],
            lazy_gettext("No request of yours has ended unseen."),
            "/approvals/mine",
        ),
    )


def _entry(view: RequestView) -> Entry:
    row = view.row
    kind, word = wording.STATES[view.state]
    asked = gettext("%(act)s, asked for by %(name)s", act=wording.ACTS[row.act], name=row.requester_name)
    pending = view.state is State.PENDING
    return Entry(
        f"/approvals/{row.id}", row.title, f"{row.partner_name} · {asked}", (kind, str(word)),
        at=row.ended_at or row.asked_at, until=row.expires_at if pending else None,
    )  # fmt: skip


def _add_lists(pages: Blueprint, service: ApprovalService, database: Database) -> None:
    def listed(tab: str, find: Callable[[Session, Asker], list[RequestView]]) -> str:
        with database.read(org=http.principal().org) as session:
            found = find(session, asker())
            waiting = len(found) if tab == "inbox" else len(service.inbox(session, asker()))
            return render_template("approvals/requests.html", requests=found, tab=tab, waiting=waiting)

    @pages.get("/approvals")
    @http.requires("approval.decide")
    def inbox() -> str:
        return listed("inbox", service.inbox)

    @pages.get("/approvals/mine")
    @http.requires("approval.decide")
    def mine() -> str:
        return listed("mine", service.mine)

    @pages.get("/approvals/all")
    @http.requires("approval.decide")
    def history() -> str:
        chip, text = _asked_for()
        with database.read(org=http.principal().org) as session:
            found = service.history(session, asker(), text)
            waiting = len(service.inbox(session, asker()))
            counts = {key: sum(each.state in states for each in found) for key, (_, states) in wording.CHIPS.items()}
            fitting = [each for each in found if each.state in wording.CHIPS[chip][1]]
            last = max(1, -(-len(fitting) // PAGE))
            page = min(max(request.args.get("page", 1, type=int), 1), last)
            return render_template(
                "approvals/history.html", requests=fitting[(page - 1) * PAGE : page * PAGE], waiting=waiting, chip=chip,
                text=text, counts=counts, page=page, last=last,
            )  # fmt: skip

    @pages.get("/approvals.csv")
    @http.requires("approval.decide")
    def history_csv() -> ResponseReturnValue:
        chip, text = _asked_for()
        out = io.StringIO()
        rows = csv.writer(out, quoting=csv.QUOTE_ALL)
        rows.writerow(["deal", "partner", "act", "currency", "amount", "requester", "asked", "state", "ended", "said"])
        with database.read(org=http.principal().org) as session:
            found = service.history(session, asker(), text)
            rows.writerows(_csv_row(each) for each in found if each.state in wording.CHIPS[chip][1])
        headers = {"Content-Disposition": "attachment; filename=approvals.csv"}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)


def _asked_for() -> tuple[str, str]:
    """Return the filter and the words of a list."""
    chip = request.args.get("only", "all")
    return chip if chip in wording.CHIPS else "all", request.args.get("q", "").strip()[:QUERY_MAX]


def _csv_row(view: RequestView) -> list[str]:
    row = view.row
    said = "; ".join(
        f"{each.by_name}{f' for {each.giver_name}' if each.giver_name else ''}: {'yes' if each.approves else 'no'}"
        for each in row.decisions
    )
    cells = [
        row.title, row.partner_name, row.act, row.currency or "", "" if row.amount is None else str(row.amount),
        row.requester_name, row.asked_at.isoformat(), str(view.state), row.ended_at.isoformat() if row.ended_at else "",
        said,
    ]  # fmt: skip
    # A spreadsheet takes what begins like this for a formula.
    return [f"'{each}" if each.startswith(("=", "+", "-", "@", "\t", "\r")) else each for each in cells]


def _add_request(pages: Blueprint, service: ApprovalService, database: Database, shows: Shows) -> None:
    def shown(request_id: str, *, refused: Refused | None = None, reason: str = "") -> ResponseReturnValue:
        with database.read(org=http.principal().org) as session:
            view = service.view(session, asker(), request_id)
            what = shows(session, view.row.wanted)
        page = render_template("approvals/request.html", view=view, row=view.row, what=what, refused=refused,
                               reason=reason, may_see_reasons=True)  # fmt: skip
        return page, 200 if refused is None else 409

    @pages.get("/approvals/<request_id>")
    @http.requires("approval.decide")
    def asked(request_id: str) -> ResponseReturnValue:
        return shown(request_id)

    @pages.post("/approvals/<request_id>/decide")
    @http.requires_fresh
    @http.requires("approval.decide")
    def decide(request_id: str) -> ResponseReturnValue:
        reason = request.form.get("reason", "")[:TEXT_MAX]
        approves = request.form.get("word") == "approve"
        if not approves and request.form.get("word") != "decline":
            abort(400, "word")

        def act(session: Session) -> str:
            state = service.decide(
                session, asker(), request_id, approves=approves, reason=reason, giver=request.form.get("giver") or None
            )
            flash(str(ANSWERS[state]), "warn" if state is State.OVERTAKEN else "ok")
            return url_for("approvals.asked", request_id=request_id)

        try:
            with database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except Refused as refused:
            return shown(request_id, refused=refused, reason=reason)

    @pages.post("/approvals/<request_id>/withdraw")
    @http.requires("approval.decide")
    def withdraw(request_id: str) -> ResponseReturnValue:
        def act(session: Session) -> str:
            service.withdraw(session, asker(), request_id)
            flash(gettext("Your request is taken back."), "ok")
            return url_for("approvals.asked", request_id=request_id)

        try:
            with database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except Refused as refused:
            return shown(request_id, refused=refused)

    @pages.post("/approvals/<request_id>/noted")
    @http.requires("approval.decide")
    def noted(request_id: str) -> ResponseReturnValue:
        with database.write(org=http.principal().org) as session:
            service.take_note(session, asker(), request_id)
        return http.see("/")


def _add_delegates(pages: Blueprint, service: ApprovalService, database: Database) -> None:
    def shown(*, error: str | None = None, status: int = 200) -> ResponseReturnValue:
        who = http.principal()
        with database.read(org=who.org) as session:
            rows = service.delegations(session, who.org)
            members = service.members(session, who.org).values()
            waiting = len(service.inbox(session, asker()))
        takers = [(each.id, each.name) for each in members if each.may_decide and each.id != who.user_id]
        today = clock.now().date()
        page = render_template(
            "approvals/delegates.html", given=[each for each in rows if each.giver == who.user_id],
            taken=[each for each in rows if each.taker == who.user_id], takers=takers, today=today, error=error,
            tab="delegates", waiting=waiting, typed=request.form,
        )  # fmt: skip
        return page, status

    @pages.get("/approvals/delegates")
    @http.requires("approval.decide")
    def delegates() -> ResponseReturnValue:
        return shown()

    @pages.post("/approvals/delegates")
    @http.requires_fresh
    @http.requires("approval.decide")
    def delegate() -> ResponseReturnValue:
        first_on, last_on = (forms.day(request.form.get(name, "")) for name in ("first_on", "last_on"))
        if first_on is None or last_on is None:
            return shown(error=gettext("Say from which day to which."), status=422)

        def act(session: Session) -> str:
            service.delegate(session, asker(), request.form.get("taker", ""), first_on, last_on)
            flash(gettext("The delegation is on record."), "ok")
            return url_for("approvals.delegates")

        try:
            with database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except Refused as refused:
            return shown(error=str(wording.REFUSALS[refused.code]), status=422)

    @pages.post("/approvals/delegates/<delegation_id>/end")
    @http.requires("approval.decide")
    def end_delegation(delegation_id: str) -> ResponseReturnValue:
        with database.write(org=http.principal().org) as session:
            service.end_delegation(session, asker(), delegation_id)
        flash(gettext("The delegation has ended."), "ok")
        return http.see(url_for("approvals.delegates"))


def _add_policy(pages: Blueprint, service: ApprovalService, database: Database, partners: Partners) -> None:
    @pages.get("/spending-limits")
    @http.requires("policy.manage", "approval.decide")
    def policy() -> str:
        org = http.principal().org
        with database.read(org=org) as session:
            versions = service.policies(session, org)
            chosen = service.policy(session, org, request.args.get("version", type=int))
            if chosen is None and versions:
                abort(404)
            form = forms.shown(chosen.policy if chosen else None, chosen.version if chosen else 0)
            return render_template(
                "approvals/policy.html", form=form, chosen=chosen, versions=versions,
                **_choices(service, session, partners),
            )  # fmt: skip

    _add_policy_form(pages, PolicyPages(service, database, partners))


@dataclass(frozen=True)
class PolicyPages:
    """What the pages on which a policy is changed have in common."""

    service: ApprovalService
    database: Database
    partners: Partners

    def in_force(self) -> PolicyForm:
        org = http.principal().org
        with self.database.read(org=org) as session:
            row = self.service.policy(session, org)
        return forms.shown(row.policy if row else None, row.version if row else 0)

    def edited(self, form: PolicyForm, status: int = 200, *, changed: bool = False) -> ResponseReturnValue:
        return self._page("policy_edit", form=form, changed=changed, blank=BLANK_ROWS), status

    def review(self, form: PolicyForm) -> str:
        before = self.in_force()
        changes = _changed(before, form)
        differs = any(changes.values()) or not before.version
        return self._page("policy_review", form=form, changes=changes, differs=differs)

    def _page(self, name: str, **shown: object) -> str:
        with self.database.read(org=http.principal().org) as session:
            choices = _choices(self.service, session, self.partners)
        return render_template(f"approvals/{name}.html", **shown, **choices)

    def entered(self) -> tuple[PolicyForm, Policy | None]:
        """Return what was posted, and the policy that it states where nothing is wrong with it."""
        form, org = forms.posted(request.form), http.principal().org
        if form.policy is not None:
            with self.database.read(org=org) as session:
                form.blame(self.service.faults(session, org, form.policy))
        return form, form.policy if form.is_valid else None


def _add_policy_form(pages: Blueprint, policies: PolicyPages) -> None:
    @pages.get("/spending-limits/edit")
    @http.requires("policy.manage")
    def policy_form() -> ResponseReturnValue:
        return policies.edited(policies.in_force())

    @pages.post("/spending-limits/review")
    @http.requires("policy.manage")
    def review_policy() -> ResponseReturnValue:
        form, stated = policies.entered()
        if stated is None:
            return policies.edited(form, 422)
        return policies.edited(form) if request.form.get("step") == "edit" else policies.review(form)

    @pages.post("/spending-limits")
    @http.requires_fresh
    @http.requires("policy.manage")
    def state_policy() -> ResponseReturnValue:
        form, stated = policies.entered()
        if stated is None:
            return policies.edited(form, 422)

        def act(session: Session) -> str:
            version = policies.service.state_policy(session, asker(), stated, expected_version=form.version)
            flash(gettext("Version %(version)s of the spending limits is in force.", version=version), "ok")
            return url_for("approvals.policy")

        try:
            with policies.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except PolicyRefused as refused:  # somebody who approves has left meanwhile
            form.blame(refused.faults)
            return policies.edited(form, 422)
        except PolicyChanged:
            form.version = policies.in_force().version
            return policies.edited(form, 409, changed=True)


def _choices(service: ApprovalService, session: Session, partners: Partners) -> dict[str, object]:
    """What the fields of a policy offer, and how what was chosen is called."""
    deciders = [each for each in service.members(session, http.principal().org).values() if each.may_decide]
    return {
        "roles": [*BINDING_ROLES, TOKEN_ROLE],
        "approver_roles": BINDING_ROLES,
        "people": [(f"person:{each.id}", each.name) for each in deciders],
        "partners": partners(session),
        "steps_max": STEPS_MAX,
        "approvers_max": APPROVERS_MAX,
    }


def _changed(before: PolicyForm, after: PolicyForm) -> dict[str, bool]:
    """Return which parts of the policy differ from the one in force."""
    found = {part: before.tables[part] != after.tables[part] for part in forms.COLUMNS}
    pairs = zip_longest(before.chains, after.chains)
    found["chains"] = any(one != other for one, other in pairs)
    found["general"] = (before.currency, before.days) != (after.currency, after.days)
    return found
