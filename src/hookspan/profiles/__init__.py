"""Profiles: one engine, many dialects. A profile is a folder of data, compiled at start into fast functions.

`load_profiles` reads the shipped folders (`SHIPPED`) and the operator's own; `load_profile` one folder, for instance
one of `EXAMPLES`. Nothing outside this room knows what is in them.
"""

from hookspan.profiles._catalog import CatalogEntry, CatalogGroup
from hookspan.profiles._credentials import CredentialKind, LiveSecret, NewCredential
from hookspan.profiles._loader import EXAMPLES, SHIPPED, Profiles, load_profile, load_profiles
from hookspan.profiles._near import did_you_mean
from hookspan.profiles._profile import Profile
from hookspan.profiles._rules import TIMEOUT_MS_MAX, Rules
from hookspan.profiles._schemas import Sample
from hookspan.profiles._signing import Signer
from hookspan.profiles._test_event import TestEvent

__all__ = [
    "EXAMPLES",
    "SHIPPED",
    "TIMEOUT_MS_MAX",
    "CatalogEntry",
    "CatalogGroup",
    "CredentialKind",
    "LiveSecret",
    "NewCredential",
    "Profile",
    "Profiles",
    "Rules",
    "Sample",
    "Signer",
    "TestEvent",
    "did_you_mean",
    "load_profile",
    "load_profiles",
]
