"""Tidiness: what the project says about itself is true, and what must not be in it is not."""

import importlib
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hookspan import errors
from hookspan.cli._output import Exit
from hookspan.cli._root import root
from hookspan.domain.audit import ACTIONS
from hookspan.domain.outcome import ErrorCode
from hookspan.settings import PREFIX, SECRET_NAMES, SETTING_NAMES, Settings, load_settings
from hookspan.telemetry import METRIC_NAMES

TOP = Path(__file__).parents[2]
SOURCE_LINES_MAX = 500
README = (TOP / "README.md").read_text(encoding="utf-8")
# Put together here so that this file does not name what it forbids. An index belongs to a machine, not to a project.
FORBIDDEN = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "crates" + ".io",
    "--" + "index-url",
    "--" + "find-links",
    "/" + "work/",
    ".." + "/shared",
    "/tmp/" + "brief",
]
PUBLIC = {
    "hookspan.cli": ["main"],
    "hookspan.egress": ["Egress", "EgressSettings", "Target"],
    "hookspan.verify": ["VerificationError", "VerifiedEvent", "verify"],
}


def tracked() -> list[Path]:
    """The files of the repository: git's word where there is git, else all but what is made."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        return [TOP / line for line in listed.stdout.splitlines() if (TOP / line).is_file()]
    return [
        path
        for folder in ("src", "tests", "docs", "bench", "deploy", ".ci")
        for path in (TOP / folder).rglob("*")
        if path.is_file()
    ] + [path for path in TOP.iterdir() if path.is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path.relative_to(TOP), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def read(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def table_codes(text: str, column: int) -> list[str]:
    """The `code` cells of a column over all tables of a page."""
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    found = [re.fullmatch(r"\|? ?`([^`]+)`", row[column].strip()) for row in rows if len(row) > column]
    return [match.group(1) for match in found if match]


def every_command() -> dict[str, click.Command]:
    context = click.Context(root)
    found: dict[str, click.Command] = {}
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        below = command.commands.items() if isinstance(command, click.Group) else ()
        found |= {f"{name} {inner}": one for inner, one in below} or {name: command}
    return found


# --- what must not be there


def test_no_file_names_an_index_or_a_machine() -> None:
    """The project installs from whatever index a machine has, and means something outside of ours."""
    found = [
        f"{path}: {word}" for path, text in texts() for word in FORBIDDEN if word in text and path.name != "LICENSE"
    ]
    assert found == []


def test_no_module_is_too_long() -> None:
    """A module near 150 lines can be read; beyond 500 it is several."""
    long = {str(path): text.count("\n") for path, text in texts() if path.parts[0] == "src" and path.suffix == ".py"}
    assert {name: lines for name, lines in long.items() if lines > SOURCE_LINES_MAX} == {}


def test_no_room_is_a_heap() -> None:
    """Folders and modules are named for what they are responsible for."""
    heaps = {"utils", "util", "common", "helpers", "misc", "models"}
    assert [str(path) for path, _ in texts() if {path.stem.strip("_"), *path.parts} & heaps] == []


def test_no_test_is_skipped_or_sleeps() -> None:
    """A test that does not run promises nothing; one that sleeps promises it on a quiet machine only.

    One place may leave a test out: where a program is not on a developer's machine. CI asks for all of them.
    """
    tools = Path("tests/support/tools.py")
    assert "HOOKSPAN_TEST_ALL_TOOLS=1" in read(".ci/run")
    words = ["pytest.mark." + "skip", "pytest." + "skip(", "x" + "fail", "time." + "sleep("]
    found = [
        f"{path}: {word}"
        for path, text in texts()
        if path.parts[0] == "tests" and path != tools
        for word in words
        if word in text
    ]
    assert found == []


# --- what is documented is what there is


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/settings.md lists exactly the settings, with the defaults of the code."""
    text = read("docs/settings.md")
    assert table_codes(text, 0)[: len(SETTING_NAMES)] == [PREFIX + name.upper() for name in SETTING_NAMES]
    for name, default in zip(SETTING_NAMES, Settings.__struct_defaults__, strict=True):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` "))
        said = row.split(" | ")[1].strip("`")
        if name in ("operator_key", "encryption_key"):
            assert said == "made at first start"
        elif default in (None, ()):
            assert said == ("empty" if default == () else "none")
        else:
            assert said == str(default).lower()
    assert all(f"{PREFIX}{name.upper()}_FILE" in text for name in SECRET_NAMES)


def test_every_error_code_is_documented_with_its_status() -> None:
    """docs/errors.md lists exactly the codes of hookspan.errors and of attempts."""
    text = read("docs/errors.md")
    refusals = {
        one.code: str(one.status)
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.HookspanError)
    }
    configuration = refusals.pop(errors.ConfigurationError.code)
    assert configuration
    assert f"`{errors.ConfigurationError.code}`" in text
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", text, re.MULTILINE)
    assert {code: status for status, code in rows} == refusals
    of_attempts = text.partition("## Of attempts")[2]
    assert sorted(table_codes(of_attempts, 0)) == sorted(ErrorCode)


def test_every_action_of_the_audit_log_is_known_and_documented() -> None:
    """What the code keeps lines of is what can be asked for, and what docs/audit.md lists."""
    kept = {
        action
        for path, text in texts()
        if path.is_relative_to("src/hookspan")
        for action in re.findall(r'(?:audited|entry)\(\s*"([a-z_]+\.[a-z_]+)"', text)
    }
    listed = set()
    for row in re.findall(r"^\| (`[a-z_]+\.[a-z]+`.*?) \|", read("docs/audit.md"), re.MULTILINE):
        names = re.findall(r"`([a-z_.]+)`", row)
        noun = names[0].partition(".")[0]
        listed |= {f"{noun}{name}" if name.startswith(".") else name for name in names}
    assert sorted(kept) == sorted(ACTIONS)
    assert listed == kept


