"""Keys, people, one-time links and sessions: found by digest, bounded, gone when they are over."""

import asyncio
from typing import Any

import pytest

from hookspan.domain.caller import Role, Scope
from hookspan.domain.identity import Key, Person, Session, SessionKind, digest_of
from hookspan.domain.records import Application
from hookspan.errors import NotFound
from hookspan.ids import first_id_at
from hookspan.store.contract import Page
from hookspan.store.identity import NewKey, NewPerson, NewSession, Used
from tests.contract.world import World

pytestmark = pytest.mark.anyio

MANY = 1_000


def new_key(world: World, token: str, application: Application | None = None, **members: Any) -> NewKey:
    given: dict[str, Any] = {
        "name": token,
        "scope": Scope.OPERATOR if application is None else Scope.APPLICATION,
        "application_id": None if application is None else application.id,
        "role": Role.ADMIN,
    }
    return NewKey(
        id=world.ids.make(), digest=digest_of(token.encode()), hint=token[-4:], created_at=world.now, **given | members
    )


async def make_key(world: World, token: str, application: Application | None = None, **members: Any) -> Key:
    made = await world.store.create_key(new_key(world, token, application, **members), MANY)
    assert made is not None
    return made


async def make_person(
    world: World, link: str, application: Application | None = None, *, lives_ms: int = 900_000, **members: Any
) -> Person:
    given: dict[str, Any] = {"name": "Ada", "role": Role.MEMBER}
    made = await world.store.create_person(
        NewPerson(
            id=world.ids.make(),
            application_id=None if application is None else application.id,
            link_digest=digest_of(link.encode()),
            link_expires_at=world.now + lives_ms,
            created_at=world.now,
            **given | members,
        ),
        MANY,
    )
    assert made is not None
    return made


def new_session(world: World, token: str, kind: SessionKind = SessionKind.PERSON, **members: Any) -> NewSession:
    given: dict[str, Any] = {"expires_at": world.now + 1_000, "ends_at": world.now + 5_000}
    return NewSession(
        id=world.ids.make(), kind=kind, digest=digest_of(token.encode()), created_at=world.now, **given | members
    )


async def sign_in(world: World, link: str, token: str, sessions_max: int = MANY, **members: Any) -> Session | None:
    return await world.store.open_session(digest_of(link.encode()), new_session(world, token, **members), sessions_max)


async def make_portal(
    world: World, token: str, application: Application, sessions_max: int = MANY, **members: Any
) -> Session | None:
    given: dict[str, Any] = {"application_id": application.id, "role": Role.SUPPORT, "origin": "https://a.example"}
    new = new_session(world, token, SessionKind.PORTAL, **given | members)
    return await world.store.create_portal_session(new, sessions_max)


async def found(world: World, token: str) -> Key | Session | None:
    return await world.store.find_identity(digest_of(token.encode()), world.now)


async def listed(world: World, application: Application | None = None, limit: int = 50, **members: Any) -> list[str]:
    page = Page(limit=limit, **members)
    return [one.name for one in await world.store.list_keys(page, None if application is None else application.id)]


# --- keys


async def test_a_key_is_found_by_its_digest(world: World) -> None:
    """With whom it reaches, by the application's public id; another digest finds nothing."""
    application = await world.application("app_x")
    one = await make_key(world, "one", application, role=Role.SUPPORT)
    two = await make_key(world, "two")
    pub = await make_key(world, "pub", application, scope=Scope.PUBLISHER)
    assert (one.application, one.scope, one.role, one.hint) == ("app_x", Scope.APPLICATION, Role.SUPPORT, "one")
    assert (one.created_at, one.last_used_at) == (world.now, None)
    assert (two.application_id, two.application, two.scope) == (None, None, Scope.OPERATOR)
    assert (pub.application, pub.scope) == ("app_x", Scope.PUBLISHER)
    for token, key in (("one", one), ("two", two), ("pub", pub)):
        assert await found(world, token) == key
        assert await world.store.get_key(key.id) == key
    assert await found(world, "three") is None
    assert await world.store.get_key(4711) is None


async def test_a_revoked_key_is_not_found(world: World) -> None:
    """False the second time."""
    key = await make_key(world, "one")
    assert await world.store.delete_key(key.id)
    assert not await world.store.delete_key(key.id)
    assert await found(world, "one") is None
    assert await listed(world) == []


