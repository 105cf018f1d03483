"""The compose file: of the right shape, two nodes alike, secrets from files, time to stop."""

import re
from typing import Annotated, Any, Literal

import msgspec
import pytest

from hookspan.cli.node import GRACE_S, REQUESTS_GRACE_S
from tests.unit.deploy._files import DEPLOY, TOP, documents

FILE = DEPLOY / "compose.yaml"
NODES = ("node-1", "node-2")

_Duration = Annotated[str, msgspec.Meta(pattern=r"^\d+s$")]


class _Shape(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class _Build(_Shape):
    context: str
    dockerfile: str


class _Check(_Shape):
    test: list[str]
    interval: _Duration
    timeout: _Duration
    retries: int
    start_period: _Duration


class _Condition(_Shape):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class _Logging(_Shape):
    driver: str
    options: dict[str, str]


class _Service(_Shape):
    image: str
    restart: Literal["no", "always", "on-failure", "unless-stopped"]
    stop_grace_period: _Duration
    environment: dict[str, str]
    secrets: list[str]
    logging: _Logging
    build: _Build | None = None
    init: bool = False
    read_only: bool = False
    tmpfs: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    ulimits: dict[str, int] = {}
    depends_on: dict[str, _Condition] = {}
    ports: list[Annotated[str, msgspec.Meta(pattern=r"^127\.0\.0\.1:\d+:\d+$")]] = []
    volumes: list[str] = []
    shm_size: str | None = None
    healthcheck: _Check | None = None


class _Secret(_Shape):
    file: str


class Compose(_Shape):
    """As far as our file goes: what is not named here is refused, as Compose itself does."""

    name: str
    node: dict[str, Any] = msgspec.field(name="x-node")
    services: dict[str, _Service]
    volumes: dict[str, None]
    secrets: dict[str, _Secret]


def compose() -> Compose:
    (found,) = documents(FILE)
    return msgspec.convert(found, Compose)


def test_the_file_has_the_right_shape() -> None:
    """Only what Compose knows, each of its type; what services name is declared, and nothing is declared for nobody."""
    found = compose()
    assert set(found.services) == {"postgres", *NODES}
    assert {name for service in found.services.values() for name in service.secrets} == set(found.secrets)
    volumes = {volume.partition(":")[0] for service in found.services.values() for volume in service.volumes}
    assert volumes == set(found.volumes)
    assert {name for service in found.services.values() for name in service.depends_on} <= set(found.services)


def test_a_misspelt_member_is_found() -> None:
    """The check itself."""
    (found,) = documents(FILE)
    found["services"]["node-1"]["stop_grace_periods"] = "1s"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(found, Compose)


def test_the_nodes_are_alike() -> None:
    """They differ in the port by which this machine reaches them, and only this machine does."""
    first, second = (compose().services[name] for name in NODES)
    assert msgspec.structs.replace(first, ports=[]) == msgspec.structs.replace(second, ports=[])
    assert first.ports != second.ports
    assert compose().services["postgres"].ports == []


def test_a_node_has_time_to_stop() -> None:
    """What a stop takes at most, and five seconds for recording."""
    for name in NODES:
        grace_s = int(compose().services[name].stop_grace_period.removesuffix("s"))
        assert grace_s >= REQUESTS_GRACE_S + GRACE_S + 5


def test_no_secret_stands_in_the_file() -> None:
    """Each comes from a file that git does not keep, by a …_FILE variable of whoever reads it."""
    found = compose()
    for service in found.services.values():
        files = {value for key, value in service.environment.items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in service.secrets}
        assert not [key for key in service.environment if re.search(r"(PASSWORD|KEY|URL)$", key)]
    assert {secret.file for secret in found.secrets.values()} == {f"secrets/{name}" for name in found.secrets}
    assert "/deploy/secrets/" in (TOP / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_is_built_is_the_image() -> None:
    """The Containerfile is there, seen from the folder that a build is given."""
    for name in NODES:
        build = compose().services[name].build
        assert build is not None
        context = (DEPLOY / build.context).resolve()
        assert context == TOP
        assert (context / build.dockerfile).is_file()


def test_nodes_wait_for_a_database_that_answers() -> None:
    """PostgreSQL has a health check, and nodes wait for it."""
    found = compose()
    assert found.services["postgres"].healthcheck is not None
    for name in NODES:
        assert found.services[name].depends_on["postgres"].condition == "service_healthy"
