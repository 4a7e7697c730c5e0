"""Parts to a Text: tidied and capped where they are read, counted where they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

from pigeonhole.domain.document import Coverage, PageImage, Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.parts import ATTACHED, MARKS, NOT_READ, Facts, Part
from pigeonhole.extract.tidy import tidy

LONGEST_FACT = 500

_STATED = ("title", "author", "created", "modified")
_WORST = ("encrypted", "corrupt", "too_large", "unsupported_type")
_COUNTED = ("pages_total", "pages_read")


def refine(parts: Iterable[Part], limits: Limits) -> Iterator[Part]:
    """The parts without noise, and no more characters than there is room for; what is cut is said."""
    room = limits.chars
    for part in parts:
        if isinstance(part, Facts):
            stated = {name: _short(getattr(part, name)) for name in _STATED}
            yield replace(part, **stated)  # type: ignore[arg-type]
        elif isinstance(part, PageImage):
            yield part
        elif passage := tidy(part):
            yield passage[:room]
            room -= len(passage)
            if room < 0:
                yield Facts(cut="chars")
                return


def _short(said: str | None) -> str | None:
    return " ".join(tidy(said).split())[:LONGEST_FACT] if said else None


class Gathered:
    """What has come of a document so far; it holds no more than the limits allow, whoever sends."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._body: list[str | PageImage] = []
        self._stated: dict[str, str] = {}
        self._counted: dict[str, int] = {}
        self._cut: dict[str, None] = {}
        self._failed = 0
        self._image_bytes = 0
        self.chars = 0

    def add(self, part: Part) -> None:
        """Take a part in, as far as there is room."""
        if isinstance(part, Facts):
            self._learn(part)
        elif isinstance(part, PageImage):
            self._look(part)
        elif self.chars + len(part) > self._limits.chars:
            self.cut("chars")
        elif part.strip():
            self._body.append(part)
            self.chars += len(part)

    def cut(self, why: str) -> None:
        """Remember that something was left out."""
        self._cut[why[:20]] = None

    def forgive(self, error: DocumentError) -> None:
        """Go on with what was read before a failure, when that is enough; else raise the failure.

        What breaks while something attached is read is that one's failure: what stands around it is enough.
        """
        seen = any(isinstance(part, PageImage) for part in self._body)
        attached = any(isinstance(part, str) and part.startswith(ATTACHED) for part in self._body)
        if self._is_hollow or not (seen or attached or self.chars >= self._limits.enough_chars):
            raise error
        if attached:
            self.add(f"{NOT_READ}{error.code}]")
        self._failed += 1
        self.cut(error.code)

    def text(self, media_type: str) -> Text:
        """The whole, or DocumentError: `empty`, or what nothing inside could be read for."""
        if self._is_hollow:
            marks = "".join(part for part in self._body if isinstance(part, str))
            code = next((code for code in _WORST if f": {code}]" in marks), "empty")
            raise DocumentError(
                code, "nothing inside it can be read" if marks else "it has no text, and nothing to look at"
            )
        return Text(media_type=media_type, body=tuple(self._body), coverage=self._coverage(), **self._stated)

    @property
    def _is_hollow(self) -> bool:
        """Whether it has only names of what could not be read inside, if anything."""
        return all(isinstance(part, str) and part.startswith(MARKS) for part in self._body)

    def _coverage(self) -> Coverage:
        seen = tuple(part.page for part in self._body if isinstance(part, PageImage))
        return Coverage(
            pages_total=self._counted.get("pages_total"),
            pages_read=self._counted.get("pages_read"),
            pages_as_images=seen,
            chars_total=None if self._cut else self.chars,
            chars_read=self.chars,
            truncated=bool(self._cut),
            cut=tuple(self._cut),
            parts_failed=self._failed,
        )

    def _learn(self, facts: Facts) -> None:
        if facts.cut:
            self.cut(facts.cut)
        self._failed += facts.failed
        for field in fields(facts):
            value = getattr(facts, field.name)
            if field.name in _STATED and value:
                self._stated[field.name] = value[:LONGEST_FACT]
            elif field.name in _COUNTED and value is not None:
                self._counted[field.name] = value

    def _look(self, image: PageImage) -> None:
        self._image_bytes += len(image.data)
        if self._image_bytes > self._limits.image_budget or len(self._body) > self._limits.parts:
            self.cut("eye_pages")
        else:
            self._body.append(image)
