"""What the ledger table holds besides jobs, and the conditional write that changes any of it (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from pigeonhole.domain.document import Reply
from pigeonhole.domain.errors import WaitReason
from pigeonhole.domain.record import Record
from pigeonhole.jobs.job import Job, Lease


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedReply:
    """A reply that an identical request of the same team may have.

    `key` is the hash of the request. While the call is under way the entry is under lease, so that the second
    of two identical requests waits instead of paying.
    """

    team: str
    key: str
    run: int
    revision: int = 0
    lease: Lease | None = None
    reply: Reply | None = None

    def with_revision(self, revision: int) -> CachedReply:
        """The entry as it is written."""
        return replace(self, revision=revision)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerState:
    """Whether the circuit breaker has tripped; without `until`, a person has to reset it.

    After `until` it is half-open: one call at a time is the probe, and `probe_until` is when one under way
    counts as dead.
    """

    revision: int = 0
    is_tripped: bool = False
    until: datetime | None = None
    waiting_for: WaitReason = WaitReason.CLAUDE
    detail: str = ""
    probe_until: datetime | None = None

    def resets_before(self, until: datetime | None) -> bool:
        """Whether it would be half-open before then; never is later than any time."""
        return self.until is not None and (until is None or self.until < until)

    def with_revision(self, revision: int) -> BreakerState:
        """The entry as it is written."""
        return replace(self, revision=revision)


Entry = Job | CachedReply | BreakerState | Record


E = TypeVar("E", Job, CachedReply, BreakerState, Record)


@dataclass(frozen=True, kw_only=True)
class Write(Generic[E]):
    """A conditional write: put `after` in the place of `before`, which is None where nothing stands yet.

    Each write has a revision of its own: a write based on an older read fails.
    """

    before: E | None
    after: E

    @classmethod
    def of(cls, before: E | None, after: E) -> Write[E]:
        """The entry in place of the one that was read, with the next revision."""
        revision = before.revision + 1 if before else 1
        return Write(before=before, after=after.with_revision(revision))


AnyWrite = Write[Any]
