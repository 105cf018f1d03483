"""Every refusal Hookspan can give, one class each: a stable code, an HTTP status, a docstring that is its help.

The API turns them into RFC 9457 problem documents, the command line into one line and an exit code. Nothing here
ever carries a secret: `detail` is shown to people and written to logs.
"""

from typing import Any, ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with an input. `pointer` is an RFC 6901 JSON pointer into it."""

    pointer: str
    code: str
    detail: str


class HookspanError(Exception):
    """The base of every refusal. `detail` says what, where and what to do; `data` are further problem members."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str = "", *, errors: tuple[Fault, ...] = (), **data: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.data = data


class InvalidJson(HookspanError):
    """The body is not one JSON text in UTF-8 (RFC 8259): NaN, a bad escape, depth over 128 or bytes after the end."""

    code = "invalid_json"
    status = 400
    title = "The body is not JSON"


class DuplicateKey(HookspanError):
    """An object names the same key twice, so two readers could understand two things by it."""

    code = "duplicate_key"
    status = 400
    title = "A key appears twice"


class InvalidRequest(HookspanError):
    """A member is missing, of the wrong type or out of bounds; `errors` names each place."""

    code = "invalid_request"
    status = 400
    title = "The request is not understood"


class UnknownField(HookspanError):
    """A member that this call does not know. Nothing was changed: a typo must not pass silently."""

    code = "unknown_field"
    status = 400
    title = "Unknown field"


class UnknownProfile(HookspanError):
    """No profile of this name is loaded; `allowed` lists those that are."""

    code = "unknown_profile"
    status = 400
    title = "Unknown profile"


class UnknownEventType(HookspanError):
    """The application's profile has no such event type in its catalog."""

    code = "unknown_event_type"
    status = 400
    title = "Unknown event type"


class SchemaMismatch(HookspanError):
    """The event's content does not fit the JSON Schema of its type; `errors` names each place."""

    code = "schema_mismatch"
    status = 400
    title = "The content does not fit its schema"


class InvalidUrl(HookspanError):
    """The URL does not follow the grammar for webhook URLs."""

    code = "invalid_url"
    status = 400
    title = "Not a URL we can send to"


class HttpsRequired(HookspanError):
    """The URL uses http where the profile or the operator asks for https."""

    code = "https_required"
    status = 400
    title = "HTTPS is required"


class BlockedDestination(HookspanError):
    """The URL leads to an address that Hookspan never sends to."""

    code = "blocked_destination"
    status = 400
    title = "Destination not allowed"


class InvalidCertificate(HookspanError):
    """No TLS connection with a valid certificate could be made to the URL's host. Why is not told, nor does the time
    that the answer takes tell it: who may save a URL must not learn from it what listens in some network.
    """

    code = "invalid_certificate"
    status = 400
    title = "No valid certificate there"


class InvalidCredential(HookspanError):
    """A given secret, token or key has the wrong form for this profile."""

    code = "invalid_credential"
    status = 400
    title = "The credential can't be used"


class CredentialsNeededAgain(HookspanError):
    """The URL moves to another origin, so tokens and custom headers must be sent again."""

    code = "credentials_needed_again"
    status = 400
    title = "Send the credentials again"


class InvalidCursor(HookspanError):
    """The cursor was not made by this list; start again without it."""

    code = "invalid_cursor"
    status = 400
    title = "The cursor is not valid"


class Unauthenticated(HookspanError):
    """The request has no API key, or one that is unknown or revoked."""

    code = "unauthenticated"
    status = 401
    title = "No valid key"


class NotAllowed(HookspanError):
    """The key is valid but may not do this; the detail names who may."""

    code = "not_allowed"
    status = 403
    title = "Not allowed"


