"""What the offline Claude makes of documents: sensible, honest about what it cannot tell, always the same."""

from __future__ import annotations

import io
import json
from base64 import b64encode

import pytest
from PIL import Image

from tests.contract.offline_claude.client import ANSWER_SCHEMA, PROPERTIES, Claude, obj, output, text_of
from tests.contract.offline_claude.documents import DOCUMENTS

POEM = "The wind is low above the reeds\nand geese go over, grey on grey.\nAll the light is gone away.\n"
INVOICE = DOCUMENTS["invoice", "en"]


@pytest.mark.parametrize(("kind", "language"), DOCUMENTS, ids=lambda part: str(part))
def test_a_plainly_worded_document_is_what_it_says_in_its_own_language(
    claude: Claude, kind: str, language: str
) -> None:
    said = claude.answer(DOCUMENTS[kind, language])
    assert (said["category"], said["language"], said["issue"]) == (kind, language, "none")


@pytest.mark.parametrize("kind", [kind for kind, language in DOCUMENTS if language == "en"])
def test_a_plainly_worded_document_is_certain(claude: Claude, kind: str) -> None:
    said = claude.answer(DOCUMENTS[kind, "en"])
    assert said["confidence"] >= 90
    assert said["confidence"] - said["runner_up_confidence"] >= 50


def test_a_document_of_two_minds_is_uncertain_and_names_both(claude: Claude) -> None:
    said = claude.answer(
        "Dear Sir, please find enclosed the invoice number 5; the amount due is 300 EUR.\n"
        "Yours sincerely, A. Bell"
    )
    assert 40 <= said["confidence"] <= 80
    assert {said["category"], said["runner_up"]} == {"letter", "invoice"}


def test_the_strong_model_is_more_certain_of_the_same_choice(claude: Claude) -> None:
    letter = DOCUMENTS["letter", "es"]
    fast, strong = claude.answer(letter), claude.answer(letter, model="claude-sonnet-5-5")
    assert strong["category"] == fast["category"]
    assert strong["confidence"] > fast["confidence"]


def test_quotes_stand_in_the_document_word_for_word(claude: Claude) -> None:
    for document in DOCUMENTS.values():
        said = claude.answer(document)
        assert 1 <= len(said["evidence"]) <= 3
        assert all(quote in document and len(quote) <= 300 for quote in said["evidence"])


def test_a_quote_from_an_endless_line_is_cut_and_still_verbatim(claude: Claude) -> None:
    endless = "The invoice number is nine and the amount due to us is twenty euros " * 40
    (quote, *_) = claude.answer(endless)["evidence"]
    assert len(quote) <= 300
    assert quote in endless


def test_title_summary_and_keywords_come_from_the_document(claude: Claude) -> None:
    said = claude.answer(DOCUMENTS["report", "en"])
    assert said["title"] == "Quarterly report on bicycle counts"
    assert "8 percent" in said["summary"]
    assert all(word in DOCUMENTS["report", "en"].lower() for word in said["keywords"])


def test_a_text_without_any_known_word_fits_none_of_the_categories(claude: Claude) -> None:
    said = claude.answer(POEM)
    assert said["issue"] == "none_of_these"
    assert said["confidence"] < 20


def test_an_invoice_with_a_resume_behind_it_is_two_documents(claude: Claude) -> None:
    resume = "CURRICULUM VITAE\n" + DOCUMENTS["resume", "en"].replace("Curriculum Vitae\n", "") * 2
    assert claude.answer(INVOICE * 2 + resume)["issue"] == "mixed_documents"


@pytest.mark.parametrize("text", [*DOCUMENTS.values(), INVOICE * 5], ids=lambda text: text[:12].strip())
def test_one_document_is_not_mixed(claude: Claude, text: str) -> None:
    assert claude.answer(text)["issue"] != "mixed_documents"


@pytest.mark.parametrize(
    ("sample", "code"),
    [("請求書の番号をご確認ください", "ja"), ("发票号码", "zh"), ("청구서 번호", "ko"), ("Номер счёта", "ru"),
     ("رقم الفاتورة", "ar"), ("चालान संख्या", "hi"),
     ("Umowa została zawarta przez strony i nie może być", "pl"),
     ("O contrato foi assinado pela empresa e não pode ser", "pt")],
)  # fmt: skip
def test_a_language_is_known_by_its_script_or_its_little_words(
    claude: Claude, sample: str, code: str
) -> None:
    assert claude.answer(sample)["language"] == code


def test_a_picture_is_said_to_be_unread(claude: Claude) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30)).save(drawn, "PNG")
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(drawn.getvalue()).decode()}
    blocks = [
        {"type": "text", "text": "<document>"},
        {"type": "image", "source": source},
        {"type": "text", "text": "</document>"},
    ]
    said = claude.answer("", messages=[{"role": "user", "content": blocks}])
    assert (said["issue"], said["confidence"]) == ("unreadable", 0)
    assert said["summary"] == "The offline Claude cannot see images."
    assert said["evidence"] == []


def test_only_what_stands_in_the_document_tags_is_read(claude: Claude) -> None:
    said = claude.answer(
        "", messages=[{"role": "user", "content": f"{INVOICE}<document>{POEM}</document>{INVOICE}"}]
    )
    assert said["issue"] == "none_of_these"


def test_the_categories_are_those_of_the_schema_and_their_words_those_of_the_prompt(claude: Claude) -> None:
    system = (
        '<taxonomy><category slug="birds"><name>Birds</name><keywords>geese, heron</keywords></category>'
        '<category slug="fish"><name>Fish</name><keywords>trout</keywords></category></taxonomy>'
    )
    offered = PROPERTIES | {
        "category": {"type": "string", "enum": ["fish", "birds"]},
        "runner_up": {"type": "string"},
    }
    said = claude.answer(POEM, system=system, output_config=output(obj(offered)))
    assert (said["category"], said["issue"]) == ("birds", "none")


def test_the_same_question_gets_the_same_answer_to_the_letter(claude: Claude) -> None:
    first, second = claude.create(INVOICE), claude.create(INVOICE)
    assert first.model_dump() == second.model_dump()
    assert first.id.startswith("msg_offline_")


def test_words_far_down_a_huge_text_are_not_looked_at(claude: Claude) -> None:
    said = claude.answer("lorem " * 20_000 + "\n" + INVOICE)
    assert (said["issue"], said["evidence"]) == ("none_of_these", [])


def test_what_stands_first_weighs_more(claude: Claude) -> None:
    bill, deal = "amount due, bill to, subtotal. ", "the parties, hereby, governing law. "
    between = "lorem ipsum " * 60
    assert claude.answer(bill + between + deal)["category"] == "invoice"
    assert claude.answer(deal + between + bill)["category"] == "contract"


def test_without_a_schema_it_answers_in_words_and_says_what_it_is(claude: Claude) -> None:
    message = claude.create(INVOICE, output_config=None)
    assert text_of(message).startswith("Offline Claude: invoice")


def test_a_forced_tool_is_called_with_the_same_answer(claude: Claude) -> None:
    message = claude.create(
        INVOICE,
        output_config=None,
        tools=[{"name": "sort", "input_schema": ANSWER_SCHEMA}],
        tool_choice={"type": "tool", "name": "sort"},
    )
    assert message.stop_reason == "tool_use"
    (call,) = message.content
    assert call.type == "tool_use"
    assert call.input == json.loads(text_of(claude.create(INVOICE)))
