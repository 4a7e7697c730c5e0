"""The categories a document can be put into: loaded from TOML, validated, fingerprinted."""

from __future__ import annotations

import hashlib
import re
import tomllib
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

# One grammar token each keeps the model's enum short, and case cannot matter.
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED = frozenset({"none"})


class TaxonomyError(ValueError):
    """The taxonomy file is wrong; the message says where and what to change."""


class Category(BaseModel):
    """One pigeonhole. `second_opinion` sends every document in it to the strong model as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    name: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=1000)
    keywords: tuple[str, ...] = Field(default=(), max_length=40)
    examples: tuple[str, ...] = Field(default=(), max_length=10)
    second_opinion: bool = False

    @field_validator("slug")
    @classmethod
    def _is_slug(cls, value: str) -> str:
        slug = value.casefold()
        if not _SLUG.fullmatch(slug) or slug in _RESERVED:
            raise ValueError("use a-z, 0-9 and _, starting with a letter, at most 40, and not 'none'")
        return slug


class Taxonomy(BaseModel):
    """All the categories, in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: tuple[Category, ...] = Field(min_length=2, max_length=100)

    @field_validator("category")
    @classmethod
    def _are_distinct(cls, value: tuple[Category, ...]) -> tuple[Category, ...]:
        slugs = [category.slug for category in value]
        twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
        if twice:
            raise ValueError(f"these slugs stand twice: {', '.join(twice)}")
        return value

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        return tuple(category.slug for category in self.category)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with anything that the models are told."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def wants_second_opinion(self, slug: str) -> bool:
        return any(category.second_opinion for category in self.category if category.slug == slug)


def load(toml: str) -> Taxonomy:
    """The taxonomy in a TOML file's text; TaxonomyError names every mistake at once."""
    try:
        return Taxonomy.model_validate(tomllib.loads(toml))
    except tomllib.TOMLDecodeError as error:
        raise TaxonomyError(f"the taxonomy is not TOML: {error}") from error
    except ValidationError as error:
        raise TaxonomyError("the taxonomy is wrong: " + "; ".join(_mistakes(error))) from error


def _mistakes(error: ValidationError) -> list[str]:
    """Those inside a category, if there are any: without it there may seem to be too few."""
    all_of_them = error.errors()
    inside = [each for each in all_of_them if len(each["loc"]) > 1]
    return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in inside or all_of_them]
