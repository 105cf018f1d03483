"""The way out: reads webhook URLs, refuses addresses, and sends requests over HTTP/1.1.

Written by hand because owning `connect()` is the only sound place to refuse an address.
"""

from hookspan.egress.sending import Egress
from hookspan.egress.settings import EgressSettings
from hookspan.egress.target import Target

__all__ = ["Egress", "EgressSettings", "Target"]
