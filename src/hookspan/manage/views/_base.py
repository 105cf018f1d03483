"""What every shape stands on, and words that several have."""

from typing import Annotated

import msgspec
from msgspec import Meta

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


_SECRETS = frozenset({"key", "link", "secret", "token"})  # members that show what is told this once


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every shape. What is secret is masked where one is printed."""

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        said = (f"{name}={'***' if name in _SECRETS and value else repr(value)}" for name, value in values)
        return f"{type(self).__name__}({', '.join(said)})"
