"""Groups documents without an answer by cause, and estimates what a redrive of them costs (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from infra.ops.rows import Row
from infra.report.labels import reason
from pigeonhole.money.account import STACK, account_of

WITHOUT_ANSWER = ("failed", "needs_review")
ASK_A_PERSON = "A person decides: infra/pigeonhole review DOCUMENT --accept, or --category."


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Documents that failed, or wait for a person, for the same reason.

    `code` is an error code or a review reason; `sample` is the URI of one of the documents.
    """

    status: str
    code: str
    count: int
    sample: str
    message: str
    next_step: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The expected cost of new runs, by the mean cost of those of the documents that have cost anything.

    `mean_usd` is None where none has.
    """

    documents: int
    paid_for: int
    mean_usd: float | None

    @property
    def usd(self) -> float | None:
        """US dollars for all of them; less where a cached reply can be used."""
        return None if self.mean_usd is None else self.documents * self.mean_usd


def code_of(row: Row) -> str:
    """The error code of a row, or its first review reason."""
    if error := row.get("error"):
        return str(error["code"])
    return str(next(iter(row.get("review_reasons") or ()), "unknown"))


def group_by_cause(rows: Iterable[Row]) -> list[Cause]:
    """The causes of the rows without an answer, the most frequent first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["status"] in WITHOUT_ANSWER:
            groups.setdefault((row["status"], code_of(row)), []).append(row)
    causes = [_cause(status, code, of) for (status, code), of in groups.items()]
    return sorted(causes, key=lambda cause: (-cause.count, cause.status, cause.code))


def estimate(rows: Sequence[Row], refused: Mapping[str, Decimal] = MappingProxyType({})) -> Estimate:
    """Estimate by what each document has cost so far, divided by its runs.

    A call whose answer never came counts at its highest possible price, as it does under the caps. A document
    in `refused` counts at the price of the call that a cap has refused, with which it goes on.
    """
    costs = [cost for row in rows if (cost := _cost(row, refused.get(row["document"])))]
    mean = sum(costs) / len(costs) if costs else None
    return Estimate(documents=len(rows), paid_for=len(costs), mean_usd=mean)


def over_cap(cost: Estimate, rows: Iterable[Row], headroom: Mapping[str, Decimal]) -> dict[str, float]:
    """The accounts with less headroom, in US dollars, than new runs of the rows may cost."""
    documents = Counter(account for row in rows for account in (STACK, account_of(row["team"])))
    return {
        account: max(0.0, float(usd))
        for account, usd in headroom.items()
        if documents[account] * (cost.mean_usd or 0.0) > usd
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
