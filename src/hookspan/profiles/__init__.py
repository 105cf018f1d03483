"""Profiles: one engine, many dialects. A profile is a folder of data, compiled at start into fast functions.

`load_profiles` reads the shipped folders (``data/``) and the operator's own; nothing outside this room knows what is
in them.
"""

from hookspan.profiles._catalog import CatalogEntry
from hookspan.profiles._credentials import LiveSecret, NewCredential
from hookspan.profiles._loader import Profiles, load_profile, load_profiles
from hookspan.profiles._profile import Profile, TestEvent
from hookspan.profiles._rules import Rules
from hookspan.profiles._signing import Signer

__all__ = [
    "CatalogEntry",
    "LiveSecret",
    "NewCredential",
    "Profile",
    "Profiles",
    "Rules",
    "Signer",
    "TestEvent",
    "load_profile",
    "load_profiles",
]
