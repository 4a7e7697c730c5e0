"""Documents through a stack: drop them, wait for their outcomes, and leave none unaccounted for."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli.inputs import Found
from infra.stack import NoNews, Row, Stack

UPLOADS_AT_A_TIME = 8
News = Callable[[str, int], None]


@dataclass(kw_only=True)
class Journey:
    """How far each file has come: into `rows`, or into `left` with the reason; `troubles` may explain it."""

    rows: dict[str, Row] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    @property
    def cost_usd(self) -> float:
        """What the outcomes so far have cost."""
        return sum(float(row.get("cost_usd") or 0) for row in self.rows.values())


def drive(stack: Stack, files: Sequence[Found], journey: Journey, *, patience: float, news: News) -> None:
    """Adds every file to the journey, by its key; `news` hears what advanced and by how many."""
    uploaded = _upload(stack, files, journey, news)
    try:
        for row in stack.outcomes(uploaded, patience=patience):
            journey.rows[uploaded[row["document"]]] = row
            news("sorted", 1)
    except NoNews:
        _account_for(stack, uploaded, journey, patience)
        journey.troubles = troubles(stack)


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
    open_uris = [uri for uri, key in uploaded.items() if key not in journey.rows]
    for chunk in _chunks(open_uris):
        rows = stack.rows(chunk)
        for uri in chunk:
            where = f"it is still {rows[uri]['status']}" if uri in rows else "it has no row yet"
            journey.left[uploaded[uri]] = f"no outcome came for {patience:.0f} s; {where}"


def _chunks(uris: Sequence[str], size: int = 100) -> Iterable[Sequence[str]]:
    return (uris[start : start + size] for start in range(0, len(uris), size))
