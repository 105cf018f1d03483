"""What browsers load: ours, whole, and what it says it is."""

import hashlib
import json
import re
from pathlib import Path

from hookspan.dashboard import _assets
from hookspan.dashboard._assets import ASSETS_HASH, asset

FOLDER = Path(_assets.__file__).parent / "assets"
TEMPLATES = Path(_assets.__file__).parent / "templates"
LINES_MAX = 700


def test_vendored_files_are_those_that_were_published() -> None:
    """vendored.json says from which package, with the integrity that its registry has; the digests are of our copies.
    That these are the published ones is held by tests/outside.
    """
    vendored = json.loads((FOLDER / "vendored.json").read_text())
    for name, facts in vendored.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == facts["sha256"]
        assert (FOLDER / facts["license_file"]).stat().st_size > 0
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", facts["integrity"])
    scripts = {file.name for file in FOLDER.glob("*.js")}
    assert scripts - set(vendored) == {"hookspan.js", "tail.js"}


def test_the_path_names_the_content() -> None:
    """One hash for all, in every path."""
    assert re.fullmatch(r"[0-9a-f]{16}", ASSETS_HASH)
    assert asset("hookspan.css") == f"/assets/{ASSETS_HASH}/hookspan.css"


def test_styles_load_nothing_and_have_a_size_to_read() -> None:
    """No import, no font, no url from anywhere; few enough lines to hold in one's head."""
    css = (FOLDER / "hookspan.css").read_text()
    assert "url(" not in css
    assert "@import" not in css
    assert css.count("\n") <= LINES_MAX


def test_every_class_of_a_template_is_styled() -> None:
    """A class that nothing styles is a typo; one for scripts or states is in a word of its own."""
    css = (FOLDER / "hookspan.css").read_text()
    styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", css))
    used: set[str] = set()
    for file in TEMPLATES.glob("*.html"):
        for value in re.findall(r'class="([^"]*)"', file.read_text()):
            used |= set(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", value).split())
    assert used - styled == set()


def test_every_icon_is_drawn() -> None:
    """A name that the sprite lacks would be an empty space."""
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', (FOLDER / "icons.svg").read_text()))
    asked: set[str] = set()
    for file in TEMPLATES.glob("*.html"):
        asked |= set(re.findall(r'icon\("([a-z]+)"', file.read_text()))
    assert asked <= drawn


def test_own_script_evaluates_nothing() -> None:
    """No HTML is made of text, nothing is evaluated."""
    script = (FOLDER / "hookspan.js").read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", "document.write"):
        assert word not in script
