"""Reads the categories from the `<taxonomy>` block of the system prompt."""

import html
import re
from dataclasses import dataclass

_BLOCK = re.compile(r"<taxonomy\b[^>]*>(.*?)</taxonomy>", re.DOTALL | re.IGNORECASE)
_CATEGORY = re.compile(r"<category\b([^>]*)>(.*?)</category>", re.DOTALL | re.IGNORECASE)
_SLUG = re.compile(r"""\b(?:slug|id|name)\s*=\s*["']([^"']+)["']""")
_SEPARATORS = re.compile(r"[,;\n]")


@dataclass(frozen=True, kw_only=True)
class Category:
    """One category as the prompt describes it."""

    slug: str
    name: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: str = ""


def parse_taxonomy(system: str) -> dict[str, Category]:
    """The categories by lower-case slug; empty if the prompt has no `<taxonomy>` block."""
    block = _BLOCK.search(system)
    found = (_category(*match) for match in _CATEGORY.findall(block[1] if block else ""))
    return {category.slug.lower(): category for category in found if category.slug}


def _category(attributes: str, content: str) -> Category:
    slug = _SLUG.search(attributes)
    return Category(
        slug=html.unescape(slug[1]) if slug else _tag("slug", content),
        name=_tag("name", content),
        description=_tag("description", content),
        keywords=tuple(
            keyword.strip() for keyword in _SEPARATORS.split(_tag("keywords", content)) if keyword.strip()
        ),
        examples=_tag("examples?", content),
    )


def _tag(name: str, content: str) -> str:
    found = re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", content, re.DOTALL | re.IGNORECASE)
    return html.unescape(found[1]).strip() if found else ""
