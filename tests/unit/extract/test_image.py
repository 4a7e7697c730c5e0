"""Images."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits


def test_a_very_large_plan_is_looked_at(read):
    out = io.BytesIO()
    Image.new("1", (13_000, 13_000), 1).save(out, "PNG")
    (image,) = read(out.getvalue()).images
    assert (image.width, image.height) == (1_568, 1_568)


@pytest.mark.parametrize("megabytes", [190, 240, 300])
def test_an_image_that_needs_too_much_memory_is_not_called_corrupt(read_within, megabytes):
    out = io.BytesIO()
    Image.new("1", (13_000, 13_000), 1).save(out, "PNG")
    with pytest.raises(DocumentError) as exc_info:
        read_within(out.getvalue(), Limits(memory_bytes=megabytes << 20))
    assert exc_info.value.code == "extraction_memory"


def test_an_image_with_premultiplied_alpha_is_read(read):
    file = io.BytesIO()
    Image.new("LA", (40, 20), (90, 200)).save(file, "TIFF")
    kind = struct.Struct("<HHIHH")
    multiplied = file.getvalue().replace(kind.pack(338, 3, 1, 2, 0), kind.pack(338, 3, 1, 1, 0))
    assert Image.open(io.BytesIO(multiplied)).mode == "La"
    assert len(read(multiplied).images) == 1
