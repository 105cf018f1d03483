"""What Bridge's Webhooks API shows and takes, member for member as its documentation has it.

Members of what it takes that are not named here are ignored, as existing clients expect.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hookspan.manage.inputs import EVENTS_MAX, URL_CHARS_MAX
from hookspan.manage.views import Time

SENT = "Successfully sent the webhook event. This does not guarantee immediate delivery to the endpoint."

Categories = Annotated[
    list[str] | None, Meta(description="The categories of the events that are asked for; null is all, later ones too.")
]
GivenCategories = Annotated[list[str], Meta(max_length=EVENTS_MAX)]


class BridgeWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook endpoint."""

    id: Annotated[str, Meta(description="Its id, `wep_…`.")]
    url: Annotated[str, Meta(description="Where events are sent.")]
    status: Annotated[
        Literal["active", "disabled", "deleted"],
        Meta(description="`disabled` at first. `deleted` is only ever seen in the answer to DELETE."),
    ]
    public_key: Annotated[str | None, Meta(description="What signatures are verified with: PEM, SPKI.")]
    event_categories: Categories
    created_at: Annotated[Time, Meta(description="When it was made.")]
    updated_at: Annotated[Time, Meta(description="When it was last changed.")]


class BridgeWebhookList(msgspec.Struct, frozen=True):
    """Active and disabled webhooks, newest first."""

    data: Annotated[list[BridgeWebhook], Meta(description="All of them.")]


class BridgeEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event, exactly as it is sent to webhooks."""

    api_version: Annotated[str, Meta(description="`v0`.")]
    event_id: Annotated[str, Meta(description="Its id, `wh_…`; the same in each retry.")]
    event_developer_id: Annotated[str, Meta(description="The application's UUID.")]
    event_sequence: Annotated[int, Meta(description="Where the publisher gives one.")] = 0
    event_category: Annotated[str, Meta(description="The first part of its type.")]
    event_type: Annotated[str, Meta(description="The category and what happened.")]
    event_object_id: Annotated[str, Meta(description="The id of what it is about.")]
    event_object_status: Annotated[str | None, Meta(description="The status of what it is about, or null.")]
    event_object: Annotated[dict[str, Any], Meta(description="What it is about.")]
    event_object_changes: Annotated[dict[str, Any], Meta(description="What changed: the old and the new value each.")]
    event_created_at: Annotated[Time, Meta(description="When it happened.")]


class BridgeUpcoming(msgspec.Struct, frozen=True):
    """The next 10 events that will be delivered, in that order."""

    data: Annotated[list[BridgeEvent], Meta(description="The events.")]


class BridgeEventList(msgspec.Struct, frozen=True):
    """Events, newest first. Where `data` is empty there is no more in that direction."""

    data: Annotated[list[BridgeEvent], Meta(description="The events.")]
    count: Annotated[int, Meta(description="How many events this answer has.")]


class BridgeLog(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver an event."""

    status: Annotated[int, Meta(description="The HTTP status that came back; 0 where none did.")]
    event_id: Annotated[str, Meta(description="The event.")]
    response_body: Annotated[str, Meta(description="What came back, or the error where nothing did.")]
    created_at: Annotated[Time, Meta(description="When it was sent.")]


class BridgeLogList(msgspec.Struct, frozen=True):
    """Attempts, newest first."""

    count: Annotated[int, Meta(description="How many this answer has.")]
    data: Annotated[list[BridgeLog], Meta(description="The newest 100 at most.")]


class BridgeSent(msgspec.Struct, frozen=True):
    """The event was put on its way."""

    message: Annotated[str, Meta(description="That it was.")] = SENT


class BridgeCreateWebhook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook to be made. Without `event_categories` it gets all."""

    url: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=URL_CHARS_MAX,
            description="https, at a host that can be reached and has a valid certificate.",
            examples=["https://example.com/hooks"],
        ),
    ]
    event_epoch: Annotated[
        Literal["webhook_creation", "beginning_of_time"],
        Meta(description="Which events it gets: from now on, and the last 10 before it; or all that are kept."),
    ]
    event_categories: Annotated[
        GivenCategories | None, Meta(description="Which categories; absent or null is all.")
    ] = None


class BridgeChangeWebhook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is given is changed; null leaves a member as it is, but for `event_categories`: there it is all again."""

    url: Annotated[
        str | None, Meta(description="Another URL; only while the webhook is disabled before the change.")
    ] = None
    status: Annotated[Literal["active", "disabled"] | None, Meta(description="Switches it on or off.")] = None
    event_categories: Annotated[
        GivenCategories | None, Meta(description="Which categories, from now on; null is all again.")
    ] = None


class BridgeSendEvent(msgspec.Struct, frozen=True):
    """An event to be sent at once, whether or not the webhook is active."""

    event_id: Annotated[str, Meta(description="Its id, `wh_…`.")]


class BridgeSource(msgspec.Struct, frozen=True):
    """Where the mistakes are."""

    location: Annotated[Literal["path", "query", "body", "header"], Meta(description="In which part of the request.")]
    key: Annotated[dict[str, str], Meta(description="What is wrong, by the name of the parameter.")]


class BridgeError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused."""

    code: Annotated[
        str, Meta(description="`required`, `invalid`, `invalid_parameters`, `duplicate_record`, `Invalid`.")
    ]
    message: Annotated[str, Meta(description="The same in words.")]
    source: Annotated[BridgeSource | None, Meta(description="Where the mistakes are, if they are in parameters.")] = (
        None
    )
    location: Annotated[str | None, Meta(description="With 401: `header`.")] = None
    name: Annotated[str | None, Meta(description="With 401: `Api-Key`.")] = None


class BridgeFault(msgspec.Struct, frozen=True):
    """One mistake that is not the client's."""

    code: Annotated[str, Meta(description="`unexpected`, or why it is not possible now.")]
    message: Annotated[str, Meta(description="The same in words.")]


class BridgeFaults(msgspec.Struct, frozen=True):
    """What went wrong on this side."""

    errors: Annotated[list[BridgeFault], Meta(description="The mistakes.")]


SHAPES: tuple[type[msgspec.Struct], ...] = (
    BridgeWebhook,
    BridgeWebhookList,
    BridgeEvent,
    BridgeUpcoming,
    BridgeEventList,
    BridgeLog,
    BridgeLogList,
    BridgeSent,
    BridgeCreateWebhook,
    BridgeChangeWebhook,
    BridgeSendEvent,
    BridgeSource,
    BridgeError,
    BridgeFault,
    BridgeFaults,
)
