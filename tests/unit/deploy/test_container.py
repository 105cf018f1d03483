"""The recipe of the image: what it copies is there, and what runs is nobody's root."""

import json
import re
import shlex
import tomllib
from pathlib import Path

from tests.unit.deploy._files import DEPLOY, TOP

ARGUMENTS_OF_FROM = re.compile(r"(?P<image>\S+)(?: AS (?P<stage>\w+))?")


def instructions() -> list[tuple[str, str]]:
    """Each with its arguments, lines that go on joined; comments left out."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line]
    return [(word, rest) for word, _, rest in found]


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, FROM first."""
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        elif not found:
            assert word == "ARG"
            continue
        found[-1].append((word, rest))
    return found


def all_of(word: str, stage: list[tuple[str, str]]) -> list[str]:
    return [rest for name, rest in stage if name == word]


def test_every_instruction_is_one() -> None:
    """No typo, and none that a build without extensions does not know."""
    known = {"ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "LABEL", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL"}
    known |= {"HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert [word for word, _ in instructions() if word not in known] == []


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """Every source of a COPY from the clone exists, and .dockerignore, which leaves out all else, lets it through."""
    build, last = stages()
    copied = [name for rest in all_of("COPY", build) for name in shlex.split(rest)[:-1]]
    assert copied
    assert [name for name in copied if not (TOP / name).exists()] == []
    ignored = (TOP / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == set(copied)
    assert all(rest.startswith("--from=build ") for rest in all_of("COPY", last))


def test_the_wheel_s_sources_are_copied() -> None:
    """What pyproject.toml names is in the image that builds the wheel."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    copied = {name for rest in all_of("COPY", stages()[0]) for name in shlex.split(rest)[:-1]}
    wanted = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    wanted |= {Path(name).parts[0] for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert wanted <= copied


def test_nothing_is_installed_whose_bytes_are_not_known() -> None:
    """Each install is by a lock file with hashes, or of the wheel that was just made, without dependencies."""
    installs = [
        command.strip()
        for stage in stages()
        for rest in all_of("RUN", stage)
        for command in rest.split("&&")
        if re.search(r"\bpip (install|wheel)\b", command)
    ]
    assert len(installs) == 4
    for command in installs:
        assert ("--require-hashes" in command and ".lock" in command) or "--no-deps" in command, command


def test_both_stages_have_the_same_python() -> None:
    """An environment that is copied works only with the interpreter it was made with."""
    images = [ARGUMENTS_OF_FROM.fullmatch(stage[0][1]) for stage in stages()]
    assert [match["image"] for match in images if match] == ["python:${PYTHON}-slim"] * 2
    (version,) = [rest.removeprefix("PYTHON=") for word, rest in instructions() if word == "ARG"]
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    least = project["project"]["requires-python"].removeprefix(">=")
    assert [int(part) for part in version.split(".")] >= [int(part) for part in least.split(".")]


def test_it_runs_as_nobody_s_root() -> None:
    """The last USER is a number, by which a platform sees that it is not root, and the account that was made."""
    _, last = stages()
    (user,) = all_of("USER", last)
    account, group = (int(part) for part in user.split(":"))
    (made,) = all_of("RUN", last)
    assert f"--uid {account} " in made
    assert f"--gid {group} " in made
    assert account > 0


def test_the_health_check_is_python_that_compiles() -> None:
    """It asks /healthz at the port that is exposed, and waits shorter than it is given."""
    _, last = stages()
    (check,) = all_of("HEALTHCHECK", last)
    options, _, command = check.partition(" CMD ")
    program, flag, code = json.loads(command)
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    (port,) = all_of("EXPOSE", last)
    assert f"'127.0.0.1', {port}," in code
    assert "'/healthz'" in code
    waits = re.search(r"timeout=(\d+)\)", code)
    given = re.search(r"--timeout=(\d+)s", options)
    assert waits
    assert given
    assert int(waits[1]) < int(given[1])
