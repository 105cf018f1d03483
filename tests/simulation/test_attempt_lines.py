"""One canonical log line for each attempt, at its level, with ids as people see them and nothing secret."""

import pytest
from structlog.testing import capture_logs

from hookspan.engine import EngineOptions

pytestmark = pytest.mark.anyio


async def test_a_failed_attempt_has_its_line_and_a_good_one_only_when_asked_for(make_world):
    async with make_world(options=EngineOptions(logs_successes=True)) as world:
        application = await world.application()
        await world.webhook(application)
        world.egress.answer = lambda request: world.egress.status(500)
        with capture_logs() as lines:
            (event,) = await world.publish(application, 1)
            await world.settle()
            world.egress.answer = lambda request: world.egress.status(204)
            await world.run_for(10_000)
        failed, good = [line for line in lines if line.get("verdict")]
        assert (failed["log_level"], failed["verdict"], failed["status"], failed["number"]) == ("info", "retry", 500, 1)
        assert failed["retry_at"] > 0
        assert failed["event_id"] == event
        assert (good["log_level"], good["verdict"], good["status"], good["number"]) == ("debug", "succeeded", 204, 2)
        assert failed["application_id"] == application.public_id
        assert failed["delivery_id"].startswith("dlv_")
        assert failed["webhook_id"].startswith("whk_")
        assert "whsec" not in str(lines)


async def test_a_good_attempt_has_no_line_by_default(world):
    application = await world.application()
    await world.webhook(application)
    with capture_logs() as lines:
        await world.publish(application, 1)
        await world.settle()
    assert [line for line in lines if line.get("verdict")] == []
