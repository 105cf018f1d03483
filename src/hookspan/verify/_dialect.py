"""What a profile says to its receivers, read from the same profile.toml that the sender compiles.

A reading of its own, small and tolerant: the sender's half checks profiles strictly, and this one must work where
only the standard library is.
"""

import base64
import binascii
import dataclasses
import functools
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hookspan.verify._text import Line, line, split

_PROFILES: Final = Path(__file__).parents[1] / "profiles"
_PARENTS: Final = (_PROFILES / "data", _PROFILES / "examples")
_DOCUMENT: Final = "profile.toml"
_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TREE: Final = "settings must be a tree of texts, as the application's settings are"
_TABLES: Final = ("signature", "header")  # what of an application's settings concerns a receiver

HASHES: Final = {"hmac-sha256": "sha256", "hmac-sha1": "sha1", "hmac-sha512": "sha512"}
PUBLIC: Final = frozenset({"rsa-pkcs1v15-sha256", "ed25519"})
ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "base64": base64.b64encode,
    "hex": binascii.hexlify,
    "hex-upper": lambda mac: binascii.hexlify(mac).upper(),
}


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way in which requests are signed. `line` is its whole header, `carriers` the other headers that hold what
    `signed` refers to, `each` what stands before and after one signature.
    """

    line: Line
    carriers: tuple[Line, ...]
    algorithm: str
    signed: str
    is_hashed_before: bool
    encoding: str
    each: tuple[str, str]
    join: str
    secret_kind: str
    secret_rule: str

    @property
    def is_public(self) -> bool:
        return self.algorithm in PUBLIC

    @property
    def takes_text(self) -> bool:
        """Whether the secret's text is the key itself."""
        return self.secret_rule == "utf8"  # noqa: S105 - a rule's name


