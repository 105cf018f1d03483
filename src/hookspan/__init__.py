"""Hookspan sends webhooks: publish once, kept, signed, delivered, retried, explained."""

__version__ = "0.1.0"
