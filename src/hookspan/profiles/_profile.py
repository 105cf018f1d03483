"""A profile, compiled: everything the engine and management ask of a wire format."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, HookspanError, InvalidRequest, SchemaMismatch, UnknownEventType, UnknownField
from hookspan.profiles._body import Facts, Renderer, check_context, check_context_types, compile_rows
from hookspan.profiles._catalog import Catalog, CatalogEntry, ClosedCatalog, OpenCatalog
from hookspan.profiles._credentials import Credentials, LiveSecret, NewCredential
from hookspan.profiles._document import Document, Refused, UnknownKey, decode
from hookspan.profiles._receiving import check_receiving
from hookspan.profiles._rules import Rules, compile_rules
from hookspan.profiles._settings import overlay, pointer_to
from hookspan.profiles._signing import Signer, SigningPlan


class Folder(msgspec.Struct, frozen=True):
    """A profile as it was read: its parsed profile.toml, its other files by name, and the hash of them all."""

    name: str
    toml: dict[str, Any]
    files: dict[str, bytes]
    hash: str


class TestEvent(msgspec.Struct, frozen=True):
    """The profile's test. `body` makes its bytes from (event id text, at in ms, application uuid)."""

    __test__ = False  # not one of pytest's

    type: str
    body: Callable[[str, int, str], bytes]


class Profile:
    """One wire format with its rules. Immutable and safe on any thread; made by `load_profiles` and `with_settings`."""

    def __init__(self, folder: Folder, catalog: Catalog | None = None) -> None:
        """Raises Refused. `catalog` is one already compiled from the same folder."""
        document = decode(folder.toml)
        self._folder = folder
        self.name: Final = folder.name
        self.hash: Final = folder.hash  # SHA-256 of the folder, in hex; settings don't change it
        self.title: Final = document.title
        self.words: Final = document.words
        self.settable: Final = document.settable
        self.event_prefix: Final = document.ids.event.prefix
        self.webhook_prefix: Final = document.ids.webhook.prefix
        self.rules: Final[Rules] = compile_rules(document)
        self._catalog: Final = catalog or _compile_catalog(document, folder.files)
        self._context: Final = document.body.context
        check_context_types(self._context)
        self._renderers, self._renderer = _compile_renderers(document, self._catalog)
        self._drops_nulls: Final = any("content:no_null" in text for _, text in document.body.rows)
        self._credentials: Final = Credentials(document.credential)
        self._signing: Final = SigningPlan(document, self._credentials)
        check_receiving(document)
        self._test: Final = self._compile_test(document)
        self.category_of: Final[Callable[[str], str | None]] = self._catalog.category_of

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
        if context is not None:
            check_context(self._context, context)
        if self.rules.validate:
            if self._drops_nulls and b"null" in content:
                content = jsontext.without_null_members(jsontext.compact(content))
            self._catalog.check_content(event_type, content)
        renderer = self._renderers.get(event_type, self._renderer)
        if renderer.asks_for_members:
            renderer.render(Facts(event_type, content, context, "", 0, ""))

    def render(
        self, event_type: str, content: bytes, context: bytes | None, event_id: str, at_ms: int, application_uuid: str
    ) -> tuple[bytes, int, int]:
        """(body, content_at, content_bytes) of an event that `check` let pass: exactly what is signed and sent.

        `content_at` is the place of `content` in the body, or -1 (and 0 bytes) when it is not there as it was given:
        it had white space, or null members that the profile leaves out.
        """
        renderer = self._renderers.get(event_type, self._renderer)
        return renderer.render(Facts(event_type, content, context, event_id, at_ms, application_uuid))

    def test_event(self) -> TestEvent | None:
        """None where the profile has none."""
        return self._test

    def catalog(self) -> list[CatalogEntry]:
        """Every type that is listed, in the profile's order."""
        return self._catalog.entries()

    def takes_type(self, event_type: str) -> bool:
        """Whether the catalog has this type, listed or by its pattern."""
        try:
            self._catalog.check_type(event_type)
        except UnknownEventType:
            return False
        return True

    def sample(self, event_type: str) -> bytes:
        """A content that fits. Raises UnknownEventType."""
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
        """What a new webhook gets: what is given, and what is required made by us.

        `given` is keyed by the API's names: ``secret``, ``token``, ``private_key`` (a key pair). `may_give` is
        "configurer" or "operator". Raises InvalidCredential, NotAllowed, UnknownField.
        """
        return self._credentials.new(given, may_give)

    def rotated(self, name: str, given: str | None, *, may_give: str) -> NewCredential:
        """The successor of the credential `name`. Raises NotRotatable, InvalidCredential, NotAllowed."""
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
            return Profile(msgspec.structs.replace(self._folder, toml=toml), self._catalog)
        except Refused as refused:
            detail = f"{refused.key}: {refused.reason}."
            error = UnknownField if isinstance(refused, UnknownKey) else InvalidRequest
            fault = Fault(pointer_to(refused.key.split(".")), error.code, detail)
            raise error(detail, errors=(fault,)) from None

    # --- compiling ----------------------------------------------------------------------------------------------------

    def _compile_test(self, document: Document) -> TestEvent | None:
        test = document.test
        if test is None:
            return None
        if (test.verbatim is None) == (test.content is None):
            raise Refused("test", 'write either "verbatim" or "content"')
        raw = (test.verbatim or test.content or "").encode()
        try:
            jsontext.check(raw)
            if test.verbatim is not None:
                return TestEvent(test.type, lambda _event_id, _at_ms, _uuid: raw)
            self.check(test.type, raw, None)
        except HookspanError as error:
            raise Refused("test", error.detail) from None
        return TestEvent(test.type, lambda *rest: self.render(test.type, raw, None, *rest)[0])


def _compile_catalog(document: Document, files: Mapping[str, bytes]) -> Catalog:
    if document.catalog.is_open:
        return OpenCatalog(document.catalog, document.test)
    return ClosedCatalog(document.catalog, files)


def _compile_renderers(document: Document, catalog: Catalog) -> tuple[dict[str, Renderer], Renderer]:
    """One for each type of a closed catalog (the type is text in it then), and one for all types of an open one."""
    if isinstance(catalog, OpenCatalog):
        return {}, compile_rows(document.body, None)
    renderers = {name: compile_rows(document.body, one) for name, one in catalog.types.items()}
    return renderers, next(iter(renderers.values()))
