"""What the files of deploy/ and the pages about them say of Hookspan is true of it, and they agree with each other."""

import re
from pathlib import Path
from typing import Any

from hookspan.settings import (
    CONFIG_VARIABLE,
    COPY_TO_VARIABLE,
    KEY_VARIABLE,
    MOVE_FROM_VARIABLE,
    MOVE_TO_VARIABLE,
    PREFIX,
    SECRET_NAMES,
    SETTING_NAMES,
    URL_VARIABLE,
    Settings,
    load_settings,
    new_encryption_key,
)
from tests.unit.deploy._files import BASE, DEPLOY, SPLIT, TOP, documents, manifests, unit

KNOWN = {
    CONFIG_VARIABLE,
    *(PREFIX + name.upper() for name in SETTING_NAMES),
    *(f"{PREFIX}{name.upper()}_FILE" for name in SECRET_NAMES),
}
ASKED = {URL_VARIABLE, KEY_VARIABLE, COPY_TO_VARIABLE, MOVE_FROM_VARIABLE, MOVE_TO_VARIABLE}
PAGES = sorted((TOP / "docs/operating").glob("*.md"))
FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file() and "secrets" not in path.parts]


def given(path: Path) -> dict[str, str]:
    """The settings that a file of deploy/ gives to a node, whatever its form."""
    if path.suffix in {".service", ".conf"}:
        named = unit(str(path.relative_to(DEPLOY)))["Service"]
        return dict(value.split("=", 1) for key, value in named if key == "Environment")
    if path.name == "Containerfile":
        return dict(re.findall(rf"^\s+({PREFIX}\w+)=(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    if path.name == "compose.yaml":
        (found,) = documents(path)
        return dict(found["services"]["node-1"]["environment"])
    return {}


def in_the_cluster() -> list[dict[str, str]]:
    """What each deployment's container is given: from the ConfigMap, and by name."""
    all_of = manifests(BASE, SPLIT)
    (shared,) = [one["data"] for one in all_of if one["kind"] == "ConfigMap"]
    found = []
    for one in all_of:
        if one["kind"] == "Deployment":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            found.append(shared | {env["name"]: env["value"] for env in container["env"]})
    return found


def test_every_variable_is_a_setting() -> None:
    """An unknown HOOKSPAN_… refuses a start, so none may stand in what is deployed or advised."""
    for path in [*FILES, *PAGES]:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text))
        assert named <= KNOWN | ASKED, path.name


def test_a_node_starts_with_what_it_is_given(tmp_path: Path) -> None:
    """The settings of every way of deploying are accepted together with those of the image."""
    secrets = {
        "database-url": "postgresql://hookspan:secret@db/hookspan",
        "operator-key": "an-operator-s-own-key",
        "encryption-key": new_encryption_key(),
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(value, encoding="utf-8")
        (tmp_path / name.replace("-", "_")).write_text(value, encoding="utf-8")
    image = given(DEPLOY / "Containerfile")
    ways: list[dict[str, Any]] = [
        image,
        image | given(DEPLOY / "compose.yaml"),
        *(image | one for one in in_the_cluster()),
        given(DEPLOY / "hookspan.service.d/postgresql.conf"),
    ]
    for way in ways:
        here = {key: str(tmp_path / Path(value).name) if "/" in value else value for key, value in way.items()}
        settings = load_settings(environment=here, folder=tmp_path)
        assert settings.is_shared == any(key.endswith("_URL_FILE") for key in way)
        assert settings.port == Settings().port
    assert len(ways) == 5


def test_one_port_everywhere() -> None:
    """8400 is the default, what the image exposes and is asked at, what Compose maps, what Kubernetes leads to."""
    port = str(Settings().port)
    assert given(DEPLOY / "Containerfile")["HOOKSPAN_PORT"] == port
    assert f"\nEXPOSE {port}\n" in (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (compose,) = documents(DEPLOY / "compose.yaml")
    for name in ("node-1", "node-2"):
        assert [one.rpartition(":")[2] for one in compose["services"][name]["ports"]] == [port]
    for one in manifests(BASE, SPLIT):
        if one["kind"] == "Deployment":
            template = one["spec"]["template"]
            (container,) = template["spec"]["containers"]
            assert [(named["name"], str(named["containerPort"])) for named in container["ports"]] == [("http", port)]
            assert template["metadata"]["annotations"]["prometheus.io/port"] == port
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["port"] == "http"
        elif one["kind"] == "Service":
            assert [named["targetPort"] for named in one["spec"]["ports"]] == ["http"]
        elif one["kind"] == "NetworkPolicy":
            ports = {str(named["port"]) for rule in one["spec"]["ingress"] for named in rule["ports"]}
            assert ports == {port}


def test_one_account_everywhere() -> None:
    """The image's user is the one that Kubernetes says."""
    (user,) = re.findall(r"^USER (\d+):(\d+)$", (DEPLOY / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    for one in manifests(BASE, SPLIT):
        if one["kind"] == "Deployment":
            security = one["spec"]["template"]["spec"]["securityContext"]
            assert (str(security["runAsUser"]), str(security["runAsGroup"])) == user


def test_probes_ask_what_is_there() -> None:
    """/healthz and /readyz are paths of the API, for life and for readiness."""
    document = (TOP / "docs/openapi.json").read_text(encoding="utf-8")
    for one in manifests(BASE, SPLIT):
        if one["kind"] == "Deployment":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            asked = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
            assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
            assert all(f'"{path}"' in document for path in asked.values())


def test_one_time_to_stop_everywhere() -> None:
    """The page says a number for all of them."""
    page = " ".join((TOP / "docs/operating/containers.md").read_text(encoding="utf-8").split())
    (said,) = re.findall(r"All of them give a stop (\d+) seconds", page)
    (compose,) = documents(DEPLOY / "compose.yaml")
    given_s = {compose["services"][name]["stop_grace_period"] for name in ("node-1", "node-2")}
    given_s |= {
        f"{one['spec']['template']['spec']['terminationGracePeriodSeconds']}s"
        for one in manifests(BASE, SPLIT)
        if one["kind"] == "Deployment"
    }
    given_s |= {f"{value}s" for key, value in unit("hookspan.service")["Service"] if key == "TimeoutStopSec"}
    assert given_s == {f"{said}s"}
    assert f"--stop-timeout {said} " in page


def test_the_page_makes_each_secret_of_compose() -> None:
    """By the names under which the file looks for them."""
    page = (TOP / "docs/operating/containers.md").read_text(encoding="utf-8")
    (compose,) = documents(DEPLOY / "compose.yaml")
    assert set(re.findall(r">deploy/secrets/(\w+)$", page, re.MULTILINE)) == set(compose["secrets"])


def test_every_file_is_spoken_of() -> None:
    """Each file of deploy/ is named by a page, or by the kustomization beside it."""
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for path in FILES:
        name = str(path.relative_to(TOP))
        beside = path.with_name("kustomization.yaml")
        is_named = beside.exists() and (path.name in beside.read_text(encoding="utf-8") or path == beside)
        assert is_named or name in pages, name
