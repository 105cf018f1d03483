"""The engine room: takes events in, keeps them, sends them, records what came of it."""

from hookspan.engine.engine import Engine
from hookspan.engine.intake import Intake
from hookspan.engine.options import EngineOptions
from hookspan.engine.post import CUSTOM_HEADERS
from hookspan.engine.request import Done, Published, Receipt

__all__ = ["CUSTOM_HEADERS", "Done", "Engine", "EngineOptions", "Intake", "Published", "Receipt"]
