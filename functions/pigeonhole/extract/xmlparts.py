"""XML inside packages, read by its events: no entities, no nesting deeper than a document has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from pigeonhole.domain.errors import DocumentError

DEEPEST = 1_000
CHUNK = 1 << 17

Start = Callable[[str, dict[str, str]], None]


class Events:
    """Feeds an XML part to handlers that know elements by their local names."""

    def __init__(self, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = text
        self._parser.EntityDeclHandler = self._entity
        self._on_start, self._on_end = start, end
        self._depth = 0

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Parse more of the part; DocumentError `corrupt` where it is not XML."""
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise DocumentError("corrupt", f"broken XML inside: {error}") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise DocumentError("corrupt", "its XML is nested too deeply")
        self._on_start(tag.rpartition(":")[2], attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._on_end(tag.rpartition(":")[2])

    def _entity(self, *_: object) -> None:
        raise DocumentError("corrupt", "its XML declares entities")


Element = tuple[str, dict[str, str], str]


def elements(xml: bytes) -> list[Element]:
    """All elements of a small part in the order of their ends: local name, attributes, own text."""
    done: list[Element] = []
    path: list[tuple[str, dict[str, str], list[str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append((tag, {name.rpartition(":")[2]: value for name, value in attributes.items()}, []))

    def end(_: str) -> None:
        tag, attributes, pieces = path.pop()
        done.append((tag, attributes, "".join(pieces).strip()))

    Events(start, end, lambda piece: path[-1][2].append(piece)).feed(xml, last=True)
    return done


def values(found: Iterable[Element]) -> dict[str, str]:
    """The first text of each element name that has one."""
    texts: dict[str, str] = {}
    for tag, _, text in found:
        if text:
            texts.setdefault(tag, text)
    return texts


def pieces(xml: bytes) -> Iterator[bytes]:
    """A part of which all is there already, as one that is unpacked comes."""
    return (xml[at : at + CHUNK] for at in range(0, len(xml), CHUNK))


class Lines:
    """Text that arrives in pieces, given back in passages of whole lines, the first of them short."""

    FIRST, USUAL, LONGEST = 400, 51_200, 819_200

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._enough = self.FIRST

    def add(self, piece: str) -> None:
        """More text; a newline in it ends a line."""
        self._pieces.append(piece)
        self._size += len(piece)

    def rejoin(self) -> None:
        """Take back a line end that turned out to be inside a cell."""
        if self._pieces and self._pieces[-1] == "\n":
            self._pieces.pop()

    def full(self) -> Iterator[str]:
        """The lines that have ended, once they are enough for a passage."""
        if self._size < self._enough:
            return
        ends = (at for at in range(len(self._pieces) - 1, 0, -1) if self._pieces[at - 1].endswith("\n"))
        if at := next(ends, 0):
            yield "".join(self._pieces[:at])
            self._pieces = self._pieces[at:]
            self._size = sum(map(len, self._pieces))
            self._enough = min(self._enough * 2, self.USUAL)
        elif self._enough < self.LONGEST:
            self._enough *= 2
        else:
            yield from self.rest()

    def read(self, events: Events, chunks: Iterable[bytes]) -> Iterator[str]:
        """What the events of a part say; of a broken one, all that stands before the break."""
        try:
            for chunk in chunks:
                yield from self.full()
                events.feed(chunk)
            events.feed(b"", last=True)
        except DocumentError:
            yield from self.rest()
            raise
        yield from self.rest()

    def rest(self) -> Iterator[str]:
        """Whatever is left."""
        if self._pieces:
            yield "".join(self._pieces)
        self._pieces, self._size = [], 0
