"""What the API takes as an image: its kinds, sizes and numbers, each with the documented 400."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from infra.local.offline_claude.request.image_header import Picture, look
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

# Source: the vision page of platform.claude.com, 2026.

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_PIXELS = 8_000
MANY_IMAGES, MANY_IMAGES_PIXELS = 20, 2_000


def read_image(block: dict[str, Any], where: str) -> Picture:
    """The picture in an image block."""
    source = block.get("source")
    if not isinstance(source, dict) or source.get("type") != "base64":
        raise bad_request(f"{where}.type: The offline Claude reads base64 images only")
    if source.get("media_type") not in IMAGE_TYPES:
        raise bad_request(f"{where}.base64.media_type: Input should be one of {', '.join(IMAGE_TYPES)}")
    data = _decoded(source.get("data"), where)
    picture = look(data)
    if picture is None:
        raise bad_request("Could not process image")
    if picture.media_type != source["media_type"]:
        raise bad_request(
            f"{where}.base64.data: The image was specified using the {source['media_type']} media type, but "
            f"the image appears to be a {picture.media_type} image"
        )
    return picture


def _decoded(data: Any, where: str) -> bytes:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise bad_request(f"{where}.base64.data: invalid base64 data") from None
    if len(decoded) > IMAGE_BYTES:
        raise bad_request(
            f"{where}.base64: image exceeds 10 MB maximum: {len(decoded)} bytes > {IMAGE_BYTES} bytes"
        )
    return decoded


def check_pictures(pictures: Sequence[Picture], model: Model) -> None:
    """Raise unless one request may show all of these."""
    count = len(pictures)
    if count > model.max_images:
        raise bad_request(f"Too many images: {count} > {model.max_images}")
    longest = max((max(picture.width, picture.height) for picture in pictures), default=0)
    if longest > IMAGE_PIXELS:
        raise bad_request(
            f"At least one of the image dimensions exceed max allowed size: {IMAGE_PIXELS} pixels"
        )
    if count > MANY_IMAGES and longest > MANY_IMAGES_PIXELS:
        raise bad_request(
            "At least one of the image dimensions exceed max allowed size for many-image requests: "
            f"{MANY_IMAGES_PIXELS} pixels"
        )
