"""template.yaml as CloudFormation sees it: expanded by SAM, every reference resolved to a plain value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from unittest import mock

from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from infra.ops import template

Properties = dict[str, Any]

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:claude-AbCdEf"
GIVEN = {
    "ApiKeySecretArn": SECRET,
    "AlarmEmail": "ops@example.org",
    "TaxonomyUri": "s3://own-bucket/sorting/taxonomy.toml",
    "ClaudeBaseUrl": "https://gateway.example.org",
}
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/papers/1"
_NOTHING = object()


@cache
def stack(*, bare: bool = False) -> Stack:
    """With every text parameter given, or bare: only with the one that has no default."""
    return Stack({"ApiKeySecretArn": SECRET} if bare else GIVEN)


def several(value: Any) -> list[Any]:
    """Policies write one thing where a list of one is meant."""
    return value if isinstance(value, list) else [value]


def granted(*policies: Properties) -> dict[str, set[str]]:
    """What the policies allow: the actions on each resource."""
    grants: dict[str, set[str]] = {}
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        assert statement["Effect"] == "Allow"
        for resource in several(statement["Resource"]):
            grants.setdefault(resource, set()).update(several(statement["Action"]))
    return grants


@mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "eu-west-1"})  # SAM wants to know one, and calls none
def _translated(given: Mapping[str, str]) -> dict[str, Any]:
    source = template.load()
    source["Globals"]["Function"]["CodeUri"] = {"Bucket": "build", "Key": "functions.zip"}
    made: dict[str, Any] = Translator({}, Parser()).translate(source, dict(given))
    return made


class Stack:
    """The translated template with these parameters, down to plain values."""

    def __init__(self, given: Mapping[str, str]) -> None:
        made = _translated(given)
        self.parameters = {
            name: given.get(name, each.get("Default")) for name, each in made["Parameters"].items()
        }
        self._conditions = made["Conditions"]
        wanted = {n: r for n, r in made["Resources"].items() if self._holds(r.get("Condition"))}
        self.types = {name: resource["Type"] for name, resource in wanted.items()}
        self.resources = {name: self._plain(resource) for name, resource in wanted.items()}
        self.outputs = {name: self._plain(output["Value"]) for name, output in made["Outputs"].items()}

    def of(self, kind: str) -> dict[str, Properties]:
        """The properties of every resource of this type, by name."""
        return {
            name: self.resources[name].get("Properties", {})
            for name, each in self.types.items()
            if each == f"AWS::{kind}"
        }

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._plain(self._conditions[condition]))

    def _plain(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": name}:
                return self._named(name)
            case {"Fn::GetAtt": path}:
                return ".".join(path)
            case {"Fn::Sub": [text, names]}:
                return self._filled(text, self._plain(names))
            case {"Fn::Sub": text}:
                return self._filled(text, {})
            case {"Fn::If": [condition, yes, no]}:
                return self._plain(yes if self._holds(condition) else no)
            case {"Fn::Select": [index, items]}:
                return self._plain(items)[index]
            case {"Fn::Split": [separator, text]}:
                return self._plain(text).split(separator)
            case {"Fn::Equals": [left, right]}:
                return self._plain(left) == self._plain(right)
            case {"Fn::Not": [inner]}:
                return not self._plain(inner)
            case dict():
                plain = {key: self._plain(inner) for key, inner in value.items()}
                return {key: inner for key, inner in plain.items() if inner is not _NOTHING}
            case list():
                return [inner for inner in map(self._plain, value) if inner is not _NOTHING]
        return value

    def _named(self, name: str) -> Any:
        pseudo = {"AWS::Partition": "aws", "AWS::AccountId": "123456789012", "AWS::StackName": "papers"}
        pseudo["AWS::StackId"] = STACK_ID
        return pseudo[name] if name.startswith("AWS::") else self.parameters.get(name, name)

    def _filled(self, text: str, names: Mapping[str, str]) -> str:
        return re.sub(r"\$\{(.+?)}", lambda found: str(names.get(found[1]) or self._named(found[1])), text)
