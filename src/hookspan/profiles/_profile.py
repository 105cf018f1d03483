"""A profile, compiled: everything the engine and management ask of a wire format."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, HookspanError, InvalidRequest, SchemaMismatch, UnknownField
from hookspan.profiles._body import compile_rows
from hookspan.profiles._catalog import Catalog, CatalogEntry, CatalogGroup, ClosedCatalog, OpenCatalog
from hookspan.profiles._context import check_context, check_context_types
from hookspan.profiles._credentials import CredentialKind, Credentials, LiveSecret, NewCredential
from hookspan.profiles._document import Document, Refused, UnknownKey, decode
from hookspan.profiles._facts import Facts
from hookspan.profiles._groups import attributes_of
from hookspan.profiles._receiving import check_receiving
from hookspan.profiles._rules import Rules, compile_rules
from hookspan.profiles._schemas import Sample
from hookspan.profiles._settings import check_settable, overlay, pointer_to_key
from hookspan.profiles._signing import Signer, SigningPlan
from hookspan.profiles._test_event import AsksFor, TestEvent, TestPlan


def _canonical(data: Any) -> bytes:
    """One encoding of one value. The order of members counts: it is the order of what is sent."""
    encoded = json.dumps(data, default=str).encode()
    return b"%d:" % len(encoded) + encoded


def _said_as(number: str) -> list[str]:
    """A number as it was written, whatever its size, apart from the text that looks like it."""
    return ["number", number]


class Folder(msgspec.Struct, frozen=True):
    """A profile as it was read: its parsed profile.toml, its other files by name, and the hash of them all."""

    name: str
    toml: dict[str, Any]
    files: dict[str, bytes]
    hash: str


class Profile:
    """One wire format with its rules. Immutable and safe on any thread; made by `load_profiles` and `with_settings`."""

    def __init__(self, folder: Folder, events: "Events | None" = None) -> None:
        """Raises Refused. `events` are those already compiled from the same folder: settings don't change them."""
        document = decode(folder.toml)
        check_settable(document)
        self._folder = folder
        self.name: Final = folder.name
        self.hash: Final = folder.hash  # SHA-256 of the folder, in hex; settings don't change it
        self.title: Final = document.title
        self.words: Final = document.words
        self.settable: Final = document.settable
        self.management_api: Final[str | None] = document.management_api  # which API its applications speak besides
        self.event_prefix: Final = document.ids.event.prefix
        self.webhook_prefix: Final = document.ids.webhook.prefix
        self.rules: Final[Rules] = compile_rules(document)
        self._events: Final[Events] = events or Events(folder.name, document, folder.files)
        self._catalog: Final = self._events.catalog
        self._renderers: Final = self._events.renderers
        self._renderer: Final = self._events.renderer
        self._drops_nulls: Final = any("content:no_null" in text for _, text in document.body.rows)
        self._credentials: Final = Credentials(document.credential)
        self.makes_slowly: Final = self._credentials.makes_slowly  # call new_credentials and rotated in a thread
        self.rotatable: Final = self._credentials.rotatable  # names of credentials
        self._signing: Final = SigningPlan(document, self._credentials, self._catalog.types)
        self.is_slow: Final = self._signing.is_slow  # a signature takes a fraction of a millisecond: sign in a thread
        self.header_names: Final = self._signing.header_names  # of all lines of its signers, in lower case
        check_receiving(document, self._events.keys, covers_time=self._signing.covers_time)
        self.category_of: Final[Callable[[str], str | None]] = self._catalog.category_of
        if events is None:
            self._check_samples()
        test = document.test
        self._test: Final = None if test is None else TestPlan(test, self._catalog, self.render, self.check)

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 in hex over what the files say, not how they say it: the same for the same data, whatever their white
        space and comments. By it nodes tell whether they would send the same.
        """
        folder = self._folder
        digest = hashlib.sha256(_canonical(folder.toml))
        for name, content in sorted(folder.files.items()):
            digest.update(_canonical([name, json.loads(content, parse_float=_said_as, parse_int=_said_as)]))
        return digest.hexdigest()

    # --- events -------------------------------------------------------------------------------------------------------

    def check(self, event_type: str, content: bytes, context: bytes | None) -> None:
        """Raise UnknownEventType, SchemaMismatch, UnknownField or InvalidRequest, with pointers into the event.

        Content and context must have passed `jsontext.check`. The schema sees the content as it will be sent: where the
        body leaves out null members, they are left out before.
        """
        self._catalog.check_type(event_type)
        if content[:1] != b"{" and content.lstrip()[:1] != b"{":
            detail = "content must be an object."
            raise SchemaMismatch(detail, errors=(Fault("/content", "type", detail),))
        renderer = self._renderers.get(event_type, self._renderer)
        if context is not None:
            check_context(renderer.context, event_type, context)
        if self.rules.validate:
            if self._drops_nulls and b"null" in content:
                content = jsontext.without_null_members(jsontext.compact(content))
            self._catalog.check_content(event_type, content)
        if renderer.has_demands:
            renderer.check(Facts(event_type, content, context, "", 0, ""))

    def render(
        self, event_type: str, content: bytes, context: bytes | None, event_id: str, at_ms: int, application_uuid: str
    ) -> tuple[bytes, int, int]:
        """(body, content_at, content_bytes) of an event that `check` let pass: exactly what is signed and sent.

        `content_at` is the place of `content` in the body, or -1 (and 0 bytes) when it is not there as it was given:
        it had white space, or null members that the profile leaves out.
        """
        renderer = self._renderers.get(event_type, self._renderer)
        return renderer.render(Facts(event_type, content, context, event_id, at_ms, application_uuid))

    def test_event(self, event_type: str | None = None, asks_for: AsksFor | None = None) -> TestEvent | None:
        """A test to send; None where the profile has none.

        `event_type` is the test's own type, or one of the catalog, whose sample it is then; None leaves the choice to
        the profile, which may take a type that `asks_for`, the webhook's subscription, says yes to. Raises
        UnknownEventType.
        """
        return None if self._test is None else self._test.event(event_type, asks_for)

    @property
    def test_types(self) -> tuple[str, ...]:
        """The types that a person chooses from for a test: of samples all, else its own type alone."""
        return () if self._test is None else self._test.types

    def catalog(self) -> list[CatalogEntry]:
        """Every type that is listed, in the profile's order."""
        return self._catalog.entries()

    def groups(self) -> list[CatalogGroup]:
        """The catalog's groups in the profile's order; an open one has none."""
        return [] if isinstance(self._catalog, OpenCatalog) else self._catalog.groups.copy()

    def types_in(self, category: str) -> tuple[str, ...]:
        """Every type of a category, those that are not listed too; none where there is no such category."""
        return tuple(name for name in self._catalog.types or () if self.category_of(name) == category)

    def takes_type(self, event_type: str) -> bool:
        """Whether the catalog has this type, listed or not."""
        return self._catalog.has(event_type)

    @property
    def form_of_types(self) -> str | None:
        """Of an open catalog: what a type must look like, as a sentence. None where all types are listed."""
        return self._catalog.form if isinstance(self._catalog, OpenCatalog) else None

    def sample(self, event_type: str) -> Sample:
        """A content that fits, with its context. Raises UnknownEventType."""
        return self._catalog.sample(event_type)

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def signer(self, secrets: Sequence[LiveSecret]) -> Signer:
        """Make the function that signs for one webhook. `secrets`: newest first of each name.

        Raises InvalidCredential when one that signing needs is missing or does not fit.
        """
        return self._signing.signer(secrets)

    def mask(self, lines: bytes) -> bytes:
        """Header lines as they may be shown: what comes from a credential is replaced. Signatures stay."""
        return self._signing.mask(lines)

    def new_credentials(self, given: Mapping[str, str] | None, *, may_give: str) -> tuple[NewCredential, ...]:
        """What a new webhook gets: what is given, and what is required made by us. In a thread if `makes_slowly`.

        `given` is keyed by the API's names: ``secret``, ``token``, ``private_key`` (a key pair). `may_give` is
        "configurer" or "operator". Raises InvalidCredential, NotAllowed, UnknownField.
        """
        return self._credentials.new(given, may_give)

    @property
    def credentials(self) -> tuple[CredentialKind, ...]:
        """Each credential that a webhook may have, with who may give it, and how it is shown and rotated."""
        return tuple(self._credentials.kinds.values())

    @property
    def sent_credentials(self) -> frozenset[str]:
        """Names of those that are sent as they are, so that whoever gets a request learns them."""
        return self._signing.sent_credentials

    def check_complete(self, names: set[str]) -> None:
        """Raise InvalidCredential unless credentials of these names suffice to sign."""
        self._credentials.check_complete(names)

    def rotated(self, name: str, given: str | None, *, may_give: str) -> NewCredential:
        """The successor of the credential `name`. In a thread if `makes_slowly`.

        Raises NotRotatable, InvalidCredential, NotAllowed.
        """
        return self._credentials.rotate(name, given, may_give)

    def rotation(self, name: str) -> tuple[int, int]:
        """(overlap in ms during which the former one signs too, how many may be live). Raises NotRotatable."""
        return self._credentials.rotation(name)

    def with_settings(self, settings: Mapping[str, Any]) -> "Profile":
        """This profile with an application's settings in force: a tree of profile.toml's keys.

        Raises UnknownField for a key that is not settable, InvalidRequest for a value that does not fit; pointers
        begin with ``/settings``. Compiles anew (about a millisecond): cache it.
        """
        if not settings:
            return self
        toml = overlay(self._folder.toml, settings, self.settable)
        try:
            return Profile(msgspec.structs.replace(self._folder, toml=toml), self._events)
        except Refused as refused:
            detail = f"{refused.key}: {refused.sentence}"
            error = UnknownField if isinstance(refused, UnknownKey) else InvalidRequest
            fault = Fault(pointer_to_key(refused.key), error.code, detail)
            raise error(detail, errors=(fault,)) from None

    # --- compiling ----------------------------------------------------------------------------------------------------

    def _check_samples(self) -> None:
        """Every sample is an event that could be published. Raises Refused."""
        if isinstance(self._catalog, OpenCatalog):
            return
        for name in self._catalog.types:
            sample = self._catalog.sample(name)
            try:
                self.check(name, sample.content, sample.context)
            except HookspanError as error:
                is_of_context = any(fault.pointer.startswith("/context") for fault in error.errors)
                where = f"{self._catalog.place_of(name)}.{'x-context' if is_of_context else 'examples'}"
                raise Refused(where, f"the sample does not fit: {error.detail.rstrip('.')}") from None


class Events:
    """What no setting changes: which events there are, and how their bodies are made.

    `renderers` has one for each type of a closed catalog (the type is text in it then), `renderer` is for all types of
    an open one. `keys` are those that bodies may have.
    """

    def __init__(self, name: str, document: Document, files: Mapping[str, bytes]) -> None:
        """Raises Refused."""
        check_context_types(document.body.context)
        self.catalog: Final = _compile_catalog(name, document, files)
        types = self.catalog.types or {}
        self.renderers: Final = {name: compile_rows(document.body, one) for name, one in types.items()}
        self.renderer: Final = next(iter(self.renderers.values()), None) or compile_rows(document.body, None)
        self.keys: Final = self.renderer.names.union(*(one.names for one in self.renderers.values()))


def _compile_catalog(name: str, document: Document, files: Mapping[str, bytes]) -> Catalog:
    if document.catalog.is_open:
        catalog: Catalog = OpenCatalog(document.catalog, document.test)
    else:
        catalog = ClosedCatalog(name, document.catalog, files, attributes_of(document))
    for file in files:
        if file.endswith(".json") and file.removesuffix(".json") not in document.catalog.group:
            raise Refused(file, "no group of the catalog is called like this file, so nothing reads it: rename either")
    return catalog
