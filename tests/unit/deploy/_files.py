"""The files of deploy/, read."""

import configparser
import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

TOP = Path(__file__).parents[3]
DEPLOY = TOP / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
SPLIT = DEPLOY / "kubernetes" / "overlays" / "split"


def documents(path: Path) -> list[dict[str, Any]]:
    """Each document of a YAML file. A key that stands twice is refused, which YAML itself would not."""
    return list(yaml.load_all(path.read_text(encoding="utf-8"), _Strict))


def manifests(*folders: Path) -> list[dict[str, Any]]:
    """Every object of Kubernetes in these folders, kustomize's own files left out."""
    return [
        one
        for folder in folders
        for path in sorted(folder.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for one in documents(path)
    ]


def unit(*names: str) -> dict[str, list[tuple[str, str]]]:
    """The sections of a unit with its drop-ins: each setting as often as it is given, in order."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        section = ""
        for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
            if not line or line.startswith(("#", ";")):
                continue
            if header := re.fullmatch(r"\[(\w+)\]", line):
                section = header[1]
                continue
            key, is_there, value = line.partition("=")
            if not is_there or not section or key != key.strip() or line.endswith("\\"):
                raise configparser.ParsingError(name)
            sections.setdefault(section, []).append((key, value))
    return sections


class _Strict(yaml.SafeLoader):  # type: ignore[misc]
    pass


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value]
    if len(keys) != len(set(keys)):
        raise yaml.YAMLError(f"a key stands twice among {keys}")
    loader.flatten_mapping(node)
    found: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return found


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)
