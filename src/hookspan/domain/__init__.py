"""The words of Hookspan as data, and its decisions as pure functions. Imports nothing of the floors above."""
