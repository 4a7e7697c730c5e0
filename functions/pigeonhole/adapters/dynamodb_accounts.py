"""Money in the ledger table: an account's month is one item, a day's usage is many."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from pigeonhole.adapters.aws import classified, code_of
from pigeonhole.adapters.dynamodb_items import Item, UpdateExpression, as_item, as_plain
from pigeonhole.domain.document import RateLimits, Tier
from pigeonhole.domain.errors import TryLater
from pigeonhole.jobs.usage import UsageLine, UsageTotals
from pigeonhole.money.account import Account, RateSlot, Withdrawal

_AGE = timedelta(days=400)  # what was spent is kept for a year and a month
_TRIES = 6
_NEXT, _LIMITS, _DAY = "next ", "limits ", "day "
_KEY = ("day", "team", "model", "tier", "category", "shard")
_COUNTED = tuple(each.name for each in fields(UsageTotals))
_DOLLARS = tuple(name for name in _COUNTED if name.endswith("usd"))
_NUMBERS = tuple(name for name in _COUNTED if name not in _DOLLARS)


def key(account: str, day: date) -> Item:
    """The item of an account's month."""
    return {"pk": "spend", "sk": f"{day:%Y-%m} {_short(account)}"}


def load(values: Item) -> Account:
    """An account as its item says; times are milliseconds since 1970."""
    return Account(
        usd=values.get("usd", Decimal(0)),
        days={int(name.removeprefix(_DAY)): usd for name, usd in values.items() if name.startswith(_DAY)},
        next_at={n.removeprefix(_NEXT): _moment(at) for n, at in values.items() if n.startswith(_NEXT)},
        limits={n.removeprefix(_LIMITS): _rate_limits(m) for n, m in values.items() if n.startswith(_LIMITS)},
    )


def withdraw(dynamodb: Any, table: str, withdrawal: Withdrawal) -> tuple[bool, Account]:
    """Take money and a rate slot in one conditional write; a wrong guess who comes before is repeated."""
    seen = withdrawal.slot.seen if withdrawal.slot else None
    for _ in range(_TRIES):
        taken, account = _withdrawn(dynamodb, table, withdrawal, seen)
        last = account.next_at.get(withdrawal.slot.model) if withdrawal.slot else None
        if taken or not withdrawal.slot or _queue(last, withdrawal.slot) == _queue(seen, withdrawal.slot):
            return taken, account
        seen = last
    raise TryLater("write conflict: others withdraw from the same account", seconds=2)


def refund(dynamodb: Any, table: str, account: str, day: date, usd: Decimal) -> None:
    """Subtract from the account what was withdrawn for that day: an ADD, which must not be sent twice."""
    with classified():
        dynamodb.update_item(
            TableName=table,
            Key=as_item(key(account, day)),
            UpdateExpression="ADD usd :less, #day :less",
            ExpressionAttributeNames={"#day": f"{_DAY}{day.day}"},
            ExpressionAttributeValues=as_item({":less": -usd}),
        )


def adding(table: str, line: UsageLine) -> Item:
    """The part of a transaction that adds a line to the usage."""
    known = {name: getattr(line, name) for name in _KEY}
    sets = known | {"expires_at": int((datetime.now(UTC) + _AGE).timestamp())}
    adds = {name: value for name, value in asdict(line.totals).items() if value}
    update = {
        "TableName": table,
        "Key": as_item({"pk": f"usage {line.day}", "sk": _short(*map(str, known.values()))}),
        "UpdateExpression": f"SET {', '.join(f'#{name} = :{name}' for name in sets)} "
        f"ADD {', '.join(f'#{name} :{name}' for name in adds)}",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*sets, *adds)},
        "ExpressionAttributeValues": as_item({f":{name}": value for name, value in (sets | adds).items()}),
    }
    return {"Update": update}


