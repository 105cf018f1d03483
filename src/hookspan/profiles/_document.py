"""The shape of profile.toml: what may stand in it. Decoding is strict, so a typo is found and named, not ignored.

Only shapes are here. What the texts in them mean is said where they are compiled: `_references`, `_body`,
`_signing`, `_credentials`, `_catalog`, `_rules`.
"""

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hookspan.explain_json import members_at, say_at
from hookspan.profiles._near import did_you_mean

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")

# What people read in the place of a name.
Title = Annotated[str, msgspec.Meta(pattern=r"\S", description="A text that is not empty.")]


class Refused(Exception):
    """Something in a profile is wrong: `key` is its dotted place, `reason` says what and what is allowed.

    It becomes a ConfigurationError or an InvalidRequest, depending on who wrote it.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason

    @property
    def sentence(self) -> str:
        """The reason with its full stop."""
        return self.reason if self.reason.endswith((".", "?")) else f"{self.reason}."


class UnknownKey(Refused):
    """A key that the profile language does not have."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every table."""


class Id(Table, frozen=True, kw_only=True):
    prefix: Annotated[
        str, msgspec.Meta(pattern="^[a-z]{1,8}_$", description="One to eight small letters and an underscore, as evt_.")
    ]
    random: Literal["base58:23"]


class Ids(Table, frozen=True, kw_only=True):
    event: Id
    webhook: Id


class Body(Table, frozen=True, kw_only=True):
    """`rows` in their order; `context` names the members that `{context.…}` may use, each with its type."""

    rows: Annotated[tuple[tuple[str, str], ...], msgspec.Meta(min_length=1, max_length=100)]
    context: dict[str, str] = {}


class Rotate(Table, frozen=True, kw_only=True):
    overlap: str
    live: Annotated[int, msgspec.Meta(ge=1, le=10)]


class Credential(Table, frozen=True, kw_only=True):
    kind: Literal["text", "whsec", "ed25519", "rsa-2048"]
    make: str | None = None
    give: tuple[Literal["configurer", "operator"], ...] = ()
    key: str | None = None
    required: bool | str = False
    shown: Literal["once", "public", "never"]
    rotate: Rotate | None = None


class Header(Table, frozen=True, kw_only=True):
    name: str
    value: str


class Signature(Table, frozen=True, kw_only=True):
    credential: str
    header: str
    algorithm: str
    signed: str
    prehash: str | None = None
    encoding: str
    each: str = "{sig}"
    join: str = ","
    value: str = "{signatures}"


class Test(Table, frozen=True, kw_only=True):
    """Either `sample`; or `type` with `content` or `verbatim`. `at` is only for readers: how this one event tells its
    time.
    """

    type: str | None = None
    sample: Literal["subscribed"] | None = None
    content: str | None = None
    verbatim: str | None = None
    at: str | None = None


class Tolerance(Table, frozen=True, kw_only=True):
    past: str
    future: str


class Read(Table, frozen=True, kw_only=True):
    """The way back, for `hookspan.verify`."""

    type: str
    id: str | None = None
    at: str | None = None
    data: str
    tolerance: Tolerance | None = None


class Limits(Table, frozen=True, kw_only=True):
    webhooks: Annotated[int, msgspec.Meta(ge=0, le=100_000)]  # 0: no limit
    name: Literal["optional", "required", "none"]
    https: Literal["required", "unless_operator_allows"]
    certificate: Literal["unchecked", "checked_at_save"] = "unchecked"


class States(Table, frozen=True, kw_only=True):
    new: Literal["active", "disabled"]
    url_change: Literal["any", "disabled"]
    while_disabled: Literal["keep"] = "keep"


class Access(Table, frozen=True, kw_only=True):
    configure: Annotated[tuple[Literal["admin", "application_key", "support"], ...], msgspec.Meta(min_length=1)]


class Subscription(Table, frozen=True, kw_only=True):
    by: Literal["type", "pattern", "group", "matrix"]
    absent: Literal["all", "none", "refused"]


class Delivery(Table, frozen=True, kw_only=True):
    order: Literal["any", "fifo"]
    timeout: str
    gone: Literal["retry", "disable"]
    auto_disable: bool | str = False
    when_exhausted: Literal["fail", "stall"] = "fail"