class NotFound(HookspanError):
    """There is no such object within reach of this key."""

    what: str = ""  # the kind of object, where it is known
    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(HookspanError):
    """The address exists, but not with this method; `allowed` and the header Allow list those it has."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class WebhookLimit(HookspanError):
    """The application has as many webhooks as its profile allows (`limit`)."""

    code = "webhook_limit"
    status = 409
    title = "Too many webhooks"


class StateForbidden(HookspanError):
    """The object's state forbids this; `allowed` lists what is possible."""

    code = "state_forbidden"
    status = 409
    title = "Not possible in this state"


class AccessLimit(HookspanError):
    """There are as many keys, people or portal sessions as there may be (`limit`); some have to go first."""

    code = "access_limit"
    status = 409
    title = "Too many"


class EventIdConflict(HookspanError):
    """The publisher's own id was used before with another body."""

    code = "event_id_conflict"
    status = 409
    title = "This publisher_id was used for another event"


class IdempotencyConflict(HookspanError):
    """The Idempotency-Key was used for another request: another body, path or method, or by somebody whose role was
    another then. Nothing was done now.
    """

    code = "idempotency_conflict"
    status = 409
    title = "This Idempotency-Key was used for another request"


class IdempotencyRunning(HookspanError):
    """The first request with this Idempotency-Key is still being answered: ask again after Retry-After seconds. Or it
    was interrupted, and whether it had an effect is not known: then the detail says so. Look, and use a new key.
    """

    code = "idempotency_running"
    status = 409
    title = "The first request with this Idempotency-Key has no answer to repeat"
    retry_after_s: ClassVar[int] = 1


class IdempotencyAnswerGone(HookspanError):
    """The first request with this Idempotency-Key was done, but there was no room to keep its answer. Nothing was done
    now, and asking again says the same: look at the object.
    """

    code = "idempotency_answer_gone"
    status = 409
    title = "The first request with this Idempotency-Key was done, its answer was not kept"


class IdempotencyExpired(HookspanError):
    """The Idempotency-Key was used more than 24 hours ago. Nothing was done now: use a new one for a new request."""

    code = "idempotency_expired"
    status = 422
    title = "This Idempotency-Key is over"


class NotRotatable(HookspanError):
    """The profile has no credential here that could be rotated."""

    code = "not_rotatable"
    status = 409
    title = "Not rotatable"


class NoTestEvent(HookspanError):
    """The profile has no test event: publish a sample and send it by hand."""

    code = "no_test_event"
    status = 409
    title = "No test event"


class ChangedMeanwhile(HookspanError):
    """The object is not at the version that If-Match names; read it again."""

    code = "changed_meanwhile"
    status = 412
    title = "Changed meanwhile"


class TooLarge(HookspanError):
    """The body, the event or the batch is larger than allowed (`limit`)."""

    code = "too_large"
    status = 413
    title = "Too large"


class RateLimited(HookspanError):
    """Too many changes or attempts in a short time, or too many Idempotency-Keys in a day. Nothing was changed: try
    again after Retry-After seconds.
    """

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    retry_after_s: int = 1

    def __init__(self, detail: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Overloaded(HookspanError):
    """A queue is full. Nothing of this request was kept: send it again after Retry-After seconds."""

    code = "overloaded"
    status = 503
    title = "Overloaded, nothing was stored"
    retry_after_s: ClassVar[int] = 1


class StoreUnavailable(HookspanError):
    """The database can't be written now. Whether an in-doubt event was kept is settled by sending it again with
    its publisher_id.
    """

    code = "store_unavailable"
    status = 503
    title = "The store is not available"
    retry_after_s: ClassVar[int] = 5


class DiskFull(HookspanError):
    """There is no room to keep events durably. Nothing of this request was kept."""

    code = "disk_full"
    status = 503
    title = "The disk is full"
    retry_after_s: ClassVar[int] = 5


class ConfigurationError(HookspanError):
    """A setting, a profile or the machine is not fit to start with; the detail says what to change."""

    code = "configuration"
    title = "Can't start"
