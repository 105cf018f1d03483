"""Custom headers may say anything but what is Hookspan's or the connection's to say."""

import pytest

from hookspan.errors import InvalidRequest
from hookspan.manage._credentials import check_headers


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Content-Type", "Transfer-Encoding", "Connection", "authorization", "Webhook-Signature",
     "webhook-id", "X-Webhook-Signature", "BridgeApi-Signature", "Cookie", "User-Agent", "TE", "Upgrade", "Expect"],
)  # fmt: skip
def test_reserved_headers_are_refused(name):
    """Framing, hop-by-hop, identity and signatures can't be overwritten."""
    with pytest.raises(InvalidRequest) as caught:
        check_headers({name: "x"})
    assert caught.value.errors[0].pointer == f"/headers/{name}"


def test_one_name_in_two_spellings_is_refused():
    """Header names don't tell upper from lower case."""
    with pytest.raises(InvalidRequest):
        check_headers({"X-Tenant": "a", "x-tenant": "b"})


def test_other_headers_pass():
    """Also none at all."""
    check_headers({})
    check_headers({"X-Tenant": "a", "X-Env": "b"})
