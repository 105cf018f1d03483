"""The recipes of docs/receivers, each run as it stands in its page, judge requests that Hookspan really sent."""

import base64
import contextlib
import hmac
import itertools

import pytest

from tests.receivers._bench import PROFILES, TOKEN, USER
from tests.support.capture import Arrived, flipped, flipped_base64, flipped_hex
from tests.support.recipes import LANGUAGES, NotStarted, recipes

BODY_BYTES_MAX = 1024 * 1024
EACH = list(itertools.product(LANGUAGES, PROFILES))
ROTATING = [(language, profile) for language, profile in EACH if profile in ("standard", "bridge-api")]
TIMED = [(language, profile) for language, profile in EACH if profile in ("standard", "bridge-xyz")]
# What each recipe has to say of the event that `Bench.event` publishes.
WORDS = {
    "standard": ["order.paid"],
    "bridge-api": ["item.created"],
    "bridge-xyz": ["transfer.updated.status_transitioned", "wh_"],
    "bridge-lms": ["course_template", "created"],
}
SIGNATURE = {
    "standard": "webhook-signature",
    "bridge-api": "bridgeapi-signature",
    "bridge-xyz": "x-webhook-signature",
    "bridge-lms": "x-bridge-signature",
}


def with_flipped_signature(profile: str, request: Arrived, bit: int) -> Arrived:
    header = SIGNATURE[profile]
    before, separator, text = request.headers[header].rpartition({"standard": ",", "bridge-lms": " "}.get(profile, "="))
    if profile == "bridge-xyz":  # padded base64: the separator was found in the padding
        before, separator, text = request.headers[header].partition(",v0=")
    flip = flipped_base64 if profile in ("standard", "bridge-xyz") else flipped_hex
    return request.but({header: before + separator + flip(text, bit)})


def with_flipped_time(profile: str, request: Arrived) -> Arrived:
    """The lowest bit of the last digit of the signed time."""
    if profile == "standard":
        return request.but(webhook_timestamp=flipped(request.headers["webhook-timestamp"].encode(), -8).decode())
    at, comma, rest = request.headers["x-webhook-signature"].partition(",")
    return request.but(x_webhook_signature=flipped(at.encode(), -8).decode() + comma + rest)


