"""Keys, people and sessions while several nodes change them: spent once, counted exactly, nothing left behind."""

from collections.abc import AsyncIterator

import pytest

from hookspan.domain.caller import Role, Scope
from hookspan.domain.identity import Key, Person, Session, SessionKind, digest_of
from hookspan.domain.records import Application
from hookspan.errors import NotFound
from hookspan.store.identity import NewKey, NewPerson, NewSession, Used
from tests.contract.world import ALL, World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


def digest(text: str) -> bytes:
    return digest_of(text.encode())


async def make_key(world: World, token: str, application: Application | None, keys_max: int = 100) -> Key | None:
    return await world.store.create_key(
        NewKey(
            id=world.ids.make(),
            name=token,
            scope=Scope.OPERATOR if application is None else Scope.APPLICATION,
            application_id=None if application is None else application.id,
            role=Role.ADMIN,
            digest=digest(token),
            hint="x",
            created_at=world.now,
        ),
        keys_max,
    )


async def make_person(world: World, link: str, application: Application | None, people_max: int = 100) -> Person | None:
    return await world.store.create_person(
        NewPerson(
            id=world.ids.make(),
            name=link,
            application_id=None if application is None else application.id,
            role=Role.MEMBER,
            link_digest=digest(link),
            link_expires_at=world.now + 900_000,
            created_at=world.now,
        ),
        people_max,
    )


def new_session(world: World, token: str, application: Application | None = None) -> NewSession:
    return NewSession(
        id=world.ids.make(),
        kind=SessionKind.PERSON if application is None else SessionKind.PORTAL,
        digest=digest(token),
        application_id=None if application is None else application.id,
        role=None if application is None else Role.MEMBER,
        created_at=world.now,
        expires_at=world.now + 1_000_000,
        ends_at=world.now + 1_000_000,
    )


async def sign_in(world: World, link: str, token: str) -> Session | None:
    return await world.store.open_session(digest(link), new_session(world, token), 3)


async def test_a_link_is_spent_once(nodes: Nodes) -> None:
    """Of twenty at once on two nodes one gets in."""
    await make_person(nodes.worlds[0], "link", None)
    opened = await at_once(*(sign_in(world, "link", f"{world.node}/{n}") for n in range(10) for world in nodes.worlds))
    assert len([one for one in opened if isinstance(one, Session)]) == 1
    assert opened.count(None) == 19


@pytest.mark.parametrize("is_operators", [True, False])
async def test_numbers_are_bounded_exactly(nodes: Nodes, is_operators: bool) -> None:
    """Keys, people and portal sessions, of the installation and of an application."""
    one = nodes.worlds[0]
    application = await one.application()
    owner = None if is_operators else application
    for make in (make_key, make_person):
        made = await at_once(*(make(world, f"{world.node}/{n}", owner, 5) for n in range(10) for world in nodes.worlds))
        assert made.count(None) == 15
        assert [each for each in made if isinstance(each, Exception)] == []
    opened = await at_once(
        *(
            world.store.create_portal_session(new_session(world, f"p{world.node}/{n}", application), 5)
            for n in range(10)
            for world in nodes.worlds
        )
    )
    assert opened.count(None) == 15


async def test_of_somebodys_sessions_no_more_stay_than_may(nodes: Nodes) -> None:
    """Links that are spent at the same moment on two nodes."""
    one, other = nodes.worlds
    person = await make_person(one, "link", None)
    assert person is not None
    for number in range(8):
        await one.store.replace_link(person.id, digest(f"l{number}"), one.now + 900_000)
        await at_once(*(sign_in(world, f"l{number}", f"{world.node}/{number}") for world in (one, other)))
    found = await one.store.list_sessions(ALL, one.now, SessionKind.PERSON, application_id=None, person_id=person.id)
    assert len(found) == 3


async def test_who_is_removed_while_signing_in_is_not_in(nodes: Nodes) -> None:
    """Whichever is first: no session stays without its person."""
    one, other = nodes.worlds
    for number in range(15):
        person = await make_person(one, f"l{number}", None)
        assert person is not None
        opened, removed = await at_once(sign_in(one, f"l{number}", f"t{number}"), other.store.delete_person(person.id))
        assert removed is True
        assert not isinstance(opened, Exception)
        assert await one.store.find_identity(digest(f"t{number}"), one.now) is None
    assert nodes.query("select count(*) from session") == [(0,)]


async def test_with_its_application_everything_goes_at_once(nodes: Nodes) -> None:
    """What is being made at that moment is refused, or goes too."""
    one, other = nodes.worlds
    for number in range(10):
        application = await one.application()
        assert await make_person(one, f"l{number}", application)
        results = await at_once(
            make_key(one, f"k{number}", application),
            sign_in(one, f"l{number}", f"t{number}"),
            other.store.delete_application(application.id, other.now),
            make_person(one, f"m{number}", application),
            one.store.create_portal_session(new_session(one, f"p{number}", application), 5),
        )
        assert results[2] is True
        problems = {type(each) for each in results if isinstance(each, Exception)}
        assert problems <= {NotFound}
    assert nodes.query(
        "select (select count(*) from access_key), (select count(*) from person), (select count(*) from session)"
    ) == [(0, 0, 0)]


async def test_uses_are_kept_whoever_brings_them(nodes: Nodes) -> None:
    """Both nodes bring the same keys and sessions in opposite orders, many times: the latest times stay."""
    one = nodes.worlds[0]
    keys, sessions = [], []
    for number in range(20):
        key = await make_key(one, f"k{number}", None)
        await make_person(one, f"l{number}", None)
        session = await sign_in(one, f"l{number}", f"t{number}")
        assert key is not None
        assert session is not None
        keys.append(key.id)
        sessions.append(session.id)

    async def bring(world: World, at: int, order: int) -> None:
        await world.store.mark_used(
            dict.fromkeys(keys[::order], at), {one: Used(at=at, expires_at=at + 500) for one in sessions[::order]}
        )

    calls = [bring(world, one.now + at, (1, -1)[at % 2]) for at in range(20) for world in nodes.worlds]
    assert await at_once(*calls) == [None] * 40
    last = one.now + 19
    assert {each.last_used_at for each in await one.store.list_keys(ALL, None)} == {last}
    found = await one.store.list_sessions(ALL, one.now, SessionKind.PERSON, application_id=None, person_id=None)
    assert {each.last_seen_at for each in found} == {last}
    assert {each.last_seen_at for each in await one.store.list_people(ALL, None)} == {last}
