"""The pages of negotiation: deals and their rounds, inquiries, offers side by side, and every act with its review."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

import werkzeug.exceptions
from flask import Blueprint, Response, abort, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta, gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.documents import PartyId, TradeDocument
from tradehub.negotiation import (
    acceptance,
    acting,
    amending,
    approved,
    compare,
    drafting,
    file_pages,
    forms,
    model,
    publishing,
    terms_pages,
    wording,
)
from tradehub.negotiation.acceptance import acceptable
from tradehub.negotiation.approved import Stated
from tradehub.negotiation.attachments import FILE_MAX
from tradehub.negotiation.forms import TermsForm
from tradehub.negotiation.judging import Judgement, judge
from tradehub.negotiation.model import Conflict, Refused
from tradehub.negotiation.pages import (
    NotAuthorised,
    Pages,
    Panel,
    actor,
    asked,
    demand,
    nobody_to_ask,
    rehearsed,
    version,
)
from tradehub.negotiation.reading import FILTERS, LIVE, DealLine, DealView, Round
from tradehub.negotiation.recording import NotFound
from tradehub.negotiation.service import NegotiationService
from tradehub.negotiation.store import DealRow, StandardTermsRow
from tradehub.partners.asking import FORBIDDEN, Ask
from tradehub.partners.authority import Act, Allowed, Forbidden, Needs, Verdict, Wanted
from tradehub.partners.suggesting import Suggest, Suggested
from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search, Section

SUPPLIERS_MAX = 50
"""Suppliers asked in one inquiry: more is a tender."""

FOUND_MAX = 20

CSV_PAGE = 1000
"""Deals read at a time for a file."""

SHOWN_MAX = 20
"""Rounds shown at once, the last ones; the rest is one click away."""

SAID_MAX = 50
"""Statements shown at once."""

TERMS_MAX = 60
"""Above so many terms only those that differ are shown side by side."""


def blueprint(
    service: NegotiationService,
    database: Database,
    *,
    suggest: Suggest,
    panels: Sequence[Panel] = (),
    ask: Ask = nobody_to_ask,
) -> Blueprint:
    """Return the pages. ``suggest`` finds suppliers by what is typed; ``panels`` follow the rounds on the deal page;
    ``ask`` asks for approval of an act that the service's hook ``authorise`` does not let go on."""
    routes = Blueprint("negotiation", __name__, template_folder="templates")
    pages = Pages(service, database, suggest, panels, ask)
    words = {
        "FILE_MB": FILE_MAX // 1024**2,
        "wording": wording,
        "drafting": drafting,
        "compare": compare,
        "forms": forms,
        "ACTS": acting.ACTS,
        "PART_MAX": acting.PART_MAX,
        "forbidden": FORBIDDEN,
    }
    routes.context_processor(lambda: words)
    routes.register_error_handler(NotFound, _not_found)
    _add_lists(routes, pages)
    _add_deal(routes, pages)
    _add_answer(routes, pages)
    acceptance.add(routes, pages)
    amending.add(routes, pages)
    _add_words(routes, pages)
    file_pages.add(routes, pages)
    terms_pages.add(routes, pages)
    acting.add(routes, service, database, actor)
    _add_inquiry(routes, pages)
    _add_comparison(routes, pages)
    return routes


def _not_found(_error: NotFound) -> ResponseReturnValue:
    return current_app.handle_http_exception(werkzeug.exceptions.NotFound())


