"""/v1/audit"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from hookspan.api._parameters import Desk, Page
from hookspan.manage import views
from hookspan.manage.inputs import AuditFilter


class AuditRoutes(Controller):
    """Who did what."""

    path = "/audit"
    tags = ("Audit",)

    @get()
    async def list_audit(
        self,
        desk: Desk,
        page: Page,
        application_id: Annotated[
            str | None, QueryParameter(description="Only of this application, deleted or not.", max_length=64)
        ] = None,
        action: Annotated[
            str | None, QueryParameter(description="Only this, such as `webhook.changed`.", max_length=64)
        ] = None,
        actor: Annotated[str | None, QueryParameter(description="Only what this id did.", max_length=64)] = None,
        object_id: Annotated[
            str | None, QueryParameter(name="object", description="Only what was done to this id.", max_length=64)
        ] = None,
    ) -> views.AuditList:
        """List the audit log, newest first: who did what to which object, from where.

        It is append-only. Each application's lines are a chain, and so are the installation's own: each line names the
        hash of the one before it, so that `hookspan audit verify` finds what was changed, cut out or swapped. Admins
        of one application see its chain; the operator's see all, also of applications that were deleted.
        """
        return await desk.audit.page(
            AuditFilter(application_id=application_id, action=action, actor=actor, object=object_id), page
        )
