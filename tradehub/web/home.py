"""Home is the work queue. Search finds anything by any number. And health."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search, Section

QUEUE_ROWS = 8
"""Rows of one section on the home page; the rest stands on the section's own page."""

FOUND_MAX = 50
QUERY_MAX = 200


def blueprint(database: Database, sections: Sequence[Section], searches: Sequence[Search]) -> Blueprint:
    """Return the pages that belong to no capability."""
    pages = Blueprint("home", __name__)

    @pages.get("/")
    @http.signed_in
    def queue() -> str:
        who = http.principal()
        shown = [each for each in sections if who.may(each.permission)]
        with database.read(org=who.org) as session:
            filled = [(each, list(each.entries(session, who))) for each in shown]
        return render_template("home.html", sections=filled, most=QUEUE_ROWS)

    @pages.get("/search")
    @http.signed_in
    def search() -> ResponseReturnValue:
        who = http.principal()
        words = request.args.get("q", "").strip()[:QUERY_MAX]
        with database.read(org=who.org) as session:
            found = _find(session, who, searches, words) if words else []
        if len(found) == 1:
            return redirect(found[0].href, 302)
        return render_template("search.html", words=words, found=found[:FOUND_MAX], more=len(found) > FOUND_MAX)

    @pages.get("/health")
    @http.public
    def health() -> ResponseReturnValue:
        try:
            with database.read() as session:
                session.execute(text("select 1"))
        except SQLAlchemyError:
            return jsonify(status="down", database="down"), 503
        return jsonify(status="up", database="up")

    return pages


def _find(session: Session, who: http.Principal, searches: Sequence[Search], words: str) -> list[Entry]:
    """Ask everybody, and name a page once."""
    found = {entry.href: entry for ask in searches for entry in ask(session, who, words)}
    return list(found.values())