def sections(service: NegotiationService) -> Sequence[Section]:
    """Return the parts of the work queue: what is mine to answer, what runs out, what waits for others."""

    def entries(pick: Callable[[Session], Iterable[DealLine]]) -> Callable[[Session, http.Principal], list[Entry]]:
        return lambda session, _who: [_entry(line) for line in pick(session)]

    turn = entries(lambda session: (*service.queue(session, "undelivered"), *service.queue(session, "your_turn")))

    def differing_first(session: Session, who: http.Principal) -> list[Entry]:
        differing = [_differing(row) for row, _verdict in service.deals_that_differ(session, who.org)]
        named = {each.href for each in differing}
        return [*differing, *(each for each in turn(session, who) if each.href not in named)]

    return (
        Section(
            "your_turn",
            lazy_gettext("Your turn"),
            "deal.read",
            differing_first,
            lazy_gettext("Nobody waits for you."),
            "/deals?only=your_turn",
        ),
        Section(
            "late",
            lazy_gettext("Accepted late"),
            "deal.read",
            entries(lambda session: service.queue(session, "late")),
            lazy_gettext("No acceptance waits for a decision."),
            "/deals/late",
        ),
        Section(
            "expiring",
            lazy_gettext("Expiring soon"),
            "deal.read",
            entries(lambda session: service.queue(session, *LIVE, expiring=True)),
            lazy_gettext("Nothing runs out within two days."),
            "/deals?only=expiring",
        ),
        Section(
            "waiting",
            lazy_gettext("Waiting for them"),
            "deal.read",
            entries(lambda session: service.queue(session, "waiting", "sending")),
            lazy_gettext("Nothing of yours is unanswered."),
            "/deals?only=waiting",
            is_ours=False,
        ),
    )