@dataclasses.dataclass(frozen=True)
class Token:
    """A header that holds a token as it is, with text before and after it."""

    header: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How to read one profile's requests. `tolerance_s` is (past, future); `type`, `id`, `at`, `data` are references
    as ``[read]`` has them.
    """

    name: str
    signatures: tuple[Signature, ...]
    tokens: tuple[Token, ...]
    settable: tuple[str, ...]
    type: str
    id: str | None
    at: str | None
    data: str
    tolerance_s: tuple[float, float] | None
    test_type: str | None
    test_at: str | None

    @property
    def parameters(self) -> list[str]:
        """Of verify(), those that this profile can be verified with."""
        return [
            name
            for name, is_known in (
                ("secret", any(not one.is_public for one in self.signatures)),
                ("public_key", any(one.is_public for one in self.signatures)),
                ("token", bool(self.tokens)),
            )
            if is_known
        ]


def dialect(profile: str | os.PathLike[str], settings: Mapping[str, Any] | None) -> Dialect:
    """Raises ValueError for a profile that does not exist or can't be read, and for settings that it does not have."""
    try:
        chosen = "" if settings is None else json.dumps(settings, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(_TREE) from None
    is_name = isinstance(profile, str) and "/" not in profile and os.sep not in profile
    return _dialect(str(profile) if is_name else str(Path(profile).absolute()), chosen)


@functools.lru_cache(maxsize=128)
def _dialect(profile: str, settings: str) -> Dialect:
    folder = _folder(profile)
    try:
        toml = tomllib.loads((folder / _DOCUMENT).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{folder / _DOCUMENT} can't be read: {error}") from None
    if settings:
        toml = _overlaid(toml, json.loads(settings))
    try:
        return _read(folder.name, toml)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{folder / _DOCUMENT} is no profile that can be verified ({error!r}); `hookspan profiles check` says more"
        ) from None


def _folder(profile: str) -> Path:
    """The folder of a profile: its absolute path, or its name among those that come with Hookspan."""
    if os.sep in profile:
        return Path(profile)
    known = {path.parent.name: path.parent for parent in _PARENTS for path in sorted(parent.glob(f"*/{_DOCUMENT}"))}
    if profile not in known:
        names = ", ".join(known)
        raise ValueError(f"there is no profile {profile!r}; there are {names}; for your own give its folder's Path")
    return known[profile]


def _overlaid(toml: dict[str, Any], settings: Any) -> dict[str, Any]:
    """The profile with the signature and the header that an operator has set; other settings are not a receiver's."""
    if not isinstance(settings, dict):
        raise ValueError(_TREE)  # noqa: TRY004 - as for every other fault in settings
    merged = dict(toml)
    for section, changes in settings.items():
        keys = list(changes) if isinstance(changes, dict) else [None]
        for key in keys:
            dotted = section if key is None else f"{section}.{key}"
            if not {dotted, f"{section}.*"} & set(toml.get("settable", ())):
                raise ValueError(f"settings: this profile has no {dotted!r} that could be set")
        if section not in _TABLES:
            continue
        tables = toml.get(section, [])
        if not isinstance(changes, dict) or len(tables) != 1 or not all(isinstance(v, str) for v in changes.values()):
            raise ValueError(f"settings: {section} must be a table of texts")
        merged[section] = [{**tables[0], **changes}]
    return merged


def _read(name: str, toml: dict[str, Any]) -> Dialect:
    read, test = toml["read"], toml.get("test", {})
    headers = toml.get("header", [])
    credentials = toml.get("credential", {})
    lines = [one for one in (line(table["name"], table["value"]) for table in headers) if one is not None]
    tolerance = read.get("tolerance")
    if tolerance is not None and not _covers_time(toml.get("signature", ())):
        raise ValueError("read.tolerance: no signed time: {attempt.at} is not in `signed`, so old requests would pass")
    return Dialect(
        name=name,
        signatures=tuple(_signature(table, credentials, lines) for table in toml.get("signature", ())),
        tokens=tuple(token for table in headers if (token := _token(table)) is not None),
        settable=tuple(toml.get("settable", ())),
        type=read["type"],
        id=read.get("id"),
        at=read.get("at"),
        data=read["data"],
        tolerance_s=None if tolerance is None else (_seconds(tolerance["past"]), _seconds(tolerance["future"])),
        test_type=test.get("type"),
        test_at=test.get("at"),
    )


def _covers_time(tables: Sequence[dict[str, Any]]) -> bool:
    """Whether each credential signs in a header all of whose signatures cover the time of the attempt."""
    untimed = {one["header"].lower() for one in tables if "{attempt.at:" not in one["signed"]}
    signing = {one["credential"] for one in tables}
    return bool(signing) and signing == {one["credential"] for one in tables if one["header"].lower() not in untimed}


def _signature(table: dict[str, Any], credentials: dict[str, Any], lines: list[Line]) -> Signature:
    each, encoding, algorithm = table.get("each", "{sig}"), table["encoding"], table["algorithm"]
    before, found, after = each.partition("{sig}")
    if not found:
        raise ValueError(f"signature.each: {each!r} must hold {{sig}}")
    if encoding not in ENCODERS:
        raise ValueError(f"signature.encoding: {encoding!r} is not one of {', '.join(ENCODERS)}")
    if algorithm not in PUBLIC and algorithm not in HASHES:
        raise ValueError(f"signature.algorithm: {algorithm!r} is not one of {', '.join([*HASHES, *sorted(PUBLIC)])}")
    own = line(table["header"], table.get("value", "{signatures}"))
    if own is None or "signatures" not in own.carried:
        raise ValueError("signature.value: a receiver can't read this header")
    credential = credentials[table["credential"]]
    return Signature(
        line=own,
        carriers=_carriers(table["signed"], own, lines),
        algorithm=algorithm,
        signed=table["signed"],
        is_hashed_before="prehash" in table,
        encoding=encoding,
        each=(before, after),
        join=table.get("join", ","),
        secret_kind=credential["kind"],
        secret_rule=credential.get("key", "utf8"),
    )


def _carriers(signed: str, own: Line, lines: list[Line]) -> tuple[Line, ...]:
    """The headers in which a receiver finds what was signed beside the body."""
    carriers = []
    for piece, is_reference in split(signed):
        if not is_reference or piece == "body" or piece in own.carried:
            continue
        carrier = next((one for one in lines if piece in one.carried), None)
        if carrier is None:
            raise ValueError(f"signature.signed: no header carries {{{piece}}}, so no receiver can verify it")
        carriers.append(carrier)
    return tuple(dict.fromkeys(carriers))


def _token(table: dict[str, str]) -> Token | None:
    """A header that is one credential with text around it."""
    pieces = split(table["value"])
    references = [piece for piece, is_reference in pieces if is_reference]
    if len(references) != 1 or not references[0].startswith("credential."):
        return None
    before, _, after = table["value"].partition(f"{{{references[0]}}}")
    return Token(table["name"], before, after)


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"read.tolerance: {text!r} is no duration")
    return int(match[1]) * _SECONDS[match[2]]
