"""All in which the local template differs from template.yaml, each with its reason; nothing else may."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from infra.ops.template import Template


@dataclass(frozen=True, kw_only=True)
class Waits:
    """In seconds: how long an invocation and a call may take, and a message is invisible."""

    invocation: int
    call: int
    visibility: int


@dataclass(frozen=True, kw_only=True)
class Here:
    """What is so on this machine; without `waits` they are the template's."""

    code_uri: str
    libraries: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    waits: Waits | None = None


def localised(template: Template, here: Here) -> Template:
    """The template as the local stack deploys it."""
    local = deepcopy(template)
    for differ in DIFFERENCES:
        differ(local, here)
    return local


def code_only_zip(template: Template, here: Here) -> None:
    """`sam deploy` uploads the build; here our code alone is uploaded, since every worker unpacks it anew."""
    template["Globals"]["Function"]["CodeUri"] = here.code_uri


def libraries_beside(template: Template, here: Here) -> None:
    """The libraries are built once, by the recipe of functions/Makefile, and found here."""
    template["Globals"]["Function"]["Environment"]["Variables"]["PYTHONPATH"] = here.libraries


def numbers_are_numbers(template: Template, here: Here) -> None:
    """MiniStack keeps a number parameter as a string, and its queue poller then dies of comparing the two."""
    parameters = template.get("Parameters", {})
    defaults = {name: p["Default"] for name, p in parameters.items() if p["Type"] == "Number"}
    numbers = {**defaults, **here.numbers}
    template["Resources"] = _with_numbers(template["Resources"], numbers)


def plain_http(template: Template, _: Here) -> None:
    """The local endpoint is http on 127.0.0.1, which the buckets would rightly refuse."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::S3::BucketPolicy":
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [s for s in document["Statement"] if s.get("Sid") != "TlsOnly"]


def shorter_waits(template: Template, here: Here) -> None:
    """For a soak: what crashed is found out in seconds instead of a quarter of an hour."""
    if here.waits is None:
        return
    resources, seconds = template["Resources"], here.waits
    for function, queue in (("TriageFunction", "IntakeQueue"), ("EscalationFunction", "EscalationQueue")):
        resources[function]["Properties"]["Timeout"] = seconds.invocation
        resources[queue]["Properties"]["VisibilityTimeout"] = seconds.visibility
    template["Globals"]["Function"]["Environment"]["Variables"] |= {
        "INTAKE_VISIBILITY": str(seconds.visibility),
        "ESCALATION_VISIBILITY": str(seconds.visibility),
        "FAST_TIMEOUT": str(seconds.call),
        "STRONG_TIMEOUT": str(seconds.call),
    }


DIFFERENCES: tuple[Callable[[Template, Here], None], ...] = (
    code_only_zip,
    libraries_beside,
    numbers_are_numbers,
    plain_http,
    shorter_waits,
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