def without(request: Arrived, header: str) -> Arrived:
    return Arrived(request.path, {name: text for name, text in request.headers.items() if name != header}, request.body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_the_four(language):
    """One recipe for each profile, none of them longer than a screen or two."""
    found = recipes(f"{language}.md")
    assert sorted(name.partition(".")[0].lower().replace("_", "") for name in found) == sorted(
        profile.replace("-", "") for profile in PROFILES
    )
    assert all(text.count("\n") <= 110 for text in found.values())
    assert all(len(line) <= 120 for text in found.values() for line in text.split("\n"))


@pytest.mark.parametrize(("language", "profile"), EACH)
def test_it_takes_what_was_sent_once(bench, language, profile):
    """200, and the work is done; the same event sent again, with another time and signature, is 200 and no work."""
    recipe = bench.recipe(language, profile)
    before = len(recipe.work(0))
    first, second = bench.event(profile), bench.event(profile)
    again = bench.hook(profile).signed_again(first, age_ms=-2_000)
    assert [recipe.post(one) for one in (first, first, again, second)] == [200] * 4
    work = recipe.work(before + 2)[before:]
    assert len(work) == 2, recipe.said()
    assert all(word in line for line in work for word in WORDS[profile])


@pytest.mark.parametrize(("language", "profile"), EACH)
def test_it_refuses_one_changed_bit(bench, language, profile):
    """In the body, the signature or the signed time: 400, nothing is done, and the good one is taken afterwards."""
    recipe = bench.recipe(language, profile)
    before = len(recipe.work(0))
    good = bench.event(profile)
    bad = [
        *(good.but(body=flipped(good.body, bit)) for bit in (0, 500, -1)),
        *(with_flipped_signature(profile, good, bit) for bit in (0, -1)),
        good.but(body=b""),
        good.but(body=good.body + b"\n"),
        good.but({SIGNATURE[profile]: ""}),
        good.but({SIGNATURE[profile]: "v1=,v1,v0=t=,"}),
        without(good, SIGNATURE[profile]),
    ]
    if (language, profile) in TIMED:
        bad.append(with_flipped_time(profile, good))
    assert [recipe.post(one) for one in bad] == [400] * len(bad)
    assert recipe.post(good) == 200
    assert len(recipe.work(before + 1)) == before + 1


@pytest.mark.parametrize(("language", "profile"), EACH)
def test_it_says_why_it_refused_and_what_it_dropped(bench, language, profile):
    """A 400 leaves a line with the reason, and an event that came before leaves one too: neither is a riddle."""
    recipe = bench.recipe(language, profile)
    before, since = len(recipe.work(0)), recipe.lines
    good = bench.event(profile)
    assert [recipe.post(good.but(body=good.body + b" ")), recipe.post(good)] == [400, 200]
    recipe.work(before + 1)
    assert recipe.post(good) == 200
    assert recipe.waits_for(r"refused: .+(fits?|missing|form)", since), recipe.said()
    assert recipe.waits_for(r"dropped, it was here before: \S+", since), recipe.said()


@pytest.mark.parametrize(("language", "profile"), ROTATING)
def test_it_knows_one_of_two_secrets(bench, language, profile):
    """While a secret is being replaced: with the new one it reads the first signature, with the old one the second."""
    recipe, hook = bench.recipe(language, profile), bench.hook(profile)
    before = len(recipe.work(0))
    ours, other = hook.secrets["secret"], hook.profile.new_credentials(None, may_give="operator")[0].secret.decode()
    event = bench.event(profile)
    statuses = [
        recipe.post(hook.signed_again(event, *(("secret", one) for one in secrets)))
        for secrets in ((ours, other), (other, ours), (other,))
    ]
    assert statuses == [200, 200, 400]
    assert len(recipe.work(before + 1)) == before + 1


@pytest.mark.parametrize(("language", "profile"), TIMED)
def test_it_refuses_what_was_signed_long_ago(bench, language, profile):
    """What a thief kept is of no use; a clock that is a little wrong does no harm."""
    recipe, hook = bench.recipe(language, profile), bench.hook(profile)
    before = len(recipe.work(0))
    past_s, future_s = {"standard": (300, 300), "bridge-xyz": (600, 60)}[profile]
    event = bench.event(profile)
    ages_s = (past_s + 20, past_s - 20, 20 - future_s, -20 - future_s)
    statuses = [recipe.post(hook.signed_again(event, age_ms=age_s * 1000)) for age_s in ages_s]
    assert statuses == [400, 200, 200, 400]
    assert len(recipe.work(before + 1)) == before + 1


@pytest.mark.parametrize(("language", "profile"), EACH)
def test_a_body_has_a_bound(bench, language, profile):
    """One byte more than a mebibyte is 413, whatever it says; the largest that fits is read and judged."""
    recipe, event = bench.recipe(language, profile), bench.event(profile)
    assert recipe.post(event.but(body=b"x" * (BODY_BYTES_MAX + 1))) == 413
    assert recipe.post(event.but(body=b"x" * BODY_BYTES_MAX)) == 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_token_is_judged_too(bench, language):
    """Bridge LMS: a right signature with a wrong token, or none, is refused."""
    recipe = bench.recipe(language, "bridge-lms")
    event = bench.event("bridge-lms")
    bad = [
        *(
            event.but(authorization=text)
            for text in ("Bearer x", "", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}")
        ),
        without(event, "authorization"),
    ]
    assert [recipe.post(one) for one in bad] == [400] * len(bad)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_deleted_are_taken_calmly(bench, language):
    """Bridge API: events about a user and items that are gone, or were never known, are 200 and break nothing."""
    recipe, hook = bench.recipe(language, "bridge-api"), bench.hook("bridge-api")
    before = len(recipe.work(0))
    unknown = {"item_id": 4_000_000, "user_uuid": "00000000-0000-4000-8000-000000000000"}
    story = [
        hook.publish("item.deleted", unknown),
        hook.publish("item.created", {"item_id": 1, "user_uuid": USER}),
        hook.publish("user.deleted", {"user_uuid": USER}),
        hook.publish("user.deleted", {"user_uuid": unknown["user_uuid"]}),
        hook.sample("item.refreshed"),
        hook.sample("item.account.updated"),
        hook.test(),
        bench.event("bridge-api"),
    ]
    assert [recipe.post(one) for one in story] == [200] * len(story)
    assert len(recipe.work(before + len(story))) == before + len(story), recipe.said()


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_kinds_of_lms_messages(bench, language):
    """Bridge LMS: a deleted message about a user that nobody knows is 200 and work like any other."""
    recipe, hook = bench.recipe(language, "bridge-lms"), bench.hook("bridge-lms")
    before = len(recipe.work(0))
    story = [hook.sample(f"user.{verb}") for verb in ("deleted", "created", "updated")]
    assert [recipe.post(one) for one in story] == [200] * 3
    work = recipe.work(before + 3)[before:]
    assert len(work) == 3, recipe.said()
    assert all("user" in line for line in work)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "php"])
def test_without_a_public_key_it_says_what_to_set(bench, language):
    """At the start, not when the first event comes. (PHP has no start; there each request is a 500 with the line.)"""
    with pytest.raises(NotStarted, match="Set PUBLIC_KEY to a file with the webhook's public_key"):
        bench.started(language, "bridge-xyz", {})


@pytest.mark.parametrize(("language", "profile"), [one for one in EACH if one[1] != "bridge-xyz"])
def test_without_a_secret_nothing_is_taken(bench, language, profile):
    """An empty setting must not mean a key that everyone can guess: it does not start, or never says yes."""
    nothing = {"SECRET": "", "TOKEN": ""}
    try:
        recipe = bench.started(language, profile, nothing)
    except NotStarted:
        return
    event = bench.event(profile)
    message = event.body
    if profile == "standard":
        message = f"{event.headers['webhook-id']}.{event.headers['webhook-timestamp']}.".encode() + message
    mac = hmac.digest(b"", message, "sha256")
    forged = {
        "standard": "v1," + base64.b64encode(mac).decode(),
        "bridge-api": "v1=" + mac.hex().upper(),
        "bridge-lms": mac.hex(),
    }
    with contextlib.closing(recipe):
        assert recipe.post(event.but({SIGNATURE[profile]: forged[profile], "authorization": "Bearer "})) >= 400
