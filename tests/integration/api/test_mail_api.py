"""Notices by mail: only with a mail server, and one plain address."""

import pytest

from tests.integration.api.conftest import api_in

pytestmark = pytest.mark.anyio


async def test_without_a_mail_server_it_is_refused_when_it_is_saved(api):
    """Rather than never delivered; the text says who can change that."""
    problem = await api.refused(
        "POST",
        "/v1/applications",
        {"name": "Acme", "notify": "mailto:people@example.com"},
        status=400,
        code="invalid_request",
    )
    assert problem["errors"][0]["pointer"] == "/notify"
    assert "HOOKSPAN_SMTP_URL" in problem["detail"]
    app = await api.application()
    await api.refused(
        "PATCH", f"/v1/applications/{app}", {"notify": "mailto:a@example.com"}, status=400, code="invalid_request"
    )


async def test_with_one_it_is_one_plain_address(tmp_path):
    """No list, no header in disguise; a server that is not there is an answer of the try."""
    settings = {"smtp_url": "smtp://localhost:9", "smtp_from": "hooks@example.com"}
    async with api_in(tmp_path, **settings) as api:
        for address in ("a@example.com,b@example.com", "a@example.com?cc=b@example.com", "a@example.com\r\nBcc: x", ""):
            await api.refused(
                "POST",
                "/v1/applications",
                {"name": "Acme", "notify": f"mailto:{address}"},
                status=400,
                code="invalid_request",
            )
        app = await api.application(notify="mailto:people@example.com")
        tried = await api("POST", f"/v1/applications/{app}/notify/test")
        assert (tried["is_accepted"], tried["response"], tried["error"]["code"]) == (False, None, "connect_failed")
