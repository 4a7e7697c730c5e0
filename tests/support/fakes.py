"""The outside in memory: every port of the use cases, held to the same contract tests as the real one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pigeonhole.domain.document import Coverage, FetchedObject, PageImage, Reply, Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.metrics import METRICS
from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.domain.record import Record
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import CapWait, Job, Task
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.stored import AnyWrite, BreakerState, CachedReply, Entry
from pigeonhole.jobs.usage import UsageLine, UsageTotals
from pigeonhole.money.account import Account, RateSlot, Withdrawal

T = TypeVar("T")
R = TypeVar("R")

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCAN = PageImage(page=1, media_type="image/png", data=b"pixels", width=100, height=140)


class FakeClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Inline:
    """A Runner with no threads."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        return [function(item) for item in items]


@dataclass
class FakeObjectStore:
    """A versioned bucket; a version whose content is None is a delete marker."""

    versions: dict[tuple[str, str, str], bytes | None] = field(default_factory=dict)

    def put(self, upload: Upload, content: bytes | None) -> None:
        self.versions[upload.bucket, upload.key, upload.version_id] = content

    @contextmanager
    def fetch(self, upload: Upload, *, max_bytes: int) -> Iterator[FetchedObject]:
        content = self.versions.get((upload.bucket, upload.key, upload.version_id))
        if content is None:
            raise DocumentError("gone")
        if len(content) > max_bytes:
            raise DocumentError("too_large", f"{len(content)} bytes; the limit is {max_bytes}")
        digest = hashlib.sha256(content).hexdigest()
        # The path stands for the content: FakeReader decodes it.
        yield FetchedObject(
            path=Path("memory") / f"x{content.hex()}",
            size_bytes=len(content),
            sha256=digest,
            content_type="text/plain",
            etag=digest[:32],
        )

    def current(self, upload: Upload) -> Upload | None:
        of_key = [
            (version, content)
            for (bucket, key, version), content in self.versions.items()
            if (bucket, key) == (upload.bucket, upload.key)
        ]
        if not of_key or of_key[-1][1] is None:
            return None
        return replace(
            upload, version_id=of_key[-1][0], sequencer="", size_bytes=len(of_key[-1][1]), etag=None
        )


class FakeReader:
    """Text as it is, a passage a form feed; `broken` cannot be read, `scanned` is a page to look at."""

    def read(self, path: Path, name: str, seconds: float) -> Text:
        content = bytes.fromhex(path.name[1:]).decode()
        if content.startswith("broken"):
            raise DocumentError("corrupt", "made so")
        passages = content.split("\f")
        return Text(
            media_type="text/plain",
            body=tuple(SCAN if passage == "scanned" else passage for passage in passages),
            coverage=Coverage(chars_total=len("".join(passages)), chars_read=len("".join(passages))),
        )


@dataclass
class FakeArtifactStore:
    texts: dict[str, str] = field(default_factory=dict)
    unreadable: list[tuple[Message, str]] = field(default_factory=list)

    def save_text(self, upload: Upload, text: str) -> str:
        uri = f"s3://artifacts/text/{upload.key}/{upload.version_id}.txt"
        self.texts[uri] = text
        return uri

    def text(self, uri: str) -> str | None:
        return self.texts.get(uri)

    def quarantine(self, message: Message, why: str) -> str:
        self.unreadable.append((message, why))
        return f"s3://artifacts/unreadable/{message.id}.json"


@dataclass
class FakeClaude:
    """Answers with what it was told to, in turn; an error is raised, a call made. Every request is kept."""

    answers: list[Reply | Exception | Callable[[], Reply]] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer()
        return replace(answer, model=request["model"])