def search(service: NegotiationService) -> Search:
    """Return the search for deals by number, quotation, item, partner or what was said."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("deal.read"):
            return []
        return [_entry(line) for line in service.deals(session, text=words).lines[:FOUND_MAX]]

    return find


def _add_lists(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals")
    @http.requires("deal.read")
    def deals() -> ResponseReturnValue:
        chip = request.args.get("only", "all")
        chip = chip if chip in FILTERS else "all"
        text = request.args.get("q", "")
        with pages.database.read(org=http.principal().org) as session:
            after = request.args.get("after")
            found = pages.service.deals(session, chip=chip, text=text, cursor=after)
            return render_template("negotiation/deals.html", found=found, chip=chip, text=text, after=after)

    @routes.get("/deals.csv")
    @http.requires("deal.read")
    def deals_csv() -> ResponseReturnValue:
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(["number", "title", "partner", "status", "currency", "total", "rounds", "deadline", "updated"])
        chip, text = request.args.get("only", "all"), request.args.get("q", "")
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.deals(session, chip=chip, text=text, size=CSV_PAGE)
            rows.writerows(_csv_row(line) for line in found.lines)
            while found.next is not None:
                found = pages.service.deals(session, chip=chip, text=text, cursor=found.next, size=CSV_PAGE)
                rows.writerows(_csv_row(line) for line in found.lines)
        headers = {"Content-Disposition": "attachment; filename=deals.csv"}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)


def _csv_row(line: DealLine) -> list[str]:
    total = line.total
    cells = [
        line.row.number, line.row.title, line.other_name, line.status, (total and total.unit) or "",
        str(total.value) if total else "", str(line.rounds), line.deadline.isoformat() if line.deadline else "",
        line.row.updated_at.isoformat(),
    ]  # fmt: skip
    # A spreadsheet takes what begins like this for a formula.
    return [f"'{each}" if each.startswith(("=", "+", "-", "@", "\t")) else each for each in cells]


def _add_deal(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>")
    @http.requires("deal.read")
    def deal(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            return _deal_page(pages, session, pages.service.deal(session, deal_id))

    @routes.get("/deals/<deal_id>/diff")
    @http.requires("deal.read")
    def diff(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
        return render_template("negotiation/_diff.html", deal=view, **_two_rounds(view))

    @routes.post("/deals/<deal_id>/histories")
    @http.requires("deal.negotiate")
    def settle_histories(deal_id: str) -> ResponseReturnValue:
        def act(session: Session) -> str:
            pages.service.settle_histories(session, actor(), pages.service.deal(session, deal_id).id)
            flash(gettext("Noted: the two records were compared."), "ok")
            return url_for("negotiation.deal", deal_id=deal_id)

        with pages.database.write(org=http.principal().org) as session:
            return http.once(session, lambda: act(session))


def _deal_page(pages: Pages, session: Session, view: DealView) -> str:
    charts = [(each, compare.chart(each)) for each in view.series]
    may, may_not = acting.choices(view)
    every = request.args.get("rounds") == "all"
    return render_template(
        "negotiation/deal.html",
        deal=view,
        steps=_steps(view),
        differences=pages.service.differences(session, view.id, view.me),
        charts=charts,
        may_act=may,
        may_not=may_not,
        rounds=view.rounds if every else view.rounds[-SHOWN_MAX:],
        said=view.said if every else view.said[-SAID_MAX:],
        panels=[panel(session, view.id) for panel in pages.panels],
        **_spoken_of(view),
        **_two_rounds(view),
    )


def _spoken_of(view: DealView) -> dict[str, object]:
    """The terms to choose from in a comment, with the one that a link asks for; ``about`` is the round it stands in."""
    path = request.args.get("term", "")[: forms.TERM_PATH_MAX]
    about = request.args.get("about", "")
    topics = view.topics
    if path and path not in {each.path for each in topics}:
        topics = (*topics, view.topic(path))
    known = any(each.offer.id == about for each in view.rounds)
    return {"topics": topics, "term": path, "about": about if known else ""}


def _two_rounds(view: DealView) -> dict[str, object]:
    """The rounds to compare: as asked for, else the last two."""
    last = len(view.rounds)
    after = min(max(request.args.get("b", last, type=int), 1), last)
    before = min(max(request.args.get("a", max(after - 1, 1), type=int), 1), last)
    one, other = view.rounds[before - 1], view.rounds[after - 1]
    changes = view.changes(one, other)
    if request.args.get("terms") != "all" and len(changes) > TERMS_MAX:
        changes = tuple(each for each in changes if each.direction is not compare.Direction.SAME)
    near = {each.number for each in view.rounds[-SHOWN_MAX:]} | {one.number, other.number}
    return {
        "before": one,
        "after": other,
        "changes": changes,
        "offered": [each for each in view.rounds if each.number in near],
    }


def _steps(view: DealView) -> list[tuple[str, str]]:
    """Where the deal stands on its way; what it went past without is no step of it."""
    rounds = len(view.moves)
    is_countered = "counter" in {str(each.kind) for each in view.rounds} or rounds > 2
    reached = 3 if view.contract else 2 if is_countered else 1 if rounds > 1 else 0
    if view.contract and view.status == "concluded":
        reached = 4
    words = [
        gettext("Inquiry"), gettext("Offer"), gettext("Counter-offer"), gettext("Acceptance"), gettext("Contract"),
        gettext("Fulfilment"),
    ]  # fmt: skip
    if view.contract and not is_countered:
        del words[2]
        reached -= 1
    return [
        (word, "done" if place < reached else "now" if place == reached else "ahead")
        for place, word in enumerate(words)
    ]


def _add_answer(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/counter")
    @http.requires("deal.negotiate")
    def answer_form(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
            own = publishing.current(session, view.me)
        base = _base(view, request.args.get("about"))
        form = forms.prefilled(base.document, is_buyer=view.is_buyer)
        form.own_terms = _own_terms(own)
        form.standard_terms = form.own_terms[0] if form.own_terms else ""
        return _answer_page(view, base, form)

    @routes.post("/deals/<deal_id>/counter")
    @http.requires("deal.negotiate")
    def answer(deal_id: str) -> ResponseReturnValue:
        who = http.principal()
        with pages.database.read(org=who.org) as session:
            view = pages.service.deal(session, deal_id)
            named = publishing.by_hash(session, request.form.get("standard_terms", ""))
            own = publishing.current(session, view.me)
        base = _base(view, request.form.get("about"))
        form = forms.posted_answer(request.form, base.document, is_buyer=view.is_buyer)
        if named is not None and named.org == view.me:
            form.standard_terms, own = named.sha256, named
        form.own_terms = _own_terms(own)
        file_pages.read_into(form, pages, deal_id)
        if forms.changes_rows(form, request.form):
            return _answer_page(view, base, form)
        if not form.is_valid:
            return _answer_page(view, base, form, status=422)
        step = request.form.get("step")
        if step == "edit":
            return _answer_page(view, base, form)
        large = forms.large_moves(form, base.document)
        if step == "review" or (large and step not in ("send", "ask")):
            refused = rehearsed(pages, lambda session: _make_offer(pages, session, view, base, form))
            if refused is not None:
                return _refused(pages, view, base, form, refused)
            return _review_page(view, base, form, large)
        return _send_answer(pages, view, base, form, asks=step == "ask")

    @routes.post("/deals/<deal_id>/counter/term")
    @http.requires("deal.negotiate")
    def answer_term(deal_id: str) -> ResponseReturnValue:
        """One more row for a further term, to be put into the form that stands."""
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
        base = _base(view, request.form.get("about")).document
        term = forms.added_term(request.form, base, request.form.get("add", "")) or abort(400, "add")
        titles = forms.titles(forms.prefilled(base, is_buyer=view.is_buyer))
        return render_template("negotiation/_term_row.html", deal=view, term=term, titles=titles)


def _own_terms(row: StandardTermsRow | None) -> tuple[str, int] | None:
    """Return the version of one's own standard terms that a form offers to refer to."""
    return None if row is None else (row.sha256, row.version)


