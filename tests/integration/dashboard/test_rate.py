"""Forms are changes too: a portal's token in a script gets no more of them than a key."""

import pytest

from tests.integration.api.conftest import api_in
from tests.support.clock import VirtualClock

from .conftest import House

pytestmark = pytest.mark.anyio


async def test_forms_are_in_the_bucket_of_their_application(tmp_path):
    """Beyond it a page that says so, with 429; looking goes on, and a form that is not ours takes nothing out."""
    async with api_in(tmp_path, management_rate=1) as api:
        house = House(api)
        portal = await house.portal(await api.application())
        api.node.manage.rates._applications._clock = VirtualClock()  # nothing comes back while the test looks
        try:
            made = f"{portal.root}/webhooks"
            for _ in range(12):
                await portal.post(made, {"url": "x"}, csrf="wrong", status=403)
            for _ in range(10):
                await portal.post(made, {"url": "x"}, status=400)
            answer = await portal.post(made, {"url": "x"}, status=429)
            assert answer.headers["retry-after"] == "1"
            assert "too many changes of this application" in answer.text
            await portal.get(f"{portal.root}/webhooks/new")
        finally:
            await house.close()
