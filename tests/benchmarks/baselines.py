"""What people do without us: ask Sonnet about every document, or Haiku about every event."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pigeonhole import prompt
from pigeonhole.document import Text
from pigeonhole.ports import Analyst, Rules


def sonnet_alone(texts: Sequence[Text], rules: Rules, claude: Analyst) -> None:
    """One call a document, cut as ours, its prefix cached from the first call on."""
    asked = [prompt.cached(prompt.question(text, rules.taxonomy, rules.strong).request) for text in texts]
    claude.ask(asked[0], timeout=120)
    with ThreadPoolExecutor(10) as side_by_side:
        list(side_by_side.map(lambda request: claude.ask(request, timeout=120), asked[1:]))


def plain_haiku(texts: Sequence[Text], rules: Rules, claude: Analyst) -> None:
    """One call an event with the whole text, nothing cached."""
    whole = replace(rules.fast, tokens=10**9, model=replace(rules.fast.model, long_prompt_tokens=None))
    asked = [prompt.question(text, rules.taxonomy, whole).request for text in texts]
    with ThreadPoolExecutor(10) as side_by_side:
        list(side_by_side.map(lambda request: claude.ask(request, timeout=120), asked))
