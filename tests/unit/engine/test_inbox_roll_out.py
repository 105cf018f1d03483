"""What is published in SQL while nodes with different files of one profile run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hookspan.engine.inbox import REST_S_MAX
from hookspan.profiles import EXAMPLES, Profiles, load_profiles
from tests.support import platform as nodes
from tests.support.platform import Platform

pytestmark = pytest.mark.anyio

NAME = "ours"
ISSUE = {"id": 1, "number": 2, "title": "It does not start", "state": "open"}
CONTEXT = {"repository": {"id": 3}, "sender": {"id": 4}}


@pytest.fixture
def former(tmp_path: Path) -> Profiles:
    """The files of a profile before a change."""
    return made(tmp_path / "former", (), ("open", "closed"))


@pytest.fixture
def latter(tmp_path: Path) -> Profiles:
    """After it: with one more type, and one more value that a schema allows."""
    return made(tmp_path / "latter", ("reopened",), ("open", "closed", "locked"))


def made(parent: Path, more_verbs: tuple[str, ...], states: tuple[str, ...]) -> Profiles:
    folder = parent / NAME
    shutil.copytree(EXAMPLES / "github-like", folder)
    schemas = folder / "issues.json"
    document: dict[str, Any] = json.loads(schemas.read_text(encoding="utf-8"))
    definitions = document["$defs"]
    definitions["issue"]["properties"]["state"]["enum"] = states
    for verb in more_verbs:
        definitions[verb] = definitions["closed"] | {"title": verb}
    schemas.write_text(json.dumps(document), encoding="utf-8")
    toml, verbs = folder / "profile.toml", '"opened", "closed"'
    more = "".join(f', "{verb}"' for verb in more_verbs)
    toml.write_text(toml.read_text(encoding="utf-8").replace(verbs, verbs + more, 1), encoding="utf-8")
    return load_profiles(parent)


def publish_what_only_the_latter_knows(shop: Platform) -> None:
    for event_type, state in (("issues.reopened", "open"), ("issues.opened", "locked"), ("issues.closed", "closed")):
        content = json.dumps(ISSUE | {"state": state})
        shop.publish("acme", event_type, content, context=json.dumps(CONTEXT))


TYPES = ["issues.reopened", "issues.opened", "issues.closed"]


async def test_a_straggler_refuses_nothing_by_its_former_files(
    shop: Platform,
    former: Profiles,
    latter: Profiles,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It leaves the application to those that have the content in force, says so once, and serves all others."""
    monkeypatch.setattr(nodes, "PROFILES", latter)
    async with shop.node() as current:
        acme, other = await current.application("acme", NAME), await current.application("other")
        monkeypatch.setattr(nodes, "PROFILES", former)
        async with shop.node() as straggler:
            publish_what_only_the_latter_knows(shop)
            shop.publish("other", "order.paid", "{}")
            for _ in range(10):
                await straggler.look()
                shop.clock.move(1_000)
            assert shop.query("select count(*) from inbox_refused") == [(0,)]
            assert shop.query("select count(*) from inbox_hold") == [(0,)]
            assert len(await current.events(other)) == 1
            said = [line for line in capsys.readouterr().out.splitlines() if "published events wait" in line]
            assert len(said) == 1
            assert "in force" in said[0]
        await current.drain()
        assert [event.type for event in await current.events(acme)] == TYPES
        assert shop.query("select (select count(*) from inbox), (select count(*) from inbox_refused)") == [(0, 0)]


async def test_when_the_last_with_the_former_files_has_ended_the_others_take_in(
    shop: Platform, former: Profiles, latter: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the former content is in force, and decides. What waited is taken in after one rest at most."""
    monkeypatch.setattr(nodes, "PROFILES", former)
    async with shop.node() as old:
        acme = await old.application("acme", NAME)
        monkeypatch.setattr(nodes, "PROFILES", latter)
        async with shop.node() as new:
            publish_what_only_the_latter_knows(shop)
            for _ in range(10):
                await new.look()
                shop.clock.move(1_000)
            assert await new.events(acme) == []
            await old.store.deregister_node(old.engine.node.id, shop.clock.now_ms())
            await new.engine.watch.turn()
            shop.clock.move(int(REST_S_MAX * 1_000))
            await new.drain()
            assert [event.type for event in await new.events(acme)] == TYPES
            assert shop.query("select count(*) from inbox_refused") == [(0,)]
