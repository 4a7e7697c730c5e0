"""Words that formatting hides: kept out of the text, counted, and compared with the visible ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pigeonhole.extract.interface import Hidden, Metadata, SeenSegment, Segment

# A hidden sentence has so many words or, in scripts that part no words, characters: fewer are a label.
LEAST_WORDS = 4
LEAST_CHARS = 16

_SENTENCE_END = re.compile("[.!?;:\n\u3002\uff01\uff1f\uff1b\uff1a]+")
_WORD = re.compile(r"\w+")


def without_hidden(segments: Iterable[Segment]) -> Iterator[SeenSegment]:
    """The segments without what is hidden, of which they count the characters and, at the end, the
    sentences that stand nowhere in what is seen.
    """
    seen: list[str] = []
    hidden: list[str] = []
    for segment in segments:
        if isinstance(segment, Hidden):
            hidden.append(segment.words)
            yield Metadata(hidden_chars=len(segment.words.strip()))
        else:
            if isinstance(segment, str):
                seen.append(segment)
            yield segment
    if hidden:
        yield Metadata(hidden_sentences=_count_unseen("\n".join(hidden), "\n".join(seen)))


def _count_unseen(hidden: str, seen: str) -> int:
    all_seen = f" {_words(seen)} "
    sentences = {_words(sentence) for sentence in _SENTENCE_END.split(hidden)}
    return sum(f" {sentence} " not in all_seen for sentence in sentences if _is_sentence(sentence))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _is_sentence(words: str) -> bool:
    return words.count(" ") + 1 >= LEAST_WORDS or (not words.isascii() and len(words) >= LEAST_CHARS)
