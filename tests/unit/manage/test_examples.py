"""Example credentials say what they are, are made once, and are kept within bounds."""

from typing import Any
from unittest.mock import patch

import pytest

from hookspan.manage import _examples
from hookspan.manage._examples import Examples
from hookspan.profiles import LiveSecret, Profile, load_profiles


@pytest.fixture(scope="module")
def profiles() -> Any:
    return load_profiles(None)


def kinds(profile: Profile) -> dict[str, Any]:
    return {one.name: one for one in profile.credentials}


def test_they_say_what_they_are(profiles: Any) -> None:
    """In every text that a form of ours lets through; of a key pair the public half is another each time."""
    examples = Examples()
    for name in ("bridge-api", "bridge-lms"):
        profile = profiles.get(name)
        for kind in profile.credentials:
            assert examples.of(profile, kind).secret.decode() == f"EXAMPLE-{kind.name}-this-is-not-yours"
    standard = profiles.get("standard")
    secret = examples.of(standard, kinds(standard)["secret"]).secret.decode()
    assert secret.startswith("whsec_RVhBTVBMRTog")  # EXAMPLE:
    assert standard.signer([LiveSecret("secret", secret.encode())])
    pair = examples.of(standard, kinds(standard)["keypair"])
    assert pair.public
    assert examples.of(standard, kinds(standard)["keypair"]) is pair


def test_no_more_than_so_many_are_kept(profiles: Any) -> None:
    """One more, and all are made anew when they are asked for."""
    examples, standard, lms = Examples(), profiles.get("standard"), profiles.get("bridge-lms")
    with patch.object(_examples, "EXAMPLES_MAX", 2):
        for profile in (standard, lms):
            for kind in profile.credentials:
                examples.of(profile, kind)
                assert len(examples._made) <= 2