def usage(dynamodb: Any, table: str, day: str) -> list[UsageLine]:
    """All the usage of a day."""
    asked: Item = {
        "TableName": table,
        "KeyConditionExpression": "pk = :day",
        "ExpressionAttributeValues": as_item({":day": f"usage {day}"}),
    }
    found: list[UsageLine] = []
    with classified():
        while True:
            page = dynamodb.query(**asked)
            found += [_usage_line(as_plain(item)) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _withdrawn(
    dynamodb: Any, table: str, withdrawal: Withdrawal, seen: datetime | None
) -> tuple[bool, Account]:
    day = f"{_DAY}{withdrawal.day.day}"
    update = UpdateExpression()
    update.set("usd", "if_not_exists({}, :none) + :usd", none=0, usd=withdrawal.usd)
    update.set(day, "if_not_exists({}, :none) + :usd")
    update.set("expires_at", ":forget", forget=int((datetime.now(UTC) + _AGE).timestamp()))
    update.only_if(
        "usd", "(attribute_not_exists({0}) OR {0} <= :month)", month=withdrawal.cap.month - withdrawal.usd
    )
    update.only_if(day, "(attribute_not_exists({0}) OR {0} <= :day)", day=withdrawal.cap.day - withdrawal.usd)
    if withdrawal.slot:
        _take_slot(update, withdrawal.slot, seen)
    where = as_item(key(withdrawal.account, withdrawal.day))
    with classified():
        try:
            if withdrawal.usd > min(withdrawal.cap.day, withdrawal.cap.month):
                found = dynamodb.get_item(TableName=table, Key=where)
                return False, load(as_plain(found.get("Item", {})))
            after = dynamodb.update_item(
                TableName=table,
                Key=where,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False, load(as_plain(_item_of(error)))
    account = load(as_plain(after["Attributes"]))
    return True, replace(
        account, starts_at=_starts_at(account, withdrawal.slot, seen)
    ) if withdrawal.slot else account


def _item_of(error: ClientError) -> Item:
    """What stood there when the condition failed."""
    response: Item = {**error.response}
    item: Item = response.get("Item") or {}
    return item


def _take_slot(update: UpdateExpression, slot: RateSlot, seen: datetime | None) -> None:
    """Behind those before us, or at once if there are none."""
    name, now, idle = f"{_NEXT}{slot.model}", _milliseconds(slot.now), _milliseconds(slot.idle_since)
    if slot.is_behind(seen):
        update.set(name, "{} + :interval", interval=_long(slot.interval))
        latest = _milliseconds(slot.latest + slot.burst)
        update.only_if(name, "{0} > :now AND {0} <= :latest", now=now, latest=latest)
    elif slot.is_first(seen):
        update.set(name, ":then", then=now + _long(slot.warm_up))
        update.only_if(name, "(attribute_not_exists({0}) OR {0} <= :idle)", idle=idle)
    else:
        update.set(name, ":then", then=now + _long(slot.interval))
        update.only_if(name, "{0} > :idle AND {0} <= :now", idle=idle, now=now)
    if slot.observed:
        limits = {name: value for name, value in asdict(slot.observed).items() if value}
        update.set(f"{_LIMITS}{slot.model}", ":limits", limits=limits)


def _starts_at(account: Account, slot: RateSlot, seen: datetime | None) -> datetime:
    return slot.starts_at(account.next_at[slot.model] - slot.interval if slot.is_behind(seen) else None)


def _queue(last: datetime | None, slot: RateSlot) -> tuple[bool, bool]:
    return slot.is_behind(last), slot.is_first(last)


def _usage_line(values: Item) -> UsageLine:
    counted = {each: values[each] for each in _DOLLARS if each in values}
    counted |= {each: int(values[each]) for each in _NUMBERS if each in values}
    known = {each: str(values[each]) for each in ("day", "team", "model", "category")}
    return UsageLine(
        **known, tier=Tier(values["tier"]), shard=int(values["shard"]), totals=UsageTotals(**counted)
    )


def _rate_limits(values: Item) -> RateLimits:
    return RateLimits(**{name: int(value) for name, value in values.items()})


def _short(*of: str) -> str:
    """A key of any words, within DynamoDB's limit of 1,024 bytes."""
    return hashlib.sha256("\n".join(of).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _moment(milliseconds: Decimal) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _long(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
