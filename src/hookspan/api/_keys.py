"""/v1/keys"""

from litestar import Controller, delete, get, post
from litestar.params import JSONBody

from hookspan.api._body import JsonBody
from hookspan.api._parameters import Desk, KeyId, Page
from hookspan.manage import views
from hookspan.manage.inputs import CreateKey


class KeyRoutes(Controller):
    """Programs' keys."""

    path = "/keys"
    tags = ("Keys and people",)

    @post(dto=JsonBody, return_dto=None)
    async def create_key(self, desk: Desk, data: JSONBody[CreateKey]) -> views.CreatedKey:
        """Create a key.

        Its text is in this answer, this once. Nobody gives a key more than they have: the admins of an application make
        keys of that application, the operator's make any. 409 `access_limit` where there are too many.
        """
        return await desk.keys.create(data)

    @get()
    async def list_keys(self, desk: Desk, page: Page) -> views.KeyList:
        """List the keys within reach, newest first, without their texts."""
        return await desk.keys.page(page)

    @delete("/{key:str}")
    async def revoke_key(self, desk: Desk, key: KeyId) -> None:
        """Revoke a key, at once (on other nodes two seconds later)."""
        await desk.keys.revoke(key)
