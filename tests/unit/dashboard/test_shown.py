"""Times, sizes, spans, shares and ids as people read them."""

import pytest

from hookspan.dashboard import _shown

NOW = 1_795_280_000_000  # 2026-11-21T18:13:20Z


@pytest.mark.parametrize(
    ("at_ms", "words"),
    [
        (NOW, "now"),
        (NOW - 999, "now"),
        (NOW - 1_000, "1 second ago"),
        (NOW - 59_999, "59 seconds ago"),
        (NOW - 60_000, "1 minute ago"),
        (NOW + 7_200_000, "in 2 hours"),
        (NOW + 129_600_000, "in 36 hours"),
        (NOW - 2 * 86_400_000, "2 days ago"),
        (NOW - 3 * 86_400_000, "3 days ago"),
    ],
)
def test_relative(at_ms: int, words: str) -> None:
    """The largest unit that fits, whole, before or after now."""
    from hookspan.domain.times import to_text

    assert _shown.relative(to_text(at_ms), NOW) == words


def test_what_is_no_time_stays_text() -> None:
    """Nothing that comes from outside makes a page fail."""
    assert _shown.relative("soon", NOW) == "soon"
    assert _shown.exact("soon") == "soon"
    assert str(_shown.sentence("at <b>2026-99-99T99:99:99.999Z</b>")).count("&lt;b&gt;") == 1


def test_exact() -> None:
    """To the millisecond, with the zone."""
    assert _shown.exact("2026-11-21T16:46:07.123Z") == "Sat 21 Nov 2026, 16:46:07.123 UTC"


def test_a_sentence_has_its_moments_as_times() -> None:
    """So that the viewer's browser may tell them in its own zone; the rest is escaped."""
    shown = str(_shown.sentence("Next at 2026-11-21T16:46:07.123Z after <2> attempts."))
    assert '<time datetime="2026-11-21T16:46:07.123Z"' in shown
    assert "21 Nov, 16:46:07 UTC</time> after &lt;2&gt; attempts." in shown


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [(0.25, "0.2 ms"), (12.4, "12 ms"), (1_250, "1.25 s"), (200_000, "3 min 20 s")],
)
def test_durations(duration_ms: float, words: str) -> None:
    """With their unit, as exact as is worth it."""
    assert _shown.duration(duration_ms) == words


@pytest.mark.parametrize(
    ("window_ms", "words"),
    [(86_400_000, "24 hours"), (129_600_000, "36 hours"), (302_400_000, "3.5 days"), (60_000, "1 minute"), (5, "5 ms")],
)
def test_windows(window_ms: int, words: str) -> None:
    """Spans of rules as their authors say them."""
    assert _shown.window(window_ms) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (1, "1 byte"), (1_434, "1.4 KiB"), (3 * 1024 * 1024, "3.0 MiB")]
)
def test_sizes(count: int, words: str) -> None:
    """In KiB, where there are some."""
    assert _shown.size(count) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [(None, _shown.NOTHING), (0, "0%"), (1, "100%"), (0.9999, "99.9%"), (0.0001, "0.1%"), (0.5, "50.0%")],
)
def test_shares(rate: float | None, words: str) -> None:
    """100 % only if it is all, 0 % only if it is none."""
    assert _shown.share(rate) == words


def test_ids_and_hosts() -> None:
    """Ids keep their kind and their ends; URLs their host."""
    assert _shown.short_id("evt_1SkiAbJnc9m135iPsDFh8eq") == "evt_1Ski…h8eq"
    assert _shown.short_id("app_sample") == "app_sample"
    assert _shown.host_of("https://a.example:8443/x?y") == "a.example:8443"
    assert _shown.host_of("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("before_ms", "words"), [(0, "a moment"), (3 * 60_000, "3 minutes"), (4 * 3_600_000, "4 hours")]
)
def test_lasting(before_ms: int, words: str) -> None:
    """It stands after "for"."""
    from hookspan.domain.times import to_text

    assert _shown.lasting(to_text(NOW - before_ms), NOW) == words
