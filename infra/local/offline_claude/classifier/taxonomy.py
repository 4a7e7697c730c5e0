"""The categories as the system prompt describes them, tag by tag; nothing else of the prompt is known."""

import html
import re
from dataclasses import dataclass

_BLOCK = re.compile(r"<taxonomy\b[^>]*>(.*?)</taxonomy>", re.DOTALL | re.IGNORECASE)
_CATEGORY = re.compile(r"<category\b([^>]*)>(.*?)</category>", re.DOTALL | re.IGNORECASE)
_SLUG = re.compile(r"""\b(?:slug|id|name)\s*=\s*["']([^"']+)["']""")
_PARTS = re.compile(r"[,;\n]")


@dataclass(frozen=True, kw_only=True)
class Category:
    """One category and the words it is described by."""

    slug: str
    name: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: str = ""


def read_taxonomy(system: str) -> dict[str, Category]:
    """Every category of the taxonomy block, by lower-case slug; no block, no categories."""
    block = _BLOCK.search(system)
    found = (_category(*match) for match in _CATEGORY.findall(block[1] if block else ""))
    return {category.slug.lower(): category for category in found if category.slug}


def _category(attributes: str, inside: str) -> Category:
    slug = _SLUG.search(attributes)
    return Category(
        slug=html.unescape(slug[1]) if slug else _tag("slug", inside),
        name=_tag("name", inside),
        description=_tag("description", inside),
        keywords=tuple(part.strip() for part in _PARTS.split(_tag("keywords", inside)) if part.strip()),
        examples=_tag("examples?", inside),
    )


def _tag(name: str, inside: str) -> str:
    found = re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", inside, re.DOTALL | re.IGNORECASE)
    return html.unescape(found[1]).strip() if found else ""
