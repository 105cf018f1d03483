"""The web framework as this program uses it."""

from litestar import Litestar
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class Framework(Litestar):
    """Litestar with the plugin that is needed, instead of one for each library of models that happens to be installed:
    importing pydantic alone is a third of a second of every start.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Where the framework calls this no more, it finds its plugins as it likes, and only the start is slower."""
        return [*plugins, MsgspecDIPlugin()]
