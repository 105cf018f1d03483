"""/v1/applications/{app}/stats, …/webhooks/{webhook}/stats and /v1/stats"""

from litestar import Controller, get

from hookspan.api._parameters import App, By, Desk, Since, Until, WebhookId, with_plus
from hookspan.manage import views
from hookspan.manage.inputs import StatisticsQuery


class StatisticsRoutes(Controller):
    """What happened, by the hour or day."""

    tags = ("Statistics",)

    @get("/applications/{app:str}/stats")
    async def get_application_stats(
        self, desk: Desk, app: App, since: Since = None, until: Until = None, by: By = "hour"
    ) -> views.Statistics:
        """Count what happened to an application: its events, and the attempts and deliveries of its webhooks.

        Without `since` the last 24 hours; at most 90 days.
        """
        return await desk.statistics.of_application(app, _query(since, until, by))

    @get("/applications/{app:str}/webhooks/{webhook:str}/stats")
    async def get_webhook_stats(
        self, desk: Desk, app: App, webhook: WebhookId, since: Since = None, until: Until = None, by: By = "hour"
    ) -> views.Statistics:
        """Count what happened to a webhook.

        Without `since` the last 24 hours; at most 90 days.
        """
        return await desk.statistics.of_webhook(app, webhook, _query(since, until, by))

    @get("/stats")
    async def get_stats(
        self, desk: Desk, since: Since = None, until: Until = None, by: By = "hour"
    ) -> views.Statistics:
        """Count what happened to all applications, deleted ones too.

        Without `since` the last 24 hours; at most 90 days.
        """
        return await desk.statistics.of_all(_query(since, until, by))


def _query(since: str | None, until: str | None, by: By) -> StatisticsQuery:
    return StatisticsQuery(since=with_plus(since), until=with_plus(until), by=by)