async def test_keys_are_bounded(world: World) -> None:
    """An application's own apart from others' and from the operator's, publishers' among the latter."""
    first, second = await world.application(), await world.application()
    store = world.store
    assert await store.create_key(new_key(world, "a1", first), 2) is not None
    assert await store.create_key(new_key(world, "p1", first, scope=Scope.PUBLISHER), 2) is not None
    assert await store.create_key(new_key(world, "a2", first), 2) is not None
    assert await store.create_key(new_key(world, "a3", first), 2) is None
    assert await found(world, "a3") is None
    assert await store.create_key(new_key(world, "b1", second), 2) is not None
    assert await store.create_key(new_key(world, "o1"), 2) is not None
    assert await store.create_key(new_key(world, "o2"), 2) is None
    assert await store.create_key(new_key(world, "p2", second, scope=Scope.PUBLISHER), 2) is None


async def test_keys_are_listed_newest_first(world: World) -> None:
    """In pages; of an application only its own, publishers' left out."""
    application = await world.application()
    keys = []
    for number in range(5):
        world.clock.move(10)
        keys.append(await make_key(world, f"k{number}", application if number % 2 else None))
    await make_key(world, "pub", application, scope=Scope.PUBLISHER)
    assert await listed(world) == ["pub", "k4", "k3", "k2", "k1", "k0"]
    assert await listed(world, application) == ["k3", "k1"]
    assert await listed(world, limit=2, before=keys[3].id) == ["k2", "k1"]
    assert await listed(world, application, limit=1, before=keys[3].id) == ["k1"]
    assert await listed(world, since=keys[1].created_at, until=keys[3].created_at) == ["k2", "k1"]


async def test_there_is_no_key_without_its_application(world: World) -> None:
    """Nor a person, nor a portal session."""
    application = await world.application()
    await world.store.delete_application(application.id, world.now)
    with pytest.raises(NotFound):
        await make_key(world, "one", application)
    with pytest.raises(NotFound):
        await make_person(world, "link", application)
    with pytest.raises(NotFound):
        await make_portal(world, "portal", application)


async def test_with_its_application_everything_goes(world: World) -> None:
    """Keys of each scope, people, links, sessions; others' stay."""
    application, other = await world.application("app_x"), await world.application("app_y")
    for one, mark in ((application, "x"), (other, "y")):
        await make_key(world, f"key {mark}", one)
        await make_key(world, f"pub {mark}", one, scope=Scope.PUBLISHER)
        await make_portal(world, f"portal {mark}", one)
        await make_person(world, f"link {mark}", one)
        await sign_in(world, f"link {mark}", f"session {mark}")
        await make_person(world, f"unused {mark}", one)
    await make_key(world, "operator")
    await world.store.delete_application(application.id, world.now)
    for what in ("key", "pub", "portal", "session"):
        assert await found(world, f"{what} x") is None
        assert await found(world, f"{what} y") is not None
    assert await found(world, "operator") is not None
    assert await world.store.find_link(digest_of(b"unused x"), world.now) is None
    assert await world.store.find_link(digest_of(b"unused y"), world.now) is not None
    assert len(await world.store.list_people(Page(limit=50), None)) == 2
    again = await world.application("app_x")
    assert await listed(world, again) == []


async def test_an_id_is_not_given_twice(world: World) -> None:
    """Also when what had it is gone: the audit log still names it."""
    application = await world.application()
    key = await make_key(world, "one")
    assert await world.store.highest_id() >= key.id
    await world.store.delete_key(key.id)
    assert await world.store.highest_id() >= key.id
    session = await make_portal(world, "portal", application)
    assert session is not None
    await world.store.delete_application(application.id, world.now)
    assert await world.store.highest_id() >= session.id


# --- people


async def test_people_are_changed_one_by_one(world: World) -> None:
    """Only what is given."""
    application = await world.application("app_x")
    person = await make_person(world, "link", application)
    assert (person.name, person.role, person.application) == ("Ada", Role.MEMBER, "app_x")
    changed = await world.store.update_person(person.id, name=None, role=Role.ADMIN)
    assert changed is not None
    assert (changed.name, changed.role) == ("Ada", Role.ADMIN)
    changed = await world.store.update_person(person.id, name="Eve", role=None)
    assert changed is not None
    assert (changed.name, changed.role) == ("Eve", Role.ADMIN)
    assert await world.store.get_person(person.id) == changed
    assert await world.store.update_person(4711, name="X", role=None) is None
    assert await world.store.get_person(4711) is None


