"""Documents through a stack: drop them, wait for their outcomes, and leave none unaccounted for."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli.inputs import Found
from infra.ops.stack import OUTCOMES, NoNews, Row, Stack

UPLOADS_AT_A_TIME = 8
News = Callable[[str, int], None]


@dataclass(kw_only=True)
class Journey:
    """How far each file has come: into `rows`, or into `left` with the reason; `troubles` may explain it.

    `unfinished` are the rows of those left that have one.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, Row] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def sum_of(self, attribute: str) -> float:
        """Of dollars, over all rows, finished or not."""
        rows = (*self.rows.values(), *self.unfinished.values())
        return sum(float(row.get(attribute) or 0) for row in rows)


def drive(stack: Stack, files: Sequence[Found], journey: Journey, *, patience: float, news: News) -> None:
    """Adds every file to the journey, by its key; `news` hears what advanced and by how many."""
    uploaded = _upload(stack, files, journey, news)
    try:
        for row in stack.outcomes(uploaded, patience=patience, is_over=partial(stands_still, stack)):
            journey.rows[uploaded[row["document"]]] = row
            news("sorted", 1)
    except NoNews:
        _account_for(stack, uploaded, journey, patience)


def stands_still(stack: Stack, rows: Iterable[Row]) -> bool:
    """Whether all of them wait for a cap or a key, and there is none to go on, not even with what came back.

    A call sets its dearest price aside, and gives the rest back when its invocation ends.
    """
    waiting = all(_is_over_cap(row) or _lacks_key(row) for row in rows)
    return waiting and stack.is_idle() and not stack.sweep()


def _is_over_cap(row: Row) -> bool:
    return bool(row["status"] == "parked" and row["waiting"]["for"] == "spend_cap")


def _lacks_key(row: Row) -> bool:
    return bool(row["status"] == "parked" and row["waiting"]["for"] == "credentials")


def _upload(stack: Stack, files: Sequence[Found], journey: Journey, news: News) -> dict[str, str]:
    with ThreadPoolExecutor(UPLOADS_AT_A_TIME) as side_by_side:
        uploaded: dict[str, str] = {}
        for file, problem in zip(
            files, side_by_side.map(lambda file: _drop(stack, file), files), strict=True
        ):
            if problem:
                journey.left[file.key] = problem
            else:
                uploaded[stack.uri(file.key)] = file.key
            news("uploaded", 1)
    return uploaded


def _drop(stack: Stack, file: Found) -> str | None:
    if file.problem:
        return file.problem
    try:
        stack.upload(file.key, file.path)
    except (OSError, Boto3Error, BotoCoreError, ClientError) as error:
        return f"it could not be uploaded: {error}"
    return None


def troubles(stack: Stack, most: int = 3) -> list[str]:
    """What the functions complained of, each complaint once: why no outcome came."""
    logs = stack.client("logs")
    found: dict[str, None] = {}
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            found.update(
                dict.fromkeys(filter(None, (_complaint(event["message"]) for event in page["events"])))
            )
    return list(found)[-most:]


def _complaint(line: str) -> str | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return f"{said.get('message')}: {said['why']}" if isinstance(said, dict) and said.get("why") else None


def _account_for(stack: Stack, uploaded: dict[str, str], journey: Journey, patience: float) -> None:
    """Each has its outcome after all, or a reason; of what waits for a cap or a key the log knows no more."""
    open_uris = [uri for uri, key in uploaded.items() if key not in journey.rows]
    found = {uri: row for chunk in _chunks(open_uris) for uri, row in stack.rows(chunk).items()}
    ended = {uploaded[uri]: row for uri, row in found.items() if row["status"] in OUTCOMES}
    left = {uploaded[uri]: found.get(uri) for uri in open_uris if uploaded[uri] not in ended}
    journey.rows |= ended
    journey.left |= {key: _why(row, patience) for key, row in left.items()}
    journey.unfinished |= {key: row for key, row in left.items() if row}
    if not all(row and (_is_over_cap(row) or _lacks_key(row)) for row in left.values()):
        journey.troubles = troubles(stack)


def _why(row: Row | None, patience: float) -> str:
    if row and _is_over_cap(row):
        waits = row["waiting"]
        return f"left over the cap: parked for {waits['for']} at {waits['stage']}, until {waits['until']}"
    if row and _lacks_key(row):
        return f"Claude does not take the key: parked for credentials at {row['waiting']['stage']}"
    where = f"it is still {row['status']}" if row else "it has no row yet"
    return f"no outcome came for {patience:.0f} s; {where}"


def _chunks(uris: Sequence[str], size: int = 100) -> Iterable[Sequence[str]]:
    return (uris[start : start + size] for start in range(0, len(uris), size))
