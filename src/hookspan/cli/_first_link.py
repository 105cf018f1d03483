"""The link by which whoever started a server for a try comes into its dashboard."""

from hookspan.cli.node import Node
from hookspan.domain.caller import OPERATOR
from hookspan.manage.inputs import LIMIT_MAX, InvitePerson, MakeLink, Paging

NAME = "First admin"


async def has_nobody(node: Node) -> bool:
    """Whether no person may sign in as the operator's admin yet."""
    found = (await node.manage.desk(OPERATOR).people.page(Paging(limit=LIMIT_MAX))).data
    return not any(one.application_id is None and one.role == "admin" for one in found)


async def first_link(node: Node) -> str:
    """A fresh one-time link of an operator's admin, who is made at the first start and found at later ones."""
    people = node.manage.desk(OPERATOR).people
    for one in (await people.page(Paging(limit=LIMIT_MAX))).data:
        if one.name == NAME and one.application_id is None and one.role == "admin":
            return (await people.make_link(one.id, MakeLink())).link
    return (await people.invite(InvitePerson(name=NAME, role="admin"))).link
