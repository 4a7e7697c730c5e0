"""What people do without us: ask Sonnet about every document, or Haiku about every event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pigeonhole.claude import prompt
from pigeonhole.domain.document import Text
from pigeonhole.ports import Analyst, Rules


def sonnet_alone(texts: Iterable[Text], rules: Rules, claude: Analyst) -> None:
    """One call a document, cut as ours, its prefix cached from the first call on."""
    for text in texts:
        asked = prompt.question(text, rules.taxonomy, rules.strong)
        claude.ask(prompt.cached(asked.request), timeout=rules.strong.timeout)


def plain_haiku(texts: Iterable[Text], rules: Rules, claude: Analyst) -> None:
    """One call an event with the whole text, nothing cached."""
    whole = replace(rules.fast, tokens=10**9, model=replace(rules.fast.model, long_prompt_tokens=None))
    for text in texts:
        claude.ask(prompt.question(text, rules.taxonomy, whole).request, timeout=rules.fast.timeout)
