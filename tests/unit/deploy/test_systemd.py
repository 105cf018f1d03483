"""The unit of systemd and its drop-in."""

import re

from hookspan.cli.node import GRACE_S, REQUESTS_GRACE_S
from hookspan.settings import PREFIX
from tests.unit.deploy._files import unit

NODE = "hookspan.service"
DROP_IN = "hookspan.service.d/postgresql.conf"


def service(*names: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in unit(*names)["Service"]:
        found.setdefault(key, []).append(value)
    return found


def test_the_unit_has_its_three_sections() -> None:
    """It can be enabled; the drop-in only adds to the service. Nothing but lists is given twice."""
    assert list(unit(NODE)) == ["Unit", "Service", "Install"]
    assert list(unit(DROP_IN)) == ["Service"]
    lists = {"Environment", "LoadCredential", "SystemCallFilter"}
    for section, settings in unit(NODE, DROP_IN).items():
        keys = [key for key, _ in settings if key not in lists]
        assert sorted(keys) == sorted(set(keys)), section


def test_a_stop_has_time_and_reaches_one_process() -> None:
    """What a stop takes at most, and five seconds for recording. Workers are told by their parent: a second SIGTERM
    from systemd would end them at once.
    """
    found = service(NODE)
    assert int(found["TimeoutStopSec"][0]) >= REQUESTS_GRACE_S + GRACE_S + 5
    assert found["KillMode"] == ["mixed"]
    assert found["KillSignal"] == ["SIGTERM"]


def test_a_node_comes_back_however_long_its_database_is_away() -> None:
    """A start that was refused is tried again, for ever."""
    assert service(NODE)["Restart"] == ["always"]
    assert ("StartLimitIntervalSec", "0") in unit(NODE)["Unit"]


def test_the_service_can_write_to_its_own_folder_only() -> None:
    """An account of its own, no way to another, a file system that it can read."""
    found = service(NODE)
    for key, value in {
        "DynamicUser": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
        "StateDirectory": "hookspan",
        "StateDirectoryMode": "0700",
    }.items():
        assert found[key] == [value], key
    assert not {"ReadWritePaths", "User", "BindPaths"} & set(found)
    assert found["WorkingDirectory"] == [f"/var/lib/{found['StateDirectory'][0]}"]


def test_what_metrics_read_is_not_hidden() -> None:
    """Without /proc/stat the process's own metrics would be missing in silence."""
    assert "ProcSubset" not in service(NODE)


def test_each_secret_is_loaded_and_named() -> None:
    """A credential for each …_FILE, by the same name, from a file of /etc/hookspan."""
    found = service(DROP_IN)
    loaded = dict(one.split(":", 1) for one in found["LoadCredential"])
    assert loaded == {name: f"/etc/hookspan/{name}" for name in loaded}
    named = dict(one.split("=", 1) for one in found["Environment"])
    for variable, path in named.items():
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower().replace("_", "-")
        assert path == f"%d/{name}"
        assert name in loaded
    assert len(named) == len(loaded) == 3


def test_the_page_shows_the_same_paths() -> None:
    """docs/operating/postgresql.md names the files that the drop-in loads; README.md what the unit starts."""
    from tests.unit.deploy._files import TOP

    page = (TOP / "docs/operating/postgresql.md").read_text(encoding="utf-8")
    for one in service(DROP_IN)["LoadCredential"]:
        assert f"`{one.partition(':')[2]}`" in page
    readme = (TOP / "docs/operating/README.md").read_text(encoding="utf-8")
    (start,) = service(NODE)["ExecStart"]
    assert f"python3 -m venv {start.removesuffix('/bin/hookspan serve')}\n" in readme
    (configuration,) = service(NODE)["Environment"]
    assert re.fullmatch(r"HOOKSPAN_CONFIG=(.+)", configuration)
    assert f"`{configuration.partition('=')[2]}`" in readme
