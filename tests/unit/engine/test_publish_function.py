"""The function that a platform calls: what it refuses, who may call it, what it leaves behind."""

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Json

from tests.support.platform import Platform, publish

pytestmark = pytest.mark.anyio


def test_a_call_leaves_nothing_in_the_session(shop: Platform) -> None:
    """So it goes through a pooler in transaction mode: neither settings nor locks nor statements nor tables stay."""
    looks = (
        "select name, setting from pg_settings where source = 'session' order by 1",
        "select locktype from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'",
        "select name from pg_prepared_statements",
        "select relname from pg_class where relnamespace = pg_my_temp_schema()",
    )
    with shop.connect(autocommit=True) as connection:
        before = [connection.execute(text).fetchall() for text in looks]
        publish(connection, "acme", "order.paid", "{}")
        assert [connection.execute(text).fetchall() for text in looks] == before


@pytest.mark.parametrize(
    ("given", "named", "state", "about"),
    [
        ((None, "order.paid", "{}"), {}, "22004", "must not be null"),
        (("acme", None, "{}"), {}, "22004", "must not be null"),
        (("acme", "order.paid", None), {}, "22004", "must not be null"),
        (("a b", "order.paid", "{}"), {}, "22023", "id of an application"),
        (("a" * 65, "order.paid", "{}"), {}, "22023", "at most 64"),
        (("acme\n", "order.paid", "{}"), {}, "22023", "id of an application"),
        (("acme", "", "{}"), {}, "22023", "1 to 255"),
        (("acme", "t" * 256, "{}"), {}, "22023", "1 to 255"),
        (("acme", "a\nb", "{}"), {}, "22023", "control"),
        (("acme", "order.paid", "[]"), {}, "22023", "not array"),
        (("acme", "order.paid", "{"), {}, "22P02", "json"),
        (("acme", "order.paid", "{}"), {"publisher_id": ""}, "22023", "1 to 256"),
        (("acme", "order.paid", "{}"), {"publisher_id": "p" * 257}, "22023", "1 to 256"),
        (("acme", "order.paid", "{}"), {"occurred_at": "infinity"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", "{}"), {"occurred_at": "1969-12-31 23:59:59+00"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", "{}"), {"occurred_at": "10000-01-01 00:00:00+00"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", '{"x": "%s"}' % ("x" * 262_144)), {}, "22001", "262144"),
        (("acme", "order.paid", "{}"), {"context": '{"x": "%s"}' % ("x" * 262_144)}, "22001", "262144"),
    ],
)
def test_the_function_refuses_what_can_never_be_an_event(shop: Platform, given, named, state, about) -> None:
    """At once, in the platform's own transaction, with what is wrong."""
    with shop.connect() as connection, pytest.raises(errors.DataError) as caught:
        publish(connection, *given, **named)
    assert caught.value.sqlstate == state
    assert about in str(caught.value)
    assert shop.query("select count(*) from inbox") == [(0,)]


async def test_the_largest_event_that_the_function_takes_is_taken_in(shop: Platform) -> None:
    """Its bound is no wider than intake's, whatever has to be escaped."""
    async with shop.node() as node:
        acme = await node.application("acme")
        rest = {"publisher_id": '"\\' * 128, "occurred_at": "9999-12-31 23:59:59.999+00"}
        event_type = "t" * 255
        room = 262_144 - 128 - len('{"x":""}') - 257 - (256 * 2 + 2)
        with shop.connect() as connection, pytest.raises(errors.StringDataRightTruncation):
            publish(connection, "acme", event_type, '{"x":"%s"}' % ("x" * (room + 1)), **rest)
        shop.publish("acme", event_type, '{"x":"%s"}' % ("x" * room), **rest)
        await node.drain()
        assert shop.query("select detail from hookspan.refused") == []
        assert len(await node.events(acme)) == 1


def test_a_role_with_the_grants_can_publish_and_nothing_else(shop: Platform) -> None:
    """No table can be read or written, no refused event seen; and without the grant nobody can publish."""
    tables = [name for (name,) in shop.query("select tablename from pg_tables where schemaname = 'public'")]
    assert {"inbox", "event", "application"} <= set(tables)
    with shop.connect(autocommit=True) as connection:
        publish(connection, "acme", "order.paid", "{}")
        for table in ("hookspan.refused", *(f"public.{name}" for name in tables)):
            for text in (f"select * from {table}", f"insert into {table} default values", f"delete from {table}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(text)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select nextval('public.inbox_id_seq')")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("create table hookspan.x (y int)")
    shop.query(f"revoke execute on function hookspan.publish from {shop.role}")
    with shop.connect() as connection, pytest.raises(errors.InsufficientPrivilege):
        publish(connection, "acme", "order.paid", "{}")


def test_nothing_of_the_caller_s_comes_between(shop: Platform) -> None:
    """The path is the function's own: what the caller has under the same names is not used, and quotes are text."""
    with shop.connect(autocommit=True) as connection:
        connection.execute("create temporary table inbox (like pg_class)")
        connection.execute("create function pg_temp.length(text) returns int language sql return 0")
        connection.execute("create function pg_temp.json_typeof(json) returns text language sql return 'object'")
        connection.execute("set search_path = pg_temp, public")
        hostile = "'); drop table inbox; --"
        publish(connection, "acme", hostile, Json({hostile: hostile}), publisher_id=hostile)
        with pytest.raises(errors.InvalidParameterValue):
            publish(connection, "acme", "order.paid", "[]")
    assert shop.query("select type, publisher_id from public.inbox") == [(hostile, hostile)]


def test_text_with_a_nul_can_t_be(shop: Platform) -> None:
    """The client refuses to send it, the server to make it; the escape of one is taken in as text is."""
    with shop.connect() as connection, pytest.raises(psycopg.DataError):
        publish(connection, "acme", "order.paid", "{}", publisher_id="a\0b")
    with shop.connect() as connection, pytest.raises(errors.ProgramLimitExceeded):
        connection.execute("select hookspan.publish('acme', 'order.paid', '{}', chr(0))")


def test_a_call_locks_no_application(shop: Platform) -> None:
    """Whoever publishes waits for nobody, and nobody for him."""
    with shop.owner() as holder, shop.connect() as connection:
        holder.execute("begin; lock table application; lock table webhook; lock table event")
        connection.execute("set lock_timeout = '1s'")
        publish(connection, "acme", "order.paid", "{}")
        held = shop.query(
            "select distinct relation::regclass::text from pg_locks where pid = %s and relation is not null",
            connection.info.backend_pid,
        )
        assert {name for (name,) in held} <= {"inbox", "inbox_pkey", "inbox_application", "inbox_id_seq"}
