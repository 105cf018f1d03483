"""The manifests for Kubernetes: of the right shape, and at one with each other."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from hookspan.cli.node import GRACE_S, REQUESTS_GRACE_S
from tests.unit.deploy._files import BASE, SPLIT, documents, manifests
from tests.unit.deploy._kubernetes import problem
from tests.unit.deploy._published import published_problem

FOLDERS = [BASE, SPLIT]
ALL = manifests(*FOLDERS)
DEPLOYMENTS = [one for one in ALL if one["kind"] == "Deployment"]


def named(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def kustomization(folder: Path) -> dict[str, Any]:
    (found,) = documents(folder / "kustomization.yaml")
    return found


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(deployment)["containers"]
    return found


def with_labels(deployment: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return found


def is_chosen(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


# --- shape


@pytest.mark.parametrize("one", ALL, ids=named)
def test_each_object_has_the_shape_of_its_kind(one: dict[str, Any]) -> None:
    """No member that Kubernetes would refuse or pass over in silence, none of another type: by its own schemas, and by
    the narrower shapes of what we use.
    """
    assert published_problem(one) is None
    assert problem(one) is None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_is_given_what_is_there(folder: Path) -> None:
    """Its file has the right shape; every resource it names exists, and no manifest is left out but the example."""
    found = kustomization(folder)
    assert problem(found) is None
    assert [name for name in found["resources"] if not (folder / name).exists()] == []
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in there if ".example." not in name} == {
        name for name in found["resources"] if "/" not in name
    }


def test_a_wrong_shape_is_found() -> None:
    """The check itself: a misspelt member, a wrong type, a missing one and an unknown kind are each refused."""
    good = DEPLOYMENTS[0]
    for path, value in (
        (("spec", "replica"), 2),
        (("spec", "replicas"), "2"),
        (("spec", "template", "spec", "containers", 0, "readinesProbe"), {}),
        (("metadata", "name"), "Hookspan"),
        (("kind",), "Deploymint"),
    ):
        is_name = path == ("metadata", "name")  # which the published schemas leave to the server
        bad = copy.deepcopy(good)
        place: Any = bad
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert problem(bad) is not None, path
        assert is_name or published_problem(bad) is not None, path
    without = copy.deepcopy(good)
    del without["spec"]["selector"]
    assert problem(without) is not None
    assert published_problem(without) is not None


# --- the overlay


def test_the_overlay_changes_what_the_base_has() -> None:
    """Each patch meets at least one object, at a path that is there; replicas and images name what exists."""
    found = kustomization(SPLIT)
    for patch in found["patches"]:
        met = [
            one
            for one in ALL
            if one["kind"] == patch["target"]["kind"]
            and re.fullmatch(patch["target"]["name"].rstrip("$"), one["metadata"]["name"])
        ]
        assert met, patch["target"]
        for change in yaml.safe_load(patch["patch"]):
            assert change["op"] == "add"
            for one in met:
                place: Any = one
                for step in change["path"].split("/")[1:-1]:
                    place = place[int(step)] if isinstance(place, list) else place[step]
                assert isinstance(place, list) == (change["path"].endswith("/-"))
    deployments = {one["metadata"]["name"] for one in DEPLOYMENTS}
    assert {one["name"] for one in found["replicas"]} == deployments
    assert {one["name"] for one in found["images"]} == {container(one)["image"] for one in DEPLOYMENTS}


def test_nodes_of_the_overlay_differ_from_the_base_s_in_their_role_only() -> None:
    """What is mended in one place is mended in the other too."""
    base, deliver = DEPLOYMENTS
    own = container(deliver)["env"].pop(0)
    try:
        assert own == {"name": "HOOKSPAN_ROLE", "value": "deliver"}
        assert container(deliver) == container(base)
        rest = ("securityContext", "volumes", "terminationGracePeriodSeconds", "enableServiceLinks")
        assert [name for name in rest if pod(deliver)[name] != pod(base)[name]] == []
    finally:
        container(deliver)["env"].insert(0, own)


# --- one with each other


def test_selectors_choose_the_pods_that_are_meant() -> None:
    """The Service has those that take events in, deployments and budgets have pods of their own, the policy has all."""
    base, deliver = (with_labels(one) for one in DEPLOYMENTS)
    for deployment in DEPLOYMENTS:
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert [is_chosen(selector, labels) for labels in (base, deliver)].count(True) == 1
        assert is_chosen(selector, with_labels(deployment))
        (spread,) = pod(deployment)["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == selector
    (service,) = [one["spec"]["selector"] for one in ALL if one["kind"] == "Service"]
    assert [is_chosen(service, labels) for labels in (base, deliver)] == [True, False]
    budgets = [one["spec"]["selector"]["matchLabels"] for one in ALL if one["kind"] == "PodDisruptionBudget"]
    assert budgets == [one["spec"]["selector"]["matchLabels"] for one in DEPLOYMENTS]
    (policy,) = [one["spec"]["podSelector"]["matchLabels"] for one in ALL if one["kind"] == "NetworkPolicy"]
    assert is_chosen(policy, base)
    assert is_chosen(policy, deliver)


@pytest.mark.parametrize("one", DEPLOYMENTS, ids=named)
def test_pods_meet_the_restricted_standard(one: dict[str, Any]) -> None:
    """No root, no privileges, no way to gain some, nothing to write to but what is mounted, no token of the cluster."""
    security = pod(one)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    own = container(one)["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"]["drop"] == ["ALL"]
    assert pod(one)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("one", DEPLOYMENTS, ids=named)
def test_a_service_s_name_sets_no_setting(one: dict[str, Any]) -> None:
    """A Service named hookspan would put HOOKSPAN_PORT=tcp://… into every pod, and no node would start."""
    assert pod(one)["enableServiceLinks"] is False


