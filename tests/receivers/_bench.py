"""Recipes beside webhooks: what the webhooks got is what the recipes are asked to judge."""

import base64
import contextlib
import itertools
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.capture import Arrived, Capture, Hook
from tests.support.recipes import LANGUAGES, Recipe

STANDARD_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SECRET = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
TOKEN = "any text: ünrestricted"
LMS_SECRET = "a shared key äöü"
USER = "766b2f5d-a942-492c-9ea7-2e5aa88cb672"
PROFILES = ("standard", "bridge-api", "bridge-xyz", "bridge-lms")


class Bench:
    """Everything is made when first asked for, and once."""

    def __init__(self, capture: Capture, folder: Path) -> None:
        self._capture, self._folder = capture, folder
        self._hooks: dict[str, Hook] = {}
        self._commands: dict[str, dict[str, list[str]]] = {}
        self._running: dict[tuple[str, str], Recipe] = {}
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()

    def hook(self, profile: str) -> Hook:
        """The profile's webhook."""
        if profile not in self._hooks:
            self._hooks[profile] = self._capture.hook(profile, **_members(profile))
        return self._hooks[profile]

    def event(self, profile: str) -> Arrived:
        """A new event of the profile's webhook, as it arrived."""
        hook, number = self.hook(profile), next(self._numbers)
        if profile == "standard":
            return hook.publish("order.paid", {"order_id": number, "note": "äöü"})
        if profile == "bridge-api":
            return hook.publish("item.created", {"item_id": number, "user_uuid": USER})
        if profile == "bridge-xyz":
            content = {"id": f"cc598628-29ab-448e-851f-{number:012}", "state": "awaiting_funds", "amount": "50.0"}
            return hook.publish("transfer.updated.status_transitioned", content)
        author = {"email": "jcool@acme.com", "id": 1}
        return hook.publish("course_template.created", {"id": number, "title": "wh-2"}, context={"author": author})

    def recipe(self, language: str, profile: str) -> Recipe:
        """Its process, with what the profile's webhook signs with; the same for all tests."""
        if (language, profile) not in self._running:
            recipe = self.started(language, profile, self._environment(language, profile))
            self._stack.callback(recipe.close)
            self._running[language, profile] = recipe
        return self._running[language, profile]

    def started(self, language: str, profile: str, environment: dict[str, str]) -> Recipe:
        """A process of its own. Raises NotStarted."""
        if language not in self._commands:
            (self._folder / language).mkdir(exist_ok=True)
            self._commands[language] = LANGUAGES[language](self._folder / language)
        command = self._commands[language][profile.replace("-", "")]
        return Recipe(command, environment, [command[0], command[-1]] if language == "php" else None)

    def close(self) -> None:
        self._stack.close()

    def _environment(self, language: str, profile: str) -> dict[str, str]:
        spool = self._folder / language / f"queue-{profile}"
        spool.mkdir(parents=True, exist_ok=True)
        key = self._folder / language / f"{profile}.pem"
        key.write_text(str(self.hook(profile).answer["public_key"]))
        known = {
            "standard": {"SECRET": STANDARD_SECRET},
            "bridge-api": {"SECRET": SECRET},
            "bridge-xyz": {"PUBLIC_KEY": str(key)},
            "bridge-lms": {"SECRET": LMS_SECRET, "TOKEN": TOKEN},
        }
        return known[profile] | {"QUEUE": str(spool)}


def _members(profile: str) -> dict[str, Any]:
    if profile == "standard":
        return {"credentials": {"secret": STANDARD_SECRET}}
    if profile == "bridge-api":
        return {"credentials": {"secret": SECRET}, "events": ["user.*", "item.*"]}
    if profile == "bridge-xyz":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {"credentials": {"private_key": pem.decode()}}
    events = ["category:course_template", "category:user"]
    return {"name": "HR", "credentials": {"secret": LMS_SECRET, "token": TOKEN}, "events": events}
