"""The form in which a partner is changed on the pages: what people may set by hand, the rest of the profile stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from flask_babel import gettext
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from tradehub.partners.profile import FolderChannel, Identity, Profile, Status, span_text

SCHEMES: tuple[str, ...] = get_args(Identity.model_fields["scheme"].annotation)
STATUSES: tuple[str, ...] = get_args(Status)

MAX_IDENTITIES = 50


class Name(NamedTuple):
    """A row of the table of names and numbers."""

    scheme: str = SCHEMES[0]
    qualifier: str = ""
    value: str = ""


class PartnerForm(NamedTuple):
    """What stands in the form. ``schedules`` by channel: a duration, or a cron line; ``agreed`` the enabled agreements."""

    name: str
    status: str
    names: tuple[Name, ...]
    schedules: dict[str, str]
    agreed: frozenset[str]
    revision: int
    """The revision that was changed: another since then, and somebody was faster."""
    errors: Mapping[str, str] = MappingProxyType({})


def shown(profile: Profile, revision: int) -> PartnerForm:
    return PartnerForm(
        profile.name,
        profile.status,
        tuple(Name(each.scheme, each.qualifier, each.value) for each in profile.identities),
        {
            name: each.cron or (span_text(each.every) if each.every else "")
            for name, each in profile.channels.items()
            if isinstance(each, FolderChannel)
        },
        frozenset(" ".join(each.key) for each in profile.agreements if each.enabled),
        revision,
    )


def entered(form: MultiDict[str, str], profile: Profile) -> PartnerForm:
    """Return what was posted, for the channels that the partner has."""
    rows = zip_longest(*(form.getlist(f"name_{each}")[:MAX_IDENTITIES] for each in Name._fields), fillvalue="")
    names = tuple(Name(*(cell.strip() for cell in row)) for row in rows)
    return PartnerForm(
        form.get("name", "").strip(),
        form.get("status", ""),
        tuple(each for each in names if each.value or each.qualifier),
        {name: form.get(f"schedule-{name}", "").strip() for name in shown(profile, 0).schedules},
        frozenset(form.getlist("agreed")),
        form.get("revision", 0, type=int),
    )


def changed(profile: Profile, form: PartnerForm) -> tuple[Profile | None, dict[str, str]]:
    """Return the profile as the form has it; or None, and what is wrong by field."""
    plain: dict[str, Any] = profile.model_dump(mode="json", by_alias=True)
    usage = {each.key: each.usage for each in profile.identities}
    plain |= {"name": form.name, "status": form.status}
    plain["identities"] = [
        {**each._asdict(), "usage": usage.get((each.scheme, each.qualifier, each.value), "live")} for each in form.names
    ]
    for name, schedule in form.schedules.items():
        is_cron = " " in schedule
        plain["channels"][name] |= {"cron": schedule if is_cron else None, "every": None if is_cron else schedule}
    for each in plain["agreements"]:
        each["enabled"] = f"{each['direction']} {each['message']}" in form.agreed
    try:
        return Profile.model_validate(plain), {}
    except ValidationError as error:
        return None, dict(_told(error))


def _told(error: ValidationError) -> Iterator[tuple[str, str]]:
    for each in error.errors(include_url=False, include_input=False):
        place = [str(step) for step in each["loc"]]
        if place[0] == "identities" and len(place) > 2:
            yield f"names-{place[1]}", gettext("This name is not complete, or too long.")
        elif place[0] == "channels":
            yield f"schedule-{place[1]}", gettext("Neither a duration such as 30s or 15m nor a cron line.")
        else:
            yield place[0], gettext("This cannot be taken as it stands.")
