"""Pigeonhole's words as frozen values: a document's text, and what a model said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from pathlib import Path

# For pydantic, which validates rows that hold such values; not imported here, since every reading of a
# document would pay for it.
_NOTHING_ELSE = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedObject:
    """An upload's bytes, on disk for as long as the context that gave them is open."""

    path: Path
    size_bytes: int
    sha256: str
    content_type: str | None
    etag: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What was read of what there was; absent where the format has no such count.

    `pages_as_images` are the pages given to the model to look at, `chars_sent` the characters it was sent.
    Parts are pages, sheets, pictures, members, attachments and objects: each was read, looked at, dropped
    since it says nothing, or not read (`parts_failed`). `truncated` says whether text may be missing, and
    `cut` names the limits or failures that left it out. `hidden_chars` were left out because
    formatting hides them; of their sentences, `hidden_sentences` stand nowhere in the visible text.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _NOTHING_ELSE

    pages_total: int | None = None
    pages_read: int | None = None
    pages_as_images: tuple[int, ...] = ()
    chars_total: int | None = None
    chars_read: int = 0
    chars_sent: int = 0
    truncated: bool = False
    cut: tuple[str, ...] = ()
    parts_read: int = 0
    parts_dropped: int = 0
    parts_failed: int = 0
    hidden_chars: int = 0
    hidden_sentences: int = 0


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
    """Who answered: a model of that tier, or a person."""

    FAST = "fast"
    STRONG = "strong"
    FINAL = "final"
    HUMAN = "human"


class Stage(StrEnum):
    """Where the run of an upload stands; what is open is done by the function of that name.

    The final stage, of the final tier, is the escalation function's too. The dead-letter function may end any
    stage that is open; no function works on `ended`.
    """

    TRIAGE = "triage"
    ESCALATION = "escalation"
    FINAL = "final"
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
    """Tokens billed, by kind; `input_tokens` leaves the cached ones out."""

    __pydantic_config__: ClassVar[dict[str, str]] = _NOTHING_ELSE

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All that was read, from the cache or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimits:
    """How much the API allows in a minute for one model; None where it has not said."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back for a call that was paid for, as it came: `text` may be anything.

    `reused` when another upload's call was paid for and its reply served from the cache; `left_out_tokens`
    estimates what was not sent of the document; `rate_limits` is what the API said of the account's limits.
    """

    model: str
    text: str = field(repr=False)
    stop_reason: str
    usage: Usage
    request_id: str | None = None
    reused: bool = False
    left_out_tokens: int = 0
    rate_limits: RateLimits | None = None
