"""The job that looks at deals when the clock has moved them on: it tells of it, it decides nothing."""

from __future__ import annotations

from tradehub.negotiation.service import NegotiationService
from tradehub.platform.jobs import JobContext, Jobs

TIME_PASSES = "negotiation.time_passes"
EVERY_S = 60
"""How soon a list may rely on its index alone after an offer has lapsed."""


def register(jobs: Jobs, service: NegotiationService) -> None:
    """Make the job known. Every process does so before it runs a worker."""

    def pass_time(ctx: JobContext, _target: str) -> None:
        with ctx.write() as session:
            service.pass_time(session)

    jobs.register(TIME_PASSES, pass_time)