@dataclass
class FakeStore:
    """Both tables: what is read is whole and frozen, so comparing revisions is comparing states."""

    jobs: dict[tuple[str, str, int], Job] = field(default_factory=dict)
    rows: dict[str, Record] = field(default_factory=dict)
    cached: dict[tuple[str, str], CachedReply] = field(default_factory=dict)
    breakers: dict[str, BreakerState] = field(default_factory=dict)
    accounts: dict[tuple[str, date], Account] = field(default_factory=dict)
    counted: dict[UsageLine, UsageLine] = field(default_factory=dict)
    on_row: Callable[[Record | None, Record], None] = lambda before, after: None
    on_cached: Callable[[CachedReply | None, CachedReply], None] = lambda before, after: None

    def job(self, upload: Upload, run: int) -> Job | None:
        return self.jobs.get((upload.document, upload.version_id, run))

    def job_and_row(self, upload: Upload, run: int) -> tuple[Job | None, Record | None]:
        return self.job(upload, run), self.row(upload.document)

    def latest_job(self, upload: Upload) -> Job | None:
        runs = [
            (run, job)
            for (document, version, run), job in self.jobs.items()
            if (document, version) == (upload.document, upload.version_id)
        ]
        return max(runs, key=lambda each: each[0])[1] if runs else None

    def row(self, document: str) -> Record | None:
        return self.rows.get(document)

    def cached_reply(self, team: str, key: str) -> CachedReply | None:
        return self.cached.get((team, key))

    def breaker(self) -> BreakerState | None:
        return self.breakers.get("claude")

    def due_jobs(self, now: datetime, limit: int) -> list[Job]:
        due = [(job.wake_at, job) for job in self.jobs.values() if job.wake_at and job.wake_at <= now]
        return [job for _, job in sorted(due, key=lambda each: (each[0], _waits_since(each[1])))][:limit]

    def jobs_over_cap(self, until: datetime, fits: Callable[[CapWait], bool], limit: int) -> list[Job]:
        waiting = [job for job in self.jobs.values() if job.charges.over_cap and job.wake_at == until]
        oldest_first = sorted(waiting, key=lambda job: job.upload.uploaded_at)
        paid = (job for job in oldest_first if job.charges.over_cap and fits(job.charges.over_cap))
        return list(islice(paid, limit))

    def account(self, name: str, day: date) -> Account:
        return self.accounts.get((name, day.replace(day=1)), Account())

    def withdraw(self, withdrawal: Withdrawal) -> tuple[bool, Account]:
        account, slot = self.account(withdrawal.account, withdrawal.day), withdrawal.slot
        spent = account.spent_on(withdrawal.day) + withdrawal.usd
        next_at = account.next_at.get(slot.model) if slot else None
        starts_at = slot.starts_at(next_at) if slot else START
        fits = account.usd + withdrawal.usd <= withdrawal.cap.month and spent <= withdrawal.cap.day
        if not fits or (slot and starts_at > max(slot.latest, slot.now)):
            return False, account
        limits = {slot.model: slot.observed} if slot and slot.observed else {}
        after = Account(
            usd=account.usd + withdrawal.usd,
            days={**account.days, withdrawal.day.day: spent},
            next_at={**account.next_at, **({slot.model: _next(next_at, slot)} if slot else {})},
            limits={**account.limits, **limits},
        )
        self.accounts[withdrawal.account, withdrawal.day.replace(day=1)] = after
        return True, replace(after, starts_at=starts_at if slot else None)

    def refund(self, account: str, day: date, usd: Decimal) -> None:
        found = self.account(account, day)
        days = {**found.days, day.day: found.spent_on(day) - usd}
        self.accounts[account, day.replace(day=1)] = replace(found, usd=found.usd - usd, days=days)

    def usage(self, day: str) -> list[UsageLine]:
        return [line for line in self.counted.values() if line.day == day]

    def commit(self, *writes: AnyWrite, usage: Iterable[UsageLine] = ()) -> bool:
        places = [self._place(each.after) for each in writes]
        for (shelf, key), each in zip(places, writes, strict=True):
            if not self._same(shelf, key, each.before):
                return False
        for (shelf, key), each in zip(places, writes, strict=True):
            if isinstance(each.after, Record):
                self.on_row(shelf.get(key), each.after)
            if isinstance(each.after, CachedReply):
                self.on_cached(shelf.get(key), each.after)
            shelf[key] = each.after
        lines = list(usage)
        assert len({replace(each, totals=UsageTotals()) for each in lines}) == len(lines)  # one write an item
        for line in lines:
            self._add(line)
        return True

    def _add(self, line: UsageLine) -> None:
        key = replace(line, totals=UsageTotals())
        before = self.counted.get(key, key)
        self.counted[key] = replace(line, totals=before.totals + line.totals)

    def _same(self, shelf: dict[Any, Any], key: Any, before: Entry | None) -> bool:
        return bool(shelf.get(key) == before)

    def _place(self, entry: Entry) -> tuple[dict[Any, Any], Any]:
        if isinstance(entry, Job):
            return self.jobs, (entry.upload.document, entry.upload.version_id, entry.task.run)
        if isinstance(entry, Record):
            return self.rows, entry.document
        if isinstance(entry, CachedReply):
            return self.cached, (entry.team, entry.key)
        return self.breakers, "claude"


def _waits_since(job: Job) -> datetime:
    """Of what is due at one time, what waits for money comes last, by the age of its upload."""
    return job.upload.uploaded_at if job.charges.over_cap else datetime.min.replace(tzinfo=UTC)


def _next(next_at: datetime | None, slot: RateSlot) -> datetime:
    step = slot.warm_up if slot.is_first(next_at) else slot.interval
    return max(next_at or slot.now, slot.now) + step


@dataclass
class FakeQueues:
    tasks: list[Task] = field(default_factory=list)
    requeues: list[tuple[Message, float]] = field(default_factory=list)

    def send(self, task: Task) -> None:
        self.tasks.append(task)

    def requeue(self, message: Message, seconds: float) -> None:
        self.requeues.append((message, seconds))


@dataclass
class FakeBus:
    published: list[OutcomeEvent] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def publish(self, events: Iterable[OutcomeEvent]) -> list[str]:
        batch = list(events)
        self.published += [each for each in batch if each.id not in self.refuses]
        return [each.id for each in batch if each.id in self.refuses]


class FakeRandomness:
    """Names in order, and no jitter."""

    def __init__(self) -> None:
        self.names = 0

    def token(self) -> str:
        self.names += 1
        return f"name-{self.names}"

    def jitter(self, seconds: float) -> float:
        return seconds


@dataclass
class FakeTelemetry:
    logs: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    defects: list[BaseException] = field(default_factory=list)

    def log(self, event: str, **fields: object) -> None:
        self.logs.append((event, fields))

    def metric(self, name: str, value: float = 1) -> None:
        assert name in METRICS
        self.metrics[name] = self.metrics.get(name, 0) + value

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        self.defects.append(error)

    def flush(self) -> None:
        self.metrics.clear()