@pytest.mark.parametrize("one", DEPLOYMENTS, ids=named)
def test_a_pod_has_time_to_stop(one: dict[str, Any]) -> None:
    """The grace holds what is done before SIGTERM, what a stop takes at most, and five seconds for recording."""
    before_s = container(one)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod(one)["terminationGracePeriodSeconds"] >= before_s + REQUESTS_GRACE_S + GRACE_S + 5


@pytest.mark.parametrize("one", DEPLOYMENTS, ids=named)
def test_secrets_are_mounted_where_settings_look(one: dict[str, Any]) -> None:
    """Each …_FILE lies in the mounted Secret, under a key that the example has; the account can read it."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container(one)["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod(one)["volumes"]}
    files = {Path(env["value"]) for env in container(one)["env"] if env["name"].endswith("_FILE")}
    (secret,) = [document for document in ALL if document["kind"] == "Secret"]
    assert {str(path.parent) for path in files} == {mounts["secrets"]}
    assert {path.name for path in files} == set(secret["stringData"])
    (volume,) = [volume for volume in pod(one)["volumes"] if volume["name"] == "secrets"]
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    assert volume["secret"]["defaultMode"] == 0o440  # for the group, which is fsGroup's
    assert pod(one)["securityContext"]["fsGroup"] == pod(one)["securityContext"]["runAsGroup"]


def test_a_node_has_time_to_bring_the_database_up_to_date() -> None:
    """The start-up probe waits as long as a migration may take."""
    from hookspan.store.postgres import PostgresOptions

    for one in DEPLOYMENTS:
        probe = container(one)["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= PostgresOptions().migration_time_max_s


def test_machines_can_be_emptied_while_the_database_is_away() -> None:
    """No node is ready then: a budget that counted them as healthy ones to be kept would hold every drain."""
    budgets = [one["spec"] for one in ALL if one["kind"] == "PodDisruptionBudget"]
    assert [budget["unhealthyPodEvictionPolicy"] for budget in budgets] == ["AlwaysAllow"] * 2
    assert [budget["maxUnavailable"] for budget in budgets] == [1, 1]
