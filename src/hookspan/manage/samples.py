"""What will be sent, before there is anything to send: a sample of an event type, rendered and signed as an event would
be, with example secrets. A webhook's own secrets are never opened for it.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from hookspan.domain.records import Application
from hookspan.domain.subscription import compile_subscription
from hookspan.errors import Fault, HookspanError, UnknownEventType, UnknownProfile
from hookspan.ids import to_text
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._subscription import check_subscription
from hookspan.profiles import CredentialKind, LiveSecret, NewCredential, Profile

PLACEHOLDER_URL: Final = "https://your-server.example/webhooks"  # while there is no URL that could be sent to
_MASK: Final = "***"


class ExampleSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample was signed with: `text` is a secret, or the public half of a key pair. Nobody has it."""

    name: str
    text: str
    is_public: bool


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it would leave: `headers` in order, with what comes from a credential masked, as in every request
    that is shown. `is_asked_for`: the subscription asks for its type. `types`: those that it asks for, in order.
    """

    type: str
    title: str | None
    is_asked_for: bool
    types: list[str]
    url: str
    headers: list[tuple[str, str]]
    body: str
    secrets: list[ExampleSecret]
    is_signed: bool


class Samples:
    """Show what will be sent."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def show(
        self,
        application_id: str,
        *,
        event_type: str | None,
        events: Sequence[str] | None,
        credentials: Collection[str],
        url: str,
        headers: Collection[str] = (),
        also: tuple[str, Collection[str]] | None = None,
    ) -> Sample:
        """A sample for a webhook as it is about to be. `event_type` None takes the first that `events` asks for.
        `credentials` are the names (as they are given) of those that it will have, what is required comes by itself;
        `headers` are names of its own; `also` is its second profile with the names of that one's credentials.

        Raises UnknownEventType for a type or a subscription that the catalog does not have, and Overloaded when too
        many keys are being made.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        profile = ground.profile(application)
        asked = check_subscription(profile, events)
        types = _types(profile, asked)
        name = event_type or (types or _listed(profile))[0]
        try:
            sample = profile.sample(name)
        except UnknownEventType as error:
            error.errors = (Fault("/sample", error.code, error.detail),)
            raise
        event_id, now_ms = to_text(profile.event_prefix, ground.engine.ids.make()), ground.clock.now_ms()
        body = profile.render(name, sample.content, sample.context, event_id, now_ms, application.uuid)[0]
        signers = [(profile, credentials), *self._second(also)]
        made, lines = await self._signed(application, signers, (event_id, now_ms, body, name))
        to, prefix = self._where(profile, url)
        own = [(one, _MASK) for one in headers]
        asks_for = compile_subscription(asked, profile.rules.subscription_absent)
        return Sample(
            type=name,
            title=next((one.title for one in profile.catalog() if one.type == name), None),
            is_asked_for=asks_for(name, profile.category_of(name)),
            types=types,
            url=to,
            headers=[
                *_pairs(prefix.partition(b"\r\n")[2]),
                ("content-type", "application/json"),
                *own,
                *_pairs(lines),
                ("content-length", str(len(body))),
            ],
            body=body.decode(),
            secrets=made,
            is_signed=bool(made),
        )

    def _second(self, also: tuple[str, Collection[str]] | None) -> list[tuple[Profile, Collection[str]]]:
        if also is None:
            return []
        try:
            return [(self._ground.profiles.get(also[0]), also[1])]
        except UnknownProfile:  # its folder is gone: nothing is signed by it
            return []

    async def _signed(
        self,
        application: Application,
        signers: Sequence[tuple[Profile, Collection[str]]],
        attempt: tuple[str, int, bytes, str],
    ) -> tuple[list[ExampleSecret], bytes]:
        """What was signed with, and the header lines; off the loop where keys are made or signatures take long."""

        def sign() -> tuple[list[ExampleSecret], bytes]:
            made: list[ExampleSecret] = []
            lines = b""
            for profile, names in signers:
                new = [self._ground.examples.of(profile, kind) for kind in _kinds(profile, names)]
                lines += profile.mask(profile.signer([LiveSecret(one.name, one.secret) for one in new])(*attempt))
                made += [_shown(one) for one in new]
            return made, lines

        is_slow = any(profile.is_slow or profile.makes_slowly for profile, _ in signers)
        return await self._ground.slow.run(application.id, sign) if is_slow else sign()

    def _where(self, profile: Profile, url: str) -> tuple[str, bytes]:
        """The URL and the beginning of its requests; a placeholder's while it is none that could be sent to."""
        https = profile.rules.https == "required"
        try:
            return url, self._ground.egress.target(url, https_required=https).prefix
        except HookspanError:
            target = self._ground.egress.target(PLACEHOLDER_URL, https_required=https)
            return PLACEHOLDER_URL, target.prefix


def _types(profile: Profile, asked: Sequence[str] | None) -> list[str]:
    """The types that are asked for, of which there is a sample: listed ones, and in an open catalog those by name."""
    asks_for = compile_subscription(None if asked is None else tuple(asked), profile.rules.subscription_absent)
    listed = [one.type for one in profile.catalog() if asks_for(one.type, one.category)]
    if profile.form_of_types is None:
        return listed
    return [*(one for one in asked or () if not one.endswith(".*") and one not in listed), *listed]


def _listed(profile: Profile) -> list[str]:
    """What there is a sample of, whatever is asked for. Raises UnknownEventType where it is nothing."""
    found = [one.type for one in profile.catalog()]
    if not found:
        raise UnknownEventType(f"Profile {profile.name} lists no event types: name one to see it.")
    return found


def _kinds(profile: Profile, names: Collection[str]) -> list[CredentialKind]:
    """The credentials that a webhook has once those of these names were given."""
    kinds = profile.credentials
    found = [kind for kind in kinds if kind.given_as in names or kind.is_required]
    for kind in kinds:
        if kind.one_of is not None and all(one.one_of != kind.one_of for one in found):
            found.append(kind)
    return found


def _shown(one: NewCredential) -> ExampleSecret:
    return ExampleSecret(name=one.name, text=one.public or one.secret.decode(), is_public=one.public is not None)


def _pairs(lines: bytes) -> list[tuple[str, str]]:
    found = (line.partition(": ") for line in lines.decode("latin-1").split("\r\n") if line)
    return [(name, value) for name, _, value in found]
