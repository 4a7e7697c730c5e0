"""Uploads files to a stack and waits for their outcomes; no file is left without an outcome or a reason."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli.inputs import Found
from infra.ops.rows import Row
from infra.ops.stack import OUTCOMES, NoProgress, Stack

UPLOAD_THREADS = 8
# Called with a step (`uploaded` or `sorted`) and how many files have passed it since the last call.
OnProgress = Callable[[str, int], None]


@dataclass(kw_only=True)
class RunResult:
    """What became of each file, by its key in the inbox.

    `rows` are the public rows of files with an outcome. `missing` says for every other file why it has
    none; `unfinished` are the rows of those of them that have one. `log_errors` are messages of the
    functions' log that may explain it.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, Row] = field(default_factory=dict)
    log_errors: list[str] = field(default_factory=list)

    def sum_of(self, attribute: str) -> float:
        """The sum of an attribute in US dollars over all rows, finished or not."""
        rows = (*self.rows.values(), *self.unfinished.values())
        return sum(float(row.get(attribute) or 0) for row in rows)


def submit_and_wait(
    stack: Stack, files: Sequence[Found], result: RunResult, *, patience: float, on_progress: OnProgress
) -> None:
    """Upload the files and add what becomes of them to `result`, which is whole even if this is interrupted.

    It ends when every file has its outcome, when none has got one for `patience` seconds, or when all that
    are left wait for a cap or a key.
    """
    uploaded = _upload(stack, files, result, on_progress)
    try:
        for row in stack.outcomes(uploaded, patience=patience, should_stop=partial(all_blocked, stack)):
            result.rows[uploaded[row["document"]]] = row
            on_progress("sorted", 1)
    except NoProgress:
        _explain_missing(stack, uploaded, result, patience)


def all_blocked(stack: Stack, rows: Iterable[Row]) -> bool:
    """Whether every row waits for a cap or a key, and sweep finds none that could go on.

    Sweep is invoked because a cap may have room again: a call reserves its highest possible price, and the
    rest is refunded when its invocation ends.
    """
    waiting = all(_is_over_cap(row) or _waits_for_key(row) for row in rows)
    return waiting and stack.is_idle() and not stack.sweep()


def _is_over_cap(row: Row) -> bool:
    return bool(row["status"] == "parked" and row["waiting"]["for"] == "spend_cap")


def _waits_for_key(row: Row) -> bool:
    return bool(row["status"] == "parked" and row["waiting"]["for"] == "credentials")


def _upload(
    stack: Stack, files: Sequence[Found], result: RunResult, on_progress: OnProgress
) -> dict[str, str]:
    """The keys of the uploaded files by document URI; a file that could not be uploaded is `missing`."""
    uploaded: dict[str, str] = {}
    with ThreadPoolExecutor(UPLOAD_THREADS) as threads:
        problems = threads.map(partial(_upload_file, stack), files)
        for file, problem in zip(files, problems, strict=True):
            if problem:
                result.missing[file.key] = problem
            else:
                uploaded[stack.uri(file.key)] = file.key
            on_progress("uploaded", 1)
    return uploaded


def _upload_file(stack: Stack, file: Found) -> str | None:
    """None, or why the file could not be uploaded."""
    if file.problem:
        return file.problem
    try:
        stack.upload(file.key, file.path)
    except (OSError, Boto3Error, BotoCoreError, ClientError) as error:
        return f"it could not be uploaded: {error}"
    return None


def errors_in_logs(stack: Stack, limit: int = 3) -> list[str]:
    """The last different reasons in the functions' logs, at most `limit`."""
    logs = stack.client("logs")
    found: dict[str, None] = {}
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            found.update(dict.fromkeys(filter(None, (_reason(event["message"]) for event in page["events"]))))
    return list(found)[-limit:]


def _reason(line: str) -> str | None:
    """The message and the reason of a log line in JSON that has one."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return f"{entry.get('message')}: {entry['why']}" if isinstance(entry, dict) and entry.get("why") else None


def _explain_missing(stack: Stack, uploaded: dict[str, str], result: RunResult, patience: float) -> None:
    """Read the rows once more: each file has its outcome by now, or is `missing` with a reason.

    The log is read only where the rows do not explain everything: of what waits for a cap or a key it
    knows no more than they do.
    """
    open_uris = [uri for uri, key in uploaded.items() if key not in result.rows]
    found = {uri: row for chunk in _chunks(open_uris) for uri, row in stack.rows(chunk).items()}
    ended = {uploaded[uri]: row for uri, row in found.items() if row["status"] in OUTCOMES}
    missing = {uploaded[uri]: found.get(uri) for uri in open_uris if uploaded[uri] not in ended}
    result.rows |= ended
    result.missing |= {key: _why_missing(row, patience) for key, row in missing.items()}
    result.unfinished |= {key: row for key, row in missing.items() if row}
    if not all(row and (_is_over_cap(row) or _waits_for_key(row)) for row in missing.values()):
        result.log_errors = errors_in_logs(stack)


def _why_missing(row: Row | None, patience: float) -> str:
    if row and _is_over_cap(row):
        waiting = row["waiting"]
        return f"over the cap: parked for {waiting['for']} at {waiting['stage']}, until {waiting['until']}"
    if row and _waits_for_key(row):
        return f"Claude rejects the API key: parked for credentials at {row['waiting']['stage']}"
    where = f"its status is {row['status']}" if row else "it has no row yet"
    return f"no outcome within {patience:.0f} s; {where}"


def _chunks(uris: Sequence[str], size: int = 100) -> Iterable[Sequence[str]]:
    return (uris[start : start + size] for start in range(0, len(uris), size))
