"""The environment becomes settings or says what is wrong with it; the settings become the services, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.ops import template
from pigeonhole import bootstrap
from pigeonhole.adapters.aws import client
from pigeonhole.bootstrap import connect
from pigeonhole.claude.model_catalog import UnknownModelError
from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import Defect
from pigeonhole.domain.policy import FINAL_HELPS_WITH, Reason, Thresholds
from pigeonhole.domain.taxonomy import TaxonomyError
from pigeonhole.extract.limits import Limits
from pigeonhole.jobs.message import Message
from pigeonhole.services import Services
from pigeonhole.settings import Settings, SettingsError
from tests.contract import moto_cloud
from tests.contract.port_harness import receive
from tests.support.builders import World

NEEDED = {
    "INBOX_BUCKET": "inbox",
    "DOCUMENTS_TABLE": "documents",
    "LEDGER_TABLE": "ledger",
    "ARTIFACTS_BUCKET": "artifacts",
    "INTAKE_QUEUE_URL": "https://sqs/intake",
    "ESCALATION_QUEUE_URL": "https://sqs/escalations",
    "EVENT_BUS_NAME": "outcomes",
    "API_KEY_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf",
}
OPTIONAL = {name.upper() for name in Settings.model_fields} - NEEDED.keys()


class IdleExtractor:
    """Connecting starts the extractors' process, which has no part in these tests."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits


@pytest.fixture
def apart(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bootstrap, "Extractor", IdleExtractor)
    client.cache_clear()
    connect.cache_clear()
    yield
    client.cache_clear()
    connect.cache_clear()


def test_what_is_needed_is_enough() -> None:
    settings = Settings.load(NEEDED)
    assert settings.documents_table == "documents"
    assert settings.claude_base_url is None
    assert settings.taxonomy_uri is None
    assert (settings.fast_model, settings.strong_model) == ("claude-haiku-5-5", "claude-sonnet-5-5")


def test_every_missing_name_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.load({"PATH": "/bin"})
    assert all(name in str(wrong.value) for name in NEEDED)
    assert not [name for name in OPTIONAL if name in str(wrong.value)]


