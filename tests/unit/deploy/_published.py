"""Whether an object is as Kubernetes' own schemas say, in their strict form: no unknown member, none of another type,
none missing. The schemas are those that the package kubernetes-validate carries, made from Kubernetes' OpenAPI
document; they are read from its files, by the validator that Hookspan has anyway.
"""

import functools
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import jsonschema_rs

VERSION = "v1.37.0-local-strict"
_NOWHERE = "https://schemas.invalid/"


def published_problem(document: dict[str, Any]) -> str | None:
    """What is wrong with an object; None when it is as it must be."""
    group, _, version = str(document.get("apiVersion", "")).rpartition("/")
    parts = [str(document.get("kind", "")).lower(), *([group.split(".")[0]] if group else []), version]
    try:
        validator = _validator(f"{'-'.join(parts)}.json")
    except FileNotFoundError:
        return f"Kubernetes knows no {document.get('kind')!r} of {document.get('apiVersion')!r}"
    error = next(iter(validator.iter_errors(document)), None)
    return None if error is None else f"{'/'.join(str(step) for step in error.instance_path)}: {error.message}"


@functools.cache
def _validator(name: str) -> Any:
    return jsonschema_rs.validator_for(
        _schema(name), base_uri=_NOWHERE + name, retriever=lambda uri: _schema(uri.rpartition("/")[2])
    )


@functools.cache
def _schema(name: str) -> Any:
    package = importlib.metadata.distribution("kubernetes-validate")
    path = Path(str(package.locate_file(f"kubernetes_validate/kubernetes-json-schema/{VERSION}/{name}")))
    return json.loads(path.read_text(encoding="utf-8"))
