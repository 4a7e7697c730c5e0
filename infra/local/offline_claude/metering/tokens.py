"""How many tokens a request and an answer hold and what they cost: an estimate by length, no tokenizer."""

import json
import math
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.request.content import Content, ContentBlock
from infra.local.offline_claude.request.image_header import ImageHeader
from infra.local.offline_claude.spec.model_catalog import Model

CHARS_OLD = 4.0
NEW_TO_OLD = 1.3
PATCH = 28
PER_MESSAGE = 3
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens by kind, as they are billed."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    @property
    def prompt(self) -> int:
        """All that was read, from the cache or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def as_dict(self) -> dict[str, int]:
        """The kinds by name."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """How text becomes a number of tokens; tokens per byte, when given, counts bytes, not characters."""

    chars_per_token: float | None = None
    tokens_per_byte: float | None = None

    def text(self, text: str, model: Model) -> int:
        """The tokens of a text."""
        if self.tokens_per_byte is not None:
            return math.ceil(len(text.encode(errors="replace")) * self.tokens_per_byte)
        return math.ceil(len(text) / self.chars(model))

    def chars(self, model: Model) -> float:
        """How many characters make one token."""
        return self.chars_per_token or (CHARS_OLD / NEW_TO_OLD if model.new_tokenizer else CHARS_OLD)

    def block(self, block: ContentBlock, model: Model) -> int:
        """The tokens of one block."""
        return self.text(block.text, model) + (image_tokens(block.image, model) if block.image else 0)

    def format(self, body: dict[str, Any], model: Model) -> int:
        """The tokens of the output format, which the model is told before all else."""
        wanted = (body.get("output_config") or {}).get("format")
        return self.text(json.dumps(wanted, ensure_ascii=False), model) if wanted else 0

    def prompt(self, body: dict[str, Any], content: Content, model: Model) -> int:
        """The input tokens of a request."""
        said = sum(self.block(block, model) for block in content.blocks)
        return self.format(body, model) + said + PER_MESSAGE * len(body["messages"])


def image_tokens(image: ImageHeader, model: Model) -> int:
    """One token a patch after scaling down to the model's long edge, never above the model's cap."""
    scale = min(1.0, model.max_image_edge / max(image.width, image.height))
    patches = math.ceil(image.width * scale / PATCH) * math.ceil(image.height * scale / PATCH)
    return min(patches, model.max_image_tokens)


def costs(tokens: Tokens, model: Model) -> dict[str, Decimal]:
    """What these tokens cost in US dollars, by kind."""
    price = model.price_of_prompt(tokens.prompt)
    return {kind: count * getattr(price, kind) / MILLION for kind, count in tokens.as_dict().items()}


def cost(tokens: Tokens, model: Model) -> Decimal:
    """What these tokens cost in US dollars."""
    return sum(costs(tokens, model).values(), Decimal(0))
