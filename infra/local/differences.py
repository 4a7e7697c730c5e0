"""Every difference between the local template and template.yaml, each with its reason."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from infra.ops.template import Template


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Time-outs in seconds: of an invocation, of a call of Claude, and of a message's visibility."""

    invocation: int
    call: int
    visibility: int


@dataclass(frozen=True, kw_only=True)
class LocalSetup:
    """The values for this machine; without `timeouts` those of the template stay."""

    code_uri: str
    libraries: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    timeouts: Timeouts | None = None


def localised(template: Template, setup: LocalSetup) -> Template:
    """The template as the local stack deploys it."""
    local = deepcopy(template)
    for apply in DIFFERENCES:
        apply(local, setup)
    return local


def code_only_zip(template: Template, setup: LocalSetup) -> None:
    """The zip has the code alone, since every worker unpacks it; `sam deploy` uploads the whole build."""
    template["Globals"]["Function"]["CodeUri"] = setup.code_uri


def libraries_in_a_folder(template: Template, setup: LocalSetup) -> None:
    """The libraries are built once, as functions/Makefile builds them, and found through PYTHONPATH."""
    template["Globals"]["Function"]["Environment"]["Variables"]["PYTHONPATH"] = setup.libraries


def numbers_are_numbers(template: Template, setup: LocalSetup) -> None:
    """Number parameters become numbers: MiniStack leaves them strings, and its queue poller fails on them."""
    parameters = template.get("Parameters", {})
    defaults = {name: p["Default"] for name, p in parameters.items() if p["Type"] == "Number"}
    numbers = {**defaults, **setup.numbers}
    template["Resources"] = _with_numbers(template["Resources"], numbers)


def plain_http(template: Template, _: LocalSetup) -> None:
    """The bucket policies do not demand TLS: the local endpoint is http on 127.0.0.1."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::S3::BucketPolicy":
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [s for s in document["Statement"] if s.get("Sid") != "TlsOnly"]


def shorter_timeouts(template: Template, setup: LocalSetup) -> None:
    """Shorter time-outs, for a soak test: a crash shows after seconds instead of a quarter of an hour."""
    if setup.timeouts is None:
        return
    resources, seconds = template["Resources"], setup.timeouts
    for function, queue in (("TriageFunction", "IntakeQueue"), ("EscalationFunction", "EscalationQueue")):
        resources[function]["Properties"]["Timeout"] = seconds.invocation
        resources[queue]["Properties"]["VisibilityTimeout"] = seconds.visibility
    template["Globals"]["Function"]["Environment"]["Variables"] |= {
        "INTAKE_VISIBILITY": str(seconds.visibility),
        "ESCALATION_VISIBILITY": str(seconds.visibility),
        "FAST_TIMEOUT": str(seconds.call),
        "STRONG_TIMEOUT": str(seconds.call),
    }


DIFFERENCES: tuple[Callable[[Template, LocalSetup], None], ...] = (
    code_only_zip,
    libraries_in_a_folder,
    numbers_are_numbers,
    plain_http,
    shorter_timeouts,
)


def _with_numbers(value: Any, numbers: Mapping[str, int]) -> Any:
    match value:
        case {"Ref": str(name)} if name in numbers:
            return numbers[name]
        case dict():
            return {key: _with_numbers(inner, numbers) for key, inner in value.items()}
        case list():
            return [_with_numbers(inner, numbers) for inner in value]
    return value
