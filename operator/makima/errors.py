"""What can go wrong outside of the pure core, in words that say what to do next."""

from __future__ import annotations


class MakimaError(Exception):
    """Base of every error that a person may see.

    Attributes:
        message: what happened.
        hint: what to do next, where something can be done.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n  hint: {hint}")
        self.message = message
        self.hint = hint


class HistoryError(MakimaError):
    """The history in Postgres could not do what was asked."""


class HistoryUnavailable(HistoryError):
    """Postgres is away, too slow, or not migrated; nothing is known about the last write. Trying again is safe."""


class HistoryEntriesRefused(HistoryError):
    """Postgres will never store these entries; everything else of the batch is stored."""

    def __init__(self, refused: tuple[tuple[str, str], ...]) -> None:
        self.refused = refused
        listed = "; ".join(f"{entry}: {reason}" for entry, reason in refused)
        super().__init__(
            f"{len(refused)} history entries can't be stored: {listed}",
            "the rest of the batch is stored; don't send these again",
        )


class ValuesRefused(HistoryError):
    """Postgres will never store these values, nor look for them (a NUL, a lone surrogate, …); nothing is stored."""

    def __init__(self, reason: str, hint: str = "mend the values; sending the same again is in vain") -> None:
        super().__init__(f"Postgres can't take this: {reason}", hint)


class MigrationError(HistoryError):
    """The schema of the history could not be read or changed."""


class Superseded(MakimaError):
    """A newer life of the supervisor has begun; this one must stop writing.

    Attributes:
        current: the incarnation that may write.
    """

    def __init__(self, current: int) -> None:
        super().__init__(
            f"incarnation {current} carries the contract now", "stop: register again only to take the contract over"
        )
        self.current = current


class OutOfSequence(MakimaError):
    """A revision, message or checkpoint does not follow the last one that is stored.

    Attributes:
        last: number of the last one stored.
    """

    def __init__(self, what: str, last: int) -> None:
        super().__init__(f"the next {what} is {last + 1}", "read the restoration again, and go on from there")
        self.last = last


class ClusterError(MakimaError):
    """The API server did not do what was asked."""


class ClusterUnavailable(ClusterError):
    """The API server can't be reached, is overloaded (429) or broken (5xx); nothing is known about the last call."""


class Conflict(ClusterError):
    """Somebody changed the object since it was read (409, or a JSON patch that does not fit it any more): read again,
    decide again."""


class NotFound(ClusterError):
    """The object is gone (404)."""


class Expired(NotFound):
    """What was asked about is forgotten: most often the moment of a list that was to be continued (410)."""


class Denied(ClusterError):
    """A policy, a CRD rule or RBAC refused the call (400, 403, 413, 422).

    Attributes:
        code: the plan's code at the start of the message, for example VERSION_CONFLICT; "" where there is none.
        status: HTTP status of the answer; 0 where there was none.
        grown: a list would have an entry twice, or too many. Who looked before they added to it lost a race.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, code: str = "", status: int = 0, grown: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.code, self.status, self.grown = code, status, grown
