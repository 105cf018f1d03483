"""The store: one contract (`hookspan.store.contract`), one room for each database that keeps it."""
