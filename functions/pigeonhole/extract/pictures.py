"""Which pictures in a document are decoration, and which may have words in them that somebody has to see."""

from __future__ import annotations

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import image

# A picture that covers less of its page, or has fewer pixels, is a logo, an icon, a bullet or a line.
LEAST_SHARE = 0.1
LEAST_SIDE = 80
LEAST_PIXELS = 40_000


def is_decoration(data: bytes, share: float | None = None) -> bool:
    """Whether a picture is too small to have words in it; `share` is the part of a page that it covers.

    A picture that cannot be opened is none: raises DocumentError `corrupt` or `too_large`.
    """
    if share is not None and share < LEAST_SHARE:
        return True
    try:
        width, height = image.size_of(data)
    except DocumentError:
        return False
    return min(width, height) < LEAST_SIDE or width * height < LEAST_PIXELS
