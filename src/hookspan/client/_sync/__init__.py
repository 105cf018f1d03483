"""The blocking client, made from `hookspan.client._async`."""
