"""Every route of the document, asked by every kind of caller, and with every kind of another tenant's id.

A route without an entry in `ROUTES` fails the suite: nobody adds one without saying who may.
"""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hookspan.api import api_document
from hookspan.profiles import load_profiles
from tests.support.receiver import Receiver
from tests.support.walk import ROUTES, Ids, unknown

from .conftest import Api, api_in
from .furniture import Furnished, furnish

pytestmark = pytest.mark.anyio

OPERATIONS: dict[str, tuple[str, str]] = {
    operation["operationId"]: (method.upper(), path)
    for path, item in api_document()["paths"].items()
    for method, operation in item.items()
    if path.startswith("/v1/")
}
_SAMPLE = load_profiles().get("bridge-lms").sample("user.created")
EVENTS: dict[str, dict[str, Any]] = {
    "standard": {"type": "order.paid", "content": {"number": 1}},
    "bridge-lms": {
        "type": "user.created",
        "content": json.loads(_SAMPLE.content),
        "context": json.loads(_SAMPLE.context or b"{}"),
    },
}
_ADMINS = {"operator", "operator_admin"}
_OPERATORS = {*_ADMINS, "operator_support", "operator_member"}
_OF_APPLICATION = {f"{kind}{role}" for kind in ("", "person_", "portal_") for role in ("admin", "support", "member")}
# Who may configure, by the profile's own word: admins and keys of the application; support users only.
_CONFIGURERS = {
    "standard": {"admin", "support", "person_admin", "portal_admin"},
    "bridge-lms": {"support", "person_support", "portal_support", "operator_support"},
}


def allowed(who: str, profile: str) -> set[str]:
    """The callers that the design lets in, written down anew: not read from the table that is under test."""
    lookers = _OPERATORS | _OF_APPLICATION
    return {
        "key": lookers | {"publisher", "own_publisher"},
        "look": lookers,
        "configure": _ADMINS | _CONFIGURERS[profile],
        "publish": _ADMINS | {"publisher", "own_publisher"},
        "operate": _ADMINS,
        "overlook": _OPERATORS,
        "administer": _ADMINS | {"admin", "person_admin", "portal_admin"},
        "introduce": _ADMINS | {"admin", "person_admin"},
        "sessions": _ADMINS | {"admin", "portal_admin", "person_admin", "person_support", "person_member"},
    }[who]


class Stage(msgspec.Struct, frozen=True):
    """Two tenants of each profile in one node. `calls` are the store's, since it was cleared."""

    api: Api
    ours: dict[str, Furnished]
    theirs: dict[str, Furnished]
    calls: list[str]


class Overheard:
    """A store whose calls are noted."""

    def __init__(self, store: Any, calls: list[str]) -> None:
        self._store = store
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        self._calls.append(name)
        return getattr(self._store, name)


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(api_in(tmp_path_factory.mktemp("node")))
        receiver = await stack.enter_async_context(Receiver())
        ours = {name: await furnish(api, "Ours", name, receiver.url, event) for name, event in EVENTS.items()}
        theirs = {name: await furnish(api, "Theirs", name, receiver.url, event) for name, event in EVENTS.items()}
        calls: list[str] = []
        ground = api.node.manage._ground
        ground.store = Overheard(ground.store, calls)
        yield Stage(api, ours, theirs, calls)


async def ask(stage: Stage, name: str, key: str | None, ids: Ids) -> tuple[int, dict]:
    method, path = OPERATIONS[name]
    route = ROUTES[name]
    ids = ids | {"profile": "standard"}
    response = await stage.api.client.request(
        method,
        path.format_map(ids),
        headers={"authorization": f"Bearer {key}" if key else ""},
        params=route.query,
        json=None if route.body is None else route.body({"link": "none", **ids}),
    )
    with contextlib.suppress(json.JSONDecodeError):
        return response.status_code, response.json()
    return response.status_code, {}


