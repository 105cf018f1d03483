"""The link by which whoever started a server for a try comes into its dashboard."""

from collections.abc import AsyncIterator

from hookspan.cli.node import Node
from hookspan.domain.caller import OPERATOR
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, InvitePerson, MakeLink, Paging

NAME = "First admin"
_PAGES_MAX = 100


async def has_nobody(node: Node) -> bool:
    """Whether no admin of the operator has ever signed in. One who was only invited may have lost the link."""
    async for one in _admins(node):
        if one.last_seen_at is not None:
            return False
    return True


async def first_link(node: Node) -> str:
    """A fresh one-time link of an operator's admin, who is made at the first start and found at later ones."""
    people = node.manage.desk(OPERATOR).people
    async for one in _admins(node):
        if one.name == NAME:
            return (await people.make_link(one.id, MakeLink())).link
    return (await people.invite(InvitePerson(name=NAME, role="admin"))).link


async def _admins(node: Node) -> AsyncIterator[views.Person]:
    """The operator's, newest first."""
    people = node.manage.desk(OPERATOR).people
    cursor = None
    for _ in range(_PAGES_MAX):
        page = await people.page(Paging(limit=LIMIT_MAX, cursor=cursor))
        for one in page.data:
            if one.application_id is None and one.role == "admin":
                yield one
        cursor = page.next
        if cursor is None:
            return
