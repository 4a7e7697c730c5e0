"""How the server behaves: read once from what it was started with, changed as a whole by the control path."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from infra.local.offline_claude.control.faults import KINDS, Fault
from infra.local.offline_claude.metering.rate_limits import RateLimits
from infra.local.offline_claude.spec.errors import bad_request


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Latency (give or take the jitter), the token estimate, the share of unsure answers, limits, the faults.

    A limit of None is not enforced. The spend limit is one on the server's own bill, which no month ends.
    """

    seed: int = 0
    latency_s: float = 0.0
    jitter_s: float = 0.0
    chars_per_token: float | None = None
    tokens_per_byte: float | None = None
    low_confidence_share: float = 0.0
    requests_per_minute: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    burst_s: float = 60.0
    spend_limit_usd: float | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def rate_limits(self) -> RateLimits:
        """What a minute allows."""
        return RateLimits(
            requests=self.requests_per_minute,
            input_tokens=self.input_tokens_per_minute,
            output_tokens=self.output_tokens_per_minute,
            burst_s=self.burst_s,
        )

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON."""
        return asdict(self)


_CAN_BE_NONE = frozenset(one.name for one in fields(Settings) if one.default is None)


def changed(settings: Settings, wanted: object) -> Settings:
    """The settings with the named ones replaced, or a 400 that says which one is wrong."""
    if not isinstance(wanted, Mapping):
        raise bad_request(
            'Send a JSON object of settings, such as {"faults": [{"kind": "overloaded", "next": 1}]}'
        )
    known = {one.name for one in fields(Settings)}
    if unknown := sorted(wanted.keys() - known):
        raise bad_request(f"{unknown[0]}: unknown setting; known are {', '.join(sorted(known))}")
    values = {name: _setting(name, value) for name, value in wanted.items()}
    return replace(settings, **values)


def _setting(name: str, value: Any) -> Any:
    if value is None and name in _CAN_BE_NONE:
        return None
    if name == "faults":
        if not isinstance(value, list | tuple):
            raise bad_request("faults: must be a list")
        return tuple(fault_of(one, f"faults.{number}") for number, one in enumerate(value))
    if name == "seed":
        return int(_number(name, value, whole=True))
    if name.endswith("_per_minute"):
        return int(_number(name, value, least=1, whole=True))
    if name in ("chars_per_token", "tokens_per_byte"):
        return _number(name, value, least=0.01)
    if name == "spend_limit_usd":
        return _number(name, value)
    return _number(name, value, most=1.0 if name.endswith("share") else 3600.0)


def fault_of(wanted: object, where: str = "fault") -> Fault:
    """The fault that a JSON object describes, or a 400."""
    if isinstance(wanted, Fault):
        wanted = asdict(wanted)
    if not isinstance(wanted, Mapping):
        raise bad_request(f"{where}: must be an object with a kind")
    if wanted.get("kind") not in KINDS:
        raise bad_request(f"{where}.kind: {wanted.get('kind')!r} is unknown; known are {', '.join(KINDS)}")
    if unknown := sorted(wanted.keys() - {one.name for one in fields(Fault)}):
        raise bad_request(
            f"{where}.{unknown[0]}: unknown; known are {', '.join(one.name for one in fields(Fault))}"
        )
    return _selected(
        Fault(**{name: _fault_value(f"{where}.{name}", value) for name, value in wanted.items()}), where
    )


def _selected(fault: Fault, where: str) -> Fault:
    if sum(map(bool, (fault.rate is not None, fault.next, fault.marker))) > 1:
        raise bad_request(f"{where}: give one of rate, next and marker, not several")
    if fault.kind == "slow" and not fault.seconds:
        raise bad_request(f"{where}.seconds: a slow fault needs the seconds that it waits")
    return fault


def _fault_value(where: str, value: Any) -> Any:
    name = where.rpartition(".")[2]
    if name in ("kind", "marker", "model"):
        if not isinstance(value, str):
            raise bad_request(f"{where}: must be a string")
        return value
    if name == "next":
        return int(_number(where, value, whole=True))
    if name in ("rate", "retry_after_s") and value is None:
        return None
    return _number(where, value, most=1.0 if name == "rate" else 86_400.0)


def _number(where: str, value: Any, *, least: float = 0.0, most: float = 1e12, whole: bool = False) -> float:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        sort = "a whole number" if whole else "a number"
        raise bad_request(f"{where}: must be {sort} from {least:g} to {most:g}, not {value!r}")
    return value


def parse_fault(text: str) -> Fault:
    """A fault from the command line: `kind:name=value,…`, such as `rate_limit:rate=0.1,retry_after_s=2`."""
    kind, _, rest = text.partition(":")
    values: dict[str, Any] = {"kind": kind.strip()}
    for part in filter(None, rest.split(",")):
        name, _, value = part.partition("=")
        values[name.strip()] = _literal(name.strip(), value.strip())
    return fault_of(values, repr(text))


def _literal(name: str, value: str) -> Any:
    if name in ("marker", "model"):
        return value
    try:
        return int(value) if name == "next" else float(value)
    except ValueError:
        return value
