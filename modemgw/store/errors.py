"""What the store may answer beside data."""


class StoreError(Exception):
    """Root of the store's errors; the unit that raised it changed nothing."""


class StaleState(StoreError):
    """A compare-and-set found another state than it was told to expect."""


class StoreFull(StoreError):
    """The disk is full: the unit was not written."""


class StoreBroken(StoreError):
    """The database can't be used as it is; the text says why and what to do."""


class StoreCorrupt(StoreBroken):
    """The file is not a whole database: it is never written to again."""
