"""A second signature that has ended: naming its profile again must not look like signing on."""

import pytest

from hookspan.domain.records import AlsoSign
from hookspan.errors import InvalidRequest
from hookspan.manage._also_sign import _going_on

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize("until", [None, NOW_MS + 1])
def test_an_end_to_come_stays(until):
    assert _going_on(AlsoSign(profile="standard", until=until), NOW_MS) == until


@pytest.mark.parametrize("until", [NOW_MS, NOW_MS - 1])
def test_an_end_that_has_passed_must_be_renewed(until):
    """It was answered with 200 while nothing signed."""
    with pytest.raises(InvalidRequest, match="has ended: give until") as caught:
        _going_on(AlsoSign(profile="standard", until=until), NOW_MS)
    assert [one.pointer for one in caught.value.errors] == ["/also_sign/until"]
