"""The log and the metrics as CloudWatch reads them: a JSON object a line, and no document's text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, ValidationError

from infra.ops import template
from pigeonhole.adapters.powertools import PowertoolsTelemetry
from pigeonhole.domain.errors import Defect
from tests.contract.captured_output import Lines

SECRET = "Quetzalcoatl-4711"


@pytest.fixture
def telemetry(lines: Lines) -> PowertoolsTelemetry:
    return PowertoolsTelemetry("pigeonhole")


def test_a_log_entry_is_one_line_with_its_fields(telemetry: PowertoolsTelemetry, lines: Lines) -> None:
    telemetry.log("done", document="s3://inbox/Grüße\n😀.pdf", tier=None, seconds=1.5)
    [line] = lines()
    assert (line["level"], line["message"], line["service"]) == ("INFO", "done", "pigeonhole")
    assert (line["document"], line["seconds"]) == ("s3://inbox/Grüße\n😀.pdf", 1.5)
    assert "tier" not in line


def test_an_invocations_metrics_come_as_one_line_of_metrics(
    telemetry: PowertoolsTelemetry, lines: Lines
) -> None:
    telemetry.metric("DeadLettered", 2)
    telemetry.metric("DeadLettered")
    telemetry.metric("Unreadable")
    assert lines() == []
    telemetry.flush()
    [line] = lines()
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("Pigeonhole", [["service"]])
    assert line["service"] == "pigeonhole"
    assert {each["Name"]: each["Unit"] for each in metrics["Metrics"]} == {
        "DeadLettered": "Count",
        "Unreadable": "Count",
    }
    assert (sum(line["DeadLettered"]), sum(line["Unreadable"])) == (3, 1)


def test_a_metric_has_the_unit_of_the_table(telemetry: PowertoolsTelemetry, lines: Lines) -> None:
    for name in ("SpentUsd", "SpendPercent", "Done"):
        telemetry.metric(name, 0.5)
    telemetry.flush()
    [line] = lines()
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    units = {each["Name"]: each["Unit"] for each in metrics["Metrics"]}
    assert units == {"SpentUsd": "None", "SpendPercent": "Percent", "Done": "Count"}


def test_a_metric_that_the_table_lacks_is_an_error_that_names_it(telemetry: PowertoolsTelemetry) -> None:
    with pytest.raises(ValueError, match="Donne"):
        telemetry.metric("Donne")


def test_the_alarm_watches_what_is_counted(telemetry: PowertoolsTelemetry, lines: Lines) -> None:
    alarm = template.load()["Resources"]["DeadLetteredAlarm"]["Properties"]
    telemetry.metric(alarm["MetricName"])
    telemetry.flush()
    [line] = lines()
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == alarm["Namespace"]
    assert [each["Name"] for each in alarm["Dimensions"]] == ["service"]


def test_what_was_written_is_not_written_again(telemetry: PowertoolsTelemetry, lines: Lines) -> None:
    telemetry.metric("Done")
    telemetry.flush()
    assert len(lines()) == 1
    telemetry.flush()
    assert lines() == []


@pytest.mark.filterwarnings("error")
def test_an_invocation_with_nothing_to_count_is_silent(telemetry: PowertoolsTelemetry, lines: Lines) -> None:
    telemetry.flush()
    assert lines() == []


def test_no_count_is_lost_among_threads_or_above_a_hundred(
    telemetry: PowertoolsTelemetry, lines: Lines
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: telemetry.metric("Done"), range(250)))
    telemetry.flush()
    assert sum(sum(line["Done"]) for line in lines()) == 250


def test_a_defect_of_ours_says_what_and_where_and_counts(
    telemetry: PowertoolsTelemetry, lines: Lines
) -> None:
    with pytest.raises(Defect) as ours:
        fail()
    telemetry.log_defect("unexpected", ours.value, message_id="m-1")
    telemetry.flush()
    line, metrics = lines()
    assert (line["level"], line["message"], line["message_id"]) == ("ERROR", "unexpected", "m-1")
    assert (line["error"], line["why"]) == ("Defect", "the table is not there")
    assert "in fail" in "".join(line["stack"])
    assert sum(metrics["Defect"]) == 1


def fail() -> None:
    raise Defect("the table is not there")


class Row(BaseModel):
    title: int


@pytest.mark.parametrize("chained", [False, True], ids=["bare", "as a cause"])
def test_a_foreign_error_is_logged_without_its_words(
    telemetry: PowertoolsTelemetry, capsys: pytest.CaptureFixture[str], chained: bool
) -> None:
    with pytest.raises(ValidationError, match=SECRET) as foreign:
        Row.model_validate({"title": SECRET})  # it quotes what it was given
    error: Exception = foreign.value
    if chained:
        error = KeyError("x")
        error.__cause__ = foreign.value
    telemetry.log_defect("unexpected", error)
    written = capsys.readouterr().out
    assert SECRET not in written
    assert type(error).__name__ in written
    telemetry.flush()
