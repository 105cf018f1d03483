"""Who may do what: one table, asked by every call of management.

Reach comes first: what lies in another application is not found (`Ground.application`). Within reach the role decides,
and a refusal names who may.

Nobody gives more than they have: whoever makes a key, invites a person or opens a portal session is asked `check_gift`.
"""

import enum

import msgspec

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.errors import NotAllowed
from hookspan.profiles import Profile

APPLICATION_KEY = "application_key"  # in a profile's `configure`: any key of the application but a member's
_PORTAL = "portal"  # the kind of a caller who came by a portal session


class Right(enum.Enum):
    LOOK = "look at this"
    CONFIGURE = "configure webhooks and send by hand"  # as the profile leaves it
    PUBLISH = "publish events"
    OPERATE = "manage applications"
    ADMINISTER = "manage keys and people and read the audit log"
    INTRODUCE = "invite people and open portal sessions"  # who comes in by it stays longer than a portal session


_WHO = {
    Right.LOOK: "Any key or person of the application or the operator, except publishers' keys,",
    Right.PUBLISH: "The operator's admins and publishers' keys",
    Right.OPERATE: "The operator's admins",
    Right.ADMINISTER: "Admins",
    Right.INTRODUCE: "Admins, by a key or as people,",
}
_WORDS = {
    "admin": "admins",
    "support": "support users",
    APPLICATION_KEY: "keys of the application in the role admin or support",
}
_GIFTS = {"key": "A key", "person": "Somebody", _PORTAL: "A portal session"}


def check(caller: Caller, right: Right, profile: Profile | None = None, what: str | None = None) -> None:
    """Raise NotAllowed unless `caller` has `right` within reach. CONFIGURE asks for the application's profile. `what`
    is what was asked for, where that is less than the whole right.
    """
    if not _has(caller, right, profile):
        raise NotAllowed(f"{_who(right, profile)} may {what or right.value}; this is {_describe(caller)}.")


def check_gift(giver: Caller, gift: Caller, profile: Profile) -> None:
    """Raise NotAllowed if `gift`, a caller of the giver's application that does not exist yet, would have a right there
    that `giver` lacks. The refusal names the roles that may be given.
    """
    more = _more(giver, gift, profile)
    if not more:
        return
    roles = [role.word for role in Role if not _more(giver, msgspec.structs.replace(gift, role=role), profile)]
    raise NotAllowed(
        f"{_GIFTS[gift.kind]} in the role {gift.role.word} may {more[0].value}, and nobody gives more than they have. "
        f"This is {_describe(giver)}, which may give the role {' or '.join(roles)}; the operator's admins may give any."
    )


def _more(giver: Caller, gift: Caller, profile: Profile) -> list[Right]:
    return [right for right in Right if _has(gift, right, profile) and not _has(giver, right, profile)]


def has(caller: Caller, right: Right, profile: Profile | None = None) -> bool:
    """As `check`, without the refusal."""
    return _has(caller, right, profile)


def _has(caller: Caller, right: Right, profile: Profile | None) -> bool:
    if caller.scope is Scope.PUBLISHER:
        return right is Right.PUBLISH
    is_operator_admin = caller.application is None and caller.role is Role.ADMIN
    match right:
        case Right.LOOK:
            return True
        case Right.PUBLISH | Right.OPERATE:
            return is_operator_admin
        case Right.ADMINISTER:
            return caller.role is Role.ADMIN
        case Right.INTRODUCE:
            return caller.role is Role.ADMIN and caller.kind != _PORTAL
        case Right.CONFIGURE:
            return is_operator_admin or _may_configure(caller, profile)


def _may_configure(caller: Caller, profile: Profile | None) -> bool:
    if profile is None:
        raise ValueError("CONFIGURE is a question about one profile")
    allowed = profile.rules.configure
    is_key = caller.kind == "key" and caller.scope is Scope.APPLICATION and caller.role is not Role.MEMBER
    return caller.role.word in allowed or (is_key and APPLICATION_KEY in allowed)


def _who(right: Right, profile: Profile | None) -> str:
    if right is not Right.CONFIGURE or profile is None:
        return _WHO[right]
    named = [_WORDS[one] for one in profile.rules.configure]
    return f"The operator's admins and, with profile {profile.name}, {' and '.join(sorted(named))}"


def who_configures(profile: Profile) -> str:
    """A sentence for people: the profile's own words, where it has some."""
    own = profile.words.get("only")
    if isinstance(own, str):
        return own
    named = sorted(_WORDS[one] for one in profile.rules.configure if one != APPLICATION_KEY)
    return f"Only {' and '.join(named or [_WORDS['admin']])} manage webhooks."


def _describe(caller: Caller) -> str:
    if caller.scope is Scope.PUBLISHER:
        return "a publisher's key"
    what = {"key": "a key", _PORTAL: "a portal session", "person": "someone"}.get(caller.kind, "a caller")
    where = "the operator" if caller.application is None else "the application"
    return f"{what} of {where} in the role {caller.role.word}"