async def test_people_are_bounded_and_listed(world: World) -> None:
    """An application's apart from the operator's; newest first."""
    application = await world.application()
    names = []
    for number in range(4):
        world.clock.move(10)
        names.append(await make_person(world, f"l{number}", application if number % 2 else None, name=f"p{number}"))
    of_all = await world.store.list_people(Page(limit=50), None)
    assert [one.name for one in of_all] == ["p3", "p2", "p1", "p0"]
    own = await world.store.list_people(Page(limit=1, before=names[3].id), application.id)
    assert [one.name for one in own] == ["p1"]
    more: dict[str, Any] = {
        "link_digest": digest_of(b"more"),
        "link_expires_at": 0,
        "role": Role.ADMIN,
        "created_at": world.now,
    }
    for owner in (None, application.id):
        new = NewPerson(id=world.ids.make(), name="more", application_id=owner, **more)
        assert await world.store.create_person(new, 2) is None


async def test_a_link_works_once(world: World) -> None:
    """It names its person, who was seen then; the second time it is nothing."""
    person = await make_person(world, "link")
    looked = await world.store.find_link(digest_of(b"link"), world.now)
    assert looked == person
    session = await sign_in(world, "link", "token", address="::1")
    assert session is not None
    assert session.person is not None
    assert (session.person.id, session.person.last_seen_at) == (person.id, world.now)
    assert (session.address, session.role, session.application) == ("::1", Role.MEMBER, None)
    assert await sign_in(world, "link", "other") is None
    assert await found(world, "other") is None
    assert await world.store.find_link(digest_of(b"link"), world.now) is None


async def test_of_two_at_once_one_wins(world: World) -> None:
    """Twenty tries of one link make one session."""
    await make_person(world, "link")
    tries = await asyncio.gather(*(sign_in(world, "link", f"t{number}") for number in range(20)))
    assert len([one for one in tries if one is not None]) == 1
    live = [number for number in range(20) if await found(world, f"t{number}") is not None]
    assert len(live) == 1


async def test_a_link_has_its_time(world: World) -> None:
    """At its end it is over; a new one ends the one before."""
    person = await make_person(world, "link", lives_ms=100)
    world.clock.move(100)
    assert await sign_in(world, "link", "t1") is None
    assert await world.store.replace_link(person.id, digest_of(b"second"), world.now + 100)
    assert await world.store.replace_link(person.id, digest_of(b"third"), world.now + 100)
    assert await sign_in(world, "second", "t2") is None
    world.clock.move(99)
    assert await sign_in(world, "third", "t3") is not None
    assert not await world.store.replace_link(4711, digest_of(b"x"), world.now)


async def test_a_session_has_the_person_s_role_of_now(world: World) -> None:
    """And ends with them."""
    person = await make_person(world, "link")
    await sign_in(world, "link", "token")
    await world.store.update_person(person.id, name=None, role=Role.ADMIN)
    session = await found(world, "token")
    assert isinstance(session, Session)
    assert session.role is Role.ADMIN
    assert await world.store.delete_person(person.id)
    assert not await world.store.delete_person(person.id)
    assert await found(world, "token") is None


async def test_somebody_s_sessions_are_bounded(world: World) -> None:
    """Those not seen for longest end for the new one."""
    person = await make_person(world, "l0")
    sessions = []
    for number in range(3):
        session = await sign_in(world, f"l{number}", f"t{number}", 2)
        assert session is not None
        sessions.append(session)
        world.clock.move(10)
        used = {sessions[0].id: Used(at=world.now, expires_at=0)}
        await world.store.mark_used({}, used)
        await world.store.replace_link(person.id, digest_of(f"l{number + 1}".encode()), world.now + 100)
    assert [await found(world, f"t{number}") is not None for number in range(3)] == [True, False, True]


# --- sessions


async def test_a_session_ends_in_time(world: World) -> None:
    """Exactly at its expiry: neither found nor listed; later it is dropped."""
    application = await world.application("app_x")
    session = await make_portal(world, "token", application)
    assert session is not None
    assert (session.application, session.role, session.origin) == ("app_x", Role.SUPPORT, "https://a.example")
    assert session.person is None
    assert await found(world, "token") == session
    world.clock.move(999)
    assert await world.store.get_session(session.id, world.now) == session
    assert await world.store.drop_sessions(world.now, 10) == 0
    world.clock.move(1)
    assert await found(world, "token") is None
    assert await world.store.get_session(session.id, world.now) is None
    assert await portals(world, application) == []
    assert await world.store.drop_sessions(world.now, 10) == 1
    assert await world.store.drop_sessions(world.now, 10) == 0


