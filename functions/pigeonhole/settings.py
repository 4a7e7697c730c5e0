"""All that is decided outside, read once from the environment into frozen Settings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# A team is a first folder; one with a comma, a space or an equals sign in its name cannot have caps.
_TEAM_CAP = r"[^,=\s/]+=\d+(\.\d+)?/\d+(\.\d+)?"
TEAM_CAPS = rf"^({_TEAM_CAP}(,{_TEAM_CAP})*)?$"


class SettingsError(ValueError):
    """The environment is wrong; the message names every missing or unusable variable."""


class Settings(BaseModel):
    """All that is decided outside: each field is the environment variable of that name in capitals."""

    model_config = ConfigDict(frozen=True)

    powertools_service_name: str = Field(
        default="pigeonhole", description="Tells stacks apart in logs and metrics."
    )
    inbox_bucket: str = Field(description="Bucket of the uploads; nothing else is worked on.")
    documents_table: str = Field(description="Table of the public rows.")
    ledger_table: str = Field(description="Table of our own bookkeeping.")
    artifacts_bucket: str = Field(description="Bucket of the texts, and of what could not be read.")
    intake_queue_url: str = Field(description="Queue of S3's notifications.")
    escalation_queue_url: str = Field(description="Queue of the hard cases.")
    api_key_secret_arn: str = Field(description="Secret whose text is the Claude API key.")
    claude_base_url: str | None = Field(default=None, description="Another address of the Claude API.")
    fast_model: str = Field(default="claude-haiku-5-5", description="Model of the first pass.")
    strong_model: str = Field(default="claude-sonnet-5-5", description="Model of the second pass.")
    final_model: str | None = Field(default=None, description="Model of a third pass; none without it.")
    taxonomy_uri: str | None = Field(default=None, description="S3 URI of the operator's own taxonomy.")
    event_bus_name: str = Field(description="Bus of the outcomes' events.")
    intake_visibility: int = Field(default=720, gt=0, description="Visibility of the intake queue, seconds.")
    escalation_visibility: int = Field(default=1080, gt=0, description="The same of the escalation queue.")
    aws_lambda_function_memory_size: int = Field(
        default=2048, gt=0, description="The function's memory in MB, as Lambda itself says it."
    )
    max_bytes: int = Field(default=64_000_000, gt=0, description="Largest upload that is read.")
    fast_tokens: int = Field(
        default=24_000,
        gt=0,
        description="Tokens of a document, estimated, that the fast model is sent at most.",
    )
    strong_tokens: int = Field(default=24_000, gt=0, description="The same for the strong model.")
    final_tokens: int = Field(default=24_000, gt=0, description="The same for the final model.")
    daily_cap_usd: Decimal = Field(
        default=Decimal(10),
        gt=0,
        allow_inf_nan=False,
        description="Dollars that all calls of a UTC day may cost.",
    )
    monthly_cap_usd: Decimal = Field(
        default=Decimal(100), gt=0, allow_inf_nan=False, description="The same of a UTC month."
    )
    team_caps: str = Field(
        default="",
        pattern=TEAM_CAPS,
        description="Caps of teams: finance=5/100,legal=2/40 are dollars a day and a month.",
    )
    requests_per_minute: int = Field(default=1_000, gt=0, description="Calls of a model in a minute at most.")
    input_tokens_per_minute: int = Field(
        default=2_000_000, gt=0, description="Tokens asked in a minute at most."
    )
    output_tokens_per_minute: int = Field(default=400_000, gt=0, description="Tokens answered, the same.")
    fast_timeout: float = Field(default=45, gt=0, allow_inf_nan=False, description="Seconds for a fast call.")
    strong_timeout: float = Field(
        default=120, gt=0, allow_inf_nan=False, description="Seconds for a strong call."
    )
    final_timeout: float = Field(
        default=120, gt=0, allow_inf_nan=False, description="Seconds for a final call."
    )
    fast_confidence: int = Field(default=85, ge=0, le=100, description="Least percent of a fast answer kept.")
    fast_margin: int = Field(
        default=15,
        ge=0,
        le=100,
        description="Least lead over its runner-up, in percent.",
    )
    strong_confidence: int = Field(
        default=70,
        ge=0,
        le=100,
        description="Least percent of a strong answer kept.",
    )
    final_confidence: int = Field(
        default=70, ge=0, le=100, description="Least percent of a final answer kept."
    )

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Settings:
        """From the environment; an empty value is a missing one."""
        given = {name: environment.get(name.upper()) for name in cls.model_fields}
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            wrong = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
            raise SettingsError("; ".join(wrong)) from None
