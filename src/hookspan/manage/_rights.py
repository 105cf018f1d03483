"""Who may do what: one table, asked by every call of management.

Reach comes first: what lies in another application is not found (`Ground.application`). Within reach the role decides,
and a refusal names who may.
"""

import enum

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.errors import NotAllowed
from hookspan.profiles import Profile

APPLICATION_KEY = "application_key"  # in a profile's `configure`: any key of the application but a member's


class Right(enum.Enum):
    LOOK = "look at this"
    CONFIGURE = "configure webhooks and send by hand"  # as the profile leaves it
    PUBLISH = "publish events"
    OPERATE = "manage applications"
    ADMINISTER = "manage keys and people and read the audit log"


_WHO = {
    Right.LOOK: "Any key or person of the application or the operator, but publishers' keys",
    Right.PUBLISH: "The operator's admins and publishers' keys",
    Right.OPERATE: "The operator's admins",
    Right.ADMINISTER: "Admins",
}
_WORDS = {
    "admin": "admins",
    "support": "support users",
    APPLICATION_KEY: "keys of the application",
}


def check(caller: Caller, right: Right, profile: Profile | None = None) -> None:
    """Raise NotAllowed unless `caller` has `right` within reach. CONFIGURE asks for the application's profile."""
    if not _has(caller, right, profile):
        raise NotAllowed(f"{_who(right, profile)} may {right.value}; this is {_describe(caller)}.")


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
    what = {"key": "a key", "portal": "a portal session", "person": "someone"}.get(caller.kind, "a caller")
    where = "the operator" if caller.application is None else "the application"
    return f"{what} of {where} in the role {caller.role.word}"
