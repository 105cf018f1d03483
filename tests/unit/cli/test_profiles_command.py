"""`hookspan profiles`: list, show, check, new; all of it without a server."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hookspan.cli import _profile_trial
from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.profiles import EXAMPLES, SHIPPED, load_profile
from hookspan.verify import VerificationError, verify

EVERY = sorted(path.parent for parent in (SHIPPED, EXAMPLES) for path in parent.glob("*/profile.toml"))
Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str) -> Any:
    """The JSON document that the command prints."""
    assert run(["profiles", *arguments, "--json"]) == Exit.OK
    return json.loads(capsys.readouterr().out)


def shown(capsys: Capture, *arguments: str, code: int = Exit.OK) -> str:
    """Everything that the command prints, refusals too."""
    assert run(["profiles", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A folder of an operator's own: the stripe-like example under another name."""
    folder = tmp_path / "own" / "acme"
    shutil.copytree(EXAMPLES / "stripe-like", folder)
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "profile.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# --- list


def test_the_list_has_what_is_loaded_and_what_can_be_copied(capsys: Capture) -> None:
    """Shipped profiles, then the examples; where each comes from, how many types, which order, how long it retries."""
    rows = {one["name"]: one for one in said(capsys, "list")["data"]}
    assert {name for name, one in rows.items() if one["source"] == "shipped"} == {
        path.parent.name for path in SHIPPED.glob("*/profile.toml")
    }
    assert {name for name, one in rows.items() if one["source"] == "example"} == {
        path.parent.name for path in EXAMPLES.glob("*/profile.toml")
    }
    for name, one in rows.items():
        profile = load_profile(Path(one["path"]))
        assert (one["title"], one["event_types"], one["hash"]) == (profile.title, len(profile.catalog()), profile.hash)
        assert one["order"] == profile.rules.order.word
        assert one["retry_window_ms"] == profile.rules.delivery.retry.window_ms(), name
    text = shown(capsys, "list")
    assert all(name in text and one["title"] in text for name, one in rows.items())
    assert next(line for line in text.splitlines() if line.startswith("standard ")).split()[3] == "open"


