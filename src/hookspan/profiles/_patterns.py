"""Regular expressions of profiles, matched in time that is linear in the text, whatever the expression says.

Python's own engine goes back and tries again: ``^(a+)+$`` takes twice as long for every letter more, and a publisher
chooses the letters. The validator of JSON Schemas brings an engine that never does so, Rust's regex; it has neither
look-around nor references back, and refuses an expression with one.
"""

import re
from collections.abc import Callable
from typing import Final

import jsonschema_rs

PATTERN_CHARACTERS_MAX: Final = 1000
COMPILED_BYTES_MAX: Final = 1_048_576  # of one pattern: a repetition of repetitions grows beyond every text
LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=COMPILED_BYTES_MAX, dfa_size_limit=COMPILED_BYTES_MAX)
LINEAR_ONLY: Final = "a regular expression without look-around and references back, and not too large"


class BadPattern(Exception):
    """Its text completes the sentence "It is …"."""


def whole_matcher(pattern: str) -> Callable[[str], bool]:
    """Whether all of a text fits `pattern`; classes such as that of words are ASCII. Raises BadPattern."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise BadPattern(f"longer than {PATTERN_CHARACTERS_MAX:,} characters")
    try:
        re.compile(pattern)  # only for its words; what fits here but not there is refused below
    except re.error as error:
        raise BadPattern(f"no regular expression: {error}") from None
    for one in (pattern, f"^(?:{pattern})$"):
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string", "pattern": one}
        try:
            fits = jsonschema_rs.validator_for(schema, offline=True, pattern_options=LINEAR).is_valid
        except (jsonschema_rs.ValidationError, ValueError):
            raise BadPattern(f"not {LINEAR_ONLY}") from None
    return fits
