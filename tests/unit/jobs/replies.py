"""Replies as jobs record them: read under the tests' own taxonomy, and priced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

from pigeonhole.claude import prompt
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain.document import Coverage, Reply, Text, Tier
from pigeonhole.jobs.reply import InterpretedReply, Question, interpret
from tests.support.builders import TAXONOMY, reply, tier_config
from tests.support.fakes import START

MODELS = {tier: tier_config(tier).model.id for tier in (Tier.FAST, Tier.STRONG)}
TEXT = Text(media_type="text/plain", body=("Amount due: 12",), coverage=Coverage(chars_total=14))

TODAY = START.date()


def interpreted(
    of: Reply | None = None, tier: Tier = Tier.FAST, text: Text = TEXT, sent_on: date = TODAY
) -> InterpretedReply:
    """A reply of that tier to a request about the text; without one, the tier's plain and certain answer."""
    of = of or replace(reply(), model=MODELS[tier])
    return interpret(of, question(text, tier_config(tier)), TAXONOMY, sent_on)


@lru_cache
def question(text: Text, tier: TierConfig) -> Question:
    """What that tier is asked about the text."""
    prepared = prompt.prepare(text, TAXONOMY, tier)
    key = prompt.request_hash(prepared.request)
    return Question(text=text, tier=tier, prepared=prepared, key=key, latest=START)
