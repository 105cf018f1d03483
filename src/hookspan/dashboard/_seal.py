"""The headers that every answer of this room carries, whatever made it: pages, parts, assets, refusals.

No script and no style but the room's own files, nothing from elsewhere, no frames but the portal's within the page that
its session names. `form-action` is the page's own origin, so that a form that text smuggled in would lead nowhere.
"""

from hookspan.dashboard._asgi import App, Message, Receive, Scope, Send

FRAME = "hookspan.frame"  # in a request's scope: the origin that may show this answer in a frame
PUBLIC = "hookspan.public"  # in a request's scope: this answer may be kept by caches for ever
SANDBOX = "hookspan.sandbox"  # in a request's scope: a picture of the operator's; nothing in it may run
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
_SANDBOX_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors "
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_FOR_EVER = b"public, max-age=31536000, immutable"


def sealed(app: App) -> App:
    """`app` with these headers on each of its answers."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                origin = scope.get(FRAME)
                cache = _FOR_EVER if scope.get(PUBLIC) else b"no-store"
                policy = (_SANDBOX_POLICY if scope.get(SANDBOX) else _POLICY) + (origin or "'none'")
                more = [*_HEADERS, (b"content-security-policy", policy.encode()), (b"cache-control", cache)]
                if origin is None:
                    more.append((b"x-frame-options", b"DENY"))  # for browsers without frame-ancestors
                reach = b"same-origin" if origin is None else b"cross-origin"  # of pages that ask what they embed
                more.append((b"cross-origin-resource-policy", reach))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await app(scope, receive, with_headers)

    return outer
