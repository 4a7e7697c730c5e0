"""XML inside packages, by expat's callbacks (SAX): no entities, and no nesting deeper than a document has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.line_buffer import LineBuffer

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


def passages(parser: XmlParser, lines: LineBuffer, chunks: Iterable[bytes]) -> Iterator[str]:
    """The passages that gather in `lines` as `parser`, whose callbacks add to them, is fed the chunks.

    Of broken XML, all that stands before the break, and then its DocumentError.
    """
    try:
        for chunk in chunks:
            yield from lines.take_passage()
            parser.feed(chunk)
        parser.feed(b"", last=True)
    except DocumentError:
        yield from lines.take_rest()
        raise
    yield from lines.take_rest()
