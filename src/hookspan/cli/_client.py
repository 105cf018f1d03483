"""A small client of Hookspan's own HTTP API, for commands that talk to a running server."""

import http.client
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hookspan.errors import Fault, HookspanError

TIMEOUT_S = 30.0


class Unreachable(HookspanError):
    """No server answered at that address, or it is not ready."""

    code = "unreachable"
    title = "No server there"


class Refused(HookspanError):
    """The server answered with a problem document; `document` is it. Programs see it as it is, its code above all."""

    code = "refused"
    title = "The server refused"

    def __init__(self, document: dict[str, Any], status: int) -> None:
        faults = tuple(
            Fault(str(one.get("pointer", "")), str(one.get("code", "")), str(one.get("detail", "")))
            for one in document.get("errors", ())
        )
        code = str(document.get("code", "refused"))
        super().__init__(f"{document.get('detail', 'The server refused')} ({status} {code})", errors=faults)
        self.data = {"code": code, **document, "status": status}
        self.document = document
        self.answer_status = status

    def add(self, sentence: str) -> None:
        """Say one more thing to a person; programs see the server's document as it is."""
        self.detail = f"{self.detail} {sentence}"
        self.args = (self.detail,)


class ApiClient:
    """One keep-alive connection to `base`, a checked ``http://host:port``; not for use from two threads at once."""

    def __init__(self, base: str, key: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(base)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        self._prefix = parts.path.rstrip("/")
        self._base = base
        self._key = key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Any:
        """The decoded answer. Raises Refused for a problem document, Unreachable when there is no answer."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        try:
            self._connection.request(method, self._prefix + path, raw, headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(
                f"No answer from {self._base}: {reason}. "
                "Is `hookspan serve` running? At another address? --url or HOOKSPAN_URL names it."
            ) from error
        try:
            document = json.loads(answer) if answer else None
        except ValueError as error:
            raise Unreachable(f"{self._base} answered {response.status}, but not as Hookspan does.") from error
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise Refused(document if isinstance(document, dict) else {}, response.status)
        return document
