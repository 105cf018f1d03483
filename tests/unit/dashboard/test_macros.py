"""The parts of pages by themselves: what they show, and that what comes from outside is text in all of them."""

import re
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, UndefinedError

from hookspan.dashboard._form import FieldErrors, Form
from hookspan.dashboard._render import environment
from hookspan.errors import Fault, InvalidRequest
from hookspan.manage import views

ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
NOW = 1_795_280_000_000


def shown(source: str, **context: Any) -> str:
    env = environment()
    assert env.loader is not None
    env.loader = ChoiceLoader([DictLoader({"t": '{% import "macros.html" as m with context %}' + source}), env.loader])
    return env.get_template("t").render(now_ms=NOW, **context)


def attempt(**changes: Any) -> views.Attempt:
    headers = [(ATTACK, ATTACK)]
    request = views.AttemptRequest(
        method="POST", url=f"https://h/{ATTACK}", headers=headers, body=f'["{ATTACK[1:]}"]', body_bytes=9
    )
    response = views.AttemptResponse(
        status=200, headers=headers, body=ATTACK, body_base64=None, body_bytes=5_000, is_truncated=True
    )
    members: dict[str, Any] = {
        "id": "att_1", "delivery_id": None, "webhook_id": "whk_1", "event_id": None, "number": 1, "round": 0,
        "cause": "test", "started_at": "2026-11-21T16:46:07.123Z", "duration_ms": 12.0, "verdict": "succeeded",
        "retry_at": None, "error": None, "remote_address": ATTACK, "request": request, "response": response,
    }  # fmt: skip
    return views.Attempt(**(members | changes))


def check_inert(html: str) -> None:
    """No tag of the attack's, and none of its attributes."""
    assert not re.search(r"<(script|img)\b", html)
    for tag in re.findall(r"<[a-z][^<>]*>", html):
        assert not re.search(r"\son\w+=(?![^\"]*\"[^\"]*$)", re.sub(r'"[^"]*"', '""', tag)), tag


CASES = {
    "id": '{{ m.ident(text) }}{{ m.ident(text, "/x") }}',
    "copy": "{{ m.copy(text, text, text) }}",
    "badge": '{{ m.badge("good", text) }}',
    "code": "{{ m.code(text) }}",
    "body": "{{ m.body(text) }}{{ m.body(none, 9, text, true) }}",
    "headers": "{{ m.headers([(text, text)]) }}",
    "refused": "{{ m.refused(text, text) }}",
    "time": "{{ m.when(text, now_ms) }}",
    "field": '{{ m.field(form, errors, "name", text, text) }}',
    "summary": "{{ m.summary(errors) }}",
}


@pytest.mark.parametrize("source", CASES.values(), ids=CASES)
def test_hostile_text_is_text(source: str) -> None:
    """In each part, as content and as an attribute."""
    errors = FieldErrors(InvalidRequest(ATTACK, errors=(Fault("/name", "c", ATTACK),)), {"/name": "name"})
    html = shown(source, text=ATTACK, form=Form([("name", ATTACK)]), errors=errors)
    check_inert(html)


def test_an_exchange_shows_what_a_receiver_sent_as_text() -> None:
    """Status, headers, body and address are the receiver's to choose."""
    from hookspan.dashboard._advice import Advice

    html = shown("{{ m.exchange(one, advice) }}", one=attempt(), advice=Advice(True, "Fine.", ""))
    check_inert(html)
    assert "only the beginning is kept" in html
    assert "4.9 KiB" in html
    binary = views.AttemptResponse(
        status=200, headers=[], body=None, body_base64="AAE=", body_bytes=2, is_truncated=False
    )
    assert "Binary, 2 bytes" in shown(
        "{{ m.exchange(one, advice) }}", one=attempt(response=binary), advice=Advice(True, "Fine.", "")
    )
    failed = attempt(response=None, error=views.AttemptError(code="timeout", message=ATTACK))
    check_inert(shown("{{ m.exchange(one, advice) }}", one=failed, advice=Advice(False, ATTACK, ATTACK)))


def test_states_have_an_icon_and_a_word() -> None:
    """Colour never stands alone."""
    for kind in ("good", "waiting", "bad", "parked"):
        html = shown("{{ m.badge(kind, kind) }}", kind=kind)
        assert "<svg" in html
        assert f">{kind}</span>" in html.replace("</svg>", ">")


def test_a_field_in_error_says_so_to_screen_readers() -> None:
    """aria-invalid and a description that is there."""
    errors = FieldErrors(InvalidRequest("x", errors=(Fault("/url", "c", "Wrong."),)), {"/url": "url"})
    html = shown('{{ m.field(form, errors, "url", "URL", "Hint") }}', form=Form(), errors=errors)
    assert 'aria-invalid="true" aria-describedby="wrong-url"' in html
    assert 'id="wrong-url"' in html
    assert "optional" in html


def test_times_are_for_machines_too() -> None:
    """A time element with the exact moment; nothing where there is none."""
    html = shown('{{ m.when("2026-11-21T16:46:07.123Z", now_ms) }}')
    assert 'datetime="2026-11-21T16:46:07.123Z"' in html
    assert "UTC" in html
    assert "time" not in shown("{{ m.when(none, now_ms) }}")


def test_a_typo_in_a_template_fails() -> None:
    """An undefined name is an error, and so is an asset that is not there."""
    with pytest.raises(UndefinedError):
        shown("{{ nobody }}")
    with pytest.raises(KeyError):
        shown("{{ asset('nothing.css') }}")


def test_every_template_compiles() -> None:
    """Also those that no test has opened yet."""
    env = environment()
    names = env.list_templates()
    assert len(names) > 15
    for name in names:
        env.get_template(name)
        source = env.loader.get_source(env, name)[0]  # type: ignore[union-attr]
        assert "|safe" not in source.replace(" ", "")
        assert "autoescape" not in source
        assert "style=" not in source
        assert not re.search(r"\son[a-z]+=", source)
