"""An upload, and what S3 says happened to a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One version of one object: what everything else is about.

    `sequencer` orders the uploads of one key: upper-case hex, right-padded with 0 to 64;
    empty where the event carries none (lifecycle). Sizes are bytes; an event may leave
    size and etag out.
    """

    bucket: str
    key: str
    version_id: str
    sequencer: str
    uploaded_at: datetime
    size_bytes: int | None = None
    etag: str | None = None

    @property
    def document(self) -> str:
        """The S3 URI of the key: the name of the document that this is a version of."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def team(self) -> str:
        """The first folder of the key, or `-` for a key without one."""
        folder, slash, _ = self.key.partition("/")
        return folder if slash and folder else "-"


class ObjectEventType(StrEnum):
    """What S3 says happened to a key; expired is a removal by a lifecycle rule."""

    CREATED = "created"
    REMOVED = "removed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectEvent:
    """One S3 event record: for a removal, `upload` names the marker or the version that went."""

    type: ObjectEventType
    upload: Upload
