"""What the public row's attributes, statuses and reasons mean, for the generated references.

The texts are published: in record.schema.json, in functions/REFERENCE.md and in the report page. Tests hold
the tables to the model and to the policy, so that nothing is missing and nothing is stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

# By name; an attribute of an object by its path, where `usage.*` is the usage of any one model.
ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "schema": "Version of this schema.",
        "document": "S3 URI of the document; the table's key.",
        "bucket": "The inbox bucket.",
        "key": "Key of the document in the inbox.",
        "version_id": "S3 version that the row is about; of a removed document, that of the event.",
        "sequencer": "Orders the uploads of one key: S3's sequencer, padded so that it sorts as text.",
        "etag": "S3's ETag of the upload.",
        "size_bytes": "Size of the upload in bytes.",
        "sha256": "SHA-256 of the upload's bytes, in hex.",
        "content_type": "Content type that the uploader stated; it is not checked.",
        "media_type": "Media type that was detected by content.",
        "uploaded_at": "Time of the upload, by S3's clock.",
        "team": "First folder of the key, or `-` for a key without one.",
        "status": "Where the document is; see the statuses.",
        "outcome_id": "Changes with every outcome and every parking; the `event_id` of its event.",
        "category": "Slug of the taxonomy; absent where no category fits.",
        "runner_up": "Slug of the second most likely category.",
        "confidence": "How likely the category is right, by the model, from 0 to 1.",
        "title": "The document's own title, or a fitting one.",
        "summary": "Two to four sentences by the model.",
        "language": "Main language as an ISO 639-1 code; `und` if it is not known.",
        "keywords": "Keywords by the model.",
        "evidence": "Verbatim quotes from the document that support the category.",
        "tier": "Who gave the answer: the `fast`, `strong` or `final` model, or a person (`human`).",
        "model": "Id of the model that gave the answer.",
        "prompt_version": "Version of the instructions that the model had.",
        "taxonomy_version": "Fingerprint of the taxonomy that the model had.",
        "run": "1 for the first run on this upload; a redrive adds 1.",
        "escalation_reasons": "Why the fast answer was not kept; see the reasons.",
        "review_reasons": "Why a person has to look; see the reasons.",
        "coverage": "What was read of the document, and what was sent to the model that answered.",
        "coverage.pages_total": "Pages, or what the format has for them: slides, sheets, chapters, members.",
        "coverage.pages_read": "Those of them that were read.",
        "coverage.pages_as_images": "Numbers of the pages that were sent as images.",
        "coverage.chars_total": "Characters of the document; absent where their number is not known.",
        "coverage.chars_read": "Characters that were read.",
        "coverage.chars_sent": "Characters that were sent to the model.",
        "coverage.truncated": "Whether text, or a page or picture that may hold text, was left out.",
        "coverage.cut": "Limits or errors that left something out, such as `chars`, `pages` or `corrupt`.",
        "coverage.parts_read": "Parts that were read: pages, sheets, slides, members, attachments, objects.",
        "coverage.parts_dropped": "Parts that were dropped since they say nothing, such as logos.",
        "coverage.parts_failed": "Parts that were not read; the text names each at its place, and why.",
        "coverage.hidden_chars": "Characters left out because formatting hides them; still always 0.",
        "coverage.hidden_sentences": "Sentences among them that stand nowhere in the visible text.",
        "text_uri": "S3 URI of the extracted text, which is kept for 90 days.",
        "usage": "Tokens billed for this upload so far, by model.",
        "usage.*.input_tokens": "Input tokens that were neither read from nor written to the prompt cache.",
        "usage.*.output_tokens": "Output tokens, thinking included.",
        "usage.*.cache_read_tokens": "Input tokens that were read from the prompt cache.",
        "usage.*.cache_write_tokens": "Input tokens that were written to the prompt cache.",
        "cost_usd": "US dollars that this upload has cost so far, by its usage and list prices.",
        "unsettled_usd": "US dollars that calls without an answer may have cost on top, at most.",
        "error": "Why there is no answer, or no further answer.",
        "error.code": "See the error codes.",
        "error.message": "What happened, in a sentence.",
        "error.next_step": "What to do, in a sentence.",
        "error.retryable": "Whether the same bytes could succeed another time.",
        "error.detail": "What the reader or the service said; for operators.",
        "waiting": "What a parked document waits for.",
        "waiting.for": "The reason; see the waiting reasons.",
        "waiting.since": "When it was parked.",
        "waiting.until": "When it goes on at the latest; absent where that is not known.",
        "waiting.stage": "The stage at which it goes on: `triage` or `escalation`.",
        "reviewed_by": "Who decided, of a row of tier `human`.",
        "reviewed_at": "When that person decided.",
        "attempts": "Of an outcome: attempts of its last stage, failed ones included; at most 3.",
        "processed_at": "When the document got its last outcome.",
        "updated_at": "When the row last changed its status.",
        "expires_at": "Epoch seconds after which the row is deleted; of a removed document only.",
        "revision": "How often the row has been written since it exists: it grows with each write.",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusMeaning:
    """What a status says, and the detail-type of the event that is sent when a document gets it."""

    meaning: str
    event: str | None = None


STATUSES: Mapping[str, StatusMeaning] = MappingProxyType(
    {
        "processing": StatusMeaning(meaning="It is being read."),
        "escalated": StatusMeaning(meaning="The row holds the answer so far; the next model is to read it."),
        "parked": StatusMeaning(
            meaning="It waits, and goes on by itself when what `waiting` names is over.",
            event="Document Parked",
        ),
        "done": StatusMeaning(meaning="The answer was kept, or a person has decided.", event="Document Done"),
        "needs_review": StatusMeaning(
            meaning="A person has to look; `review_reasons` says why. There may be an answer.",
            event="Document Needs Review",
        ),
        "failed": StatusMeaning(meaning="There is no answer; `error` says why.", event="Document Failed"),
        "removed": StatusMeaning(
            meaning="The document was deleted; the row is deleted 30 days later.", event="Document Removed"
        ),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a fast answer is not kept (`escalates`), or why a person has to look (`reviews`)."""

    meaning: str
    escalates: bool = False
    reviews: bool = False


REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        "low_confidence": Reason(
            meaning="The model was not sure enough of the category.", escalates=True, reviews=True
        ),
        "narrow_margin": Reason(meaning="Two categories were nearly as likely.", escalates=True),
        "quote_not_found": Reason(
            meaning="A quote that the model gave is not in the text.", escalates=True, reviews=True
        ),
        "mixed_documents": Reason(
            meaning="Several unrelated documents are in one file.", escalates=True, reviews=True
        ),
        "policy_category": Reason(meaning="This category always gets a second opinion.", escalates=True),
        "invalid_answer": Reason(
            meaning="The model's answer did not fit the form.", escalates=True, reviews=True
        ),
        "truncated_answer": Reason(meaning="The model's answer broke off.", escalates=True, reviews=True),
        "refused": Reason(meaning="The model declined to answer.", escalates=True, reviews=True),
        "unreadable": Reason(meaning="There is too little legible text to tell what it is.", reviews=True),
        "none_of_these": Reason(meaning="It fits none of the categories.", reviews=True),
        "truncated": Reason(meaning="It breaks off, and what is missing matters.", reviews=True),
    }
)

# What a parked document waits for, and when it goes on.
WAITING: Mapping[str, str] = MappingProxyType(
    {
        "spend_cap": "A cap is reached. It goes on when the day or month (UTC) ends, when reserved money is "
        "refunded, or when a deployment raises the cap; the oldest upload first.",
        "claude": "Claude refuses all calls, for instance at the account's spend limit. It goes on at the "
        "time that Claude named, or after `infra/pigeonhole resume`.",
        "credentials": "Claude rejects the API key, or the key cannot be read. It goes on after "
        "`infra/pigeonhole resume`, once the key is in order.",
        "capacity": "It was requeued too often. It goes on after 15 minutes.",
    }
)


def with_descriptions(schema: dict[str, Any]) -> dict[str, Any]:
    """The row's JSON schema with the meaning of each attribute as its description."""
    described = deepcopy(schema)
    for path, meaning in ATTRIBUTES.items():
        *parents, name = path.split(".")
        _object(described, parents)["properties"][name]["description"] = meaning
    return described


def _object(schema: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """The schema of the object at this path; `*` stands for the values of a mapping."""
    found = schema
    for name in path:
        found = found["additionalProperties"] if name == "*" else found["properties"][name]
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    return found
