"""`status`: documents by status, the circuit breaker, queue depths, the budget, what is parked and why."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.table import Table

from infra.cli.console import STDOUT, print_json
from infra.cli.costs import usage_line
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.table import plain_text
from infra.ops import circuit_breaker, listing
from infra.ops.listing import STATUSES
from infra.ops.services import operator
from infra.ops.spend import AccountUsage, ParkedForCap, account_usages, parked_for_caps
from infra.ops.stack import QUEUES, Stack
from pigeonhole.services import Services


def status(stack: StackName = None, region: Region = None, as_json: AsJson = False) -> None:
    """Show documents by status, the circuit breaker, queue depths, the budget, and what is parked and why."""
    chosen = find_stack(stack, region)
    services = operator(chosen)
    accounts, waiting = budget(services)
    found: dict[str, Any] = {
        "documents": {each: listing.count(chosen, each) for each in STATUSES},
        "circuit_breaker": circuit_breaker.state(services),
        "queues": {name: depth for queue in QUEUES for name, depth in _depths(chosen, queue).items()},
        "parked": parked(chosen),
        "budget": {
            "caps": [{"percent": each.percent, **each.as_json()} for each in accounts],
            "parked": [asdict(each) for each in waiting],
        },
    }
    if as_json:
        print_json(found)
    else:
        _print(found, accounts, waiting)


def budget(services: Services) -> tuple[list[AccountUsage], list[ParkedForCap]]:
    """How much of each cap is used, and how many documents are parked for one."""
    store, now = services.outside.store, services.outside.clock.now()
    return account_usages(store, services.config.caps, now.date()), parked_for_caps(store, now)


def parked(stack: Stack) -> list[dict[str, Any]]:
    """The parked documents by reason and stage; `until` is the earliest time at which one of them goes on."""
    rows = list(listing.full_rows(stack, listing.of_statuses(stack, ["parked"])))
    waiting = [row["waiting"] for row in rows if row.get("waiting")]
    groups = Counter((each["for"], each["stage"]) for each in waiting)
    return [
        {"for": reason, "stage": stage, "documents": number, "until": _earliest(waiting, reason, stage)}
        for (reason, stage), number in groups.most_common()
    ]


def _earliest(waiting: list[dict[str, Any]], reason: str, stage: str) -> str | None:
    times = [
        each["until"]
        for each in waiting
        if (each["for"], each["stage"]) == (reason, stage) and "until" in each
    ]
    return min(times, default=None)


def _depths(stack: Stack, name: str) -> dict[str, dict[str, int]]:
    """How many messages are in a queue and in its dead-letter queue."""
    sqs, url = stack.client("sqs"), stack.outputs[QUEUES[name]]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    dead = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    dead_url = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
    return {name: stack.depths(url), f"{name}_dead_letters": stack.depths(dead_url)}


def _print(found: dict[str, Any], accounts: list[AccountUsage], waiting: list[ParkedForCap]) -> None:
    table = Table("", "", show_header=False, box=None)
    for name, number in found["documents"].items():
        table.add_row(name, str(number))
    for name, depths in found["queues"].items():
        table.add_row(f"queue {name}", ", ".join(f"{number} {what}" for what, number in depths.items()))
    table.add_row("circuit breaker", plain_text(_breaker(found["circuit_breaker"])))
    for account in accounts:
        table.add_row("budget", plain_text(usage_line(account)))
    for each in found["parked"]:
        until = f", until {each['until']}" if each["until"] else ""
        table.add_row("parked", f"{each['documents']} for {each['for']}, at {each['stage']}{until}")
    for queue in waiting:
        table.add_row(
            "over cap", plain_text(f"{queue.account}: {queue.documents}, until {queue.until} at most")
        )
    STDOUT.print(table)


def _breaker(state: dict[str, str]) -> str:
    if state["state"] == circuit_breaker.RESET:
        return state["state"]
    ends = f" until {state['until']}" if "until" in state else ": `infra/pigeonhole resume` resets it"
    return f"{state['state']}, waiting for {state['waiting_for']} ({state['detail']}){ends}"
