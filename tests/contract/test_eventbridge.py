"""The bus: what is published arrives as it is, and what was not taken is named."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from pigeonhole.adapters.eventbridge import EventBridgeBus
from pigeonhole.domain.errors import Defect, TryLater
from pigeonhole.domain.outcome_event import OutcomeEvent
from tests.contract import moto_cloud
from tests.contract.port_harness import BusBench


def outcome(name: str, **detail: Any) -> OutcomeEvent:
    return OutcomeEvent(id=name, detail_type="Document Done", detail={"event_id": name} | detail)


def bridge() -> Any:
    return moto_cloud.client("events", aws_access_key_id="x", aws_secret_access_key="y")


def test_an_outcome_arrives_with_its_type_and_detail(bus: BusBench) -> None:
    assert (
        bus.port.publish([outcome("1", title="Grüße 😀\n", cost_usd=0.5, coverage={"pages_total": 3})]) == []
    )
    assert bus.heard() == [
        (
            "Document Done",
            {"event_id": "1", "title": "Grüße 😀\n", "cost_usd": 0.5, "coverage": {"pages_total": 3}},
        )
    ]


@pytest.mark.parametrize("number", [1, 10, 11, 25])
def test_however_many_outcomes_there_are_all_arrive(bus: BusBench, number: int) -> None:
    assert bus.port.publish(outcome(str(each)) for each in range(number)) == []
    assert sorted(int(detail["event_id"]) for _, detail in bus.heard()) == list(range(number))


def test_no_outcome_is_no_event(bus: BusBench) -> None:
    assert bus.port.publish([]) == []
    assert bus.heard() == []


def test_what_was_not_taken_is_named_whichever_batch_it_was_in() -> None:
    client = bridge()
    with Stubber(client) as stub:
        first = [{"EventId": "e"}] * 9 + [{"ErrorCode": "ThrottlingException"}]
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": first})
        second = [{"ErrorCode": "InternalException"}, {"EventId": "e"}]
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": second})
        assert EventBridgeBus(client, "bus").publish(outcome(str(each)) for each in range(12)) == ["9", "10"]
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 400, TryLater),
        ("InternalException", 500, TryLater),
        ("AccessDenied", 403, Defect),
    ],
)
def test_a_bus_that_says_no_is_busy_or_ours_to_mend(
    code: str, status: int, expected: type[Exception]
) -> None:
    client = bridge()
    with Stubber(client) as stub:
        stub.add_client_error("put_events", code, http_status_code=status)
        with pytest.raises(expected):
            EventBridgeBus(client, "bus").publish([outcome("1")])
