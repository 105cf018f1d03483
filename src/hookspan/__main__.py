"""`python -m hookspan` is the `hookspan` command."""

from hookspan.cli import main

main()
