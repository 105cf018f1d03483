"""The dashboard and the portal: pages for people, made on the server. They call management, as the API does.

`create_dashboard` makes the ASGI app; `PLACES` are the first parts of the paths that are its own.
"""

from hookspan.dashboard._late import PLACES, create_dashboard

__all__ = ["PLACES", "create_dashboard"]
