"""Counts the tokens of requests and answers: an estimate by length, not a tokenizer."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from infra.local.offline_claude.request.content import Content, ContentBlock
from infra.local.offline_claude.request.image_header import ImageHeader
from infra.local.offline_claude.spec.model_catalog import Model

# The older models' tokenizer; the newer one makes about 30 percent more tokens of the same text.
CHARS_PER_TOKEN = 4.0
NEW_TOKENIZER_FACTOR = 1.3
IMAGE_PATCH_PIXELS = 28
TOKENS_PER_MESSAGE = 3


@dataclass(frozen=True, kw_only=True)
class TokenUsage:
    """The numbers of tokens of one request, by the kinds that have a price of their own."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    @property
    def prompt(self) -> int:
        """The tokens of the whole prompt, from the cache or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def as_dict(self) -> dict[str, int]:
        """The numbers by the name of the kind."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class TokenCounter:
    """Estimates tokens by characters, or by bytes of UTF-8 where `tokens_per_byte` is set."""

    chars_per_token: float | None = None
    tokens_per_byte: float | None = None

    def count_text(self, text: str, model: Model) -> int:
        """The tokens of a text."""
        if self.tokens_per_byte is not None:
            return math.ceil(len(text.encode(errors="replace")) * self.tokens_per_byte)
        return math.ceil(len(text) / self._chars_per_token_of(model))

    def _chars_per_token_of(self, model: Model) -> float:
        return self.chars_per_token or (
            CHARS_PER_TOKEN / NEW_TOKENIZER_FACTOR if model.new_tokenizer else CHARS_PER_TOKEN
        )

    def count_block(self, block: ContentBlock, model: Model) -> int:
        """The tokens of one block."""
        return self.count_text(block.text, model) + (image_tokens(block.image, model) if block.image else 0)

    def count_output_format(self, body: dict[str, Any], model: Model) -> int:
        """The tokens of the output format, which stands before the rest of the prompt; 0 without one."""
        output_format = (body.get("output_config") or {}).get("format")
        return self.count_text(json.dumps(output_format, ensure_ascii=False), model) if output_format else 0

    def count_prompt(self, body: dict[str, Any], content: Content, model: Model) -> int:
        """The input tokens of a whole request."""
        content_tokens = sum(self.count_block(block, model) for block in content.blocks)
        return (
            self.count_output_format(body, model)
            + content_tokens
            + TOKENS_PER_MESSAGE * len(body["messages"])
        )


def image_tokens(image: ImageHeader, model: Model) -> int:
    """One token a patch of the image, scaled down to the model's long edge; at most the model's maximum."""
    scale = min(1.0, model.max_image_edge / max(image.width, image.height))
    patches = math.ceil(image.width * scale / IMAGE_PATCH_PIXELS) * math.ceil(
        image.height * scale / IMAGE_PATCH_PIXELS
    )
    return min(patches, model.max_image_tokens)
