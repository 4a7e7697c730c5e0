"""The text of a document: read in the sandbox, or as triage saved it."""

from __future__ import annotations

from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain.document import FetchedObject, Text
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.lease import Invocation
from pigeonhole.ports import ArtifactStore, Clock, ObjectStore, Reader


class Documents:
    """Reads uploads, of at most `max_bytes`."""

    def __init__(
        self, objects: ObjectStore, reader: Reader, artifacts: ArtifactStore, clock: Clock, max_bytes: int
    ) -> None:
        self._objects = objects
        self._reader = reader
        self._artifacts = artifacts
        self._clock = clock
        self._max_bytes = max_bytes

    def read(self, claimed: ClaimedJob, tier: TierConfig, invocation: Invocation) -> Text:
        """The document's text, saved, and noted on the job's draft. DocumentError; TryLater."""
        fetched, text = self._read(claimed, tier, invocation)
        text_uri = self._artifacts.save_text(claimed.job.upload, text.text)
        claimed.draft = claimed.draft.with_extraction(fetched, text, text_uri)
        return text

    def saved_or_read(self, claimed: ClaimedJob, tier: TierConfig, invocation: Invocation) -> Text:
        """The text that triage saved; read again when it has expired, or when pages have to be looked at."""
        draft = claimed.draft
        if draft.text_uri and not claimed.job.needs_vision:
            saved = self._artifacts.text(draft.text_uri)
            if saved is not None:
                return draft.text_of(saved)
        return self._read(claimed, tier, invocation)[1]

    def _read(
        self, claimed: ClaimedJob, tier: TierConfig, invocation: Invocation
    ) -> tuple[FetchedObject, Text]:
        """Read so early that there is time left to ask about it."""
        upload = claimed.job.upload
        with self._objects.fetch(upload, max_bytes=self._max_bytes) as fetched:
            left = (invocation.deadline - self._clock.now()).total_seconds() - tier.timeout
            return fetched, self._reader.read(fetched.path, upload.key.rpartition("/")[2], left)