def _review_page(
    view: DealView,
    base: Round,
    form: TermsForm,
    large: Sequence[forms.LineForm] = (),
    verdict: Needs | Forbidden | None = None,
) -> str:
    """What would go on record, and how it differs from the round that it answers."""
    draft = forms.answer_draft(form)
    variants = [approved.proposed(view, base, each) for each in draft.variants]
    proposed = variants[0]
    moved = compare.changes(base.document, proposed.document, for_buyer=view.is_buyer)
    return render_template(
        "negotiation/answer_review.html", deal=view, base=base, form=form, large=large, verdict=verdict,
        proposed=proposed, variants=variants, changes=[each for each in moved if each.direction is not compare.Direction.SAME],
    )  # fmt: skip


def _send_answer(pages: Pages, view: DealView, base: Round, form: TermsForm, *, asks: bool) -> ResponseReturnValue:
    """Put the offer on record, or, where it takes approval and that is what the form ``asks``, ask for it."""
    who = http.principal()

    def act(session: Session) -> str:
        verdict = _offer_verdict(pages, session, view, base, form)
        if asks and isinstance(verdict, Needs):
            return asked(pages, session, approved.offer(view, base, forms.answer_draft(form), version()))
        demand(verdict)
        _make_offer(pages, session, view, base, form)
        flash(gettext("Your offer is on record."), "ok")
        return url_for("negotiation.deal", deal_id=view.id)

    try:
        with pages.database.write(org=who.org) as session:
            return http.once(session, lambda: act(session))
    except NotAuthorised as refused:
        return _review_page(view, base, form, verdict=refused.verdict), 403
    except Refused as refused:
        return _refused(pages, view, base, form, refused)


def _make_offer(pages: Pages, session: Session, view: DealView, base: Round, form: TermsForm) -> None:
    pages.service.make_offer(
        session, actor(), view.id, forms.answer_draft(form), about=base.offer.id, expected_version=version(),
        request_key=http.form_id(),
    )  # fmt: skip


def _refused(pages: Pages, view: DealView, base: Round, form: TermsForm, refused: Refused) -> ResponseReturnValue:
    """Show the form again, with the reason at the field that can mend it, or what came in between."""
    if isinstance(refused, Conflict):
        return _answer_overtaken(pages, view.id, base, form)
    forms.refused_at(form, refused, wording.why(refused))
    return _answer_page(view, base, form, status=422)


def _offer_verdict(pages: Pages, session: Session, view: DealView, base: Round, form: TermsForm) -> Verdict:
    """Return whether the organisation lets this offer go out; one without obligation binds nobody."""
    if not form.firm:
        return Allowed()
    document = approved.most(view, base, forms.answer_draft(form))
    return pages.service.hooks.authorise(session, actor(), approved.bound(view, Act.OFFER, document))


