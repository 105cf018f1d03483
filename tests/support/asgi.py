"""Asking an ASGI app directly, with full say over its messages."""

from collections.abc import Iterable

import msgspec


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswer(Exception):
    """The app returned without a response."""


async def ask(
    app, method: str, path: str, parts: Iterable[bytes] = (b"",), *, headers=(), query: bytes = b"", gone: bool = False
) -> Answer:
    """One request whose body comes in `parts`; with `gone` the client leaves after them."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if gone:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False
    sent = []

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "headers": list(headers),
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    if not sent:
        raise NoAnswer
    start = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], start, b"".join(message.get("body", b"") for message in sent[1:]))
