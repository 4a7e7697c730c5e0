"""The taxonomy file: what is accepted, what is said of each mistake, and what changes the fingerprint."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain import taxonomy
from pigeonhole.domain.taxonomy import TaxonomyError

ONE = '[[category]]\nslug = "one"\nname = "One"\ndescription = "The first."\n'
TWO = '[[category]]\nslug = "two"\nname = "Two"\ndescription = "The second."\n'


def test_the_taxonomy_that_ships_has_the_twelve_usual_categories():
    shipped = taxonomy.load((files("pigeonhole") / "domain" / "taxonomy.toml").read_text("utf-8"))

    assert set(shipped.slugs) == {
        "invoice", "purchase_order", "expense_report", "contract", "resume", "meeting_minutes",
        "report", "manual", "policy", "support_request", "letter", "form",
    }  # fmt: skip
    assert all(category.keywords for category in shipped.category)


def test_the_categories_stay_in_the_order_of_the_file():
    assert taxonomy.load(TWO + ONE).slugs == ("two", "one")


def test_capitals_in_a_slug_do_not_count():
    assert taxonomy.load(ONE.replace('"one"', '"ONE"') + TWO).slugs == ("one", "two")


def test_only_the_categories_that_ask_for_it_get_a_second_opinion():
    loaded = taxonomy.load(ONE + "second_opinion = true\n" + TWO)

    assert [loaded.wants_second_opinion(slug) for slug in ("one", "two", "three")] == [True, False, False]


@pytest.mark.parametrize(
    ("toml", "where", "what"),
    [
        ("category = [", "not TOML", ""),
        ("", "category", "required"),
        (ONE, "category", "at least 2"),
        (ONE + ONE, "category", "stand twice: one"),
        (ONE + ONE.replace('"one"', '"ONE"'), "category", "stand twice: one"),
        (ONE + TWO.replace('slug = "two"', ""), "category.1.slug", "required"),
        (ONE + TWO.replace('"two"', '"none"'), "category.1.slug", "not 'none'"),
        (ONE + TWO.replace('"two"', '"None"'), "category.1.slug", "not 'none'"),
        (ONE + TWO.replace('"two"', '"two words"'), "category.1.slug", "starting with a letter"),
        (ONE + TWO.replace('"two"', '"2nd"'), "category.1.slug", "starting with a letter"),
        (ONE + TWO.replace('"two"', '"größe"'), "category.1.slug", "use a-z"),
        (ONE + TWO.replace('"two"', '"two\\n"'), "category.1.slug", "use a-z"),
        (ONE + TWO.replace('"two"', f'"{"t" * 41}"'), "category.1.slug", "at most 40"),
        (ONE + TWO.replace('"Two"', '""'), "category.1.name", "at least 1"),
        (ONE + TWO.replace('"The second."', "7"), "category.1.description", "string"),
        (ONE + TWO + "keyword = ['typo']\n", "category.1.keyword", "not permitted"),
        (ONE + TWO + "keywords = 'one string'\n", "category.1.keywords", "tuple"),
        (ONE + TWO + "second_opinion = 'perhaps'\n", "category.1.second_opinion", "boolean"),
        ("title = 'mine'\n" + ONE + TWO, "title", "not permitted"),
        (ONE + "".join(TWO.replace('"two"', f'"two_{n}"') for n in range(100)), "category", "at most 100"),
    ],
    ids=[
        "not TOML", "empty", "one category", "twice", "twice but for capitals", "no slug", "reserved",
        "reserved but for capitals", "two words", "begins with a digit", "umlauts", "line feed", "too long",
        "no name", "number for a text", "misspelt key", "text for a list", "no boolean", "unknown table",
        "too many",
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(toml, where, what):
    with pytest.raises(TaxonomyError) as exc_info:
        taxonomy.load(toml)

    assert where in str(exc_info.value)
    assert what in str(exc_info.value)


def test_a_wrong_category_is_not_said_to_be_missing_too():
    with pytest.raises(TaxonomyError) as exc_info:
        taxonomy.load(ONE.replace('"one"', '"1"') + TWO)
    assert str(exc_info.value).startswith("the taxonomy is wrong: category.0.slug: ")
    assert ";" not in str(exc_info.value)


def test_every_mistake_is_named_at_once():
    with pytest.raises(TaxonomyError) as exc_info:
        taxonomy.load(ONE.replace('"one"', '"1"') + TWO.replace('"Two"', '""'))

    assert "category.0.slug" in str(exc_info.value)
    assert "category.1.name" in str(exc_info.value)


@given(st.text() | st.text("[]{}=\"'\n#.,ab1 "))
def test_any_text_is_a_taxonomy_or_a_taxonomy_error(toml):
    with pytest.raises(TaxonomyError):
        taxonomy.load(toml)


@pytest.mark.parametrize(
    "other",
    [
        TWO + ONE,
        ONE + TWO.replace("second", "other"),
        ONE + TWO.replace('"Two"', '"Deux"'),
        ONE + TWO + 'keywords = ["more"]\n',
        ONE + TWO + 'examples = ["more"]\n',
        ONE + TWO.replace('"two"', '"deux"'),
    ],
    ids=["order", "description", "name", "keywords", "examples", "slug"],
)
def test_the_fingerprint_changes_with_anything_that_the_models_are_told(other):
    assert taxonomy.load(other).fingerprint != taxonomy.load(ONE + TWO).fingerprint


def test_comments_and_spacing_do_not_change_the_fingerprint():
    same = taxonomy.load("# mine\n\n" + ONE + "\n\n" + TWO.replace(" = ", "="))

    assert same.fingerprint == taxonomy.load(ONE + TWO).fingerprint
    assert len(same.fingerprint) == 12
