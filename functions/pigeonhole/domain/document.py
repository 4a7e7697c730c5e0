"""Pigeonhole's words as frozen values, and its few errors: no input, no output, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One version of one object: what everything else is about.

    `sequencer` orders the uploads of one key: upper-case hex, right-padded with 0 to 64;
    empty where the event carries none (lifecycle). Sizes are bytes; an event may leave
    size and etag out.
    """

    bucket: str
    key: str
    version_id: str
    sequencer: str
    uploaded_at: datetime
    size_bytes: int | None = None
    etag: str | None = None

    @property
    def document(self) -> str:
        """The S3 URI of the key: the name of the document that this is a version of."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def team(self) -> str:
        """The first folder of the key, or `-` for a key without one."""
        folder, slash, _ = self.key.partition("/")
        return folder if slash and folder else "-"


class Kind(StrEnum):
    """What happened to a key."""

    CREATED = "created"
    REMOVED = "removed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One S3 event record: for a removal, `upload` names the marker or the version that went."""

    kind: Kind
    upload: Upload


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What was read of what there was; None where the format has no such count.

    `pages_as_images` are the pages given to the model to look at, `cut` names the limits or
    failures that left something out.
    """

    pages_total: int | None = None
    pages_read: int | None = None
    pages_as_images: tuple[int, ...] = ()
    chars_total: int | None = None
    chars_read: int = 0
    chars_sent: int = 0
    truncated: bool = False
    cut: tuple[str, ...] = ()
    parts_failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PageImage:
    """A page that needs eyes: JPEG, PNG, WebP or GIF bytes, already within the model's limits."""

    page: int
    media_type: str
    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What a document says: `body` holds its passages and the pages to look at, in reading order."""

    media_type: str
    body: tuple[str | PageImage, ...] = field(repr=False)
    coverage: Coverage
    title: str | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None

    @property
    def text(self) -> str:
        """The passages alone, joined."""
        return "\n\n".join(part for part in self.body if isinstance(part, str))

    @property
    def images(self) -> tuple[PageImage, ...]:
        """The pages that need eyes alone."""
        return tuple(part for part in self.body if isinstance(part, PageImage))


class Tier(StrEnum):
    """Who answered: the fast model or the strong one."""

    FAST = "fast"
    STRONG = "strong"


class Stage(StrEnum):
    """Where the work on an upload stands: each stage is claimed by one function."""

    TRIAGE = "triage"
    ESCALATION = "escalation"
    ENDED = "ended"


Issue = Literal["none", "unreadable", "truncated", "none_of_these", "mixed_documents"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """What a model said of a document; confidences are whole percents, 0-100."""

    category: str
    confidence: int
    runner_up: str | None
    runner_up_confidence: int
    title: str
    summary: str
    language: str
    keywords: tuple[str, ...]
    evidence: tuple[str, ...]
    issue: Issue


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens billed for one call, by kind; `input_tokens` leaves the cached ones out."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All that was read, from the cache or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What an account may ask of a model in a minute; None where nobody has said."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back for a call that was paid for, kept as it came: `text` may be anything.

    `reused` when it was another upload's call that was paid for; `left_out_tokens` is what was not sent
    of the document, by the length of what was; `allowance` is what the API said of the account's limits.
    """

    model: str
    text: str = field(repr=False)
    stop_reason: str
    usage: Usage
    request_id: str | None = None
    reused: bool = False
    left_out_tokens: int = 0
    allowance: Allowance | None = None


class PigeonholeError(Exception):
    """Something that went wrong and that we can name."""


class DocumentError(PigeonholeError):
    """The document's fault: no retry helps. `code` is one of errors.py's table."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class TryLater(PigeonholeError):
    """Nobody's fault that lasts: come back in `seconds`.

    `billed` when a call may have cost money and brought nothing; `busy` when Claude itself said so;
    `unsure` when what was asked of AWS may have been done all the same.
    """

    def __init__(
        self,
        reason: str,
        *,
        seconds: float,
        billed: bool = False,
        busy: bool = False,
        unsure: bool = False,
    ) -> None:
        super().__init__(f"{reason}, try again in {seconds:.0f} s")
        self.reason = reason
        self.seconds = seconds
        self.billed = billed
        self.busy = busy
        self.unsure = unsure


class StopAll(PigeonholeError):
    """No document can go on: `waiting_for` is `claude`, `spend_cap` or `credentials`."""

    def __init__(self, waiting_for: str, detail: str, *, until: datetime | None = None) -> None:
        super().__init__(f"{waiting_for}: {detail}")
        self.waiting_for = waiting_for
        self.detail = detail
        self.until = until


class OverCap(StopAll):
    """A call that may cost `usd` does not fit under a cap of this `account`, until its day or month ends."""

    def __init__(self, account: str, usd: Decimal, detail: str, *, until: datetime) -> None:
        super().__init__("spend_cap", detail, until=until)
        self.account = account
        self.usd = usd


class Defect(PigeonholeError):
    """Our own mistake: a request that no retry and no other document would make right."""
