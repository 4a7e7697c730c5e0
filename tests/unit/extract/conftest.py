"""One extractor for all tests of the readers: starting it is not what they are about."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pigeonhole.domain.document import Text
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.extractor import Extractor
from tests.documents.vectors import packages

VECTORS = Path(__file__).parents[2] / "documents" / "vectors" / "files"

ReadDocument = Callable[..., Text]


@pytest.fixture(scope="session")
def extractor() -> Iterator[Extractor]:
    extractor = Extractor()
    yield extractor
    extractor.close()


@pytest.fixture
def read(extractor: Extractor, tmp_path: Path) -> ReadDocument:
    """Reads bytes as a document of that name."""

    def read(data: bytes, name: str = "document") -> Text:
        path = tmp_path / "document"
        path.write_bytes(data)
        return extractor.read(path, name)

    return read


@pytest.fixture
def read_within(tmp_path: Path) -> Iterator[ReadDocument]:
    """Reads bytes as a document within limits of its own."""
    opened: list[Extractor] = []

    def read(data: bytes, limits: Limits, name: str = "document") -> Text:
        path = tmp_path / "document"
        path.write_bytes(data)
        opened.append(Extractor(limits))
        return opened[-1].read(path, name)

    yield read
    for extractor in opened:
        extractor.close()


def with_members(package: bytes, members: Mapping[str, str | bytes]) -> bytes:
    """The package with these members added, or in the place of its own of the same name."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    return packages.archive({**kept, **members})
