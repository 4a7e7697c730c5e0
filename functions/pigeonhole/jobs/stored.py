"""What the ledger table holds besides jobs, and the conditional write that changes any of it (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import overload

from pigeonhole.domain.document import Reply
from pigeonhole.domain.errors import WaitReason
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_changes import with_revision
from pigeonhole.jobs.job import Job, Lease


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedReply:
    """A reply that an identical request of the same team may have.

    `key` is the hash of the request. While the call is under way somebody holds the lease, so that the second
    of two identical requests waits instead of paying.
    """

    team: str
    key: str
    run: int
    revision: int = 0
    lease: Lease | None = None
    reply: Reply | None = None


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


Entry = Job | CachedReply | BreakerState | Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Put `after` in the place of `before`, which is None where nothing stands yet.

    Each write has a revision of its own: whoever read the entry before it was written cannot overwrite it.
    """

    before: Entry | None
    after: Entry


@overload
def revised(before: Job | None, after: Job) -> Job: ...
@overload
def revised(before: CachedReply | None, after: CachedReply) -> CachedReply: ...
@overload
def revised(before: BreakerState | None, after: BreakerState) -> BreakerState: ...
@overload
def revised(before: Record | None, after: Record) -> Record: ...
def revised(before: Entry | None, after: Entry) -> Entry:
    """The entry as it is written in place of the one before it: with the next revision."""
    revision = before.revision + 1 if before else 1
    if isinstance(after, Record):
        return with_revision(after, revision)
    return replace(after, revision=revision)