def test_every_metric_is_documented() -> None:
    """docs/metrics.md lists exactly what /metrics counts."""
    listed = table_codes(read("docs/metrics.md"), 0)
    assert {name for name in listed if name.startswith("hookspan_")} >= METRIC_NAMES
    assert len(listed) == len(set(listed))


def test_every_command_and_exit_code_is_documented() -> None:
    """docs/commands.md lists exactly the commands and the codes."""
    text = read("docs/commands.md")
    listed = [re.sub(r" [A-Z\[].*", "", name.removeprefix("hookspan ")) for name in table_codes(text, 0)]
    assert sorted(listed) == sorted(every_command())
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == sorted(Exit)


def test_every_make_target_is_in_its_help() -> None:
    """`make help` shows each target that people call."""
    makefile = read("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert sorted(phony.group(1).split()) == sorted(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))


def test_every_dependency_has_its_reason() -> None:
    """A dependency is added by editing docs/decisions/0002-dependencies.md."""
    project = tomllib.loads(read("pyproject.toml"))
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    page = read("docs/decisions/0002-dependencies.md")
    missing = [name for one in wanted if (name := re.split(r"[<>=\[]", one)[0]) not in page]
    assert missing == []


def test_the_public_names_are_pinned() -> None:
    """Others import these; adding or removing one is a decision."""
    assert {name: sorted(importlib.import_module(name).__all__) for name in PUBLIC} == PUBLIC


# --- README and docs run


def test_the_readme_s_commands_exist() -> None:
    """Each `make` target is there, and each `hookspan` line parses: command, arguments, options."""
    makefile = read("Makefile")
    commands = every_command()
    lines = [
        line
        for page in (
            README,
            read("CONTRIBUTING.md"),
            *(read(f"docs/operating/{one.name}") for one in sorted((TOP / "docs/operating").glob("*.md"))),
        )
        for block in blocks(page, "sh")
        for line in block.splitlines()
    ]
    seen = [
        shlex.split(line.replace("export KEY=$(", "").rstrip(")\\"), comments=True)
        for line in lines
        if "curl" not in line
    ]
    hookspan = [words for words in seen if words and words[0] == "hookspan"]
    for words in hookspan:
        name = next(name for name in (" ".join(words[1:3]), words[1]) if name in commands)
        commands[name].make_context(name, words[1 + len(name.split()) :])
    targets = [words[1] for words in seen if words and words[0] == "make"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    assert "demo" in targets
    assert "test" in targets
    assert hookspan


def test_the_pages_code_blocks_are_valid() -> None:
    """Python compiles, JSON and TOML are read; the TOML is a file of settings."""
    for path, text in texts():
        if path.suffix != ".md":
            continue
        for block in blocks(text, "python"):
            compile(block, str(path), "exec")
        for block in blocks(text, "json"):
            json.loads(block)


def test_the_settings_example_is_accepted(tmp_path: Path) -> None:
    """docs/settings.md's hookspan.toml starts, given the secret it names."""
    (block,) = blocks(read("docs/settings.md"), "toml")
    (tmp_path / "key").write_text("an-operator-s-own-key", encoding="utf-8")
    (tmp_path / "hookspan.toml").write_text(
        re.sub(r'operator_key_file = ".*"', f'operator_key_file = "{tmp_path}/key"', block), encoding="utf-8"
    )
    assert load_settings(environment={}, folder=tmp_path).retention_days == 14


def test_every_link_between_pages_leads_somewhere() -> None:
    """Files that pages name exist, and so do the headings they point to."""
    broken = []
    for path, text in texts():
        for target in re.findall(r"\]\(([^)\s]+)\)", text) if path.suffix == ".md" else ():
            name, _, heading = target.partition("#")
            if "://" in target:
                continue
            there = (TOP / path.parent / name) if name else TOP / path
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE) if heading else ()
            if not there.exists() or (heading and heading not in [one.lower().replace(" ", "-") for one in headings]):
                broken.append(f"{path}: {target}")
    assert broken == []


def test_an_event_can_be_followed_through_eight_files() -> None:
    """The README names them in order, and each is there."""
    files = re.findall(r"^\d\. \[`([^`]+)`\]", README, re.MULTILINE)
    assert 1 <= len(files) <= 8
    assert [name for name in files if not (TOP / name).is_file()] == []


# --- lock files


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9_.-]+)==([^ ]+)", read(name), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock", "requirements-uv.lock"])
def test_the_lock_files_agree(name: str) -> None:
    """What two of them pin they pin alike, so that `make demo` and `make test` share one .venv."""
    both = pins("requirements-dev.lock")
    ours = pins(name)
    assert ours
    assert {one: (version, both[one]) for one, version in ours.items() if both.get(one, version) != version} == {}


def test_what_runs_is_part_of_what_is_developed() -> None:
    """requirements-dev.lock has all of requirements.lock."""
    assert set(pins("requirements.lock")) <= set(pins("requirements-dev.lock"))


def test_every_pin_has_its_hash() -> None:
    """No package is installed whose bytes were not known before."""
    for path in TOP.glob("requirements*.lock"):
        entries = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").strip())
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == [], path.name
