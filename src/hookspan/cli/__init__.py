"""The command line. `main` is the `hookspan` program; each command is a module of its own, imported when asked for."""

from hookspan.cli._root import main

__all__ = ["main"]
