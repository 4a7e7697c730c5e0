"""Why documents have no answer, told once a cause; and what it would cost to try them again (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from infra.report.words import reason
from pigeonhole.money.account import STACK, account_of

Row = dict[str, Any]
WITHOUT_ANSWER = ("failed", "needs_review")
ASK_A_PERSON = "A person decides: infra/pigeonhole review DOCUMENT --accept, or --category."


@dataclass(frozen=True, kw_only=True)
class Cause:
    """`code` is an error's or a review reason's; `sample` is one of the documents."""

    status: str
    code: str
    count: int
    sample: str
    message: str
    next_step: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What so many documents may cost at the mean of those that have been paid for; None where none has."""

    documents: int
    paid_for: int
    mean_usd: float | None

    @property
    def usd(self) -> float | None:
        """For all of them; less where an answer to the same question is known already."""
        return None if self.mean_usd is None else self.documents * self.mean_usd


def code_of(row: Row) -> str:
    """The error's code, or the first reason why a person has to look."""
    if error := row.get("error"):
        return str(error["code"])
    return str(next(iter(row.get("review_reasons") or ()), "unknown"))


def grouped(rows: Iterable[Row]) -> list[Cause]:
    """One cause for all documents that share it, the commonest first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["status"] in WITHOUT_ANSWER:
            groups.setdefault((row["status"], code_of(row)), []).append(row)
    causes = [_cause(status, code, of) for (status, code), of in groups.items()]
    return sorted(causes, key=lambda cause: (-cause.count, cause.status, cause.code))


def estimate(rows: Sequence[Row], refused: Mapping[str, Decimal] = MappingProxyType({})) -> Estimate:
    """By the documents' own past: what one has cost, divided by its runs.

    A call whose answer never came counts at its dearest, as it does under the caps; so does one that a cap
    has `refused`, which is what that document goes on with.
    """
    costs = [cost for row in rows if (cost := _cost(row, refused.get(row["document"])))]
    mean = sum(costs) / len(costs) if costs else None
    return Estimate(documents=len(rows), paid_for=len(costs), mean_usd=mean)


def short(cost: Estimate, rows: Iterable[Row], rooms: Mapping[str, Decimal]) -> dict[str, float]:
    """The accounts that have less left than the rows may cost, with what they have left."""
    wanted = Counter(account for row in rows for account in (STACK, account_of(row["team"])))
    return {
        account: max(0.0, float(room))
        for account, room in rooms.items()
        if wanted[account] * (cost.mean_usd or 0.0) > room
    }


def _cost(row: Row, refused: Decimal | None) -> float:
    if refused:
        return float(refused)
    paid = sum(float(row.get(name) or 0) for name in ("cost_usd", "unsettled_usd"))
    return paid / float(row.get("run", 1))


def _cause(status: str, code: str, rows: Sequence[Row]) -> Cause:
    sample = rows[0]
    error = sample.get("error") or {}
    return Cause(
        status=status,
        code=code,
        count=len(rows),
        sample=sample["document"],
        message=error.get("message") or reason(code),
        next_step=error.get("next_step") or ASK_A_PERSON,
    )