@pytest.mark.parametrize("by", ["flag", "environment", "file"])
def test_one_s_own_are_found_where_the_setting_says(
    by: str, acme: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """profiles_path by flag, environment or hookspan.toml, as everywhere."""
    flags: tuple[str, ...] = ()
    if by == "flag":
        flags = ("--profiles-path", str(acme.parent))
    elif by == "environment":
        monkeypatch.setenv("HOOKSPAN_PROFILES_PATH", str(acme.parent))
    else:
        Path("hookspan.toml").write_text('profiles_path = "own"\n', encoding="utf-8")
    (one,) = [one for one in said(capsys, "list", *flags)["data"] if one["name"] == "acme"]
    assert (one["source"], one["title"], one["event_types"]) == ("profiles_path", "Stripe-like", 4)
    assert said(capsys, "show", "acme", *flags)["source"] == "profiles_path"


def test_an_example_that_is_loaded_is_listed_once(acme: Path, capsys: Capture) -> None:
    """A copy of an example may keep its name."""
    acme.rename(acme.parent / "stripe-like")
    rows = said(capsys, "list", "--profiles-path", str(acme.parent))["data"]
    assert [one["source"] for one in rows if one["name"] == "stripe-like"] == ["profiles_path"]


def test_a_wrong_one_is_told_beside_the_others(acme: Path, capsys: Capture) -> None:
    """The same refusal as at a server's start, 3 with file, key and reason; the others are listed all the same."""
    shutil.copytree(acme, acme.parent / "other")
    shutil.copytree(acme, acme.parent / "standard")
    edit(acme, "[limits]", "[limitz]")
    text = shown(capsys, "list", "--profiles-path", str(acme.parent), code=Exit.CANT_START)
    assert f"{acme}/profile.toml: limitz: there is no such key. Did you mean 'limits'?\n" in text
    assert f"{acme.parent / 'standard'}: a shipped profile is called 'standard' already" in text
    assert {"standard", "other", "stripe-like"} <= {line.split()[0] for line in text.splitlines()}
    assert run(["profiles", "list", "--profiles-path", str(acme.parent), "--json"]) == Exit.CANT_START
    captured = capsys.readouterr()
    names = [one["name"] for one in json.loads(captured.out)["data"]]
    assert "other" in names
    assert "acme" not in names
    assert [json.loads(line)["code"] for line in captured.err.splitlines()] == ["configuration"] * 2


def test_one_s_own_folder_that_is_not_there_is_3(capsys: Capture) -> None:
    """As at a server's start."""
    assert "there is no folder nowhere" in shown(capsys, "list", "--profiles-path", "nowhere", code=Exit.CANT_START)


# --- show


@pytest.mark.parametrize("folder", EVERY, ids=lambda path: path.name)
def test_every_profile_can_be_shown(folder: Path, capsys: Capture) -> None:
    """Rules, credentials, header lines, body and every type are on the page, in words."""
    profile = load_profile(folder)
    text = shown(capsys, "show", folder.name)
    for title in ("Rules", "Header lines", "Body", "Event types"):
        assert f"\n{title}" in text
    assert profile.title in text
    assert all(one.type in text and one.title in text for one in profile.catalog())
    assert "{'" not in text
    assert "None" not in text


def test_the_rules_are_said_in_words(capsys: Capture) -> None:
    """What distinguishes the profiles from each other can be read."""
    text = shown(capsys, "show", "bridge-xyz")
    for words in (
        "at most 5 of an application, without names",
        "https only; its certificate is checked when it is saved; may change only while the webhook is disabled",
        "disabled, until it is activated",
        "one after the other, as published",
        "the last one 48h after the first attempt",
        "the webhook stalls until a send by hand succeeds",
        "an RSA key pair of 2048 bit; made by Hookspan",
        "over the SHA-256 digest of {attempt.at:ms}.{body}",
    ):
        assert words in text
    text = shown(capsys, "show", "standard")
    for words in (
        "at most 50 of an application, a name if you like",
        "after 5s, 5m, 30m",
        "disables the webhook",
        "for 5d disables it",
        "rotated with 24h of overlap, at most 2 at a time",
    ):
        assert words in text
    assert "private_key  an Ed25519 key pair; made by Hookspan" in text
    assert "with private_key, in base64" in text
    assert "keypair" not in text
    text = shown(capsys, "show", "bridge-lms")
    assert "learner; course, program (at least 1)" in text
    assert "never shown again" in text


def test_show_is_a_document_for_programs(capsys: Capture) -> None:
    """The same, as data: the tables of profile.toml and the event types."""
    document = said(capsys, "show", "bridge-api")
    assert document["source"] == "shipped"
    assert document["signature"][0]["header"] == "BridgeApi-Signature"
    assert document["limits"]["webhooks"] == 10
    assert {one["type"] for one in document["events"]} == {
        one.type for one in load_profile(SHIPPED / "bridge-api").catalog()
    }


def test_one_type_is_shown_with_schema_and_sample(capsys: Capture) -> None:
    """--type: words, sample (with its context where it needs one) and schema, without the file's other types."""
    document = said(capsys, "show", "bridge-lms", "--type", "enrollment.completed")
    profile = load_profile(SHIPPED / "bridge-lms")
    sample = profile.sample("enrollment.completed")
    assert sample.context is not None
    assert (document["sample"], document["context"]) == (json.loads(sample.content), json.loads(sample.context))
    assert document["schema"]["$ref"] == "#/$defs/completed"
    text = shown(capsys, "show", "bridge-lms", "--type", "enrollment.completed")
    assert document["description"] in text
    schema = json.loads(text.partition("\nSchema\n")[2])
    assert set(schema["$defs"]) == {"object"}


@pytest.mark.parametrize(
    ("profile", "event_type", "category", "says"),
    [
        ("standard", "order.paid", None, "Taken like every type of this form."),
        ("bridge-xyz", "customer.canceled", "customer", "Taken, but not listed."),
    ],
)
def test_a_type_that_is_taken_but_not_listed_is_shown(
    profile: str, event_type: str, category: str | None, says: str, capsys: Capture
) -> None:
    """It has no words and no schema of its own; a sample stands for it."""
    document = said(capsys, "show", profile, "--type", event_type)
    assert (document["type"], document["category"], document["schema"]) == (event_type, category, None)
    assert says in shown(capsys, "show", profile, "--type", event_type)


@pytest.mark.parametrize(
    ("profile", "event_type", "says"),
    [
        ("standard", "no spaces", "have the form ^[a-zA-Z0-9_]+"),
        ("bridge-api", "item.creatd", "Did you mean 'item.created'? `hookspan profiles show bridge-api` shows"),
    ],
)
def test_a_type_that_is_none_is_answered_with_what_there_is(
    profile: str, event_type: str, says: str, capsys: Capture
) -> None:
    """The form, the nearest one, where to look."""
    assert says in shown(capsys, "show", profile, "--type", event_type, code=Exit.FAILED)
    if profile == "standard":
        assert says in shown(capsys, "check", profile, "--type", event_type, code=Exit.FAILED)


def test_a_schema_keeps_what_it_refers_to(capsys: Capture) -> None:
    """For every listed type: what people are shown is still a schema, with each definition that it needs."""
    for folder in EVERY:
        for one in load_profile(folder).catalog():
            if one.schema is None:
                continue
            text = shown(capsys, "show", folder.name, "--type", one.type)
            schema = json.loads(text.partition("\nSchema\n")[2])
            referred = {name for name in one.schema["$defs"] if f'"#/$defs/{name}"' in json.dumps(schema)}
            assert referred <= set(schema.get("$defs", {}))


def test_a_folder_s_path_is_a_name_too(acme: Path, capsys: Capture) -> None:
    """While it is being written it need not be anywhere."""
    assert said(capsys, "show", str(acme))["source"] == "folder"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("nosuch",), "unknown_profile"), (("bridge-api", "--type", "no.such"), "unknown_event_type")],
)
def test_what_is_not_there_is_1(arguments: tuple[str, ...], code: str, capsys: Capture) -> None:
    """A name or type that does not exist is a refusal with a code of its own."""
    assert run(["profiles", "show", *arguments, "--json"]) == Exit.FAILED
    assert json.loads(capsys.readouterr().err)["code"] == code


