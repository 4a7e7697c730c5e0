"""Why a document can fail, in plain words with the next step: one table, its codes are a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a document has no answer, or no second one; readers of rows rely on the values."""

    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    EMPTY = "empty"
    UNSUPPORTED_TYPE = "unsupported_type"
    UNSUPPORTED_FORM = "unsupported_form"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    EXTRACTION_TIMEOUT = "extraction_timeout"
    EXTRACTION_MEMORY = "extraction_memory"
    CRASHED = "crashed"
    REJECTED = "rejected"
    REFUSED = "refused"
    INVALID_ANSWER = "invalid_answer"
    GONE = "gone"
    SEALED = "sealed"
    GAVE_UP = "gave_up"
    UPSTREAM = "upstream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """`retryable` says whether the same bytes could succeed another time."""

    message: str
    next_step: str
    retryable: bool = False


EXPLANATIONS: Mapping[ErrorCode, Explanation] = {
    ErrorCode.ENCRYPTED: Explanation(
        message="The file is protected by a password.",
        next_step="Upload a copy without the password.",
    ),
    ErrorCode.CORRUPT: Explanation(
        message="The file is damaged or incomplete.",
        next_step="Open it in its own program, save it again, and upload that.",
    ),
    ErrorCode.EMPTY: Explanation(
        message="There is nothing in the file to read or to look at.",
        next_step="Check that the export or the upload was complete.",
    ),
    ErrorCode.UNSUPPORTED_TYPE: Explanation(
        message="This type of file cannot be read.",
        next_step="Upload it as PDF, or in one of the types that the README lists.",
    ),
    ErrorCode.UNSUPPORTED_FORM: Explanation(
        message="The file is an interactive form (XFA) whose pages only Adobe's programs can make.",
        next_step="Open it in Adobe Acrobat or Reader, print it to a PDF, and upload that.",
    ),
    ErrorCode.TOO_LARGE: Explanation(
        message="The file is larger than the limit.",
        next_step="Split it, or ask your operator to raise the limit.",
    ),
    ErrorCode.TOO_DEEP: Explanation(
        message="What the file holds is nested more deeply than is read.",
        next_step="Take the inner files out and upload them by themselves.",
    ),
    ErrorCode.EXTRACTION_TIMEOUT: Explanation(
        message="Reading the file took longer than allowed.",
        next_step="Split it, or save it again in a simpler form.",
    ),
    ErrorCode.EXTRACTION_MEMORY: Explanation(
        message="Reading the file took more memory than allowed.",
        next_step="Split it, or save it again in a simpler form.",
    ),
    ErrorCode.CRASHED: Explanation(
        message="The file broke the program that was reading it.",
        next_step="Save it again in another form; if that fails too, tell your operator.",
        retryable=True,
    ),
    ErrorCode.REJECTED: Explanation(
        message="The model does not accept this document.",
        next_step="Save it again in another form, for instance as PDF, and upload that.",
    ),
    ErrorCode.REFUSED: Explanation(
        message="The model declined to read this document.",
        next_step="A person has to look at it.",
    ),
    ErrorCode.INVALID_ANSWER: Explanation(
        message="The model's answer could not be used.",
        next_step="A person has to look at it.",
        retryable=True,
    ),
    ErrorCode.GONE: Explanation(
        message="The file was deleted before it could be read.",
        next_step="Upload it again if it is still wanted.",
    ),
    ErrorCode.SEALED: Explanation(
        message="The file is stored in an archive, or encrypted with a key of its own, and not handed out.",
        next_step="Upload it again in the standard storage class and without a key of your own.",
        retryable=True,
    ),
    ErrorCode.GAVE_UP: Explanation(
        message="The work on this document was begun as often as allowed and never finished.",
        next_step="Ask your operator to look at the function's log and to redrive it.",
        retryable=True,
    ),
    ErrorCode.UPSTREAM: Explanation(
        message="A service that we need kept failing.",
        next_step="Ask your operator to redrive it when the service is well again.",
        retryable=True,
    ),
}
