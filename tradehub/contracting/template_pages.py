"""The pages on which an organisation writes its contract templates: the list, a text with its preview, its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale, gettext
from sqlalchemy.exc import NoResultFound

from tradehub.contracting import clauses, saying, wording
from tradehub.contracting.bundle import LANGUAGES
from tradehub.contracting.store import TemplateRow
from tradehub.contracting.wording import LINE_TERMS, TEMPLATE_MAX, TERMS, Block, Mistake
from tradehub.platform import clock, http
from tradehub.platform.db import Database

SAMPLE: Mapping[str, str] = {
    "contract_number": "C-2026-00017", "contract_version": "1", "concluded_on": "2026-11-27", "inquiry": "RFQ-2026-0031",
    "offer": "Q-2026-0044", "currency": "USD", "total": "18,974.40", "delivery_terms": "FOB Ningbo (Incoterms 2020)",
    "delivery_date": "2027-01-15", "payment_terms": "net 30", "warranty": "24 months", "law": "CISG",
    "line_number": "1", "line_item": "Gate valve DN50 PN16", "line_item_number": "V-22", "line_quantity": "240",
    "line_price": "77.05", "line_amount": "18,492.00", "line_delivery_date": "2027-01-15",
}  # fmt: skip
"""What a preview shows; a term that is not here is shown by its meaning."""


@dataclass(frozen=True)
class TemplatePages:
    database: Database

    def add(self, routes: Blueprint) -> None:
        _add_pages(routes, self)
        _add_changes(routes, self)

    def found(self, template_id: str) -> TemplateRow:
        with self.database.read(org=http.principal().org) as session:
            try:
                row = clauses.template(session, template_id)
            except NoResultFound:
                abort(404)
            _ = row.versions
            return row


def _add_pages(routes: Blueprint, pages: TemplatePages) -> None:
    @routes.get("/contracts/templates")
    @http.requires("deal.read")
    def templates() -> str:
        with pages.database.read(org=http.principal().org) as session:
            listed = clauses.listed(session, http.principal().org)
            return render_template(
                "contracting/templates.html", templates=listed, language_names=saying.LANGUAGE_NAMES,
                changed={each.id: each.versions[-1].at for each in listed},
            )  # fmt: skip

    @routes.get("/contracts/templates/new")
    @http.requires("deal.bind")
    def template_new() -> str:
        language = request.args.get("language") or _readers_language()
        if language not in LANGUAGES:
            abort(404)
        return _editor(None, wording.standard(language), language=language)

    @routes.get("/contracts/templates/<template_id>")
    @http.requires("deal.read")
    def template_form(template_id: str) -> str:
        row = pages.found(template_id)
        wanted = request.args.get("version", row.latest, type=int)
        version = next((each for each in row.versions if each.version == wanted), None) or abort(404)
        return _editor(row, version.text, language=row.language, shown=wanted)

    @routes.post("/contracts/templates/preview")
    @http.requires("deal.bind")
    def template_preview() -> str:
        text, language = _text(), request.form.get("language", "en")
        return render_template(
            "contracting/_preview.html", **_preview(text, language if language in LANGUAGES else "en")
        )


def _add_changes(routes: Blueprint, pages: TemplatePages) -> None:
    @routes.post("/contracts/templates")
    @http.requires("deal.bind")
    def template_create() -> ResponseReturnValue:
        who, name, language = http.principal(), request.form.get("name", ""), request.form.get("language", "")
        text = _text()
        if not name.strip() or language not in LANGUAGES:
            error = gettext("Give the template a name.")
            return _editor(None, text, language=language if language in LANGUAGES else "en", name_error=error), 422
        try:
            with pages.database.write(org=who.org) as session:

                def act() -> str:
                    row = clauses.save(
                        session, org=who.org, text=text, by=who.user_id, at=clock.now(), name=name, language=language
                    )
                    return url_for(".template_form", template_id=row.id)

                return http.once(session, act)
        except Mistake as found:
            return _editor(None, text, language=language, name=name, mistake=found), 422
        except clauses.NameTaken:
            return _editor(None, text, language=language, name=name, name_error=str(saying.NAME_TAKEN)), 422

    @routes.post("/contracts/templates/<template_id>")
    @http.requires("deal.bind")
    def template_save(template_id: str) -> ResponseReturnValue:
        who, row, text = http.principal(), pages.found(template_id), _text()
        try:
            with pages.database.write(org=who.org) as session:

                def act() -> str:
                    clauses.save(
                        session, org=who.org, text=text, by=who.user_id, at=clock.now(), template_id=template_id
                    )
                    return url_for(".template_form", template_id=template_id)

                return http.once(session, act)
        except Mistake as found:
            return _editor(row, text, language=row.language, mistake=found), 422


def _text() -> str:
    return request.form.get("text", "")[: TEMPLATE_MAX + 1].replace("\r\n", "\n").replace("\r", "\n")


def _editor(
    row: TemplateRow | None,
    text: str,
    *,
    language: str,
    shown: int | None = None,
    name: str = "",
    name_error: str | None = None,
    mistake: Mistake | None = None,
) -> str:
    return render_template(
        "contracting/template.html",
        template=row,
        text=text,
        language=language,
        language_names=list(saying.LANGUAGE_NAMES.items()),
        shown=shown,
        name=name,
        name_error=name_error,
        error=saying.mistake(mistake) if mistake else None,
        meanings=[(each, saying.MEANINGS[each]) for each in TERMS],
        line_meanings=[(each, saying.MEANINGS[each]) for each in LINE_TERMS],
        **_preview(text, language),
    )


def _readers_language() -> str:
    """Return the language that a template is begun in: that of who writes it."""
    locale = get_locale()
    return next((each for each in LANGUAGES if locale and each.partition("_")[0] == locale.language), "en")


def _preview(text: str, language: str) -> dict[str, object]:
    """Return the text as it is set, with a sample in place of its terms, or where it is wrong."""
    with force_locale(language):
        terms = {each: SAMPLE.get(each, str(saying.MEANINGS[each])) for each in (*TERMS, *LINE_TERMS)}
        terms["line_unit"] = str(current_app.jinja_env.filters["unit"]("C62"))
    try:
        filled = wording.fill(wording.parse(text), terms, [terms, {**terms, "line_number": "2"}])
    except Mistake as found:
        return {"blocks": (), "wrong": saying.mistake(found), "tag": LANGUAGES[language][0]}
    blocks: tuple[Block, ...] = wording.set_out(filled)
    return {"blocks": blocks, "wrong": None, "tag": LANGUAGES[language][0]}
