"""The text that is built of what a worker sends."""

from __future__ import annotations

import pytest

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors.pdfs import pdf


def test_a_document_with_nothing_to_read_is_empty(read):
    with pytest.raises(DocumentError) as exc_info:
        read(b"")
    assert exc_info.value.code == "empty"
    with pytest.raises(DocumentError) as exc_info:
        read(pdf([[]]))
    assert exc_info.value.code == "empty"
