"""The whole table: who may what, for every right, scope, role and rule of a profile."""

import itertools
from typing import Any

import msgspec
import pytest

from hookspan.domain.caller import OPERATOR, SYSTEM, Caller, Role, Scope
from hookspan.errors import NotAllowed
from hookspan.manage import _rights
from hookspan.manage._rights import Right
from hookspan.profiles import load_profiles

STANDARD = load_profiles().get("standard")
CONFIGURES = (("admin",), ("admin", "support"), ("support",), ("admin", "application_key"), ("application_key",))
ADMIN, SUPPORT, MEMBER = Role.ADMIN, Role.SUPPORT, Role.MEMBER
KINDS: tuple[Any, ...] = ("key", "person", "portal")

# Without CONFIGURE: by reach and role, what is allowed.
RIGHTS = {
    ("operator", ADMIN): {Right.LOOK, Right.PUBLISH, Right.OPERATE, Right.ADMINISTER, Right.INTRODUCE},
    ("operator", SUPPORT): {Right.LOOK},
    ("operator", MEMBER): {Right.LOOK},
    ("application", ADMIN): {Right.LOOK, Right.ADMINISTER, Right.INTRODUCE},
    ("application", SUPPORT): {Right.LOOK},
    ("application", MEMBER): {Right.LOOK},
}
# CONFIGURE, of a profile that names these, by people and portal sessions: the operator's admins always may.
CONFIGURE = {
    ("operator", ADMIN): set(CONFIGURES),
    ("operator", SUPPORT): {("admin", "support"), ("support",)},
    ("operator", MEMBER): set(),
    ("application", ADMIN): {("admin",), ("admin", "support"), ("admin", "application_key")},
    ("application", SUPPORT): {("admin", "support"), ("support",)},
    ("application", MEMBER): set(),
}
# And by keys of an application: `application_key` lets in all but members'.
BY_KEY = {("admin", "application_key"), ("application_key",)}


def profile(configure: tuple[str, ...]) -> Any:
    changed: Any = msgspec.structs.replace(STANDARD.rules, configure=configure)

    class Changed:
        name = "standard"
        rules = changed

    return Changed()


def caller(kind: Any, where: str, role: Role, scope: Scope | None = None) -> Caller:
    application = None if where == "operator" else "app_x"
    return Caller(
        kind=kind,
        name="n",
        scope=scope or (Scope.OPERATOR if application is None else Scope.APPLICATION),
        role=role,
        application=application,
    )


@pytest.mark.parametrize(("where", "role"), list(RIGHTS))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("right", [one for one in Right if one is not Right.CONFIGURE])
def test_rights_by_reach_and_role(right: Right, kind: str, where: str, role: Role) -> None:
    """The same for a key, a person and a portal session, but that nobody comes in by a portal session."""
    expected = right in RIGHTS[where, role] and (kind, right) != ("portal", Right.INTRODUCE)
    assert _rights.has(caller(kind, where, role), right) == expected


@pytest.mark.parametrize(("where", "role"), list(CONFIGURE))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("configure", CONFIGURES)
def test_configuring_is_as_the_profile_leaves_it(configure: tuple[str, ...], kind: str, where: str, role: Role) -> None:
    """`application_key` is about keys of an application, not about people."""
    expected = configure in CONFIGURE[where, role]
    if kind == "key" and where == "application" and role is not MEMBER:
        expected = expected or configure in BY_KEY
    assert _rights.has(caller(kind, where, role), Right.CONFIGURE, profile(configure)) == expected


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("where", ["operator", "application"])
@pytest.mark.parametrize("configure", CONFIGURES)
def test_a_publisher_publishes_and_nothing_else(
    configure: tuple[str, ...], where: str, role: Role, right: Right
) -> None:
    """Whatever its role says, and whatever the profile."""
    one = caller("key", where, role, Scope.PUBLISHER)
    assert _rights.has(one, right, profile(configure)) == (right is Right.PUBLISH)


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("one", [OPERATOR, SYSTEM])
def test_the_operator_key_may_everything(one: Caller, right: Right) -> None:
    """And so may Hookspan itself."""
    assert all(_rights.has(one, right, profile(configure)) for configure in CONFIGURES)


@pytest.mark.parametrize("right", list(Right))
def test_a_refusal_says_who_may_and_who_asked(right: Right) -> None:
    """Exactly where `has` says no; in a sentence."""
    for kind, where, role in itertools.product(KINDS, ("operator", "application"), Role):
        one = caller(kind, where, role)
        for configure in CONFIGURES:
            if _rights.has(one, right, profile(configure)):
                _rights.check(one, right, profile(configure))
                continue
            with pytest.raises(NotAllowed) as caught:
                _rights.check(one, right, profile(configure))
            detail = caught.value.detail
            assert f"may {right.value}; this is " in detail
            assert detail.endswith(f"of the {where} in the role {role.word}.")


def test_configuring_is_a_question_about_one_profile() -> None:
    """Asked without one it is a mistake of ours, not a refusal."""
    with pytest.raises(ValueError, match="profile"):
        _rights.has(caller("person", "application", ADMIN), Right.CONFIGURE)


def test_shipped_profiles_name_known_words() -> None:
    """Each of their words is one that this table knows."""
    profiles = load_profiles()
    words = {word for name in profiles.names for word in profiles.get(name).rules.configure}
    assert words <= {"admin", "support", _rights.APPLICATION_KEY}


@pytest.mark.parametrize("configure", CONFIGURES)
def test_nobody_gives_more_than_they_have(configure: tuple[str, ...]) -> None:
    """Whoever may give at all: what passes has no right that the giver lacks, and what is refused has one."""
    of_profile = profile(configure)
    for giver_kind, gift_kind, role in itertools.product(KINDS, KINDS, Role):
        giver, gift = caller(giver_kind, "application", ADMIN), caller(gift_kind, "application", role)
        rights = {right for right in Right if _rights.has(gift, right, of_profile)}
        own = {right for right in Right if _rights.has(giver, right, of_profile)}
        if rights <= own:
            _rights.check_gift(giver, gift, of_profile)
            continue
        with pytest.raises(NotAllowed, match="nobody gives more than they have"):
            _rights.check_gift(giver, gift, of_profile)


@pytest.mark.parametrize(
    ("configure", "giver", "gift", "said"),
    [
        (("support",), "key", SUPPORT, "A key in the role support may configure webhooks and send by hand, and"),
        (("support",), "key", SUPPORT, "which may give the role admin or member;"),
        (("admin",), "portal", ADMIN, "which may give the role support or member;"),
        (("support",), "portal", ADMIN, "which may give the role member;"),
    ],
)
def test_a_refused_gift_names_the_roles_that_may_be_given(
    configure: tuple[str, ...], giver: str, gift: Role, said: str
) -> None:
    """And what it would have been able to do beyond its giver."""
    with pytest.raises(NotAllowed) as caught:
        _rights.check_gift(caller(giver, "application", ADMIN), caller("key", "application", gift), profile(configure))
    assert said in caught.value.detail


def test_a_refusal_says_what_was_asked_for() -> None:
    """Where that is less than the right; and whose keys configure."""
    with pytest.raises(NotAllowed, match="Admins may read the audit log; this is a key"):
        _rights.check(caller("key", "application", MEMBER), Right.ADMINISTER, what="read the audit log")
    with pytest.raises(NotAllowed, match="keys of the application in the role admin or support may configure"):
        _rights.check(caller("key", "application", MEMBER), Right.CONFIGURE, profile(("admin", "application_key")))
