"""Images, for the model's eyes: each frame that counts, scaled to what the model uses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.parts import Facts, Part, Source

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 180_000_000
ORIENTATION = 0x0112
PLUGINS = tuple(f"PIL.{name}ImagePlugin" for name in ("Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP"))
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")


def read(source: Source) -> Iterator[Part]:
    """One page image a frame of a TIFF, one for any other image."""
    image = _open(source.data)
    pages = _frames(image) if source.kind == "tiff" else 1
    yield Facts(pages_total=pages)
    for page in range(1, pages + 1):
        if not source.budget.take("eye_pages"):
            yield Facts(cut="eye_pages")
            return
        yield _frame(image, page, source)
        yield Facts(pages_read=page)


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

    Image.MAX_IMAGE_PIXELS = None  # ours below counts instead, and says so in our words
    try:
        image = Image.open(io.BytesIO(data), formats=KINDS)
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
    """The image as a JPEG on white within `edge` pixels and `max_bytes`."""
    flat = _flat(_fitted(_plain(_upright(image)), edge))
    for quality in (80, 60, 40, 20):
        buffer = io.BytesIO()
        flat.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= max_bytes:
            break
    return PageImage(
        page=page, media_type="image/jpeg", data=buffer.getvalue(), width=flat.width, height=flat.height
    )


def _upright(image: Image) -> Image:
    """As it was taken; one that stands already is not copied, for it may be as large as memory allows."""
    from PIL import ImageOps

    turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
    return ImageOps.exif_transpose(image) if turned else image


def _plain(image: Image) -> Image:
    """In a mode that can be scaled well, and takes no more memory than it must."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "La":
        return image.convert("LA").convert("RGBA")
    if image.mode.startswith("I"):
        return image.convert("F").point(lambda level: level / 256).convert("L")
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA")


def _fitted(image: Image, edge: int) -> Image:
    from PIL.Image import Resampling

    scale = edge / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def _flat(image: Image) -> Image:
    from PIL import Image

    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat
