"""A few lines of Markdown as somebody would scan or photograph them: the same bytes every time."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.documents.renderings import MADE, blocks, plain


def scan(source: str, *, seed: int) -> Image.Image:
    """A page as a scanner sees it: a little askew, grey, with dust."""
    page = Image.new("L", (900, 1270), 246)
    draw, y = ImageDraw.Draw(page), 80
    for cells, size in _printed(source):
        for x, text in enumerate(cells):
            draw.text((95 + 340 * x, y), text, fill=45, font=ImageFont.load_default(size))
        y += int(size * 1.6)
    page = page.rotate(0.7, fillcolor=238, resample=Image.Resampling.BICUBIC).filter(
        ImageFilter.GaussianBlur(0.6)
    )
    dust = Random(seed)
    for _ in range(220):
        page.putpixel((dust.randrange(900), dust.randrange(1270)), dust.randrange(90, 200))
    return page


def _printed(source: str) -> Iterator[tuple[tuple[str, ...], int]]:
    for block in blocks(source):
        for row in block.rows or ((plain(block.text),),):
            yield row, {"h1": 40, "h2": 28}.get(block.kind, 22)


def saved(picture: Image.Image, kind: str, *, quality: int = 45) -> bytes:
    """A picture as the bytes of a JPEG, PNG or image-only PDF."""
    out = io.BytesIO()
    times: dict[str, time.struct_time] = {}
    if kind == "PDF":
        times = {"creationDate": MADE.timetuple(), "modDate": MADE.timetuple()}
    picture.save(out, kind, quality=quality, resolution=110, optimize=True, **times)
    return out.getvalue()


def photograph(source: str) -> bytes:
    """A form that lies on a table, photographed at an angle in warm light."""
    page = scan(source, seed=7).crop((0, 0, 900, 1000)).convert("RGB")
    corners = (-70, -120, -150, 1090, 1050, 1130, 960, -60)
    tilted = page.transform(
        (820, 900), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=(122, 92, 66)
    )
    light = Image.linear_gradient("L").resize((820, 900)).point(lambda level: 255 - level // 4)
    return saved(
        Image.composite(tilted, Image.new("RGB", tilted.size, (60, 45, 30)), light), "JPEG", quality=50
    )


def display(reading: str, error: str) -> bytes:
    """The small display of a meter."""
    picture = Image.new("RGB", (240, 120), (24, 40, 32))
    draw = ImageDraw.Draw(picture)
    draw.text((24, 16), reading, fill=(140, 255, 170), font=ImageFont.load_default(40))
    draw.text((24, 72), error, fill=(255, 150, 120), font=ImageFont.load_default(28))
    return saved(picture, "PNG")
