"""Why a file did not become a document."""


class NotImported(Exception):
    """`reason` is one of few, so that a summary can count by it; `detail` is about this file alone. `failed`: somebody should look at it, and the exit
    status tells; otherwise it was left out as it should be."""

    failed = True

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class Failed(NotImported):
    pass


class Skipped(NotImported):
    failed = False


class Stop(Exception):
    """Nothing more can be imported at all: no session, no server. The text says why."""
