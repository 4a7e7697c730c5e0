"""What is sent of a document that is too long: its head, its tail, and sections between them (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pigeonhole.domain.document import PageImage

Body = tuple[str | PageImage, ...]

MARK = "\n[… a part is left out here …]\n"
# Half of the room is the head's, where documents say what they are; a quarter the tail's, where they are
# signed and summed up; the rest shows what is between.
_HEAD, _TAIL, _SECTIONS = 2, 4, 4
# All that decides how a long document is cut, as part of the version of a prompt.
SHAPE = (MARK, _HEAD, _TAIL, _SECTIONS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """What is sent: all of a document, or some of it with a mark at each gap."""

    body: Body
    chars: int
    is_whole: bool


def cut(body: Body, room: int, weigh: Callable[[PageImage], int]) -> Cut:
    """The document within `room` characters; `weigh` says how many a page image stands for.

    A page that begins within what is kept is kept whole.
    """
    total = sum(len(part) if isinstance(part, str) else weigh(part) for part in body)
    if total <= room:
        return Cut(body=body, chars=sum(len(part) for part in body if isinstance(part, str)), is_whole=True)
    kept = list(_kept(body, _windows(total, max(room, 0)), weigh))
    return Cut(
        body=_marked(kept), chars=sum(len(part) for _, part in kept if isinstance(part, str)), is_whole=False
    )


def _windows(total: int, room: int) -> list[tuple[int, int]]:
    head, tail = room // _HEAD, room // _TAIL
    section = (room - head - tail) // _SECTIONS
    # The middle is as many gaps as sections and one more, all gaps of one width.
    gap = (total - head - tail - section * _SECTIONS) / (_SECTIONS + 1)
    starts = [head + round(gap * (n + 1)) + section * n for n in range(_SECTIONS)]
    return [(0, head), *((start, start + section) for start in starts), (total - tail, total)]


def _kept(
    body: Body, windows: list[tuple[int, int]], weigh: Callable[[PageImage], int]
) -> Iterator[tuple[int, str | PageImage]]:
    """Each part that is kept, with the number of its window."""
    position = 0
    for part in body:
        begin, position = position, position + (len(part) if isinstance(part, str) else weigh(part))
        for number, (start, end) in enumerate(windows):
            if isinstance(part, str):
                if piece := part[max(0, start - begin) : max(0, end - begin)]:
                    yield number, piece
            elif start <= begin < end:
                yield number, part


def _marked(kept: list[tuple[int, str | PageImage]]) -> Body:
    before, marked = -1, list[str | PageImage]()
    for number, part in kept:
        if number != before and before >= 0:
            marked.append(MARK)
        before = number
        marked.append(part)
    return tuple(marked)
