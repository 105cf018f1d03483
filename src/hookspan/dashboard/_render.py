"""From templates to pages. Everything that comes from outside is escaped: autoescape is on, and nothing is marked safe
but what `_json_view` has escaped itself.
"""

import importlib.resources
import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response

from hookspan.brand import Brand
from hookspan.clock import Clock
from hookspan.contact import read_contact
from hookspan.dashboard import _moments, _shown
from hookspan.dashboard._asgi import Scope
from hookspan.dashboard._assets import asset, brand_asset
from hookspan.dashboard._form import NO_ERRORS, Form
from hookspan.dashboard._json_view import json_view
from hookspan.dashboard._visit import PORTAL, Visit
from hookspan.errors import HookspanError, NotFound

_OURS: Final = Brand()
_CUSTOMERS: Final = (f"{PORTAL}/", "/enter/")
VISIT: Final = "hookspan.visit"  # in a request's scope
FORM: Final = "hookspan.form"
# Things of an application that have a page; what is done to one is an address below it.
_THINGS: Final = {"webhooks": "webhook", "deliveries": "delivery", "events": "event", "jobs": "job"}
_BELOW: Final = re.compile(rf".*/({'|'.join(_THINGS)})/([^/]+)/")
# What the page before has done, by a word in the address: never a text from there.
DONE: Final = {
    "saved": "Saved.",
    "unchanged": "Nothing was changed.",
    "created": "Created.",
    "deleted": "The webhook is deleted. What waited for it is cancelled.",
    "moved": "Moved: what waits goes to the new URL, in order.",
    "activated": "Activated. What waited is being delivered, in order.",
    "skipped": "Activated from now on. What had waited was left out.",
    "disabled": "Disabled. Events wait until it is activated again.",
    "retried": "It is tried again now.",
    "cancelled": "Cancelled. It will not be sent.",
    "sent": "It is on its way.",
    "waits": "It is sent when sending goes on.",
    "started": "Started.",
    "job-cancelled": "Cancelled. Nothing more of it is sent.",
    "published": "Published. It goes to every webhook that asks for it.",
    "paused": "Paused. Events are taken in and wait.",
    "paused-already": "It is paused already, and stays so.",
    "resumed": "What has waited leaves now.",
    "person-removed": "Removed. They are signed out everywhere.",
    "revoked": "Revoked. Nobody comes in by it any more.",
    "ended": "The session has ended.",
    "signed-out": "You are signed out.",
}


def environment(base: str = "", loader: BaseLoader | None = None) -> Environment:
    """The templates' surroundings: an undefined name is an error, and text is escaped everywhere. `base` is the path of
    the public address, where it has one.
    """
    folder = str(importlib.resources.files(__package__) / "templates")
    env = Environment(
        loader=loader or FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals |= {
        "base": base,
        "asset": lambda name: base + asset(name),
        "json_view": json_view,
        "no_errors": NO_ERRORS,
        "visit": None,
        "room": None,
        "contact": None,
        "brand": _OURS,
    }
    env.filters |= {
        "relative": _shown.relative,
        "lasting": _shown.lasting,
        "exact": _shown.exact,
        "sentence": _shown.sentence,
        "in_field": _moments.shown_in_field,
        "instant": _moments.moment_in,
        "duration": _shown.duration,
        "window": _shown.window,
        "size": _shown.size,
        "short_id": _shown.short_id,
        "share": _shown.share,
        "host": _shown.host_of,
    }
    return env


class WayBack(msgspec.Struct, frozen=True):
    """Where a refusal leads back to, and what is there."""

    path: str
    name: str


class Pages:
    """Renders pages and redirects."""

    def __init__(
        self, clock: Clock, public_url: str, support_contact: str | None = None, brand: Brand | None = None
    ) -> None:
        self.base: Final = urlsplit(public_url).path.rstrip("/")
        self._env = environment(self.base)
        self._env.globals["contact"] = None if support_contact is None else read_contact(support_contact)
        self._brand = brand or Brand()
        self._env.globals["brand_asset"] = lambda name: self.base + brand_asset(self._brand, name)
        self._clock = clock
        self._public_url = public_url

    def render(self, template: str, request: Request[Any, Any, Any], **context: Any) -> str:
        visit = visit_of(request)
        done = DONE.get(request.query_params.get("done", ""))
        return self._env.get_template(template).render(
            visit=visit,
            room=None if visit is None else visit.known_room,
            now_ms=self._clock.now_ms(),
            done=done,
            brand=self._brand if is_customers(request.url.path) else _OURS,
            path=self.base + request.url.path,
            query=request.query_params,
            public_url=self._public_url,
            **context,
        )

    def page(
        self, template: str, request: Request[Any, Any, Any], *, status: int = 200, **context: Any
    ) -> Response[str]:
        return Response(self.render(template, request, **context), status_code=status, media_type=MediaType.HTML)

    def refusal(self, error: HookspanError, request: Request[Any, Any, Any]) -> Response[str]:
        """A page that says what is wrong and where to go on."""
        headers = {}
        retry_after_s = getattr(error, "retry_after_s", None)
        if retry_after_s is not None:
            headers["retry-after"] = str(retry_after_s)
        response = self.page("refusal.html", request, status=error.status, error=error, back=_way_back(request, error))
        response.headers.update(headers)
        return response


def _way_back(request: Request[Any, Any, Any], error: HookspanError) -> WayBack | None:
    """To the thing that was to be changed, by the address: browsers are told to send no referrer. None where it is not
    there.
    """
    visit = visit_of(request)
    room = None if visit is None else visit.known_room
    found = _BELOW.search(request.url.path)
    if room is None or found is None or isinstance(error, NotFound):
        return None
    things, ident = found.groups()
    return WayBack(path=room.to(things, ident), name=_THINGS[things])


def is_customers(path: str) -> bool:
    """Whether this is a page that customers see as the operator's own."""
    return path.startswith(_CUSTOMERS)


def go(path: str) -> Response[bytes]:
    """See there what was done: 303, so that reloading does nothing twice."""
    return Response(b"", status_code=303, headers={"location": path})


def visit_of(request: Request[Any, Any, Any]) -> Visit | None:
    return cast("Scope", request.scope).get(VISIT)


def form_of(request: Request[Any, Any, Any]) -> Form:
    form: Form = cast("Scope", request.scope).get(FORM) or Form()
    return form