# --- check


@pytest.mark.parametrize("folder", EVERY, ids=lambda path: path.name)
def test_every_profile_passes_its_check(folder: Path, capsys: Capture) -> None:
    """What comes with Hookspan: each sample signed and verified, and the printed request can be verified again."""
    document = said(capsys, "check", str(folder))
    request = document["request"]
    event = verify(folder, headers=request["headers"], body=request["body"].encode(), **document["verified_with"])
    assert event.type == document["verified"]["type"]
    with pytest.raises(VerificationError):
        verify(folder, headers=request["headers"], body=request["body"].encode() + b"\n", **document["verified_with"])
    text = shown(capsys, "check", str(folder))
    count = len(load_profile(folder).catalog())
    assert (f"all {count} samples verified" if count > 1 else "the sample verified") in text
    assert "POST /hook HTTP/1.1" in text
    assert all(f"{name}:" in text for name, _ in request["headers"])


def test_a_profile_can_be_checked_by_its_name(acme: Path, capsys: Capture) -> None:
    """A shipped one, an example, one's own where the setting says; its key pair is called as people call it."""
    assert said(capsys, "check", "standard")["source"] == "shipped"
    assert set(said(capsys, "check", "bridge-xyz")["credentials"]) == {"private_key"}
    assert said(capsys, "check", "acme", "--profiles-path", str(acme.parent))["source"] == "profiles_path"
    text = shown(capsys, "check", "acme", code=Exit.CANT_START)
    assert "acme is no folder, and no profile's name. There is no profile 'acme'; there are bridge-api," in text