def _answer_overtaken(pages: Pages, deal_id: str, base: Round, form: TermsForm) -> ResponseReturnValue:
    """Show the new state with the user's own draft, now on top of the round that came in between."""
    with pages.database.read(org=http.principal().org) as session:
        view = pages.service.deal(session, deal_id)
    latest = _base(view, None)
    return _answer_page(view, latest, form, status=409, overtaken=base, changes=view.since(base, latest))


def _answer_page(
    view: DealView,
    base: Round,
    form: TermsForm,
    *,
    status: int = 200,
    overtaken: Round | None = None,
    changes: Sequence[compare.Term] = (),
) -> ResponseReturnValue:
    closed = view.actions["counter"].refused
    page = render_template(
        "negotiation/answer.html", deal=view, base=base, form=form, overtaken=overtaken, changes=changes, closed=closed
    )
    return page, (409 if closed and status == 200 else status)


def _base(view: DealView, about: str | None) -> Round:
    """The round that an answer starts from: the one named, else theirs that is open, else their last."""
    if about:
        return view.round(about)
    action = view.actions["counter"]
    return view.round(action.about) if action.about else view.rounds[-1]


def _add_words(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/reject")
    @http.requires("deal.negotiate")
    def reject_form(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
        return render_template(
            "negotiation/reject.html", deal=view, round=acceptable(view, request.args.get("offer")), refused=None
        )

    @routes.post("/deals/<deal_id>/reject")
    @http.requires("deal.negotiate")
    def reject(deal_id: str) -> ResponseReturnValue:
        about, text = request.form.get("offer", ""), request.form.get("text", "")[: forms.TEXT_MAX]

        def act(session: Session) -> str:
            pages.service.reject(
                session, actor(), deal_id, about, text=text, with_alternatives="others" in request.form,
                expected_version=version(), request_key=http.form_id(),
            )  # fmt: skip
            flash(gettext("Declined. A new offer may still follow."), "ok")
            return url_for("negotiation.deal", deal_id=deal_id)

        return _done_or_told(pages, deal_id, act)

    @routes.post("/deals/<deal_id>/comment")
    @http.requires("deal.negotiate")
    def comment(deal_id: str) -> ResponseReturnValue:
        text = request.form.get("text", "").strip()[: forms.TEXT_MAX]
        term = request.form.get("term", "")[: forms.TERM_PATH_MAX] or None
        about = request.form.get("about") or None
        brought = file_pages.posted(pages, deal_id)

        def act(session: Session) -> str:
            is_question = request.form.get("kind") == "question"
            if text or brought.files:
                pages.service.comment(
                    session, actor(), deal_id, text, about=about, term=term, is_question=is_question,
                    files=brought.digests, request_key=http.form_id(),
                )  # fmt: skip
            if brought.error:
                flash(brought.error, "error")
            return url_for("negotiation.deal", deal_id=deal_id, _anchor="threads" if term else "said")

        return _done_or_told(pages, deal_id, act)


def _done_or_told(pages: Pages, deal_id: str, act: Callable[[Session], str]) -> ResponseReturnValue:
    """Act once; where the rules refuse, show the deal as it is now with the reason (409)."""
    who = http.principal()
    try:
        with pages.database.write(org=who.org) as session:
            return http.once(session, lambda: act(session))
    except Refused as refused:
        flash(wording.why(refused), "error")
        with pages.database.read(org=who.org) as session:
            return _deal_page(pages, session, pages.service.deal(session, deal_id)), 409


def _add_inquiry(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/inquiries/new")
    @http.requires("inquiry.write")
    def inquiry_form() -> ResponseReturnValue:
        form = forms.blank_inquiry()
        with pages.database.read(org=http.principal().org) as session:
            form.own_terms = _own_terms(publishing.current(session, http.principal().org))
        form.standard_terms = form.own_terms[0] if form.own_terms else ""
        return render_template("negotiation/inquiry_new.html", form=form)

    @routes.get("/inquiries/suppliers")
    @http.requires("inquiry.write")
    def suppliers() -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.suggest(session, request.args.get("q", "").strip())
            return render_template("negotiation/_suppliers.html", found=found)

    @routes.post("/inquiries/new")
    @http.requires("inquiry.write")
    def inquiry() -> ResponseReturnValue:
        who = http.principal()
        form = forms.posted_inquiry(request.form)
        form.kept, wrong = file_pages.kept(pages)
        if wrong:
            form.errors["files"] = wrong
        with pages.database.read(org=who.org) as session:
            _read_suppliers(pages, session, form)
            named = publishing.by_hash(session, request.form.get("standard_terms", ""))
            own = publishing.current(session, who.org)
        if named is not None and named.org == who.org:
            form.standard_terms, own = named.sha256, named
        form.own_terms = _own_terms(own)
        if not form.is_valid:
            return render_template("negotiation/inquiry_new.html", form=form), 422
        step = request.form.get("step")
        if step == "edit":
            return render_template("negotiation/inquiry_new.html", form=form)
        if step == "send":
            return _send_inquiry(pages, form)
        refused = rehearsed(pages, lambda session: _inquire(pages, session, form))
        if refused is not None:
            return _inquiry_refused(form, refused)
        return render_template("negotiation/inquiry_review.html", form=form)


def _inquire(pages: Pages, session: Session, form: TermsForm) -> str:
    return pages.service.send_inquiry(
        session, actor(), forms.inquiry_draft(form), [PartyId(id) for id, _ in form.suppliers], note=form.note,
        request_key=http.form_id(), files=list(form.kept.values()), standard_terms=form.standard_terms or None,
    )  # fmt: skip


def _send_inquiry(pages: Pages, form: TermsForm) -> ResponseReturnValue:
    def act(session: Session) -> str:
        inquiry_id = _inquire(pages, session, form)
        flash(gettext("The inquiry is sent."), "ok")
        return url_for("negotiation.comparison", inquiry_id=inquiry_id)

    try:
        with pages.database.write(org=http.principal().org) as session:
            return http.once(session, lambda: act(session))
    except Refused as refused:
        return _inquiry_refused(form, refused)


def _inquiry_refused(form: TermsForm, refused: Refused) -> ResponseReturnValue:
    forms.refused_at(form, refused, wording.why(refused))
    return render_template("negotiation/inquiry_new.html", form=form), 422


def _read_suppliers(pages: Pages, session: Session, form: TermsForm) -> None:
    """Keep the chosen suppliers that exist; a name typed in full counts as chosen."""
    known = {str(each.id): each.name for each in _known(pages, session)}
    chosen = list(dict.fromkeys(request.form.getlist("suppliers")))
    form.suppliers = [(id, known[id]) for id in chosen if id in known]
    if len(form.suppliers) < len(chosen):
        form.errors["suppliers"] = gettext("One of them is no supplier of yours.")
    elif not form.suppliers:
        form.errors["suppliers"] = gettext("Choose at least one supplier.")
    elif len(form.suppliers) > SUPPLIERS_MAX:
        form.errors["suppliers"] = gettext("At most %(count)s suppliers.", count=SUPPLIERS_MAX)


def _known(pages: Pages, session: Session) -> Iterable[Suggested]:
    for id in dict.fromkeys(request.form.getlist("suppliers")):
        yield from (each for each in pages.suggest(session, id) if each.id == id)


def _add_comparison(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/inquiries/<inquiry_id>")
    @http.requires("deal.read")
    def inquiry_page(inquiry_id: str) -> ResponseReturnValue:
        return http.see(url_for("negotiation.comparison", inquiry_id=inquiry_id))

    @routes.get("/inquiries/<inquiry_id>/compare")
    @http.requires("deal.read")
    def comparison(inquiry_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.comparison(session, inquiry_id)
            return render_template("negotiation/compare.html", found=found)


def amendments(service: NegotiationService) -> Callable[[Session, str, str], Markup]:
    """Return the part of a contract's page on which it is changed by agreement."""
    return amending.panel(service)


def approval_view(service: NegotiationService) -> Callable[[Session, Wanted], Markup]:
    """Return the part of an approval's page that shows what would be done: the terms, what they change, the rounds."""

    def show(session: Session, wanted: Wanted) -> Markup:
        if wanted.binding.act is Act.AWARD:
            return _award_view(service, session, wanted)
        if wanted.binding.act is Act.AMENDMENT:
            return amending.approval_view(service, session, wanted)
        view = service.deal(session, wanted.binding.deal_id)
        about = view.round(wanted.offer_id)
        is_offer, taking = wanted.binding.act is Act.OFFER, approved.taking(wanted)
        draft = approved.offered(wanted) if is_offer else taking.terms
        after: Round | approved.Proposed = about
        before: Round | None = about
        judged: Judgement | None = None
        if draft is not None:
            after = approved.proposed(view, about, draft)
            judged = None if is_offer else _judged(view, about, taking, after.document)
        elif taking.lines:
            after = approved.Proposed(taking.document(view, about))
        else:
            before = next((each for each in reversed(view.rounds[: about.number - 1])), None)
        changes = compare.changes(before.document, after.document, for_buyer=view.is_buyer) if before else ()
        if taking.stated is not None:
            changes = tuple(each for each in changes if each.after is not None)  # where it is silent it agrees
        text = render_template(
            "negotiation/_approval.html", deal=view, about=about, before=before, after=after, changes=changes,
            is_offer=is_offer, wording=wording, drafting=drafting, draft=draft, taking=taking, judged=judged, compare=compare,
            variants=[approved.proposed(view, about, each) for each in draft.variants] if draft is not None else [],
            within=format_timedelta(draft.accept_within) if isinstance(draft, Stated) and draft.accept_within else None,
        )  # fmt: skip
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def _judged(view: DealView, about: Round, taking: approved.Taking, own: TradeDocument) -> Judgement:
    return judge(
        view.negotiation, about.offer, own, is_restated=taking.draft is not None,
        is_part=bool(taking.lines) and not about.offer.divisible, conditional=taking.conditional,
        standard_terms=taking.standard_terms,
    )  # fmt: skip


def _award_view(service: NegotiationService, session: Session, wanted: Wanted) -> Markup:
    """Show what of whose offer would be accepted, beside all offers on the inquiry."""
    found = service.comparison(session, wanted.binding.deal_id)
    names = {each.deal.row.id: each.deal.other_name for each in found.columns}
    parts = []
    for pick in approved.picked(wanted):
        view = service.deal(session, pick.deal)
        round = view.round(pick.offer)
        lines = dict(pick.lines) or dict.fromkeys(name for name, _ in round.lines)
        offered = model.quantities(round.document)
        amounts = {name: offered[name] if value is None else value for name, value in lines.items()}
        part = approved.Proposed(approved.Taking(tuple(amounts.items())).document(view, round))
        parts.append((names[pick.deal], round, part))
    text = render_template(
        "negotiation/_approval_award.html", found=found, parts=parts, wording=wording, drafting=drafting
    )
    return Markup(text)  # noqa: S704 - a rendered template


def _differing(row: DealRow) -> Entry:
    return Entry(
        href=f"/deals/{row.id}", title=f"{row.number} · {row.title}", detail=str(wording.HISTORIES_DIFFER),
        status=("bad", gettext("Records differ")), at=row.updated_at,
    )  # fmt: skip


def _entry(line: DealLine) -> Entry:
    kind, word = wording.STATUSES[line.status]
    return Entry(
        href=f"/deals/{line.row.id}",
        title=f"{line.row.number} · {line.row.title}",
        detail=line.other_name,
        status=(kind, str(word)),
        at=line.row.updated_at,
        until=line.deadline,
    )