@pytest.mark.parametrize("name", NEEDED)
def test_an_empty_value_is_a_missing_one(name: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.load(NEEDED | {name: ""})
    assert name in str(wrong.value)
    assert not [other for other in NEEDED.keys() - {name} if other in str(wrong.value)]


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_empty_value_is_the_default_where_there_is_one(name: str) -> None:
    assert Settings.load(NEEDED | {name: ""}) == Settings.load(NEEDED)


WRONG = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": ["0", "much"],
    "MAX_BYTES": ["0", "-1", "64MB", "1.5"],
    "INTAKE_VISIBILITY": ["0", "-1", "12 minutes", "1.5"],
    "ESCALATION_VISIBILITY": ["0", "many"],
    "FAST_TOKENS": ["0", "many"],
    "STRONG_TOKENS": ["-5"],
    "FINAL_TOKENS": ["0"],
    "FINAL_TIMEOUT": ["0", "inf"],
    "FINAL_CONFIDENCE": ["101", "-1"],
    "DAILY_CAP_USD": ["0", "-1", "ten", "nan", "Infinity"],
    "MONTHLY_CAP_USD": ["0", "much"],
    "TEAM_CAPS": ["finance", "finance=5", "=5/10", "finance=5/ten", "a=1/2,", "a=1/2;b=1/2"],
    "REQUESTS_PER_MINUTE": ["0", "1.5"],
    "INPUT_TOKENS_PER_MINUTE": ["0"],
    "OUTPUT_TOKENS_PER_MINUTE": ["many"],
    "FAST_TIMEOUT": ["0", "soon", "nan", "inf"],
    "STRONG_TIMEOUT": ["-1", "inf"],
    "FAST_CONFIDENCE": ["101", "-1", "0.85"],
    "FAST_MARGIN": ["101", "x"],
    "STRONG_CONFIDENCE": ["1000"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_number_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.load(NEEDED | {name: value})


def test_every_name_of_the_environment_arrives() -> None:
    numbers = {name: str(50 + number) for number, name in enumerate(sorted(WRONG.keys() - {"TEAM_CAPS"}))}
    words = {name: f"{name}-value" for name in OPTIONAL - WRONG.keys()}
    given = NEEDED | numbers | words | {"TEAM_CAPS": "finance=5/100"}
    settings = Settings.load(given)
    assert {name.upper(): value for name, value in settings.model_dump().items()} == {
        name: float(value) if name in numbers else value for name, value in given.items()
    }


def test_every_setting_says_what_it_is() -> None:
    undocumented = [name for name, field in Settings.model_fields.items() if not field.description]
    assert not undocumented


def test_settings_stay_as_they_are() -> None:
    settings = Settings.load(NEEDED)
    with pytest.raises(ValidationError):
        settings.max_bytes = 1
    assert hash(settings) == hash(Settings.load(NEEDED))


def test_the_thresholds_are_the_settings_own(apart: None) -> None:
    fast, strong = connect(Settings.load(NEEDED), "intake").config.tiers.values()
    assert fast.thresholds == Thresholds(confidence=85, margin=15, heeds_category=True)
    assert strong.thresholds == Thresholds(confidence=70)
    given = {"FAST_CONFIDENCE": "1", "FAST_MARGIN": "2", "STRONG_CONFIDENCE": "3", "MAX_BYTES": "4"}
    config = connect(Settings.load(NEEDED | given), "intake").config
    fast, strong = config.tiers.values()
    assert fast.thresholds == Thresholds(confidence=1, margin=2, heeds_category=True)
    assert strong.thresholds == Thresholds(confidence=3)
    assert config.max_bytes == 4


def test_the_fast_tier_escalates_for_every_reason_and_the_strong_one_for_none(apart: None) -> None:
    tiers = connect(Settings.load(NEEDED), "intake").config.tiers
    fast, strong = tiers[Stage.TRIAGE], tiers[Stage.ESCALATION]
    assert (list(tiers), fast.tier, strong.tier) == ([Stage.TRIAGE, Stage.ESCALATION], "fast", "strong")
    assert (fast.escalates_for, strong.escalates_for) == (frozenset(Reason), frozenset())
    assert (fast.compared_with, strong.compared_with) == (strong.model, None)


def test_each_tier_is_asked_as_it_should_be(apart: None) -> None:
    given = {"FAST_TOKENS": "5", "STRONG_TOKENS": "6", "FAST_TIMEOUT": "7", "STRONG_TIMEOUT": "8"}
    fast, strong = connect(Settings.load(NEEDED | given), "intake").config.tiers.values()
    assert (fast.model.id, fast.max_tokens, fast.effort, fast.thinks) == (
        "claude-haiku-5-5",
        1024,
        "low",
        False,
    )
    assert (strong.model.id, strong.max_tokens, strong.effort) == ("claude-sonnet-5-5", 4096, "medium")
    assert (fast.document_tokens, strong.document_tokens, fast.timeout, strong.timeout) == (5, 6, 7, 8)


def test_the_visibility_is_the_queues_own(apart: None) -> None:
    given = {"INTAKE_VISIBILITY": "60", "ESCALATION_VISIBILITY": "90"}
    config = connect(Settings.load(NEEDED | given), "intake").config
    # The final stage's tasks are in the escalation queue.
    assert config.visibility == {
        Stage.TRIAGE: timedelta(seconds=60),
        Stage.ESCALATION: timedelta(seconds=90),
        Stage.FINAL: timedelta(seconds=90),
    }


def test_without_a_final_model_there_are_two_tiers_and_with_one_three(apart: None) -> None:
    two = connect(Settings.load(NEEDED), "intake").config.tiers
    three = connect(Settings.load(NEEDED | {"FINAL_MODEL": "claude-opus-5-5"}), "intake").config.tiers

    assert [each.tier for each in two.values()] == [Tier.FAST, Tier.STRONG]
    assert [each.tier for each in three.values()] == [Tier.FAST, Tier.STRONG, Tier.FINAL]
    assert three[Stage.FINAL].model.id == "claude-opus-5-5"
    assert not two[Stage.ESCALATION].escalates_for
    assert three[Stage.ESCALATION].escalates_for == FINAL_HELPS_WITH
    assert len({each.document_tokens for each in three.values()}) == 1


@pytest.mark.parametrize(
    ("name", "queue"), [("INTAKE_VISIBILITY", "IntakeQueue"), ("ESCALATION_VISIBILITY", "EscalationQueue")]
)
def test_the_visibility_is_the_templates_unless_said_otherwise(name: str, queue: str) -> None:
    shape = template.load()["Resources"][queue]["Properties"]
    assert getattr(Settings.load(NEEDED), name.lower()) == shape["VisibilityTimeout"]


@pytest.mark.parametrize("source", ["intake", "escalation", "dead_letter", "stream", "schedule"])
def test_every_function_has_its_services(apart: None, source: str) -> None:
    services = connect(Settings.load(NEEDED), source)
    assert isinstance(services.outside.reader, IdleExtractor) == (source in ("intake", "escalation"))


@pytest.mark.parametrize("source", ["dead_letter", "stream", "schedule"])
def test_a_function_that_reads_no_document_loads_no_taxonomy_of_the_operators(
    apart: None, source: str
) -> None:
    missing = Settings.load(NEEDED | {"TAXONOMY_URI": f"s3://{moto_cloud.ARTIFACTS}/missing.toml"})
    with pytest.raises(Defect, match="reads no document"):
        connect(missing, source).outside.reader.read(Path("a"), "a.txt", 30)


def test_a_container_connects_once(apart: None) -> None:
    services = connect(Settings.load(NEEDED), "intake")
    assert connect(Settings.load(dict(NEEDED)), "intake") is services
    assert connect(Settings.load(NEEDED), "escalation") is not services


def headroom(**given: str) -> dict[str, Decimal]:
    """What may be spent where nobody has spent anything."""
    config = bootstrap.configured(Settings.load(NEEDED | given), bootstrap.taxonomy_text_at(None))
    return Services(World().outside, config).budget.headroom()


def test_the_caps_are_the_settings_own() -> None:
    caps = "finance=5/100,a-ö#1=0.25/2,late=9/0.5,none=0/0"
    expected = {
        "stack": "7.5",
        "team:finance": "5",
        "team:a-ö#1": "0.25",
        "team:late": "0.5",
        "team:none": "0",
    }
    assert headroom(DAILY_CAP_USD="7.5", MONTHLY_CAP_USD="90", TEAM_CAPS=caps) == {
        account: Decimal(usd) for account, usd in expected.items()
    }
    assert headroom(DAILY_CAP_USD="7.5", MONTHLY_CAP_USD="7") == {"stack": 7}


def test_unless_they_say_otherwise_the_stack_alone_has_caps() -> None:
    assert headroom() == {"stack": 10}


@pytest.mark.parametrize("name", ["FAST_MODEL", "STRONG_MODEL"])
def test_an_unknown_model_is_named_with_those_that_are_known(apart: None, name: str) -> None:
    with pytest.raises(UnknownModelError, match=r"claude-2.*claude-haiku-5-5"):
        connect(Settings.load(NEEDED | {name: "claude-2"}), "intake")


def test_an_operators_own_taxonomy_is_used(apart: None) -> None:
    toml = "".join(f'[[category]]\nslug = "{slug}"\nname = "N"\ndescription = "D"\n' for slug in ("aa", "bb"))
    moto_cloud.client("s3").put_object(Bucket=moto_cloud.ARTIFACTS, Key="own.toml", Body=toml.encode())
    own = Settings.load(NEEDED | {"TAXONOMY_URI": f"s3://{moto_cloud.ARTIFACTS}/own.toml"})
    assert connect(own, "intake").config.taxonomy.slugs == ("aa", "bb")


def test_without_one_it_is_the_one_that_ships(apart: None) -> None:
    assert "invoice" in connect(Settings.load(NEEDED), "intake").config.taxonomy.slugs


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"not toml [", TaxonomyError), (b"", TaxonomyError), (b"\xff\xfe", UnicodeDecodeError), (None, Defect)],
    ids=["no TOML", "empty", "no UTF-8", "missing"],
)
def test_a_taxonomy_that_is_wrong_stops_the_function_before_any_document(
    apart: None, content: bytes | None, expected: type[Exception]
) -> None:
    if content is not None:
        moto_cloud.client("s3").put_object(Bucket=moto_cloud.ARTIFACTS, Key="wrong.toml", Body=content)
    key = "missing.toml" if content is None else "wrong.toml"
    with pytest.raises(expected):
        connect(Settings.load(NEEDED | {"TAXONOMY_URI": f"s3://{moto_cloud.ARTIFACTS}/{key}"}), "intake")


@pytest.mark.parametrize(
    ("function", "comes_again"),
    [("intake", {"intake"}), ("escalation", {"escalation"}), ("dead_letter", set())],
)
def test_each_function_requeues_in_its_own_queue_alone(
    apart: None, function: str, comes_again: set[str]
) -> None:
    sqs = moto_cloud.client("sqs")
    queues = {name: moto_cloud.make_queue(sqs) for name in ("intake", "escalation")}
    named = {f"{name.upper()}_QUEUE_URL": url for name, url in queues.items()}
    port = connect(Settings.load(NEEDED | named), function).outside.queues
    for name, url in queues.items():
        sqs.send_message(QueueUrl=url, MessageBody=name)
        [taken] = receive(sqs, url)
        message = Message(id=taken["MessageId"], receipt=taken["ReceiptHandle"])
        if function in (name, "dead_letter"):
            port.requeue(message, 0)
    assert {name for name, url in queues.items() if receive(sqs, url)} == comes_again
