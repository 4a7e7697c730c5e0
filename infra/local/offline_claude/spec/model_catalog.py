"""What this server knows of each model: a table apart from the product's, so that the two can disagree."""

from dataclasses import dataclass
from decimal import Decimal

# Prices: platform.claude.com model pages, read October 2026 (5.5 models) and August 2026 (the others).
# Sizes, thinking, effort and sampling rules: the same pages and the migration guides of the 5.5 models.

EFFORTS = ("low", "medium", "high", "xhigh", "max")
UP_TO_HIGH = EFFORTS[:3]


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars per million tokens, by kind."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model: what it costs, what it holds, what it accepts."""

    id: str
    name: str
    line: str
    created_at: str
    context: int
    max_output: int
    price: Price
    long_price: Price | None = None
    long_from: int = 0
    new_tokenizer: bool
    min_prefix: int
    image_tokens: int
    image_edge: int
    images: int
    thinking: tuple[str, ...]
    thinks_unasked: bool
    efforts: tuple[str, ...]
    effort: str
    forced_tools: bool
    prefill: bool
    sampling: bool

    def price_for(self, prompt_tokens: int) -> Price:
        """The price list that a prompt of this length falls under."""
        return self.long_price if self.long_price and prompt_tokens > self.long_from else self.price


def _price(*per_million: str) -> Price:
    given, answered, write_5m, write_1h, read = map(Decimal, per_million)
    return Price(
        input=given, output=answered, cache_write_5m=write_5m, cache_write_1h=write_1h, cache_read=read
    )


_TABLE = (
    Model(
        id="claude-haiku-5-5",
        name="Claude Haiku 5.5",
        line="haiku",
        created_at="2026-10-07T00:00:00Z",
        context=1_000_000,
        max_output=128_000,
        price=_price("0.10", "0.50", "0.125", "0.20", "0.01"),
        long_price=_price("0.50", "2.50", "0.625", "1.00", "0.05"),
        long_from=100_000,
        new_tokenizer=True,
        min_prefix=512,
        image_tokens=4_784,
        image_edge=2_576,
        images=600,
        thinking=("adaptive", "disabled"),
        thinks_unasked=True,
        efforts=EFFORTS,
        effort="medium",
        forced_tools=True,
        prefill=False,
        sampling=False,
    ),
    Model(
        id="claude-sonnet-5-5",
        name="Claude Sonnet 5.5",
        line="sonnet",
        created_at="2026-09-28T00:00:00Z",
        context=1_000_000,
        max_output=128_000,
        price=_price("2", "10", "2.50", "4", "0.10"),
        new_tokenizer=True,
        min_prefix=512,
        image_tokens=4_784,
        image_edge=2_576,
        images=600,
        thinking=("adaptive", "between_tools"),
        thinks_unasked=True,
        efforts=EFFORTS,
        effort="high",
        forced_tools=False,
        prefill=False,
        sampling=False,
    ),
    Model(
        id="claude-haiku-4-5",
        name="Claude Haiku 4.5",
        line="haiku",
        created_at="2025-10-15T00:00:00Z",
        context=200_000,
        max_output=64_000,
        price=_price("1", "5", "1.25", "2", "0.10"),
        new_tokenizer=False,
        min_prefix=4_096,
        image_tokens=1_568,
        image_edge=1_568,
        images=100,
        thinking=("enabled", "disabled"),
        thinks_unasked=False,
        efforts=(),
        effort="",
        forced_tools=True,
        prefill=True,
        sampling=True,
    ),
    Model(
        id="claude-sonnet-4-6",
        name="Claude Sonnet 4.6",
        line="sonnet",
        created_at="2026-02-17T00:00:00Z",
        context=1_000_000,
        max_output=64_000,
        price=_price("3", "15", "3.75", "6", "0.30"),
        new_tokenizer=False,
        min_prefix=1_024,
        image_tokens=1_568,
        image_edge=1_568,
        images=600,
        thinking=("adaptive", "enabled", "disabled"),
        thinks_unasked=False,
        efforts=("low", "medium", "high", "max"),
        effort="high",
        forced_tools=True,
        prefill=False,
        sampling=True,
    ),
)

MODELS = {model.id: model for model in _TABLE}
