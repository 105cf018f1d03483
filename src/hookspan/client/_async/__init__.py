"""The client for asyncio. `hookspan.client._sync` is made from this room, word by word: change it here."""
