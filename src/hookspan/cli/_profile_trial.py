"""Trying a profile out without a server: fresh credentials, a signed request, and the receiver's verdict on it."""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hookspan.cli._profile_finding import read_document
from hookspan.clock import SystemClock
from hookspan.egress import EgressSettings
from hookspan.errors import HookspanError, UnknownEventType
from hookspan.ids import IdMaker, to_text
from hookspan.profiles import LiveSecret, NewCredential, Profile, Signer
from hookspan.verify import VerificationError, VerifiedEvent, verify

SAMPLE_TYPES = ("order.paid", "test")  # for catalogs that list nothing
_APPLICATION_UUID = "00000000-0000-4000-8000-000000000000"
_SECRET_BYTES = 32


class NotVerified(HookspanError):
    """The profile is sound, but `hookspan.verify` does not accept what it signs (or accepts what it must not)."""

    code = "not_verified"
    title = "The receiver's half does not agree"


class SignedSample(msgspec.Struct, frozen=True):
    """One request as it would go out to a receiver."""

    event_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Trial:
    """One profile with fresh credentials; nothing here is kept anywhere."""

    def __init__(self, profile: Profile, folder: Path) -> None:
        document = read_document(folder)
        self._profile = profile
        self._folder = folder
        self._document = document
        self._clock = SystemClock()
        self._ids = IdMaker(self._clock)
        self.credentials = fresh_credentials(profile, document)
        self.given_as = {kind.name: kind.given_as for kind in profile.credentials}
        self._signer = profile.signer(_live(self.credentials))
        self.receiver_side = receiver_side(
            document, [(one.name, one.public or one.secret.decode()) for one in self.credentials]
        )

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature at all; a profile may do with a token, or with nothing."""
        return bool(self._document.get("signature"))

    def types(self, first: str | None = None) -> list[str]:
        """The types to try: those that are listed, else one that the open catalog takes; `first` before all others.
        Raises UnknownEventType.
        """
        if first is not None and not self._profile.takes_type(first):
            self._profile.sample(first)  # says why
        listed = [entry.type for entry in self._profile.catalog()]
        types = listed or [one for one in SAMPLE_TYPES if self._profile.takes_type(one)][:1]
        if first is not None:
            return [first, *(one for one in types if one != first)]
        if not types:
            raise UnknownEventType("The catalog lists no event type; say by --type which one to try.")
        return types

    def sign(self, event_type: str) -> SignedSample:
        """A sample of the type, rendered and signed now. Raises UnknownEventType."""
        return self._sign(event_type, self._signer)

    def _sign(self, event_type: str, signer: Signer) -> SignedSample:
        sample = self._profile.sample(event_type)
        now_ms = self._clock.now_ms()
        event_id = to_text(self._profile.event_prefix, self._ids.make())
        body, _, _ = self._profile.render(
            event_type, sample.content, sample.context, event_id, now_ms, _APPLICATION_UUID
        )
        lines = signer(event_id, now_ms, body, event_type)
        own = [tuple(line.split(": ", 1)) for line in lines.decode().split("\r\n") if line]
        fixed = [
            ("user-agent", EgressSettings().user_agent),
            ("accept-encoding", "identity"),
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
        ]
        return SignedSample(event_type, tuple((name, value) for name, value in [*fixed, *own]), body)

    def verify(self, sample: SignedSample) -> VerifiedEvent:
        """The event as a receiver reads it. Raises NotVerified: refused, read differently, or a forgery accepted."""
        try:
            event = self._read(sample.headers, sample.body)
        except (VerificationError, ValueError) as error:
            raise NotVerified(f"{sample.event_type}: hookspan.verify refuses the signed sample: {error}") from None
        if event.type != sample.event_type:
            raise NotVerified(f"[read] finds the type {event.type!r} in a body that is a {sample.event_type}.")
        if self.is_signed:
            self._forge(sample)
        return event

    def rotate(self, event_type: str) -> None:
        """During a rotation whoever knows only the new secret, and whoever knows only the old one, both accept. Raises
        NotVerified.
        """
        for old in self.credentials:
            if old.name not in self._profile.rotatable:
                continue
            overlap_ms, live_max = self._profile.rotation(old.name)
            if not overlap_ms or live_max == 1:
                continue
            given = given_credentials(self._document).get(old.name)
            new = self._profile.rotated(old.name, given, may_give="operator")
            sample = self._sign(event_type, self._profile.signer(_live([new, *self.credentials])))
            for one, which in ((new, "new"), (old, "old")):
                known = [(one.name, one.public or one.secret.decode())]
                try:
                    verify(
                        self._folder, headers=sample.headers, body=sample.body, **receiver_side(self._document, known)
                    )
                except (VerificationError, ValueError) as error:
                    detail = f"{event_type}: in a rotation who knows only the {which} {self.given_as[one.name]} refuses"
                    raise NotVerified(f"{detail}: {error}") from None

    def _forge(self, sample: SignedSample) -> None:
        """The same request with one more byte of white space, which no reader of JSON would notice."""
        try:
            self._read(sample.headers, sample.body + b" ")
        except VerificationError:
            return
        raise NotVerified(f"{sample.event_type}: hookspan.verify accepts a changed body. Does `signed` hold {{body}}?")

    def _read(self, headers: Sequence[tuple[str, str]], body: bytes) -> VerifiedEvent:
        return verify(self._folder, headers=headers, body=body, **self.receiver_side)


def _live(credentials: Sequence[NewCredential]) -> list[LiveSecret]:
    return [LiveSecret(one.name, one.secret) for one in credentials]


def fresh_credentials(profile: Profile, document: Mapping[str, Any]) -> tuple[NewCredential, ...]:
    """What a new webhook would get, and beside it a random text for each credential that must or may be given."""
    tables = document.get("credential", {})
    given = given_credentials(document)
    giver = "operator" if all("operator" in tables[name]["give"] for name in given) else "configurer"
    return profile.new_credentials(given or None, may_give=giver)


def given_credentials(document: Mapping[str, Any]) -> dict[str, str]:
    """A random text for each credential that Hookspan does not make, by its name."""
    return {
        name: ("whsec_" if table["kind"] == "whsec" else "") + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()
        for name, table in document.get("credential", {}).items()
        if "make" not in table and table["kind"] in {"text", "whsec"} and table.get("give")
    }


def receiver_side(document: Mapping[str, Any], known: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The arguments of `hookspan.verify` for credentials by name: what signs with a shared secret is `secret`, what
    signs with a private key is `public_key`, what is sent as it is is `token`.
    """
    signing = {one["credential"] for one in document.get("signature", ())}
    tables = document.get("credential", {})
    found: dict[str, Any] = {}
    for name, value in known:
        if tables[name]["kind"] not in {"text", "whsec"}:
            found["public_key"] = value
        else:
            found["secret" if name in signing else "token"] = value
    return found
