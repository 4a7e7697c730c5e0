"""All five functions over one world of fakes: what each does with its event, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dead_letter.handler
import escalation.handler
import publish.handler
import sweep.handler
import triage.handler
from pigeonhole.adapters import lambda_events
from pigeonhole.adapters.lambda_events import UnfinishedError
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Task
from pigeonhole.services import Services
from tests.contract.test_settings import NEEDED
from tests.support.builders import World, breaks, record, reply, s3_record, sqs_event, stream_record, upload

TEXT = "Amount due: 12"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)
NEW_UPLOAD = {"Records": [s3_record(sequencer="0001")]}
TASK = Task(upload=upload())


@dataclass
class Lambda:
    """The functions over one world."""

    world: World = field(default_factory=World)
    sources: list[str] = field(default_factory=list)

    def connect(self, settings: object, source: str) -> Services:
        self.sources.append(source)
        return self.world.services

    def hands(self, handler: ModuleType, event: dict[str, Any]) -> dict[str, Any]:
        reported: dict[str, Any] = handler.handle(event, CONTEXT)
        return reported


@pytest.fixture
def aws_lambda(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    made = Lambda()
    made.world.put(upload(), TEXT)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    for handler in (triage.handler, escalation.handler, dead_letter.handler, publish.handler, sweep.handler):
        monkeypatch.setattr(handler, "connect", made.connect)
    return made


def test_an_upload_is_triaged_and_its_hard_case_escalated(aws_lambda: Lambda) -> None:
    world = aws_lambda.world
    world.claude.answers += [reply(confidence=20), reply()]
    assert aws_lambda.hands(triage.handler, sqs_event(NEW_UPLOAD)) == {"batchItemFailures": []}
    assert world.row(upload()).status is Status.ESCALATED
    task = sqs_event(lambda_events.task_body(world.handed[0]))
    assert aws_lambda.hands(escalation.handler, task) == {"batchItemFailures": []}
    assert world.row(upload()).status is Status.DONE
    assert aws_lambda.sources == ["intake", "escalation"]


def test_a_task_of_our_own_is_triaged_too(aws_lambda: Lambda) -> None:
    world = aws_lambda.world
    world.claude.answers += [reply()]
    world.claimed(TASK)
    world.clock.pass_by(200)
    assert aws_lambda.hands(triage.handler, sqs_event(lambda_events.task_body(TASK))) == {
        "batchItemFailures": []
    }
    assert world.row(upload()).status is Status.DONE


def test_what_is_unfinished_is_reported_by_name_and_its_neighbours_are_not(aws_lambda: Lambda) -> None:
    aws_lambda.world.claude.answers += [TryLater("busy", seconds=2), reply()]
    other = {"Records": [s3_record(key="finance/b.txt")]}
    aws_lambda.world.put(upload("finance/b.txt"), f"{TEXT}!")
    reported = aws_lambda.hands(triage.handler, sqs_event(NEW_UPLOAD, other))
    assert reported == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert aws_lambda.world.row(upload("finance/b.txt")).status is Status.DONE


def test_without_a_queue_only_an_error_makes_the_caller_try_again(aws_lambda: Lambda) -> None:
    aws_lambda.world.claude.answers += [TryLater("busy", seconds=2)]
    with pytest.raises(UnfinishedError):
        aws_lambda.hands(triage.handler, NEW_UPLOAD)


def test_an_upload_in_the_escalation_queue_is_quarantined_and_not_worked_on(aws_lambda: Lambda) -> None:
    assert aws_lambda.hands(escalation.handler, sqs_event(NEW_UPLOAD)) == {"batchItemFailures": []}
    assert len(aws_lambda.world.artifacts.unreadable) == 1
    assert aws_lambda.world.store.rows == {}


def test_a_dead_letter_gets_its_row(aws_lambda: Lambda) -> None:
    assert aws_lambda.hands(dead_letter.handler, sqs_event(NEW_UPLOAD)) == {"batchItemFailures": []}
    assert aws_lambda.world.row(upload()).status is Status.FAILED


def test_every_dead_letter_counts_in_the_metric_that_an_alarm_watches(
    aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = aws_lambda.world.telemetry
    monkeypatch.setattr(telemetry, "flush", lambda: None)
    aws_lambda.hands(dead_letter.handler, sqs_event(NEW_UPLOAD, "{not JSON", "{}"))
    assert telemetry.metrics["DeadLettered"] == 3


def test_outcomes_are_published_in_their_order_and_again_from_the_first_that_was_not_taken(
    aws_lambda: Lambda,
) -> None:
    event = {"Records": [stream_record(str(number), None, record(run=number + 1)) for number in range(4)]}
    assert aws_lambda.hands(publish.handler, event) == {"batchItemFailures": []}
    assert [each.id for each in aws_lambda.world.bus.published] == ["0", "1", "2", "3"]
    aws_lambda.world.bus.refuses |= {"1", "3"}
    assert aws_lambda.hands(publish.handler, event) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_change_that_is_no_outcome_is_not_published(aws_lambda: Lambda) -> None:
    event = {"Records": [stream_record("1", None, record(status=Status.PROCESSING))]}
    assert aws_lambda.hands(publish.handler, event) == {"batchItemFailures": []}
    assert aws_lambda.world.bus.published == []


def test_the_schedule_sends_what_is_due_and_says_how_much(aws_lambda: Lambda) -> None:
    world = aws_lambda.world
    world.claimed(TASK)
    assert aws_lambda.hands(sweep.handler, {}) == {"sent": 0}
    world.clock.pass_by(1000)
    assert aws_lambda.hands(sweep.handler, {}) == {"sent": 1}
    assert world.queues.tasks == [TASK]


@pytest.mark.parametrize("handler", [triage.handler, dead_letter.handler])
def test_a_mistake_of_ours_is_reported_and_not_raised(aws_lambda: Lambda, handler: ModuleType) -> None:
    breaks(aws_lambda.world.store, "commit", ZeroDivisionError())
    reported = aws_lambda.hands(handler, sqs_event(NEW_UPLOAD))
    assert reported == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert len(aws_lambda.world.telemetry.defects) == 1