def test_help_is_not_cut_off(capsys: Capture) -> None:
    """Each command's line says all that it has to say."""
    text = shown(capsys, "--help").partition("Commands:")[2]
    assert text.count("\n") >= 4
    assert "..." not in text


def test_the_type_to_print_may_be_chosen(acme: Path, capsys: Capture) -> None:
    """--type, of the catalog only."""
    assert said(capsys, "check", str(acme), "--type", "charge.refunded")["verified"]["type"] == "charge.refunded"
    assert run(["profiles", "check", str(acme), "--type", "no.such"]) == Exit.FAILED


def test_an_open_catalog_without_a_test_has_a_sample_too(acme: Path, capsys: Capture) -> None:
    """A type that its pattern takes stands for all; where none is known, --type is asked for."""
    shutil.rmtree(acme)
    shutil.copytree(SHIPPED / "standard", acme)
    text = (acme / "profile.toml").read_text(encoding="utf-8")
    before, test, after = text.partition("[test]")
    (acme / "profile.toml").write_text(before + after.partition("\n\n")[2], encoding="utf-8")
    assert test
    assert said(capsys, "check", str(acme))["verified"]["type"] == "order.paid"
    edit(acme, "type = '^", "type = '^zz")
    text = shown(capsys, "check", str(acme), code=Exit.FAILED)
    assert "--type" in text
    assert said(capsys, "check", str(acme), "--type", "zza")["verified"]["type"] == "zza"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[limits]", "[limitz]", "profile.toml: limitz: there is no such key. Did you mean 'limits'?"),
        ('"hmac-sha256"', '"md5"', "profile.toml: signature.0.algorithm: "),
        ('["succeeded", "refunded"]', '["succeeded", "lost"]', "charge.json: "),
        ("format = 1", "format = ", "profile.toml: is no TOML"),
    ],
)
def test_a_wrong_profile_is_3_with_file_key_and_reason(
    old: str, new: str, says: str, acme: Path, capsys: Capture
) -> None:
    """One line; as a server would refuse to start."""
    edit(acme, old, new)
    text = shown(capsys, "check", str(acme), code=Exit.CANT_START)
    assert f"{acme}/{says}" in text
    assert text.count("\n") == 1


def test_a_folder_that_is_none_or_has_a_taken_name_is_3(acme: Path, capsys: Capture) -> None:
    """No folder; and one that is called like a shipped profile, which no server would load."""
    assert "is no folder" in shown(capsys, "check", "nowhere", code=Exit.CANT_START)
    taken = acme.rename(acme.parent / "standard")
    assert "is called 'standard' already" in shown(capsys, "check", str(taken), code=Exit.CANT_START)


