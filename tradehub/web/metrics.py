"""Figures for Prometheus: requests by view and status, and how long they took."""

from __future__ import annotations

from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from werkzeug.exceptions import NotFound

from tradehub.platform import http

LOCAL = frozenset({"127.0.0.1", "::1"})


def install(app: Flask) -> None:
    registry = CollectorRegistry()
    requests = Counter("tradehub_http_requests", "Requests answered", ["view", "method", "status"], registry=registry)
    seconds = Histogram("tradehub_http_request_seconds", "Time to answer", ["view"], registry=registry)

    def start() -> None:
        g.started = perf_counter()

    def count(response: Response) -> Response:
        view = request.endpoint or "none"
        requests.labels(view, request.method, str(response.status_code)).inc()
        seconds.labels(view).observe(perf_counter() - g.get("started", perf_counter()))
        return response

    @http.public
    def show() -> Response:
        """Open to this machine itself and to tokens with the scope metrics.read; nobody else sees it."""
        proxied = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
        if not (http.may("metrics.read") or (request.remote_addr in LOCAL and not proxied)):
            raise NotFound
        return Response(generate_latest(registry) + generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)

    app.before_request(start)
    app.after_request(count)
    app.add_url_rule("/metrics", "metrics", show)
