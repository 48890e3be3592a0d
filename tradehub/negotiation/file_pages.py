"""The files of a deal on its pages: those that a form brings, and each as a download.

A file is never shown in place: what the other side brought might be a page with a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from itsdangerous import BadSignature, URLSafeSerializer

from tradehub.documents.parts import Attachment
from tradehub.negotiation import attachments, wording
from tradehub.negotiation.attachments import FILE_MAX, NAMED_MAX, Kept, Unfit
from tradehub.negotiation.forms import TermsForm
from tradehub.negotiation.pages import Pages, actor
from tradehub.platform import http

LISTED = "files_listed"
"""The field of a form that lists the files of an offer: without it nothing is said of them."""


@dataclass(frozen=True)
class Brought:
    """The files that a form names, and what is wrong with those it brought."""

    files: tuple[Attachment, ...]
    error: str = ""

    @property
    def digests(self) -> Sequence[str]:
        return [str(each.sha256) for each in self.files]


def add(routes: Blueprint, pages: Pages) -> None:
    """Add the download of a file."""

    @routes.get("/deals/<deal_id>/files/<file_hash>")
    @http.requires("deal.read")
    def file(deal_id: str, file_hash: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            row, content = pages.service.file(session, deal_id, file_hash)
            return Response(content, mimetype=row.media_type, headers=http.download_headers(row.name))


def read_into(form: TermsForm, pages: Pages, deal_id: str) -> None:
    """Put the files that were posted into a form that lists files."""
    if LISTED in request.form:
        brought = posted(pages, deal_id)
        form.files = brought.files
        if brought.error:
            form.errors["files"] = brought.error


def kept(pages: Pages) -> tuple[dict[str, Kept], str]:
    """Keep the files that the form of an inquiry brings, and return them behind those that it names, each by its sign,
    with what is wrong with one. There is no deal yet that could have them: the form has them, signed for its
    organisation."""
    signer = URLSafeSerializer(current_app.secret_key or "", salt=f"inquiry-file:{http.principal().org}")
    found, error = {}, ""
    for sign in request.form.getlist("kept"):
        with suppress(BadSignature):
            found[sign] = Kept(*signer.loads(sign))
    for each in request.files.getlist("files"):
        if each.filename:
            try:
                one = pages.service.keep(each.filename, each.stream.read(FILE_MAX + 1))
                found[str(signer.dumps(astuple(one)))] = one
            except Unfit as unfit:
                error = _untaken(each.filename, unfit)
    return found, wording.unfit("TOO_MANY") if len(found) > NAMED_MAX else error


def _untaken(name: str, unfit: Unfit) -> str:
    return str(gettext("%(name)s: %(why)s", name=name[: attachments.NAME_MAX], why=wording.unfit(unfit.code)))


def posted(pages: Pages, deal_id: str) -> Brought:
    """Keep the files that the form brings, and return them behind those of the deal that it names.

    A file that is not taken is told of; the others stay, so that nobody has to bring them twice.
    """
    brought = [each for each in request.files.getlist("files") if each.filename]
    wanted, error = request.form.getlist("attachment"), ""
    if brought:
        with pages.database.write(org=http.principal().org) as session:
            for each in brought[: NAMED_MAX + 1]:
                try:
                    content = each.stream.read(FILE_MAX + 1)
                    wanted.append(pages.service.attach(session, actor(), deal_id, each.filename or "", content).sha256)
                except Unfit as unfit:
                    error = _untaken(each.filename or "", unfit)
    with pages.database.read(org=http.principal().org) as session:
        here = attachments.told(session, deal_id)
        for row in pages.service.files(session, deal_id):
            here[row.sha256] = Attachment(name=row.name, mime=row.media_type, sha256=row.sha256)
    found = [here[each] for each in dict.fromkeys(wanted) if each in here]
    if len(found) > NAMED_MAX:
        error = wording.unfit("TOO_MANY")
    return Brought(
        tuple(found[:NAMED_MAX]),
        error,
    )
