"""A profile's rules, credentials and header lines, said in words.

They are read from profile.toml as it was written, so that durations look as they do there; docs/profiles.md explains
each key.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
Lines = list[tuple[str, str]]

_NAMES = {"optional": "a name if you like", "required": "each with a name", "none": "without names"}
_ABSENT = {
    "all": "a webhook without a list gets every type, later ones too",
    "none": "a webhook without a list gets nothing",
    "refused": "the list must be given",
}
_STARTS = {
    "now": "now",
    "webhook_creation": "at its creation",
    "beginning_of_time": "at the first event kept",
    "position": "after a position",
}
_KINDS = {
    "text": "a text",
    "whsec": "a whsec_ secret",
    "ed25519": "an Ed25519 key pair",
    "rsa-2048": "an RSA key pair of 2048 bit",
}
_TEXT_KINDS = {"text", "whsec"}
_SHOWN = {"once": "shown once, when made", "public": "its public key always shown", "never": "never shown again"}


_SHOWN_BESIDE = {"title", "description", "examples", "x-context"}
_DEFINITION = re.compile(r"#/\$defs/([^\"/]+)")
_LISTS = re.compile(r"\{context\[([^\[\]]+)\]\}")


def duration(ms: int) -> str:
    """Hours, or what is shorter."""
    for unit_ms, unit in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if ms >= unit_ms:
            return f"{round(ms / unit_ms, 1):g} {unit}"
    return f"{ms} ms"


def rules(document: Document) -> Lines:
    """What customers may configure and how often a delivery is tried, a line each."""
    delivery, epoch, test = document["delivery"], document["epoch"], document.get("test")
    starts = [_STARTS[one] for one in epoch.get("values", ()) if one != epoch["default"]]
    before = f", with the {epoch['before']} events before it" if epoch.get("before") else ""
    return [
        ("webhooks", _webhooks(document["limits"])),
        ("URL", _url(document["limits"], document["states"])),
        ("new webhook", "active" if document["states"]["new"] == "active" else "disabled, until it is activated"),
        ("configured by", " or ".join(one.replace("_", " ") for one in document["access"]["configure"])),
        ("subscription", f"by {document['subscription']['by']}; {_ABSENT[document['subscription']['absent']]}"),
        ("order", "fifo: one after the other, as published" if delivery["order"] == "fifo" else "any"),
        ("timeout", delivery["timeout"]),
        ("retries", _retries(document["retry"])),
        ("after the last", _exhausted(delivery)),
        ("410 Gone", "disables the webhook" if delivery["gone"] == "disable" else "is a failure like any other"),
        (
            "failing only",
            f"for {after} disables it" if (after := delivery.get("auto_disable")) else "never disables it",
        ),
        ("starts", _STARTS[epoch["default"]] + before + (f"; or {', '.join(starts)}" if starts else "")),
        ("test event", "none" if test is None else test.get("type", "a sample of the catalog")),
        ("settable", ", ".join(document.get("settable", ())) or "nothing"),
    ]


def _webhooks(limits: Document) -> str:
    count = f"at most {limits['webhooks']}" if limits["webhooks"] else "any number"
    return f"{count} of an application, {_NAMES[limits['name']]}"


def _url(limits: Document, states: Document) -> str:
    scheme = "https only" if limits["https"] == "required" else "https, or http where the operator allows it"
    checked = "; its certificate is checked when it is saved" if limits.get("certificate") == "checked_at_save" else ""
    change = "only while the webhook is disabled" if states["url_change"] == "disabled" else "at any time"
    return f"{scheme}{checked}; may change {change}"


def _retries(retry: Document) -> str:
    jitter = f", each up to {retry['jitter']:.0%} sooner or later" if retry.get("jitter") else ""
    if "delays" in retry:
        return f"after {', '.join(retry['delays'][1:])}{jitter}"
    return (
        f"after {retry['first']}, then times {retry.get('factor', 3):g} up to {retry.get('cap', '6h')}{jitter}; "
        f"the last one {retry['until']} after the first attempt"
    )


def _exhausted(delivery: Document) -> str:
    if delivery.get("when_exhausted") == "stall":
        return "the webhook stalls until a send by hand succeeds"
    return "the delivery has failed; a person may retry it"


def credentials(document: Document) -> Lines:
    """Each credential: what it is, where it comes from, who sees it."""
    return [(given_as(name, one), _credential(one)) for name, one in document.get("credential", {}).items()]


def given_as(name: str, table: Document) -> str:
    """What people call a credential: a key pair is given by its private half."""
    return name if table["kind"] in _TEXT_KINDS else "private_key"


def _credential(one: Document) -> str:
    made = [f"made by Hookspan ({one['make']})"] if "make" in one else []
    given = [f"given by the {' or the '.join(one['give'])}"] if one.get("give") else []
    required = one.get("required", False)
    need = "required" if required is True else "optional"
    if isinstance(required, str):
        need = f"one of those for {required.partition(':')[2]} is required"
    parts = [_KINDS.get(one["kind"], one["kind"]), " or ".join(made + given), need, _SHOWN[one["shown"]]]
    if rotate := one.get("rotate"):
        parts.append(f"rotated with {rotate['overlap']} of overlap, at most {rotate['live']} at a time")
    return "; ".join(part for part in parts if part)


def headers(document: Document) -> Lines:
    """Each header line as it is written, with how its signatures are made."""
    plain = [(one["name"], one["value"]) for one in document.get("header", ())]
    tables = document.get("credential", {})
    return plain + [
        line
        for one in document.get("signature", ())
        for line in _signature(one, given_as(one["credential"], tables[one["credential"]]))
    ]


def _signature(one: Document, credential: str) -> Iterator[tuple[str, str]]:
    value = one.get("value", "{signatures}").replace("{signatures}", one.get("each", "{sig}"))
    digest = f" over the {one['prehash'].upper().replace('SHA', 'SHA-')} digest" if "prehash" in one else ""
    yield one["header"], f"{value}  where {{sig}} is {one['algorithm']}{digest} of {one['signed']}"
    yield "", f"with {credential}, in {one['encoding']}"


def body(document: Document) -> Lines:
    """Each member of the JSON body, in order."""
    return [(key, value) for key, value in document["body"]["rows"]]


def context(document: Document) -> Lines:
    """What publishers may give beside the content: members for every type, and those of a group of types."""
    members = [(name, kind) for name, kind in document["body"].get("context", {}).items()]
    lists = [key for key, value in body(document) for key in _LISTS.findall(value) if key]
    groups = document["catalog"].get("group", {}).items()
    return members + [
        (name, _of_context(group, lists)) for name, group in groups if any(group.get(key) for key in lists)
    ]


def _of_context(group: Document, lists: list[str]) -> str:
    parts = []
    for key in lists:
        least = group.get(f"{key}_min")
        note = "" if least is None else f" (at least {least})" if least else " (may be left out)"
        parts.append(", ".join(one.partition(":")[0] for one in group.get(key, ())) + note)
    return "; ".join(part for part in parts if part)


def schema(whole: Document) -> dict[str, Any]:
    """A type's JSON Schema without what is shown beside it, and without the types that it shares its file with."""
    definitions = whole["$defs"]
    wanted = _DEFINITION.findall(whole["$ref"])
    for name in wanted:  # grows while it is read: what a definition refers to is wanted too
        found = dict.fromkeys(_DEFINITION.findall(json.dumps(definitions[name])))
        wanted += [one for one in found if one in definitions and one not in wanted]
    top = {key: value for key, value in definitions[wanted[0]].items() if key not in _SHOWN_BESIDE}
    return top | {"$defs": {name: definitions[name] for name in wanted[1:]}} if wanted[1:] else top


def columns(lines: Lines, indent: int = 2) -> list[str]:
    """Two columns, the first as wide as it needs to be."""
    width = max((len(name) for name, _ in lines), default=0)
    return [f"{' ' * indent}{name.ljust(width)}  {text}".rstrip() for name, text in lines]
