"""The models with their prices, sizes and legal parameters, as documented.

The table is separate from the product's own, so that a wrong price in one of them shows as a difference
between what the product counts and what this server bills.
"""

from dataclasses import dataclass
from decimal import Decimal

# Prices: platform.claude.com model pages, read November 2026 (5.5 models) and August 2026 (the others).
# Sizes, thinking, effort and sampling rules: the same pages and the migration guides of the 5.5 models.
# The cache read price of Sonnet 5.5 is that of the migration guides; some translated model pages have 0.20.
# The image limits of Opus 5.5 are taken to be those of Sonnet 5.5.

EFFORT_LEVELS = ("low", "medium", "high", "xhigh", "max")
EFFORT_UP_TO_HIGH = EFFORT_LEVELS[:3]


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars per million tokens, one price for each kind of token."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model: its prices, its limits, and which parameters it accepts.

    `line` names the group of models that share rate limits. A prompt of more than `long_prompt_tokens` costs
    `long_prompt_price`. A prefix shorter than `min_cacheable_tokens` is not cached. An image is scaled down
    to a long edge of `max_image_edge` pixels and counts at most `max_image_tokens`; a request carries at most
    `max_images`. `thinks_by_default` says whether the model thinks when a request does not mention thinking.
    """

    id: str
    name: str
    line: str
    created_at: str
    context_tokens: int
    max_output_tokens: int
    price: Price
    long_prompt_price: Price | None = None
    long_prompt_tokens: int = 0
    new_tokenizer: bool
    min_cacheable_tokens: int
    max_image_tokens: int
    max_image_edge: int
    max_images: int
    thinking_types: tuple[str, ...]
    thinks_by_default: bool
    effort_levels: tuple[str, ...]
    default_effort: str
    forced_tool_choice: bool
    prefill: bool
    sampling_parameters: bool

    def price_of_prompt(self, prompt_tokens: int) -> Price:
        """The prices that apply to a request whose prompt has this many tokens."""
        if self.long_prompt_price and prompt_tokens > self.long_prompt_tokens:
            return self.long_prompt_price
        return self.price


def _price(*per_million: str) -> Price:
    prompt, reply, write_5m, write_1h, read = map(Decimal, per_million)
    return Price(
        input=prompt, output=reply, cache_write_5m=write_5m, cache_write_1h=write_1h, cache_read=read
    )


_TABLE = (
    Model(
        id="claude-haiku-5-5",
        name="Claude Haiku 5.5",
        line="haiku",
        created_at="2026-10-07T00:00:00Z",
        context_tokens=1_000_000,
        max_output_tokens=128_000,
        price=_price("0.10", "0.50", "0.125", "0.20", "0.01"),
        long_prompt_price=_price("0.50", "2.50", "0.625", "1.00", "0.05"),
        long_prompt_tokens=100_000,
        new_tokenizer=True,
        min_cacheable_tokens=512,
        max_image_tokens=4_784,
        max_image_edge=2_576,
        max_images=600,
        thinking_types=("adaptive", "disabled"),
        thinks_by_default=True,
        effort_levels=EFFORT_LEVELS,
        default_effort="medium",
        forced_tool_choice=True,
        prefill=False,
        sampling_parameters=False,
    ),
    Model(
        id="claude-sonnet-5-5",
        name="Claude Sonnet 5.5",
        line="sonnet",
        created_at="2026-09-28T00:00:00Z",
        context_tokens=1_000_000,
        max_output_tokens=128_000,
        price=_price("2", "10", "2.50", "4", "0.10"),
        new_tokenizer=True,
        min_cacheable_tokens=512,
        max_image_tokens=4_784,
        max_image_edge=2_576,
        max_images=600,
        thinking_types=("adaptive", "between_tools"),
        thinks_by_default=True,
        effort_levels=EFFORT_LEVELS,
        default_effort="high",
        forced_tool_choice=False,
        prefill=False,
        sampling_parameters=False,
    ),
    Model(
        id="claude-opus-5-5",
        name="Claude Opus 5.5",
        line="opus",
        created_at="2026-09-22T00:00:00Z",
        context_tokens=1_000_000,
        max_output_tokens=128_000,
        price=_price("4", "20", "5", "8", "0.20"),
        new_tokenizer=True,
        min_cacheable_tokens=512,
        max_image_tokens=4_784,
        max_image_edge=2_576,
        max_images=600,
        thinking_types=("adaptive",),
        thinks_by_default=True,
        effort_levels=EFFORT_LEVELS,
        default_effort="medium",
        forced_tool_choice=False,
        prefill=False,
        sampling_parameters=False,
    ),
    Model(
        id="claude-haiku-4-5",
        name="Claude Haiku 4.5",
        line="haiku",
        created_at="2025-10-15T00:00:00Z",
        context_tokens=200_000,
        max_output_tokens=64_000,
        price=_price("1", "5", "1.25", "2", "0.10"),
        new_tokenizer=False,
        min_cacheable_tokens=4_096,
        max_image_tokens=1_568,
        max_image_edge=1_568,
        max_images=100,
        thinking_types=("enabled", "disabled"),
        thinks_by_default=False,
        effort_levels=(),
        default_effort="",
        forced_tool_choice=True,
        prefill=True,
        sampling_parameters=True,
    ),
    Model(
        id="claude-sonnet-4-6",
        name="Claude Sonnet 4.6",
        line="sonnet",
        created_at="2026-02-17T00:00:00Z",
        context_tokens=1_000_000,
        max_output_tokens=64_000,
        price=_price("3", "15", "3.75", "6", "0.30"),
        new_tokenizer=False,
        min_cacheable_tokens=1_024,
        max_image_tokens=1_568,
        max_image_edge=1_568,
        max_images=600,
        thinking_types=("adaptive", "enabled", "disabled"),
        thinks_by_default=False,
        effort_levels=("low", "medium", "high", "max"),
        default_effort="high",
        forced_tool_choice=True,
        prefill=False,
        sampling_parameters=True,
    ),
)

MODELS = {model.id: model for model in _TABLE}
