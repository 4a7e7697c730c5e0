"""What no linter sees in template.yaml, asserted on what SAM makes of it."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from infra.dev.bootstrap import ROOT
from infra.ops import template
from pigeonhole.claude.model_catalog import MODELS
from pigeonhole.settings import TEAM_CAPS, Settings
from tests.support.template import SECRET, Properties, stack

MB = 1_000_000
DAY = 24 * 60 * 60
FUNCTIONS = ["TriageFunction", "EscalationFunction", "DeadLetterFunction", "PublishFunction", "SweepFunction"]
FEEDS = {
    "TriageFunction": ["IntakeQueue"],
    "EscalationFunction": ["EscalationQueue"],
    "DeadLetterFunction": ["EscalationDeadLetters", "IntakeDeadLetters"],
}


# ---- As a whole --------------------------------------------------------------------------------


def test_it_stays_small():
    assert len((ROOT / "template.yaml").read_bytes()) < 51_200
    assert len(stack().resources) <= 54


def test_there_are_few_parameters_and_all_but_the_credentials_have_a_default():
    parameters = template.load()["Parameters"]
    assert len(parameters) <= 12
    assert [name for name, each in parameters.items() if "Default" not in each] == ["ApiKeySecretArn"]
    assert all(each["Description"] for each in parameters.values())


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        ("ApiKeySecretArn", SECRET, True),
        ("ApiKeySecretArn", SECRET.removesuffix("-AbCdEf"), False),
        ("ApiKeySecretArn", "sk-ant-api03-xyz", False),
        ("AlarmEmail", "ops@example.org", True),
        ("AlarmEmail", "ops", False),
        ("TaxonomyUri", "s3://own-bucket/a/b.toml", True),
        ("TaxonomyUri", "s3://own-bucket/*", False),
        ("TaxonomyUri", "s3://own-bucket", False),
        ("TaxonomyUri", "https://example.org/taxonomy.toml", False),
        ("ClaudeBaseUrl", "http://127.0.0.1:8080", True),
        ("ClaudeBaseUrl", "gateway.example.org", False),
        ("ClaudeBaseUrl", "http://gateway.example.org", False),
        ("ClaudeBaseUrl", "http://localhost.example.org", False),
        ("DailyCapUsd", "0", False),
        ("MonthlyCapUsd", "0.5", True),
        ("TeamCaps", "", True),
        ("TeamCaps", "finance=5/100,legal=2.5/40", True),
        ("TeamCaps", "finance=5", False),
        ("TeamCaps", "finance/invoices=5/100", False),
        ("RequestsPerMinute", "0", False),
    ],
)
def test_a_parameter_is_refused_at_deploy_when_it_could_not_work(parameter, value, taken):
    rule = template.load()["Parameters"][parameter]
    fits = re.fullmatch(rule.get("AllowedPattern", ".*"), value) and (
        rule["Type"] != "Number" or float(value) >= rule["MinValue"]
    )
    assert bool(fits) is taken


@pytest.mark.parametrize("parameter", ["FastModel", "StrongModel"])
def test_a_model_whose_price_is_not_known_is_refused_at_deploy(parameter):
    assert template.load()["Parameters"][parameter]["AllowedValues"] == list(MODELS)


def test_the_function_takes_the_caps_that_the_template_takes():
    assert template.load()["Parameters"]["TeamCaps"]["AllowedPattern"] == TEAM_CAPS


def test_the_outputs_are_those_that_clients_rely_on():
    assert stack().outputs == {
        "InboxBucket": "InboxBucket",
        "ArtifactsBucket": "ArtifactsBucket",
        "DocumentsTable": "DocumentsTable",
        "DocumentsStreamArn": "DocumentsTable.StreamArn",
        "EventBusName": "EventBus",
        "IntakeQueueUrl": "IntakeQueue",
        "EscalationQueueUrl": "EscalationQueue",
        "TriageFunction": "TriageFunction",
        "ReaderPolicyArn": "ReaderPolicy",
        "DropperPolicyArn": "DropperPolicy",
        "OperatorPolicyArn": "OperatorPolicy",
        "AlarmTopicArn": "AlarmTopic",
        "LogGroup": "Logs",
    }


def test_what_holds_data_outlives_the_stack():
    kept = [
        name
        for name, kind in stack().types.items()
        if kind in {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table"}
    ]
    assert len(kept) == 6
    for name in kept:
        assert stack().resources[name]["DeletionPolicy"] == "Retain"
        assert stack().resources[name]["UpdateReplacePolicy"] == "Retain"


def test_sam_needs_no_more_than_build_and_guided_deploy():
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert settings["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert settings["deploy"]["parameters"]["resolve_s3"]
    assert not re.search(r"\d{12}|arn:|profile", (ROOT / "samconfig.toml").read_text())


# ---- Functions and their queues ----------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_as_designed_and_its_handler_exists(name):
    function = stack().of("Lambda::Function")[name]
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    module, _, handler = function["Handler"].rpartition(".")
    source = ast.parse((ROOT / "functions" / module.replace(".", "/")).with_suffix(".py").read_text())
    assert handler in {node.name for node in source.body if isinstance(node, ast.FunctionDef)}


def test_there_are_no_other_functions():
    assert (
        set(stack().of("Lambda::Function")) == set(FUNCTIONS) == {*FEEDS, "PublishFunction", "SweepFunction"}
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_json_to_the_log_group_that_forgets(name):
    logging = stack().of("Lambda::Function")[name]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert stack().of("Logs::LogGroup")[logging["LogGroup"]]["RetentionInDays"] == 30


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("bare", [True, False], ids=["bare", "all given"])
def test_every_variable_is_a_setting_and_every_setting_that_must_be_is_a_variable(name, bare):
    variables = stack(bare=bare).of("Lambda::Function")[name]["Environment"]["Variables"]
    fields = {field.upper(): info for field, info in Settings.model_fields.items()}
    assert set(variables) <= set(fields)
    assert {field for field, info in fields.items() if info.is_required()} <= set(variables)
    assert all(variables.values())
    Settings.load(variables)


def test_what_is_not_given_is_not_passed():
    given, bare = (set(stack(bare=bare).of("Lambda::Function")["TriageFunction"]["Environment"]["Variables"])
                   for bare in (False, True))  # fmt: skip
    assert given - bare == {"CLAUDE_BASE_URL", "TAXONOMY_URI"}


@pytest.mark.parametrize("function", FEEDS)
def test_a_function_is_fed_by_its_queues(function):
    assert sorted(m["EventSourceArn"].removesuffix(".Arn") for m in mappings(function)) == FEEDS[function]


@pytest.mark.parametrize("stage", ["intake", "escalation"])
def test_what_the_code_takes_for_a_queues_visibility_is_its_visibility(stage):
    queue = stack().of("SQS::Queue")[f"{stage.capitalize()}Queue"]
    assert Settings.model_fields[f"{stage}_visibility"].default == queue["VisibilityTimeout"]


def test_the_uploads_of_a_whole_batch_fit_on_triages_disk():
    size = stack().of("Lambda::Function")["TriageFunction"]["EphemeralStorage"]["Size"]
    (mapping,) = mappings("TriageFunction")
    assert size * MB >= 1.2 * mapping["BatchSize"] * Settings.model_fields["max_bytes"].default


@pytest.mark.parametrize("function", FEEDS)
def test_messages_are_answered_one_by_one_and_invisible_for_six_times_the_time_out(function):
    for mapping in mappings(function):
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        queue = stack().of("SQS::Queue")[mapping["EventSourceArn"].removesuffix(".Arn")]
        assert queue["VisibilityTimeout"] >= 6 * stack().of("Lambda::Function")[function]["Timeout"]


@pytest.mark.parametrize(
    ("function", "batch", "at_once"),
    [("TriageFunction", 10, 3), ("EscalationFunction", 1, 3), ("DeadLetterFunction", 10, 2)],
)
def test_the_mapping_holds_back_what_would_be_too_much_at_once(function, batch, at_once):
    for mapping in mappings(function):
        assert mapping["BatchSize"] == batch
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": at_once}
        assert "ReservedConcurrentExecutions" not in stack().of("Lambda::Function")[function]


@pytest.mark.parametrize(
    ("name", "dead"), [("IntakeQueue", "IntakeDeadLetters"), ("EscalationQueue", "EscalationDeadLetters")]
)
def test_a_message_has_seven_days_and_fifty_receives_and_then_fourteen_days_more(name, dead):
    queues = stack().of("SQS::Queue")
    assert queues[name]["RedrivePolicy"] == {"deadLetterTargetArn": f"{dead}.Arn", "maxReceiveCount": 50}
    assert queues[name]["MessageRetentionPeriod"] == 7 * DAY
    assert queues[dead]["MessageRetentionPeriod"] == 14 * DAY
    assert "RedrivePolicy" not in queues[dead]


def test_every_queue_is_encrypted_and_takes_events_of_any_size():
    for queue in stack().of("SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "MaximumMessageSize" not in queue


def mappings(function: str) -> list[Properties]:
    found = [
        each for each in stack().of("Lambda::EventSourceMapping").values() if each["FunctionName"] == function
    ]
    assert found
    return found


# ---- The build ---------------------------------------------------------------------------------


def test_the_build_has_a_target_for_each_function_and_takes_every_package_along():
    makefile = (ROOT / "functions" / "Makefile").read_text()
    targets = re.search(r"^build-.*:$", makefile, re.MULTILINE)
    packages = re.search(r"^PACKAGES := (.*)$", makefile, re.MULTILINE)
    assert targets
    assert packages
    assert set(targets[0].rstrip(":").split()) == {f"build-{name}" for name in FUNCTIONS}
    assert set(packages[1].split()) == {
        each.parent.name for each in (ROOT / "functions").glob("*/__init__.py")
    }
    assert all(stack().resources[name]["Metadata"] == {"BuildMethod": "makefile"} for name in FUNCTIONS)


def test_the_build_is_for_the_python_that_runs_it():
    makefile = (ROOT / "functions" / "Makefile").read_text()
    (runtime,) = {each["Runtime"] for each in stack().of("Lambda::Function").values()}
    assert f"PYTHON_VERSION ?= {runtime.removeprefix('python')}\n" in makefile