async def test_dropping_goes_in_parts(world: World) -> None:
    """At most `limit` at once."""
    application = await world.application()
    for number in range(5):
        await make_portal(world, f"t{number}", application)
    world.clock.move(10_000)
    assert [await world.store.drop_sessions(world.now, 2) for _ in range(4)] == [2, 2, 1, 0]


async def portals(world: World, application: Application, **members: Any) -> list[int]:
    page = Page(limit=members.pop("limit", 50), **members)
    found = await world.store.list_sessions(
        page, world.now, SessionKind.PORTAL, application_id=application.id, person_id=None
    )
    return [one.id for one in found]


async def test_portal_sessions_are_bounded_while_they_live(world: World) -> None:
    """What is over makes room."""
    application = await world.application()
    assert await make_portal(world, "t1", application, 2) is not None
    assert await make_portal(world, "t2", application, 2) is not None
    assert await make_portal(world, "t3", application, 2) is None
    world.clock.move(1_000)
    assert await make_portal(world, "t4", application, 2) is not None


async def test_sessions_are_listed_by_whose_they_are(world: World) -> None:
    """Of everybody, of an application, of one person; portal sessions apart; newest first."""
    application = await world.application()
    made = {}
    for name, owner in (("ann", None), ("bob", application), ("cid", application)):
        world.clock.move(10)
        person = await make_person(world, name, owner, name=name)
        session = await sign_in(world, name, f"token of {name}")
        assert session is not None
        made[name] = (person, session)
    portal = await make_portal(world, "portal", application)
    assert portal is not None

    async def names(application_id: int | None, person_id: int | None, **members: Any) -> list[str]:
        listed = await world.store.list_sessions(
            Page(limit=50, **members),
            world.now,
            SessionKind.PERSON,
            application_id=application_id,
            person_id=person_id,
        )
        return [one.person.name for one in listed if one.person is not None]

    assert await names(None, None) == ["cid", "bob", "ann"]
    assert await names(application.id, None) == ["cid", "bob"]
    assert await names(None, made["bob"][0].id) == ["bob"]
    assert await names(None, None, before=made["cid"][1].id) == ["bob", "ann"]
    assert await portals(world, application) == [portal.id]
    assert await portals(world, application, before=portal.id) == []
    assert await world.store.delete_session(made["cid"][1].id)
    assert not await world.store.delete_session(made["cid"][1].id)
    assert await names(None, None) == ["bob", "ann"]


async def test_uses_are_kept(world: World) -> None:
    """Of keys, sessions and their people. Time never goes back, a session never lives beyond its end, and what is gone
    does not come back.
    """
    key = await make_key(world, "key")
    person = await make_person(world, "link")
    session = await sign_in(world, "link", "token")
    assert session is not None
    start = world.now
    await world.store.mark_used(
        {key.id: start + 50, 4711: start}, {session.id: Used(at=start + 60, expires_at=start + 3_000)}
    )
    await world.store.mark_used({key.id: start + 40}, {session.id: Used(at=start + 50, expires_at=start + 2_000)})
    after = await world.store.get_key(key.id)
    assert after is not None
    assert after.last_used_at == start + 50
    seen = await world.store.get_session(session.id, start)
    assert seen is not None
    assert (seen.last_seen_at, seen.expires_at) == (start + 60, start + 3_000)
    assert seen.person is not None
    assert (seen.person.id, seen.person.last_seen_at) == (person.id, start + 60)
    await world.store.mark_used({}, {session.id: Used(at=start + 70, expires_at=start + 99_000)})
    seen = await world.store.get_session(session.id, start)
    assert seen is not None
    assert seen.expires_at == seen.ends_at == start + 5_000
    assert await world.store.get_key(4711) is None
    await world.store.mark_used({}, {})


async def test_sessions_begin_by_time_of_id(world: World) -> None:
    """`since` and `until` are about when they were opened."""
    application = await world.application()
    first = await make_portal(world, "t1", application)
    world.clock.move(10)
    second = await make_portal(world, "t2", application)
    assert first is not None
    assert second is not None
    assert await portals(world, application, since=world.now) == [second.id]
    assert await portals(world, application, until=world.now) == [first.id]
    assert first_id_at(first.created_at) <= first.id < first_id_at(second.created_at)
