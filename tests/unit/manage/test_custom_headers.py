"""Custom headers may say anything but what is Hookspan's or the connection's to say."""

import pytest

from hookspan.errors import InvalidRequest
from hookspan.manage._headers import check_headers
from tests.support.world import PROFILES

STANDARD, BRIDGE_API = PROFILES.get("standard"), PROFILES.get("bridge-api")


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Content-Type", "Transfer-Encoding", "Connection", "authorization", "Cookie",
     "User-Agent", "TE", "Upgrade", "Expect", "Sec-Fetch-Mode"],
)  # fmt: skip
def test_reserved_headers_are_refused(name):
    """Framing, hop-by-hop and identity can't be overwritten."""
    with pytest.raises(InvalidRequest) as caught:
        check_headers({name: "x"}, [])
    assert caught.value.errors[0].pointer == f"/headers/{name}"


@pytest.mark.parametrize("name", ["Webhook-Signature", "webhook-id", "BridgeApi-Signature"])
def test_headers_of_the_webhooks_profiles_are_refused(name):
    """Neither profile's signature can be overwritten; the detail names the profile."""
    with pytest.raises(InvalidRequest) as caught:
        check_headers({"X-Tenant": "x", name: "x"}, [STANDARD, BRIDGE_API])
    assert caught.value.errors[0].pointer == f"/headers/{name}"
    assert "profile" in caught.value.detail


def test_headers_of_other_profiles_pass():
    """They mean nothing to this webhook's receiver."""
    check_headers({"BridgeApi-Signature": "x"}, [STANDARD])


def test_one_name_in_two_spellings_is_refused():
    """Header names don't tell upper from lower case."""
    with pytest.raises(InvalidRequest):
        check_headers({"X-Tenant": "a", "x-tenant": "b"}, [])


def test_other_headers_pass():
    """Also none at all."""
    check_headers({}, [STANDARD])
    check_headers({"X-Tenant": "a", "X-Env": "b"}, [STANDARD])
