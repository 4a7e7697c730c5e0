"""What people do without us: ask Sonnet about every document, or Haiku about every event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pigeonhole.claude import prompt
from pigeonhole.domain.document import Stage, Text
from pigeonhole.ports import ModelClient
from pigeonhole.services import PipelineConfig


def sonnet_alone(texts: Iterable[Text], config: PipelineConfig, claude: ModelClient) -> None:
    """One call a document, cut as ours, its prefix cached from the first call on."""
    strong = config.tiers[Stage.ESCALATION]
    for text in texts:
        prepared = prompt.prepare(text, config.taxonomy, strong)
        claude.ask(prompt.with_cached_prefix(prepared.request), timeout=strong.timeout)


def plain_haiku(texts: Iterable[Text], config: PipelineConfig, claude: ModelClient) -> None:
    """One call an event with the whole text, nothing cached."""
    fast = config.tiers[Stage.TRIAGE]
    whole = replace(fast, document_tokens=10**9, model=replace(fast.model, long_prompt_tokens=None))
    for text in texts:
        claude.ask(prompt.prepare(text, config.taxonomy, whole).request, timeout=fast.timeout)
