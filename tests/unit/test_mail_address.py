"""Plain mail addresses and mail servers, and nothing else."""

import pytest

from hookspan.mail_address import is_mail_address, read_smtp_url


@pytest.mark.parametrize("text", ["a@example.com", "first.last+tag@mail.example.co", "x_y@a-b.example"])
def test_addresses(text):
    """One dotted name at one host."""
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a@b", "a@example.com,b@example.com", "a@example.com b@example.com", "a@example.com\n",
        "a@example.com\r\nBcc: b@example.com", '"a b"@example.com', "A <a@example.com>", ".a@example.com",
        "a@-example.com", "a@example..com", "ä@example.com", "a@exämple.com", "a@example.com?cc=b@example.com",
        "a@[127.0.0.1]", "a" * 250 + "@example.com",
    ],
)  # fmt: skip
def test_no_addresses(text):
    """No lists, no comments, no line ends, no header in disguise."""
    assert not is_mail_address(text)


@pytest.mark.parametrize(
    "url", ["smtp://mail.example.com", "smtps://me:secret@mail.example.com:465", "smtp://localhost:25/"]
)
def test_servers(url):
    """With or without a user and a port."""
    assert read_smtp_url(url) is not None


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://x", "smtp://", "smtp://x:0", "smtp://x:port", "smtp://x/y", "smtp://x?y=z"]
)
def test_no_servers(url):
    """What an operator may have mistyped."""
    assert read_smtp_url(url) is None
