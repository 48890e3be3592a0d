"""The door for partners' programs: ``POST /exchange/http/<partner>`` with the partner's own token.

202 with the message's id leaves only after the bytes are on the disk and the row is committed. The same bytes again get
the same answer with the first id. Of a sealed message it also says what became of it: the receipt, or the rule that
refuses it. What cannot be taken is a problem document; what is no EDI is kept all the same.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from tradehub.exchange import secrets
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.service import ExchangeService
from tradehub.partners.profile import HttpChannel
from tradehub.partners.service import PolledChannelOf
from tradehub.platform import http

KEY_MAX = 200
"""Longest Idempotency-Key taken."""


def add_intake(routes: Blueprint, exchange: ExchangeService) -> None:
    @routes.post("/exchange/http/<partner>")
    @http.own_token
    def intake(partner: str) -> ResponseReturnValue:
        channel = _admitted(exchange, partner)
        if channel is None:
            return http.problem(401, "Unauthorized", "The token is missing or not the partner's.")
        try:
            payload = _body(channel)
        except RequestEntityTooLarge:
            return http.problem(413, "Content Too Large", "The message is larger than agreed.")
        if not payload:
            return http.problem(400, "Bad Request", "There is no message in the request.")
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > KEY_MAX:
            return http.problem(400, "Bad Request", "The Idempotency-Key is too long.")
        receipt = exchange.inbound.receive(
            Arrived(
                payload,
                channel.owner,
                channel.party,
                channel.name,
                f"http:{channel.id}:{key}" if key else None,
                _file_name(),
            )
        )
        if receipt.reason is not None:
            return http.problem(
                415,
                "Unsupported Media Type",
                "This is neither EDI nor XML.",
                rule=receipt.reason,
                message=receipt.message_id,
            )
        told = {"outcomes": receipt.outcomes} if receipt.is_sealed else {}
        return jsonify(message=receipt.first, duplicate=receipt.is_repeated, **told), 202


def _admitted(exchange: ExchangeService, partner: str) -> PolledChannelOf | None:
    """Return the HTTP channel of a partner whose token the request brings; the same time for every wrong one."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip().encode()
    with exchange.database.read() as session:
        found = [each for each in exchange.partners.channels(session, "http") if each.party == partner]
    admitted = None
    for each in found:
        if not isinstance(each.channel, HttpChannel):
            continue
        try:
            expected = secrets.resolve(each.channel.receive_token, exchange.data_dir).encode()
        except secrets.MissingSecret:
            continue
        if expected and hmac.compare_digest(given, expected):
            admitted = each
    return admitted


def _body(channel: PolledChannelOf) -> bytes:
    """Return the request's body. Raises RequestEntityTooLarge beyond the channel's limit, whatever was announced."""
    limit = channel.channel.max_bytes if isinstance(channel.channel, HttpChannel) else 0
    request.max_content_length = limit
    return request.get_data(cache=False)


def _file_name() -> str | None:
    return request.mimetype or None