def test_the_folder_one_is_in_can_be_checked(acme: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """`hookspan profiles check .`"""
    monkeypatch.chdir(acme)
    assert said(capsys, "check", ".")["name"] == "acme"


def test_halves_that_do_not_agree_are_1(acme: Path, capsys: Capture) -> None:
    """A profile that can be loaded, but tells its receivers to look for the type in the wrong place."""
    edit(acme, 'type = "{body.type}"', 'type = "{body.object}"')
    assert "[read] finds the type 'event'" in shown(capsys, "check", str(acme), code=Exit.FAILED)


def test_a_verifier_that_accepts_anything_is_found(
    acme: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check also forges: what is accepted with a changed body is no signature."""
    real = verify

    def lenient(profile: Path, *, headers: Any, body: bytes, **keys: Any) -> Any:
        return real(profile, headers=headers, body=body.rstrip(), **keys)

    monkeypatch.setattr(_profile_trial, "verify", lenient)
    assert "accepts a changed body" in shown(capsys, "check", str(acme), code=Exit.FAILED)


def test_a_rotation_that_one_side_can_t_read_is_1(acme: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check signs with two secrets too; here with a receiver's half that reads only the first signature."""
    real = verify

    def first_only(profile: Path, *, headers: Any, body: bytes, **keys: Any) -> Any:
        cut = [
            (name, ",".join(value.split(",")[:2]) if name == "Stripe-Signature" else value) for name, value in headers
        ]
        return real(profile, headers=cut, body=body, **keys)

    monkeypatch.setattr(_profile_trial, "verify", first_only)
    text = shown(capsys, "check", str(acme), code=Exit.FAILED)
    assert "in a rotation who knows only the old secret refuses: No signature" in text


def test_signatures_that_can_t_be_told_apart_are_3(acme: Path, capsys: Capture) -> None:
    """Already when the profile is loaded."""
    edit(acme, 'join = ","', 'join = ""')
    assert "signature.0.join: '' does not tell apart" in shown(capsys, "check", str(acme), code=Exit.CANT_START)


def test_a_refusal_of_the_receiver_is_1(acme: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the verifier's own words."""
    monkeypatch.setattr(_profile_trial, "receiver_side", lambda *_: {"secret": "another"})
    assert "refuses the signed sample" in shown(capsys, "check", str(acme), code=Exit.FAILED)


# --- new


@pytest.mark.parametrize("source", [path.name for path in EVERY])
def test_a_new_profile_is_sound_from_the_start(source: str, capsys: Capture) -> None:
    """A copy of any of them passes its check, has its comments, is called like the folder, and says what is next."""
    text = shown(capsys, "new", "own/my-hooks", "--from", source)
    for line in ("own/my-hooks/profile.toml", "hookspan profiles check own/my-hooks", "HOOKSPAN_PROFILES_PATH=own"):
        assert line in text
    document = (Path("own/my-hooks") / "profile.toml").read_text(encoding="utf-8")
    assert 'title = "My hooks"' in document
    assert "# " in document
    assert said(capsys, "check", "own/my-hooks")["title"] == "My hooks"
    assert [path.name for path in Path("own").iterdir()] == ["my-hooks"]


@pytest.mark.parametrize("name", ['a\\d"q', "ünï", "Acme", "a_b", "-a", "a b", "a" * 65])
def test_a_name_is_made_of_small_letters_digits_and_dashes(name: str, capsys: Capture) -> None:
    """It stands in URLs and settings. Refused with 1 and the form to write; nothing is made."""
    assert "write small letters, digits and -" in shown(capsys, "new", f"own/{name}", code=Exit.FAILED)
    assert not Path("own").exists()
    assert said(capsys, "new", "own/3-ds")["name"] == "3-ds"


@pytest.mark.parametrize("there", ["folder", "file", "dangling link"])
def test_what_exists_is_left_alone(there: str, capsys: Capture) -> None:
    """Refused with 1, nothing changed."""
    Path("own").mkdir()
    folder = Path("own/acme")
    if there == "folder":
        folder.mkdir()
    elif there == "file":
        folder.write_text("mine", encoding="utf-8")
    else:
        folder.symlink_to("nowhere")
    assert "is there already" in shown(capsys, "new", "own/acme", code=Exit.FAILED)
    assert [path.name for path in Path("own").iterdir()] == ["acme"]
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_a_shipped_name_is_refused(capsys: Capture) -> None:
    """No server would load it."""
    assert "'bridge-api' already" in shown(capsys, "new", "own/bridge-api", code=Exit.FAILED)
    assert not Path("own").exists()


def test_an_unknown_source_is_wrong_usage(capsys: Capture) -> None:
    """And the names that there are."""
    text = shown(capsys, "new", "own/acme", "--from", "nosuch", code=Exit.USAGE)
    assert "stripe-like" in text
    assert "standard" in text


def test_a_copy_that_fails_leaves_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle of it: no half of a profile, and no folder that was not there before."""

    def full(_source: Path, to: Path) -> None:
        to.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    assert "No space left" in shown(capsys, "new", "own/deep/acme", code=Exit.FAILED)
    assert not Path("own").exists()


def test_a_place_that_can_t_be_written_is_1(capsys: Capture) -> None:
    """A file where a folder would have to be."""
    Path("own").write_text("a file", encoding="utf-8")
    assert "can't be written" in shown(capsys, "new", "own/acme", code=Exit.FAILED)
