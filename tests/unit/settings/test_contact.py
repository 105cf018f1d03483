"""Whom customers write to: an address, a page, or words."""

import pytest

from hookspan.contact import CONTACT_CHARS_MAX, Contact, read_contact, wrong_contact
from hookspan.errors import ConfigurationError
from hookspan.settings import load_settings


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("help@example.com", Contact("help@example.com", "mailto:help@example.com")),
        ("mailto:help@example.com", Contact("help@example.com", "mailto:help@example.com")),
        (
            "https://help.example.com/webhooks/",
            Contact("help.example.com/webhooks", "https://help.example.com/webhooks/"),
        ),
        ("the support team: +49 30 1234", Contact("the support team: +49 30 1234", "")),
        ("x" * CONTACT_CHARS_MAX, Contact("x" * CONTACT_CHARS_MAX, "")),
    ],
)
def test_what_can_be_one(text: str, contact: Contact) -> None:
    """Addresses and pages lead somewhere; all else is words."""
    assert read_contact(text) == contact
    assert load_settings({"support_contact": text}, environment={}).support_contact == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x" * (CONTACT_CHARS_MAX + 1), "two\nlines", "http://help.example.com", "javascript:alert(1)",
        "data:text/html,x", "https://", "https://user@example.com", 'https://example.com/"><b>', "mailto:nobody",
        "https://example.com:0/", "https://[::1", "MAILTO:help@example.com",
    ],
)  # fmt: skip
def test_what_can_t(text: str) -> None:
    """Other schemes, what no browser opens, and more than a line; the refusal names the setting."""
    assert read_contact(text) is None
    assert wrong_contact(text)
    with pytest.raises(ConfigurationError, match=r"HOOKSPAN_SUPPORT_CONTACT.*: must be a mail address"):
        load_settings(environment={"HOOKSPAN_SUPPORT_CONTACT": text})
