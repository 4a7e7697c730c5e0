"""Which images the API accepts by type, size and number; others get the documented 400."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from infra.local.offline_claude.request.image_header import ImageHeader, read_image_header
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

# Source: the vision page of platform.claude.com, 2026.

MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
MAX_BYTES = 10 * 1024 * 1024
MAX_EDGE = 8_000
MANY_IMAGES, MANY_IMAGES_MAX_EDGE = 20, 2_000


def parse_image(block: dict[str, Any], path: str) -> ImageHeader:
    """The header of the image in an image block. Raises a 400 for an image that the API would not accept."""
    source = block.get("source")
    if not isinstance(source, dict) or source.get("type") != "base64":
        raise bad_request(f"{path}.type: The offline Claude reads base64 images only")
    if source.get("media_type") not in MEDIA_TYPES:
        raise bad_request(f"{path}.base64.media_type: Input should be one of {', '.join(MEDIA_TYPES)}")
    data = _decode(source.get("data"), path)
    image = read_image_header(data)
    if image is None:
        raise bad_request("Could not process image")
    if image.media_type != source["media_type"]:
        raise bad_request(
            f"{path}.base64.data: The image was specified using the {source['media_type']} media type, but "
            f"the image appears to be a {image.media_type} image"
        )
    return image


def _decode(data: Any, path: str) -> bytes:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise bad_request(f"{path}.base64.data: invalid base64 data") from None
    if len(decoded) > MAX_BYTES:
        raise bad_request(
            f"{path}.base64: image exceeds 10 MB maximum: {len(decoded)} bytes > {MAX_BYTES} bytes"
        )
    return decoded


def check_images(images: Sequence[ImageHeader], model: Model) -> None:
    """Raise a 400 unless one request may carry all of these images."""
    count = len(images)
    if count > model.max_images:
        raise bad_request(f"Too many images: {count} > {model.max_images}")
    longest_edge = max((max(image.width, image.height) for image in images), default=0)
    if longest_edge > MAX_EDGE:
        raise bad_request(f"At least one of the image dimensions exceed max allowed size: {MAX_EDGE} pixels")
    if count > MANY_IMAGES and longest_edge > MANY_IMAGES_MAX_EDGE:
        raise bad_request(
            "At least one of the image dimensions exceed max allowed size for many-image requests: "
            f"{MANY_IMAGES_MAX_EDGE} pixels"
        )