class Retry(Table, frozen=True, kw_only=True):
    """Either a list, `delays`, or a series: `first`, `factor`, `cap`, `until`."""

    delays: tuple[str, ...] | None = None
    first: str | None = None
    factor: float | None = None
    cap: str | None = None
    until: str | None = None
    jitter: float = 0.0


Start = Literal["now", "webhook_creation", "beginning_of_time", "position"]


class Epoch(Table, frozen=True, kw_only=True):
    default: Start
    values: tuple[Start, ...] = ()
    before: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


class Group(Table, frozen=True, kw_only=True):
    """The keys that every group's table may have. `verbs` holds names, or `{name = "since"}`; `since` is for those that
    have none of their own.
    """

    title: Title
    since: str | None = None
    verbs: Annotated[tuple[str | dict[str, str], ...], msgspec.Meta(min_length=1)]


class Catalog(Table, frozen=True, kw_only=True):
    """`type` is ``{group}.{verb}``; or with `is_open` a pattern, and every type that fits it exists.

    `every` are verbs that each group has, unlisted. A group is a `Group` and attributes of its own: see `_groups`.
    """

    type: str
    is_open: bool = msgspec.field(default=False, name="open")
    every: tuple[str, ...] = ()
    group: dict[str, dict[str, Any]] = {}


class Document(Table, frozen=True, kw_only=True):
    """One whole profile.toml."""

    format: Literal[1]
    title: Title
    management_api: Literal["bridge-v0"] | None = None
    settable: tuple[str, ...] = ()
    ids: Ids
    body: Body
    credential: dict[str, Credential] = {}
    header: tuple[Header, ...] = ()
    signature: tuple[Signature, ...] = ()
    test: Test | None = None
    read: Read
    limits: Limits
    states: States
    access: Access
    subscription: Subscription
    delivery: Delivery
    retry: Retry
    epoch: Epoch
    words: dict[str, str | dict[str, str]] = {}
    catalog: Catalog
    # Whether an event's content is held against its schema. Not in the files: it exists to be switched off.
    validate: bool = True


_T = TypeVar("_T", bound=Table)


def decode(raw: dict[str, Any]) -> Document:
    """The document behind a parsed TOML file; raises Refused."""
    return convert("", raw, Document)


def convert(place: str, raw: dict[str, Any], kind: type[_T]) -> _T:
    """One table as `kind`; raises Refused with the key below `place`."""
    try:
        return msgspec.convert(raw, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _refused(place, raw, kind, str(error)) from None


def _refused(place: str, raw: dict[str, Any], kind: type[Table], message: str) -> Refused:
    match = _MESSAGE.fullmatch(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    key = f"{place}.{_key(raw, kind, message, path)}".strip(".")
    unknown = _UNKNOWN.fullmatch(what)
    if unknown:
        near = did_you_mean(unknown[1], members_at(path, kind))
        return UnknownKey(
            f"{key}.{unknown[1]}".strip("."), f"there is no such key.{near}" if near else "there is no such key"
        )
    missing = _MISSING.fullmatch(what)
    if missing:
        return Refused(f"{key}.{missing[1]}".strip("."), "this key is missing")
    return Refused(key, say_at(what, path, kind, "a table"))


def _key(raw: dict[str, Any], kind: type[Table], message: str, path: str) -> str:
    """A path of msgspec's as a dotted key. It writes ``[...]`` for a name in a table whose names are free: which one
    is meant is found by taking the others away.
    """
    before, dots, after = path.partition("[...]")
    key = _dotted(before).strip(".")
    if not dots:
        return key
    steps = key.split(".")
    for name in _free_names(raw, steps):
        try:
            msgspec.convert(_with_only(raw, steps, name), kind, strict=True)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return f"{key}.{name}{_dotted(after)}"
    return key


def _dotted(path: str) -> str:
    return re.sub(r"\[(\d+)\]", r".\1", path).replace("[...]", "")


def _free_names(raw: Any, steps: list[str]) -> list[str]:
    for step in steps:
        if not isinstance(raw, dict):
            return []  # inside a list: its place says enough
        raw = raw[step]
    return list(raw)


def _with_only(raw: dict[str, Any], path: list[str], name: str) -> dict[str, Any]:
    inner = raw[path[0]]
    reduced = _with_only(inner, path[1:], name) if len(path) > 1 else {name: inner[name]}
    return {**raw, path[0]: reduced}
