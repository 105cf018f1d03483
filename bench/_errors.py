"""Why a measurement did not come about."""


class BenchError(Exception):
    """Ends the run with its text, which tells what to do about it."""
