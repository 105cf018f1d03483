"""The page and the chart that `make bench ARGS=--write` leaves in docs/."""

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from bench._figures import Result, Spread
from bench._machine import Machine
from bench._report import CHART, chart, facts, page, table

MACHINE = Machine(
    cpu="Imaginary 9000",
    cores=2,
    memory_gib=23.5,
    file_system="ext4",
    system="Linux x86_64",
    python="CPython 3.11.7",
    sqlite="3.54.1",
    sqlite_of_floor="3.40.1",
    hookspan="0.1.0",
    tools="wrk 4.1.0, nginx 1.22.1",
    measured_on="2030-01-02",
)
FAST = Result("single", "Singles ÷ <floor>", "15,000 delivered/s", 5, Spread(0.7, 0.6, 0.8), "≥ 0.65", is_charted=True)
PLAIN = Result("memory_idle", "Memory, idle", "57 MiB", 3, aim="≤ 80 MiB")


def test_the_table_has_each_result_with_ratio_spread_and_aim() -> None:
    """A result without a partner leaves its ratio empty."""
    lines = table([FAST, PLAIN]).splitlines()
    assert lines[2] == "| Singles ÷ <floor> | **0.70** (0.60 to 0.80) | 15,000 delivered/s | ≥ 0.65 | 5 |"
    assert lines[3] == "| Memory, idle |  | 57 MiB | ≤ 80 MiB | 3 |"


def test_the_page_says_where_when_and_how() -> None:
    """Machine, versions, date and the command: what a number means nothing without."""
    text = page([FAST, PLAIN], MACHINE, "make bench ARGS=--write")
    for fact in ("2 cores", "Imaginary 9000", "24 GiB", "ext4", "3.11.7", "3.54.1", "3.40.1", "0.1.0", "2030-01-02"):
        assert fact in text
    assert "`make bench ARGS=--write`" in text
    assert f"]({CHART})" in text


def test_a_page_without_ratios_shows_no_chart() -> None:
    """No dead image where only memory was measured."""
    assert CHART not in page([PLAIN], MACHINE, "make bench")
    with pytest.raises(ValueError, match="None of these results"):
        chart([PLAIN])


def test_a_disk_in_memory_is_confessed() -> None:
    """An fsync that costs nothing makes every number look better than it is."""
    assert "fsync costs nothing" in facts(msgspec.structs.replace(MACHINE, file_system="tmpfs"))
    assert "fsync costs nothing" not in facts(MACHINE)


def test_the_chart_is_drawn_to_scale() -> None:
    """Bars are as long as their ratios; the whisker and the line at 1 use the same axis; text is escaped."""
    other = msgspec.structs.replace(FAST, title="Batches", ratio=Spread(1.4, 1.2, 1.6))
    text = chart([FAST, PLAIN, other])
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    bars = [float(bar.attrib["width"]) for bar in root.iter(f"{space}rect") if bar.attrib["class"] == "bar"]
    assert bars[1] / bars[0] == pytest.approx(2.0, abs=0.01)
    lines = {line.attrib["class"]: line.attrib for line in root.iter(f"{space}line")}
    left = float(next(bar.attrib["x"] for bar in root.iter(f"{space}rect") if bar.attrib["class"] == "bar"))
    assert (float(lines["one"]["x1"]) - left) * 1.4 == pytest.approx(bars[1], abs=0.2)
    assert (float(lines["spread"]["x2"]) - left) / 1.6 == pytest.approx(bars[1] / 1.4, abs=0.2)
    width = float(root.attrib["viewBox"].split()[2])
    assert float(lines["spread"]["x2"]) < width
    assert "Memory" not in text
    assert "Singles ÷ <floor>" in [element.text for element in root.iter(f"{space}text")]


def test_the_chart_reads_in_light_and_dark() -> None:
    """Every colour of the light style has its partner for readers in dark mode."""
    light, _, dark = chart([FAST]).partition("@media (prefers-color-scheme: dark)")
    coloured = r"(\.?[a-z]+) \{[^}]*(?:fill|stroke): #"
    assert set(re.findall(coloured, light)) == set(re.findall(coloured, dark))