def ids_of(furnished: Furnished, name: str) -> Ids:
    """The ids for a route's path: two kinds of sessions have the same parameter."""
    ids = furnished.ids
    return ids | {"session": ids["portal_session"]} if "portal-sessions" in OPERATIONS[name][1] else ids


def parameters(name: str) -> list[str]:
    """Names of the ids in a route's path, the profile's aside: it belongs to nobody."""
    path = OPERATIONS[name][1]
    return [part[1:-1] for part in path.split("/") if part.startswith("{") and part != "{profile}"]


def test_no_route_is_forgotten() -> None:
    """Each has an entry, and no entry is of a route that is gone."""
    assert set(ROUTES) == set(OPERATIONS)


@pytest.mark.parametrize("profile", EVENTS)
@pytest.mark.parametrize("name", sorted(name for name, one in ROUTES.items() if one.who != "nobody"))
async def test_each_role_gets_what_the_design_gives_it(stage: Stage, name: str, profile: str) -> None:
    """Refused is 403 not_allowed that says who may. Who may is not refused: of what the request is about there is
    none, so that nothing is used up.
    """
    mine, ids_here = stage.ours[profile], ids_of(stage.ours[profile], name)
    welcome = allowed(ROUTES[name].who, profile)
    for caller, key in mine.keys.items():
        if caller in welcome:
            last = parameters(name)[-1:]
            ids = ids_here | {one: unknown(ids_here[one]) for one in last if ROUTES[name].is_last_of_all}
            status, answer = await ask(stage, name, key, ids)
            assert status not in {401, 403, 500}, (caller, status, answer)
        else:
            status, answer = await ask(stage, name, key, ids_here)
            assert (status, answer.get("code")) == (403, "not_allowed"), (caller, status, answer)
            assert " may " in answer["detail"]


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if parameters(name)))
async def test_another_tenants_things_are_not_there(stage: Stage, name: str) -> None:
    """404 in the same words, after the same looks into the store, as for an id that nothing has; for each id of the
    path, whoever of the application asks.
    """
    ours, theirs = stage.ours["standard"], stage.theirs["standard"]
    own_ids, their_ids = ids_of(ours, name), ids_of(theirs, name)
    for parameter in parameters(name):
        foreign = their_ids[parameter]
        for caller in {"admin", "person_admin", "portal_admin"} & allowed(ROUTES[name].who, "standard"):
            heard = []
            for ident in (foreign, unknown(foreign)):
                stage.calls.clear()
                status, answer = await ask(stage, name, ours.keys[caller], own_ids | {parameter: ident})
                assert (status, answer.get("code")) == (404, "not_found"), (caller, parameter, status, answer)
                heard.append((answer["detail"].replace(ident, "ID"), list(stage.calls)))
            assert heard[0] == heard[1], (caller, parameter)


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if parameters(name)[:1] == ["app"]))
async def test_another_tenants_application_is_not_there_for_any_key_of_one(stage: Stage, name: str) -> None:
    """Whatever the role, and whatever else of theirs is named: 404 before any right is asked for."""
    ours, theirs = stage.ours["standard"], stage.theirs["standard"]
    for caller, key in ours.keys.items():
        if caller not in _OPERATORS and caller != "publisher":
            status, answer = await ask(stage, name, key, ids_of(theirs, name))
            assert (status, answer.get("code")) == (404, "not_found"), (caller, status, answer)


@pytest.mark.parametrize("name", sorted(name for name, one in ROUTES.items() if one.who != "nobody"))
async def test_without_a_key_there_is_nothing(stage: Stage, name: str) -> None:
    """No key, a wrong one, one that is cut short: 401, before anything is looked at."""
    ours = stage.ours["standard"]
    for key in (None, secrets.token_hex(32), ours.keys["admin"][:-1]):
        status, answer = await ask(stage, name, key, ours.ids)
        assert (status, answer.get("code")) == (401, "unauthenticated"), (status, answer)
