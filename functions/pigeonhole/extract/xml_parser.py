"""XML inside packages, by expat's callbacks (SAX): no entities, and no nesting deeper than a document has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from pigeonhole.domain.errors import DocumentError

DEEPEST = 1_000  # elements in elements
CHUNK = 1 << 17

StartHandler = Callable[[str, dict[str, str]], None]


class XmlParser:
    """Feeds XML to callbacks that get the local names of elements, and their attributes by qualified name."""

    def __init__(self, start: StartHandler, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = text
        self._parser.EntityDeclHandler = self._entity
        self._on_start, self._on_end = start, end
        self._depth = 0

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Parse more XML; raises DocumentError `corrupt` for what is broken, too deep or has entities."""
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


# Local name, attributes, own text.
Element = tuple[str, dict[str, str], str]


def elements(xml: bytes) -> list[Element]:
    """All elements of a small XML in the order of their ends: local name, attributes, own text.

    Attributes are known by their local names. Raises DocumentError `corrupt`.
    """
    ended: list[Element] = []
    path: list[tuple[str, dict[str, str], list[str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append((tag, {name.rpartition(":")[2]: value for name, value in attributes.items()}, []))

    def end(_: str) -> None:
        tag, attributes, texts = path.pop()
        ended.append((tag, attributes, "".join(texts).strip()))

    XmlParser(start, end, lambda piece: path[-1][2].append(piece)).feed(xml, last=True)
    return ended


def first_texts(parsed: Iterable[Element]) -> dict[str, str]:
    """For each name of an element, the first text that one has."""
    texts: dict[str, str] = {}
    for tag, _, text in parsed:
        if text:
            texts.setdefault(tag, text)
    return texts


def split(xml: bytes) -> Iterator[bytes]:
    """The XML in chunks, as a member of a package comes that is unpacked on the way."""
    return (xml[at : at + CHUNK] for at in range(0, len(xml), CHUNK))


class LineBuffer:
    """Text that arrives in pieces and leaves in passages of whole lines.

    The first passage is short, so that something is sent before a document breaks its worker. Sizes are
    characters.
    """

    # A passage doubles up to the usual size; a line that is longer than the longest is broken.
    FIRST, USUAL, LONGEST = 400, 51_200, 819_200

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._passage_chars = self.FIRST

    def add(self, piece: str) -> None:
        """Add text; a line ends only at the end of a piece."""
        self._pieces.append(piece)
        self._size += len(piece)

    def remove_line_end(self) -> None:
        """Remove a line end that turned out to be the last of its cell."""
        if self._pieces and self._pieces[-1] == "\n":
            self._pieces.pop()

    def take_passage(self) -> Iterator[str]:
        """The lines that have ended, once they are enough for a passage; else nothing."""
        if self._size < self._passage_chars:
            return
        ends = (at for at in range(len(self._pieces) - 1, 0, -1) if self._pieces[at - 1].endswith("\n"))
        if at := next(ends, 0):
            yield "".join(self._pieces[:at])
            self._pieces = self._pieces[at:]
            self._size = sum(map(len, self._pieces))
            self._passage_chars = min(self._passage_chars * 2, self.USUAL)
        elif self._passage_chars < self.LONGEST:
            self._passage_chars *= 2
        else:
            yield from self.take_rest()

    def read(self, parser: XmlParser, chunks: Iterable[bytes]) -> Iterator[str]:
        """The passages that `parser` adds here as it is fed the chunks.

        Of broken XML, all that stands before the break, and then its DocumentError.
        """
        try:
            for chunk in chunks:
                yield from self.take_passage()
                parser.feed(chunk)
            parser.feed(b"", last=True)
        except DocumentError:
            yield from self.take_rest()
            raise
        yield from self.take_rest()

    def take_rest(self) -> Iterator[str]:
        """All that is left, whole lines or not."""
        if self._pieces:
            yield "".join(self._pieces)
        self._pieces, self._size = [], 0
