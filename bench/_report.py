"""The page docs/benchmarks.md and its chart. Pure text from results; nothing is measured here."""

import html
from collections.abc import Sequence

from bench._figures import Result, Spread
from bench._machine import Machine

PAGE, CHART = "benchmarks.md", "benchmarks.svg"
_MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}

_WORK = """\
The work of one event: about 500 bytes POSTed to the API, kept durably (fsync) before it is answered, signed, delivered
over HTTP to one webhook, its outcome recorded. Delivered events are counted at the receiver, not at the API. The load
(wrk), the receiver (nginx) and the program under measure share this machine's cores, so absolute numbers say more
about the machine than about Hookspan. Therefore each measurement has a partner that ran right before it, and the
ratio is the median over such pairs, with the least and the most of them.

The **floor** is a program of some 200 lines, [bench/floor.py](../bench/floor.py), that does this work and nothing else:
no keys, no catalog, no subscriptions, no retries, no limits. A ratio of 1 means that all of that costs nothing.
"""


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = ["| what | ratio (least to most) | medians | aim | pairs |", "|---|---|---|---|---|"]
    for result in results:
        ratio = result.ratio
        shown = f"**{ratio.median:.2f}** ({ratio.least:.2f} to {ratio.most:.2f})" if ratio else ""
        lines.append(f"| {result.title} | {shown} | {result.figure} | {result.aim} | {result.pairs} |")
    return "\n".join(lines) + "\n"


def page(results: Sequence[Result], machine: Machine, command: str) -> str:
    """The whole page."""
    chart = f"![Ratios as bars; the table below has the numbers]({CHART})\n\n" if _charted(results) else ""
    return (
        "# How fast\n\n"
        "<!-- Written by `make bench ARGS=--write`. Changes by hand are lost with the next run. -->\n\n"
        f"{_WORK}\n{chart}{table(results)}\n## Where and when\n\n{facts(machine)}- command: `{command}`\n"
    )


def facts(machine: Machine) -> str:
    """The machine as a Markdown list."""
    disk = f"databases on {machine.file_system}"
    if machine.file_system in _MEMORY_FILE_SYSTEMS:
        disk += ": in memory, so an fsync costs nothing here, and throughput looks better than it is"
    return (
        f"- {machine.cores} cores ({machine.cpu}), {machine.memory_gib:.0f} GiB memory, {machine.system}; {disk}\n"
        f"- Hookspan {machine.hookspan}, {machine.python}, SQLite {machine.sqlite} "
        f"(the floor's: {machine.sqlite_of_floor})\n"
        f"- {machine.tools}\n"
        f"- measured on {machine.measured_on}\n"
    )


# --- the chart ------------------------------------------------------------------------------------------------------

_WIDTH, _BAR, _GAP, _TOP, _BOTTOM = 760, 22, 44, 46, 40
_LEFT, _RIGHT = 24, 70
_RATIO_MIN = 1.2  # the axis shows at least so much, so that the line at 1 is inside

# Colours for both: a page that shows the chart as an image lets it follow the reader's light or dark mode.
_STYLE = """
    .ground { fill: #fbfcfe; }
    text { font: 13px ui-sans-serif, system-ui, "Segoe UI", sans-serif; fill: #1d2636; }
    .head { font-weight: 600; font-size: 15px; }
    .number { font-weight: 600; }
    .small { font-size: 11.5px; fill: #5a6880; }
    .bar { fill: #3b6fb6; }
    .track { fill: #e6ebf3; }
    .spread { stroke: #1d2636; stroke-width: 1.5; }
    .one { stroke: #b4581c; stroke-width: 1.5; stroke-dasharray: 4 4; }
    .onetext { fill: #b4581c; text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #161b24; }
      text { fill: #e4e9f2; }
      .small { fill: #9aa7bd; }
      .bar { fill: #5b93e0; }
      .track { fill: #262e3c; }
      .spread { stroke: #e4e9f2; }
      .one { stroke: #e39458; }
      .onetext { fill: #e39458; }
    }
"""


def chart(results: Sequence[Result]) -> str:
    """The ratios of which more is better as an SVG bar chart, with whiskers from least to most and a line at 1.

    Raises ValueError when no result belongs into it.
    """
    charted = _charted(results)
    if not charted:
        raise ValueError("None of these results is for the chart.")
    most = max(_RATIO_MIN, *(spread.most for _, spread in charted))
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    height = _TOP + len(charted) * (_BAR + _GAP) + _BOTTOM
    label = "; ".join(f"{result.title}: {spread.median:.2f}" for result, spread in charted)
    bars = "".join(_bar(number, *row, scale) for number, row in enumerate(charted))
    one = _LEFT + scale
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{html.escape(label)}">\n'
        f"  <style>{_STYLE}  </style>\n"
        f'  <rect class="ground" width="{_WIDTH}" height="{height}" rx="10"/>\n'
        f'  <text class="head" x="{_LEFT}" y="30">Ratios within one run; more is better</text>\n'
        f"{bars}"
        f'  <line class="one" x1="{one:.1f}" y1="{_TOP}" x2="{one:.1f}" y2="{height - _BOTTOM + 8}"/>\n'
        f'  <text class="small onetext" x="{one:.1f}" y="{height - 16}">1 = as fast as its partner</text>\n'
        "</svg>\n"
    )


def _bar(number: int, result: Result, spread: Spread, scale: float) -> str:
    top = _TOP + number * (_BAR + _GAP) + 24
    middle = top + _BAR / 2
    least, most = (_LEFT + scale * ratio for ratio in (spread.least, spread.most))
    return (
        f'  <text x="{_LEFT}" y="{top - 7}">{html.escape(result.title)}</text>\n'
        f'  <rect class="track" x="{_LEFT}" y="{top}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_BAR}" rx="3"/>\n'
        f'  <rect class="bar" x="{_LEFT}" y="{top}" width="{scale * spread.median:.1f}" height="{_BAR}" rx="3"/>\n'
        f'  <line class="spread" x1="{least:.1f}" y1="{middle}" x2="{most:.1f}" y2="{middle}"/>\n'
        f'  <text class="number" x="{_WIDTH - _RIGHT + 12}" y="{middle + 5}">{spread.median:.2f}</text>\n'
    )


def _charted(results: Sequence[Result]) -> list[tuple[Result, Spread]]:
    return [(result, result.ratio) for result in results if result.is_charted and result.ratio is not None]
