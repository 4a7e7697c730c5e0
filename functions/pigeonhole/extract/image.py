"""Images, for the model to look at: each page, scaled down to what the model uses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 180_000_000  # a plan as large as a wall has fewer; in RGB they fill most of a worker's memory
ORIENTATION = 0x0112  # the EXIF tag
PLUGINS = tuple(f"PIL.{name}ImagePlugin" for name in ("Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP"))
PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")


def read(source: Source) -> Iterator[Segment]:
    """One page image for each frame of a TIFF, and one for any other image.

    Raises DocumentError `corrupt` or `too_large`.
    """
    image = _open(source.data)
    pages = _frames(image) if source.format_name == "tiff" else 1
    yield Metadata(pages_total=pages)
    for page in range(1, pages + 1):
        if not source.quota.take("vision_pages"):
            left = pages - page + 1
            name = source.name if pages == 1 else f"{source.name}: {left} of {pages} pages"
            yield NotRead(name=name, reason="vision_pages", parts=left)
            return
        yield _frame(image, page, source)
        yield Metadata(pages_read=page)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels; raises DocumentError `corrupt` or `too_large`."""
    return _open(data).size


def _frames(image: Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever its codecs raise on hostile bytes
        raise DocumentError("corrupt", f"the image breaks off: {error}") from error


def _open(data: bytes) -> Image:
    from PIL import Image

    for plugin in PLUGINS:  # these alone, or Pillow would import all it has
        import_module(plugin)

    Image.MAX_IMAGE_PIXELS = None  # our own check below raises our own error
    try:
        image = Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever its codecs raise on hostile bytes
        raise DocumentError("corrupt", f"not a readable image: {error}") from error
    if image.width * image.height > MAX_PIXELS:
        raise DocumentError("too_large", f"an image of {image.width} x {image.height} pixels")
    return image


def _frame(image: Image, page: int, source: Source) -> PageImage:
    try:
        image.seek(page - 1)
        image.draft("RGB", (source.limits.image_px * 2,) * 2)
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise DocumentError("corrupt", f"the image breaks off: {error}") from error
    return encode(image, page, source.limits.image_px, source.limits.image_bytes)


def encode(image: Image, page: int, edge: int, max_bytes: int) -> PageImage:
    """The image as a JPEG on white, its long edge within `edge` pixels, within `max_bytes` if it can be."""
    flat = _on_white(_scaled(_simple_mode(_upright(image)), edge))
    for quality in (80, 60, 40, 20):
        buffer = io.BytesIO()
        flat.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= max_bytes:
            break
    return PageImage(
        page=page, media_type="image/jpeg", data=buffer.getvalue(), width=flat.width, height=flat.height
    )


def _upright(image: Image) -> Image:
    """The image turned as its EXIF says; an upright one is not copied, for it may fill the memory."""
    from PIL import ImageOps

    turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
    return ImageOps.exif_transpose(image) if turned else image


def _simple_mode(image: Image) -> Image:
    """The image in one of Pillow's modes that scale well, and that takes no more memory than it must."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "La":
        return image.convert("LA").convert("RGBA")
    if image.mode.startswith("I"):
        return image.convert("F").point(lambda level: level / 256).convert("L")
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA")


def _scaled(image: Image, edge: int) -> Image:
    from PIL.Image import Resampling

    scale = edge / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def _on_white(image: Image) -> Image:
    from PIL import Image

    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat
