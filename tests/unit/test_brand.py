"""The operator's brand: what is refused at the start, and colours that can be read whatever was wished for."""

import random
import re
from pathlib import Path

import pytest

import hookspan.dashboard
from hookspan import brand
from hookspan.brand import CONTRAST_MIN, LOGO_BYTES_MAX, Brand, Logo, contrast, read_brand, read_logo, style_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4z"/></svg>'
DICE = random.Random(17)
COLOURS = ["#000", "#fff", "#ffcc00", "#00ff00", "#0000ff", "#ff0000", "#767676", "#00aa77"] + [
    f"#{DICE.randrange(1 << 24):06x}" for _ in range(200)
]
SHEET = (Path(hookspan.dashboard.__file__).parent / "assets" / "hookspan.css").read_text()


@pytest.mark.parametrize(
    ("raw", "name", "media_type"),
    [
        (PNG, "logo.png", "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "logo.jpg", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "logo.webp", "image/webp"),
        (SVG, "logo.svg", "image/svg+xml"),
        (
            b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand --><!-- twice -->\n' + SVG,
            "logo.svg",
            "image/svg+xml",
        ),
        (
            b'<?xml version="1.0"?>\n'
            + b"<!-- a -->\n" * 40
            + b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
            + SVG,
            "logo.svg",
            "image/svg+xml",
        ),
    ],
)
def test_a_logo_is_told_by_its_content(tmp_path: Path, raw: bytes, name: str, media_type: str) -> None:
    """Whatever its file is called."""
    path = tmp_path / "picture.dat"
    path.write_bytes(raw)
    assert read_logo(path) == Logo(name, media_type, raw)
    assert brand.wrong_logo(str(path)) is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "is no PNG, SVG, JPEG or WebP"),
        (b"<html><svg></svg></html>", "is no PNG"),
        (b"<svgx>", "is no PNG"),
        (b"<!-- a -->" * 2_000 + b"<p>", "is no PNG"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "is no PNG"),
        (b"GIF89a", "is no PNG"),
        (b"<!--" + b"-" * 5_000, "is no PNG"),
        (PNG + bytes(LOGO_BYTES_MAX), "is larger than 256 KiB"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, raw: bytes, why: str) -> None:
    """With the file's name and the reason."""
    path = tmp_path / "logo.png"
    path.write_bytes(raw)
    said = brand.wrong_logo(str(path)) or ""
    assert said.startswith(str(path))
    assert why in said


def test_a_logo_at_the_bound_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(PNG + bytes(LOGO_BYTES_MAX - len(PNG)))
    assert brand.wrong_logo(str(path)) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Nor a folder, nor what can't be a path."""
    assert "can't read" in (brand.wrong_logo(str(tmp_path / "none.png")) or "")
    assert "can't read" in (brand.wrong_logo(str(tmp_path)) or "")
    assert brand.wrong_logo("\0") == "is no path of a file"
    with pytest.raises(ValueError, match="can't read"):
        read_brand(None, str(tmp_path / "none.png"), None)


def test_names_and_colours() -> None:
    """A name that can be shown; a colour in one of two forms."""
    assert brand.wrong_name("Größe & Söhne") is None
    assert brand.wrong_name("x" * 60) is None
    for text in ("", "  ", "x" * 61, "a\nb", "a\0b"):
        assert brand.wrong_name(text) == "must be 1 to 60 printable characters"
    for text in ("#0a7", "#00AA77"):
        assert brand.wrong_colour(text) is None
    for text in ("", "red", "#0a77", "0a7", "#0a7 ", "#00aa7g", "#\N{FULLWIDTH DIGIT ZERO}a7", "rgb(0,0,0)", "#0a7;}"):
        assert brand.wrong_colour(text) == "must be a colour as #0a7 or #00aa77"


def tokens(style: str) -> dict[str, tuple[str, str]]:
    """Light and dark by name."""
    return {
        name: (light, dark) for name, light, dark in re.findall(r"(--[a-z-]+): light-dark\((#\w+), (#\w+)\)", style)
    }


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_gives_text_that_can_be_read(colour: str) -> None:
    """Links on all backgrounds, and words on buttons, in both schemes; a wish that can be read is kept."""
    found = tokens(style_of(colour).decode())
    assert set(found) == {"--accent", "--accent-ink", "--accent-soft"}
    for scheme, plain in ((0, ("#ffffff", "#f1f2f5")), (1, ("#0e1015", "#1e2128"))):
        accent = found["--accent"][scheme]
        for behind in (found["--accent-soft"][scheme], *plain):
            assert contrast(accent, behind) >= CONTRAST_MIN, (accent, behind)
        assert contrast(accent, found["--accent-ink"][scheme]) >= CONTRAST_MIN
    dark_enough = contrast(colour, found["--accent-soft"][0]) >= CONTRAST_MIN
    assert (found["--accent"][0] == brand._hex(brand._linear(colour))) == dark_enough


def test_the_sheet_s_own_tokens_are_those_that_are_replaced() -> None:
    """A token that is renamed there would leave the operator's colour without effect."""
    for name in tokens(style_of("#0a7").decode()):
        assert f"    {name}: light-dark(" in SHEET


def test_contrast_is_that_of_wcag() -> None:
    """Known values: black on white, and the grey that just passes."""
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_the_version_names_the_content(tmp_path: Path) -> None:
    """Another logo or colour has another address; without any there is one too."""
    path = tmp_path / "logo"
    path.write_bytes(SVG)
    versions = {
        read_brand(name, logo, colour).version
        for name, logo, colour in (
            (None, None, None), ("Acme", None, None), (None, str(path), None), (None, None, "#0a7"),
            (None, None, "#0a8"), (None, str(path), "#0a7"),
        )
    }  # fmt: skip
    assert len(versions) == 5
    assert Brand().style is None
