"""The operator's name, logo and colour, as customers see them: checked at the start, so that no page is ever the first
to notice.

A colour is taken as a wish: what is text or lies behind text gets the nearest shade that can be read, in light and in
dark. The sums are those of OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020) and of
contrast in WCAG 2.2.
"""

import hashlib
import math
import re
from pathlib import Path
from typing import Final

import msgspec

NAME_CHARS_MAX: Final = 60
LOGO_BYTES_MAX: Final = 256 * 1024
CONTRAST_MIN: Final = 4.5  # WCAG 2.2, 1.4.3, level AA
_COLOUR = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)
# Each part ends in one way only, so that a file which is none is told in one pass. A DOCTYPE without entities is what
# drawing programs write.
_COMMENTS = rb"(?:<!--(?:(?!-->).){0,2000}+-->\s*+)*+"
_SVG = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]{0,200}\?>\s*+)?"
    + _COMMENTS
    + rb"(?:<!DOCTYPE\s[^>\[]{0,400}>\s*+)?"
    + _COMMENTS
    + rb"<svg[\s>]",
    re.DOTALL,
)
# Lightness and chroma of what lies behind text in the accent's colour, at worst: the style sheet's --accent-soft.
_SOFT_LIGHT, _SOFT_DARK = (0.955, 0.02), (0.30, 0.06)
_INK_ON_DARK = (0.18, 0.03)
_STEP: Final = 0.005  # of lightness
_CHROMA_KEPT: Final = 0.96
_NEARLY: Final = 1e-4  # a colour that is so little beyond what a screen has is on it

Rgb = tuple[float, float, float]  # linear, from 0 to 1


class Logo(msgspec.Struct, frozen=True):
    """A picture: the name it is served under, its type, its bytes."""

    name: str
    media_type: str
    raw: bytes


class Brand(msgspec.Struct, frozen=True):
    """What of it is set. `style` is a style sheet, `version` names all content, for addresses that may be kept."""

    name: str | None = None
    logo: Logo | None = None
    style: bytes | None = None

    @property
    def version(self) -> str:
        raw = (self.style or b"") + b"\0" + (b"" if self.logo is None else self.logo.name.encode() + self.logo.raw)
        return hashlib.sha256(raw).hexdigest()[:16]


def read_brand(name: str | None, logo: str | None, colour: str | None) -> Brand:
    """From settings that were checked by the functions below. Raises ValueError for a logo that is another by now."""
    found = None
    if logo is not None:
        read = read_logo(Path(logo))
        if isinstance(read, str):
            raise ValueError(read)
        found = read
    return Brand(name, found, None if colour is None else style_of(colour))


def wrong_name(text: str) -> str | None:
    """Why this can't be the name; None when it can."""
    if text.strip() and text.isprintable() and len(text) <= NAME_CHARS_MAX:
        return None
    return f"must be 1 to {NAME_CHARS_MAX} printable characters"


def wrong_logo(path: str) -> str | None:
    """Why this file can't be the logo; None when it can."""
    read = read_logo(Path(path))
    return read if isinstance(read, str) else None


def wrong_colour(text: str) -> str | None:
    """Why this can't be the colour; None when it can."""
    return None if _COLOUR.fullmatch(text) else "must be a colour as #0a7 or #00aa77"


def read_logo(path: Path) -> Logo | str:
    """The logo, told by its content; or why it can't be one."""
    try:
        with path.open("rb") as file:
            raw = file.read(LOGO_BYTES_MAX + 1)
    except OSError as error:
        return f"can't read {path}: {error.strerror}"
    except ValueError:  # a NUL in the path
        return "is no path of a file"
    if len(raw) > LOGO_BYTES_MAX:
        return f"{path} is larger than {LOGO_BYTES_MAX // 1024} KiB"
    for suffix, media_type, is_one in (
        ("png", "image/png", raw.startswith(b"\x89PNG\r\n\x1a\n")),
        ("jpg", "image/jpeg", raw.startswith(b"\xff\xd8\xff")),
        ("webp", "image/webp", raw[:4] == b"RIFF" and raw[8:12] == b"WEBP"),
        ("svg", "image/svg+xml", _SVG.match(raw) is not None),
    ):
        if is_one:
            return Logo(f"logo.{suffix}", media_type, raw)
    return f"{path} is no PNG, SVG, JPEG or WebP"


# --- colours ------------------------------------------------------------------------------------------------------


def style_of(colour: str) -> bytes:
    """The style sheet of a colour: as it is only in the line above the page, elsewhere in shades that can be read."""
    lightness, chroma, hue = _oklch(_linear(colour))
    light_soft = _hex(_fitting(_SOFT_LIGHT[0], min(chroma, _SOFT_LIGHT[1]), hue))
    dark_soft = _hex(_fitting(_SOFT_DARK[0], min(chroma, _SOFT_DARK[1]), hue))
    dark_ink = _hex(_fitting(_INK_ON_DARK[0], min(chroma, _INK_ON_DARK[1]), hue))
    light = _readable(colour, lightness, chroma, hue, against=light_soft, step=-_STEP)
    dark = _readable(colour, lightness, chroma, hue, against=dark_soft, step=_STEP)
    return (
        f":root {{\n  --accent: light-dark({light}, {dark});\n  --accent-ink: light-dark(#ffffff, {dark_ink});\n"
        f"  --accent-soft: light-dark({light_soft}, {dark_soft});\n}}\n"
        f".top {{ border-block-start: 3px solid {_hex(_linear(colour))}; }}\n"
    ).encode()


def contrast(one: str, other: str) -> float:
    """From 1 to 21; WCAG 2.2."""
    darker, lighter = sorted(_luminance(_linear(colour)) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, lightness: float, chroma: float, hue: float, *, against: str, step: float) -> str:
    """The colour itself if it can be read, else its nearest shade that can."""
    shade = _hex(_linear(colour))
    while contrast(shade, against) < CONTRAST_MIN:
        lightness += step  # ends: white and black can be read on either
        shade = _hex(_fitting(min(max(lightness, 0.0), 1.0), chroma, hue))
    return shade


def _linear(colour: str) -> Rgb:
    digits = colour.removeprefix("#")
    if len(digits) == len("0a7"):
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (_decoded(int(digits[place : place + 2], 16) / 255) for place in (0, 2, 4))
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(min(max(_encoded(one), 0.0), 1.0) * 255):02x}" for one in colour)


def _decoded(value: float) -> float:
    """From sRGB's curve (IEC 61966-2-1) to light."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _encoded(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055  # noqa: PLR2004


def _luminance(colour: Rgb) -> float:
    red, green, blue = colour
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(colour: Rgb) -> tuple[float, float, float]:
    red, green, blue = colour
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _fitting(lightness: float, chroma: float, hue: float) -> Rgb:
    """With as much of the chroma as a screen has at this lightness."""
    while True:
        colour = _rgb(lightness, chroma, hue)
        if chroma < _STEP / 10 or all(-_NEARLY <= one <= 1 + _NEARLY for one in colour):
            red, green, blue = (min(max(one, 0.0), 1.0) for one in colour)
            return red, green, blue
        chroma *= _CHROMA_KEPT


def _rgb(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
