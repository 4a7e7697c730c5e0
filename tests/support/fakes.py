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

from pigeonhole.domain.document import Coverage, DocumentError, PageImage, Reply, Text, Upload
from pigeonhole.domain.outcome_event import News
from pigeonhole.domain.record import Record
from pigeonhole.jobs.job import Order, OverCapBy, Work
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.usage import Count, Tally
from pigeonhole.money.account import Account, Draw, Pace
from pigeonhole.ports import Answer, Body, Entry, Gate, Swap

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
class FakeObjects:
    """A versioned bucket; a version whose content is None is a delete marker."""

    versions: dict[tuple[str, str, str], bytes | None] = field(default_factory=dict)

    def put(self, upload: Upload, content: bytes | None) -> None:
        self.versions[upload.bucket, upload.key, upload.version_id] = content

    @contextmanager
    def body(self, upload: Upload, *, max_bytes: int) -> Iterator[Body]:
        content = self.versions.get((upload.bucket, upload.key, upload.version_id))
        if content is None:
            raise DocumentError("gone")
        if len(content) > max_bytes:
            raise DocumentError("too_large", f"{len(content)} bytes; the limit is {max_bytes}")
        digest = hashlib.sha256(content).hexdigest()
        # The path stands for the content: FakeReader decodes it.
        yield Body(
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
class FakeArtifacts:
    texts: dict[str, str] = field(default_factory=dict)
    unreadable: list[tuple[Message, str]] = field(default_factory=list)

    def keep_text(self, upload: Upload, text: str) -> str:
        uri = f"s3://artifacts/text/{upload.key}/{upload.version_id}.txt"
        self.texts[uri] = text
        return uri

    def text(self, uri: str) -> str | None:
        return self.texts.get(uri)

    def keep_unreadable(self, message: Message, why: str) -> str:
        self.unreadable.append((message, why))
        return f"s3://artifacts/unreadable/{message.id}.json"


@dataclass
class FakeAnalyst:
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
class FakeLedger:
    """Both tables: what is read is whole and frozen, so comparing revisions is comparing states."""

    works: dict[tuple[str, str, int], Work] = field(default_factory=dict)
    rows: dict[str, Record] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    accounts: dict[tuple[str, date], Account] = field(default_factory=dict)
    counted: dict[Tally, Tally] = field(default_factory=dict)
    on_row: Callable[[Record | None, Record], None] = lambda before, after: None
    on_answer: Callable[[Answer | None, Answer], None] = lambda before, after: None

    def work(self, upload: Upload, run: int) -> Work | None:
        return self.works.get((upload.document, upload.version_id, run))

    def state(self, upload: Upload, run: int) -> tuple[Work | None, Record | None]:
        return self.work(upload, run), self.row(upload.document)

    def latest(self, upload: Upload) -> Work | None:
        runs = [
            (run, work)
            for (document, version, run), work in self.works.items()
            if (document, version) == (upload.document, upload.version_id)
        ]
        return max(runs, key=lambda each: each[0])[1] if runs else None

    def row(self, document: str) -> Record | None:
        return self.rows.get(document)

    def answer(self, team: str, key: str) -> Answer | None:
        return self.answers.get((team, key))

    def gate(self) -> Gate | None:
        return self.gates.get("claude")

    def due(self, now: datetime, limit: int) -> list[Work]:
        due = [(work.due, work) for work in self.works.values() if work.due and work.due <= now]
        return [work for _, work in sorted(due, key=lambda each: (each[0], _waits_since(each[1])))][:limit]

    def over_cap(self, until: datetime, pays: Callable[[OverCapBy], bool], limit: int) -> list[Work]:
        waiting = [work for work in self.works.values() if work.over_cap and work.due == until]
        oldest_first = sorted(waiting, key=lambda work: work.upload.uploaded_at)
        paid = (work for work in oldest_first if work.over_cap and pays(work.over_cap))
        return list(islice(paid, limit))

    def account(self, name: str, day: date) -> Account:
        return self.accounts.get((name, day.replace(day=1)), Account())

    def draw(self, draw: Draw) -> tuple[bool, Account]:
        account, pace = self.account(draw.account, draw.day), draw.pace
        spent = account.spent_on(draw.day) + draw.usd
        last = account.next.get(pace.model) if pace else None
        turn = pace.begins(last) if pace else START
        fits = account.usd + draw.usd <= draw.cap.month and spent <= draw.cap.day
        if not fits or (pace and turn > max(pace.latest, pace.now)):
            return False, account
        said = {pace.model: pace.learned} if pace and pace.learned else {}
        after = Account(
            usd=account.usd + draw.usd,
            days={**account.days, draw.day.day: spent},
            next={**account.next, **({pace.model: _next(last, pace)} if pace else {})},
            limits={**account.limits, **said},
        )
        self.accounts[draw.account, draw.day.replace(day=1)] = after
        return True, replace(after, turn=turn if pace else None)

    def credit(self, account: str, day: date, usd: Decimal) -> None:
        found = self.account(account, day)
        days = {**found.days, day.day: found.spent_on(day) - usd}
        self.accounts[account, day.replace(day=1)] = replace(found, usd=found.usd - usd, days=days)

    def tallies(self, day: str) -> list[Tally]:
        return [tally for tally in self.counted.values() if tally.day == day]

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:
        places = [self._place(each.after) for each in swaps]
        for (shelf, key), each in zip(places, swaps, strict=True):
            if not self._same(shelf, key, each.before):
                return False
        for (shelf, key), each in zip(places, swaps, strict=True):
            if isinstance(each.after, Record):
                self.on_row(shelf.get(key), each.after)
            if isinstance(each.after, Answer):
                self.on_answer(shelf.get(key), each.after)
            shelf[key] = each.after
        told = list(tallies)
        assert len({replace(each, count=Count()) for each in told}) == len(told)  # one write an item
        for tally in told:
            self._add(tally)
        return True

    def _add(self, tally: Tally) -> None:
        key = replace(tally, count=Count())
        before = self.counted.get(key, key)
        self.counted[key] = replace(tally, count=before.count + tally.count)

    def _same(self, shelf: dict[Any, Any], key: Any, before: Entry | None) -> bool:
        return bool(shelf.get(key) == before)

    def _place(self, entry: Entry) -> tuple[dict[Any, Any], Any]:
        if isinstance(entry, Work):
            return self.works, (entry.upload.document, entry.upload.version_id, entry.run)
        if isinstance(entry, Record):
            return self.rows, entry.document
        return (
            (self.answers, (entry.team, entry.key)) if isinstance(entry, Answer) else (self.gates, "claude")
        )


def _waits_since(work: Work) -> datetime:
    """Of what is due at one time, what waits for money comes last, by the age of its upload."""
    return work.upload.uploaded_at if work.over_cap else datetime.min.replace(tzinfo=UTC)


def _next(last: datetime | None, pace: Pace) -> datetime:
    return max(last or pace.now, pace.now) + (pace.first if pace.is_first(last) else pace.step)


@dataclass
class FakeQueues:
    orders: list[Order] = field(default_factory=list)
    put_backs: list[tuple[Message, float]] = field(default_factory=list)

    def send(self, order: Order) -> None:
        self.orders.append(order)

    def put_back(self, message: Message, seconds: float) -> None:
        self.put_backs.append((message, seconds))


@dataclass
class FakeBus:
    news: list[News] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def send(self, news: Iterable[News]) -> list[str]:
        told = list(news)
        self.news += [each for each in told if each.id not in self.refuses]
        return [each.id for each in told if each.id in self.refuses]


class FakeChance:
    """Names in order, and no jitter."""

    def __init__(self) -> None:
        self.names = 0

    def token(self) -> str:
        self.names += 1
        return f"name-{self.names}"

    def jitter(self, seconds: float) -> float:
        return seconds


@dataclass
class FakeJournal:
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    defects: list[BaseException] = field(default_factory=list)

    def note(self, what: str, **fields: object) -> None:
        self.notes.append((what, fields))

    def count(self, metric: str, value: float = 1) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + value

    def defect(self, what: str, error: BaseException, **fields: object) -> None:
        self.defects.append(error)

    def flush(self) -> None:
        self.counts.clear()
