"""What a profile says to its receivers, read from the same profile.toml that the sender compiles.

A reading of its own, small and tolerant: the data were checked strictly by the sender's half, and this one must work
where only the standard library is.
"""

import base64
import binascii
import dataclasses
import functools
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hookspan.verify._reading import Source, VerificationError

_PROFILES = Path(__file__).parents[1] / "profiles" / "data"
_REFERENCE = re.compile(r"\{([^{}:]+)(?::([a-z]+))?\}")
_BASE64_KEY = re.compile(r"base64_after_prefix:(\d+)-(\d+)")
_DURATION = re.compile(r"(\d+)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "hex": binascii.hexlify,
    "hex-upper": lambda mac: binascii.hexlify(mac).upper(),
}


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How to read one profile's requests. `signed` are the pieces of the signed text, references to what the request
    carries; `tolerance_s` is (past, future).
    """

    header: str
    signed: tuple[bytes | Source, ...]
    encode: Callable[[bytes], bytes]
    each: tuple[str, str]  # what stands before and after a signature
    join: str
    key_rule: str
    key_prefix: str
    type: Source
    id: Source | None
    at: Source | None
    data: Source
    tolerance_s: tuple[float, float] | None
    test_type: str | None
    test_at: Source | None

    def candidates(self, value: str) -> list[str]:
        """The signatures of this dialect in a header; those of another version are left out."""
        before, after = self.each
        found = [
            part[len(before) : len(part) - len(after)]
            for part in value.split(self.join)
            if part.startswith(before) and part.endswith(after) and len(part) > len(before) + len(after)
        ]
        if not found:
            form = f"{before}…{after}"
            raise VerificationError("malformed_header", f"{self.header} holds nothing of the form {form!r}.")
        return found

    def key(self, secret: str) -> bytes:
        """The HMAC key behind a secret's text; errors never repeat it."""
        if not isinstance(secret, str) or not secret:
            raise VerificationError("invalid_secret", "The secret must be a text, and not empty.")
        rule = _BASE64_KEY.fullmatch(self.key_rule)
        try:
            if rule is None:
                return secret.encode()
            value = base64.b64decode(secret.removeprefix(self.key_prefix).encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise VerificationError(
                "invalid_secret", "The secret has the wrong alphabet or length; copy all of it."
            ) from None
        if not int(rule[1]) <= len(value) <= int(rule[2]):
            detail = f"The secret stands for {len(value)} bytes, {rule[1]} to {rule[2]} are possible; copy all of it."
            raise VerificationError("invalid_secret", detail)
        return value


@functools.lru_cache(maxsize=64)
def dialect(profile: str) -> Dialect:
    """Raises ValueError for a profile that does not exist, or that no shared secret can verify."""
    names = sorted(path.parent.name for path in _PROFILES.glob("*/profile.toml"))
    if profile not in names:
        raise ValueError(f"there is no profile {profile!r}; there are {', '.join(names)}")
    toml = tomllib.loads((_PROFILES / profile / "profile.toml").read_text("utf-8"))
    signature = next((one for one in toml.get("signature", ()) if one["algorithm"] == "hmac-sha256"), None)
    if signature is None or signature.get("value", "{signatures}") != "{signatures}":
        raise ValueError(f"profile {profile!r} is not signed with a shared secret")
    return _read(toml, signature)


def _read(toml: dict[str, Any], signature: dict[str, Any]) -> Dialect:
    credential = toml["credential"][signature["credential"]]
    read, test = toml["read"], toml.get("test", {})
    before, _, after = signature.get("each", "{sig}").partition("{sig}")
    return Dialect(
        header=signature["header"],
        signed=_signed(signature["signed"], toml.get("header", ())),
        encode=_ENCODERS[signature["encoding"]],
        each=(before, after),
        join=signature.get("join", ","),
        key_rule=credential.get("key", "utf8"),
        key_prefix="" if credential["kind"] == "text" else f"{credential['kind']}_",
        type=_must(_source(read["type"])),
        id=_source(read.get("id")),
        at=_source(read.get("at")),
        data=_must(_source(read["data"])),
        tolerance_s=_tolerance(read.get("tolerance")),
        test_type=test.get("type"),
        test_at=_source(test.get("at")),
    )


def _signed(text: str, headers: list[dict[str, str]]) -> tuple[bytes | Source, ...]:
    """The signed text; what the sender knew as event.id or attempt.at is found in the header that carries it."""
    carried = {one["value"]: one["name"] for one in headers}
    parts: list[bytes | Source] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        parts.append(text[end : match.start()].encode())
        parts.append(Source("body", "", None) if match[1] == "body" else Source("header", carried[match[0]], None))
        end = match.end()
    return (*parts, text[end:].encode())


def _source(text: str | None) -> Source | None:
    match = _REFERENCE.fullmatch(text or "")
    if match is None:
        return None
    root, _, name = match[1].partition(".")
    return Source(root, name, match[2])


def _must(source: Source | None) -> Source:
    assert source is not None, "the sender's half has checked [read]"
    return source


def _tolerance(table: dict[str, str] | None) -> tuple[float, float] | None:
    return None if table is None else (_seconds(table["past"]), _seconds(table["future"]))


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    assert match is not None, "the sender's half has checked [read]"
    return int(match[1]) * _SECONDS[match[2]]
