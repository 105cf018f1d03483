"""`python -m hookspan.api`: the OpenAPI document, as `docs/openapi.json` has it."""

import sys

import msgspec

from hookspan.api import api_document

sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(api_document()), indent=1) + b"\n")
