"""The pages of standard terms: one's own with their versions, and anybody's version by its hash."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, lazy_gettext
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.negotiation import publishing, standard, wording
from tradehub.negotiation.attachments import FILE_MAX, Unfit
from tradehub.negotiation.pages import Pages
from tradehub.negotiation.standard import Unsound
from tradehub.platform import http

LANGUAGES = (("en", lazy_gettext("English text")), ("zh_Hans", lazy_gettext("Chinese text")))


def add(routes: Blueprint, pages: Pages) -> None:
    """Add the pages to ``routes``."""

    @routes.get("/standard-terms")
    @http.requires("deal.read")
    def standard_terms() -> ResponseReturnValue:
        return _page(pages)

    @routes.post("/standard-terms")
    @http.requires("deal.bind")
    def publish_terms() -> ResponseReturnValue:
        who, texts = http.principal(), _texts()
        brought = request.files.get("file")
        file = None
        if brought is not None and brought.filename:
            file = (brought.filename, brought.stream.read(FILE_MAX + 1))

        def act(session: Session) -> str:
            row = pages.service.publish(session, who.org, texts, by=who.user_id, file=file)
            flash(gettext("Version %(number)s is published.", number=row.version), "ok")
            return url_for("negotiation.standard_terms")

        try:
            with pages.database.write(org=who.org) as session:
                return http.once(session, lambda: act(session))
        except Unsound as unsound:
            return _page(pages, texts, wording.unsound(unsound.code, unsound.place)), 422
        except Unfit as unfit:
            return _page(pages, texts, wording.unfit(unfit.code)), 422

    @routes.get("/standard-terms/<terms_hash>")
    @http.requires("deal.read")
    def terms_shown(terms_hash: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            row = publishing.by_hash(session, terms_hash) or abort(404)
            name = pages.service.hooks.party(session, PartyId(row.org)).name or row.org
            return render_template("negotiation/standard_terms_shown.html", row=row, name=name, written_in=LANGUAGES)

    @routes.get("/standard-terms/<terms_hash>/file")
    @http.requires("deal.read")
    def terms_file(terms_hash: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            row = publishing.by_hash(session, terms_hash) or abort(404)
            content, file = pages.service.terms_file(row), row.content["file"]
            return Response(content, mimetype=file["media_type"], headers=http.download_headers(file["name"]))


def language() -> str:
    """Return the language of the reader's page among those that standard terms are published in."""
    return "zh_Hans" if str(get_locale()).startswith("zh") else "en"


def _texts() -> dict[str, str]:
    return {each: request.form.get(f"text_{each}", "")[: standard.TEXT_MAX + 1] for each, _ in LANGUAGES}


def _page(pages: Pages, texts: dict[str, str] | None = None, error: str | None = None) -> str:
    org = http.principal().org
    with pages.database.read(org=org) as session:
        listed = publishing.versions(session, org)
        shown = texts if texts is not None else listed[0].texts if listed else {}
        return render_template(
            "negotiation/standard_terms.html", listed=listed, texts=shown, error=error, written_in=LANGUAGES
        )
