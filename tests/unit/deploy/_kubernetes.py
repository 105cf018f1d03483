"""The shapes of Kubernetes' objects as far as deploy/ uses them: what is not named here is refused, and so is what is
named wrongly or is of another type, as an API server with strict validation does.
"""

from typing import Annotated, Any, Literal

import msgspec

_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63)]
_Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
_Labels = dict[
    Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")],
    Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$", max_length=63)],
]
_Quantity = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?(m|Ki|Mi|Gi)?$")]
_Cidr = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f.:]+/\d{1,3}$")]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Shape(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    pass


class _Metadata(_Shape):
    name: _Name
    labels: _Labels = {}
    annotations: dict[str, str] = {}


class _PodMetadata(_Shape):
    labels: _Labels
    annotations: dict[str, str] = {}


class _Selector(_Shape):
    match_labels: _Labels


class Namespace(_Shape):
    api_version: Literal["v1"]
    kind: Literal["Namespace"]
    metadata: _Metadata


class ConfigMap(_Shape):
    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    metadata: _Metadata
    data: dict[str, str]


class Secret(_Shape):
    api_version: Literal["v1"]
    kind: Literal["Secret"]
    metadata: _Metadata
    type: Literal["Opaque"]
    string_data: dict[str, str]


class _ServicePort(_Shape):
    name: _Name
    port: _Port
    target_port: _Port | str
    protocol: Literal["TCP"]


class _ServiceSpec(_Shape):
    type: Literal["ClusterIP"]
    selector: _Labels
    ports: list[_ServicePort]


class Service(_Shape):
    api_version: Literal["v1"]
    kind: Literal["Service"]
    metadata: _Metadata
    spec: _ServiceSpec


class _BudgetSpec(_Shape):
    max_unavailable: Annotated[int, msgspec.Meta(ge=1)]
    unhealthy_pod_eviction_policy: Literal["IfHealthyBudget", "AlwaysAllow"]
    selector: _Selector


class PodDisruptionBudget(_Shape):
    api_version: Literal["policy/v1"]
    kind: Literal["PodDisruptionBudget"]
    metadata: _Metadata
    spec: _BudgetSpec


class _Block(_Shape):
    cidr: _Cidr
    except_: list[_Cidr] = msgspec.field(default_factory=list, name="except")


class _Peer(_Shape):
    pod_selector: _Selector | None = None
    namespace_selector: _Selector | None = None
    ip_block: _Block | None = None


class _PolicyPort(_Shape):
    protocol: Literal["TCP", "UDP"]
    port: _Port


class _Ingress(_Shape):
    from_: list[_Peer] = msgspec.field(name="from")
    ports: list[_PolicyPort]


class _Egress(_Shape):
    to: list[_Peer]
    ports: list[_PolicyPort] = []


class _PolicySpec(_Shape):
    pod_selector: _Selector
    policy_types: list[Literal["Ingress", "Egress"]]
    ingress: list[_Ingress]
    egress: list[_Egress]


class NetworkPolicy(_Shape):
    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["NetworkPolicy"]
    metadata: _Metadata
    spec: _PolicySpec


class _ContainerPort(_Shape):
    name: _Name
    container_port: _Port
    protocol: Literal["TCP"]


class _ConfigMapRef(_Shape):
    name: _Name


class _EnvFrom(_Shape):
    config_map_ref: _ConfigMapRef


class _Env(_Shape):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
    value: str


class _HttpGet(_Shape):
    path: Annotated[str, msgspec.Meta(pattern=r"^/")]
    port: _Port | str


class _Probe(_Shape):
    http_get: _HttpGet
    period_seconds: Annotated[int, msgspec.Meta(ge=1)]
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1)]
    failure_threshold: Annotated[int, msgspec.Meta(ge=1)]


class _Sleep(_Shape):
    seconds: Annotated[int, msgspec.Meta(ge=1)]


class _Handler(_Shape):
    sleep: _Sleep


