"""The settings of the server, and how they and the faults are parsed from JSON and the command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from infra.local.offline_claude.control.faults import FAULT_KINDS, Fault
from infra.local.offline_claude.metering.rate_limits import RateLimits
from infra.local.offline_claude.spec.errors import bad_request


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about the server that can be set; a limit of None is not enforced.

    Each answer takes `latency_s` seconds, give or take up to `jitter_s`. `chars_per_token` or
    `tokens_per_byte` replaces the usual estimate of tokens. `low_confidence_share` of the answers state a low
    confidence; `seed` decides which, and which requests a fault with a rate applies to. `burst_s` seconds of
    the rate limits can be used at once. `spend_limit_usd` applies to the whole bill, not to a month.
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
        """The rate limits among the settings."""
        return RateLimits(
            requests=self.requests_per_minute,
            input_tokens=self.input_tokens_per_minute,
            output_tokens=self.output_tokens_per_minute,
            burst_s=self.burst_s,
        )

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON."""
        return asdict(self)


_NULLABLE = frozenset(one.name for one in fields(Settings) if one.default is None)


def with_changes(settings: Settings, changes: object) -> Settings:
    """The settings with the given ones replaced. Raises a 400 that names the wrong one."""
    if not isinstance(changes, Mapping):
        raise bad_request(
            'Send a JSON object of settings, such as {"faults": [{"kind": "overloaded", "next": 1}]}'
        )
    known = {one.name for one in fields(Settings)}
    if unknown := sorted(changes.keys() - known):
        raise bad_request(f"{unknown[0]}: unknown setting; known are {', '.join(sorted(known))}")
    values = {name: _parse_setting(name, value) for name, value in changes.items()}
    return replace(settings, **values)


def _parse_setting(name: str, value: Any) -> Any:
    if value is None and name in _NULLABLE:
        return None
    if name == "faults":
        if not isinstance(value, list | tuple):
            raise bad_request("faults: must be a list")
        return tuple(parse_fault_object(one, f"faults.{number}") for number, one in enumerate(value))
    if name == "seed":
        return int(_parse_number(name, value, integer=True))
    if name.endswith("_per_minute"):
        return int(_parse_number(name, value, minimum=1, integer=True))
    if name in ("chars_per_token", "tokens_per_byte"):
        return _parse_number(name, value, minimum=0.01)
    if name == "spend_limit_usd":
        return _parse_number(name, value)
    return _parse_number(name, value, maximum=1.0 if name.endswith("share") else 3600.0)


def parse_fault_object(given: object, path: str = "fault") -> Fault:
    """The fault that a JSON object describes. Raises a 400 that names the wrong value by its path."""
    if isinstance(given, Fault):
        given = asdict(given)
    if not isinstance(given, Mapping):
        raise bad_request(f"{path}: must be an object with a kind")
    if given.get("kind") not in FAULT_KINDS:
        raise bad_request(
            f"{path}.kind: {given.get('kind')!r} is unknown; known are {', '.join(FAULT_KINDS)}"
        )
    known = [one.name for one in fields(Fault)]
    if unknown := sorted(given.keys() - set(known)):
        raise bad_request(f"{path}.{unknown[0]}: unknown; known are {', '.join(known)}")
    values = {name: _parse_fault_value(f"{path}.{name}", value) for name, value in given.items()}
    return _check_selection(Fault(**values), path)


def _check_selection(fault: Fault, path: str) -> Fault:
    if sum(map(bool, (fault.rate is not None, fault.next, fault.marker))) > 1:
        raise bad_request(f"{path}: give one of rate, next and marker, not several")
    if fault.kind == "slow" and not fault.seconds:
        raise bad_request(f"{path}.seconds: a slow fault needs the seconds that it waits")
    return fault


def _parse_fault_value(path: str, value: Any) -> Any:
    name = path.rpartition(".")[2]
    if name in ("kind", "marker", "model"):
        if not isinstance(value, str):
            raise bad_request(f"{path}: must be a string")
        return value
    if name == "next":
        return int(_parse_number(path, value, integer=True))
    if name in ("rate", "retry_after_s") and value is None:
        return None
    return _parse_number(path, value, maximum=1.0 if name == "rate" else 86_400.0)


def _parse_number(
    path: str, value: Any, *, minimum: float = 0.0, maximum: float = 1e12, integer: bool = False
) -> float:
    types = int if integer else (int, float)
    if isinstance(value, bool) or not isinstance(value, types) or not minimum <= value <= maximum:
        expected = "a whole number" if integer else "a number"
        raise bad_request(f"{path}: must be {expected} from {minimum:g} to {maximum:g}, not {value!r}")
    return value


def parse_fault(text: str) -> Fault:
    """A fault from the command line: `kind:name=value,…`, such as `rate_limit:rate=0.1,retry_after_s=2`."""
    kind, _, arguments = text.partition(":")
    values: dict[str, Any] = {"kind": kind.strip()}
    for argument in filter(None, arguments.split(",")):
        name, _, value = argument.partition("=")
        values[name.strip()] = _parse_literal(name.strip(), value.strip())
    return parse_fault_object(values, repr(text))


def _parse_literal(name: str, value: str) -> Any:
    if name in ("marker", "model"):
        return value
    try:
        return int(value) if name == "next" else float(value)
    except ValueError:
        return value