class _Lifecycle(_Shape):
    pre_stop: _Handler


class _Resources(_Shape):
    requests: dict[Literal["cpu", "memory"], _Quantity]
    limits: dict[Literal["cpu", "memory"], _Quantity]


class _Capabilities(_Shape):
    drop: list[str]


class _ContainerSecurity(_Shape):
    allow_privilege_escalation: bool
    read_only_root_filesystem: bool
    capabilities: _Capabilities


class _Mount(_Shape):
    name: _Name
    mount_path: Annotated[str, msgspec.Meta(pattern=r"^/")]
    read_only: bool = False


class _Container(_Shape):
    name: _Name
    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"]
    args: list[str]
    ports: list[_ContainerPort]
    env_from: list[_EnvFrom]
    env: list[_Env]
    startup_probe: _Probe
    liveness_probe: _Probe
    readiness_probe: _Probe
    lifecycle: _Lifecycle
    resources: _Resources
    security_context: _ContainerSecurity
    volume_mounts: list[_Mount]


class _SecretVolume(_Shape):
    secret_name: _Name
    default_mode: Annotated[int, msgspec.Meta(ge=0, le=0o777)]


class _EmptyDir(_Shape):
    size_limit: _Quantity


class _Volume(_Shape):
    name: _Name
    secret: _SecretVolume | None = None
    empty_dir: _EmptyDir | None = None


class _Seccomp(_Shape):
    type: Literal["RuntimeDefault"]


class _PodSecurity(_Shape):
    run_as_non_root: bool
    run_as_user: _Count
    run_as_group: _Count
    fs_group: _Count
    seccomp_profile: _Seccomp


class _Spread(_Shape):
    max_skew: Annotated[int, msgspec.Meta(ge=1)]
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: _Selector


class _PodSpec(_Shape):
    automount_service_account_token: bool
    enable_service_links: bool
    termination_grace_period_seconds: _Count
    security_context: _PodSecurity
    topology_spread_constraints: list[_Spread]
    containers: list[_Container]
    volumes: list[_Volume]


class _Template(_Shape):
    metadata: _PodMetadata
    spec: _PodSpec


class _Rolling(_Shape):
    max_surge: _Count
    max_unavailable: _Count


class _Strategy(_Shape):
    type: Literal["RollingUpdate"]
    rolling_update: _Rolling


class _DeploymentSpec(_Shape):
    replicas: _Count
    selector: _Selector
    strategy: _Strategy
    template: _Template


class Deployment(_Shape):
    api_version: Literal["apps/v1"]
    kind: Literal["Deployment"]
    metadata: _Metadata
    spec: _DeploymentSpec


class _LabelSet(_Shape):
    pairs: _Labels
    include_templates: bool = False


class _Image(_Shape):
    name: str
    new_name: str
    new_tag: str


class _Replicas(_Shape):
    name: str
    count: _Count


class _Target(_Shape):
    kind: str
    name: str


class _Patch(_Shape):
    target: _Target
    patch: str


class Kustomization(_Shape):
    api_version: Literal["kustomize.config.k8s.io/v1beta1"]
    kind: Literal["Kustomization"]
    resources: list[str]
    namespace: _Name | None = None
    labels: list[_LabelSet] = []
    images: list[_Image] = []
    replicas: list[_Replicas] = []
    patches: list[_Patch] = []


KINDS: dict[str, type[_Shape]] = {
    kind.__name__: kind
    for kind in (
        Namespace,
        ConfigMap,
        Secret,
        Service,
        PodDisruptionBudget,
        NetworkPolicy,
        Deployment,
        Kustomization,
    )
}


def problem(document: dict[str, Any]) -> str | None:
    """What is wrong with an object; None when it is as it must be."""
    kind = KINDS.get(document.get("kind", ""))
    if kind is None:
        return f"no shape is known for {document.get('kind')!r}"
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        return f"{kind.__name__}: {error}"
    return None
