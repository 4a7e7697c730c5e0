"""Reads template.yaml; CloudFormation's short tags (!Ref) become their long form ({"Ref": …})."""

from pathlib import Path
from typing import Any

import yaml

from infra.dev.bootstrap import ROOT

Template = dict[str, Any]
TEMPLATE = ROOT / "template.yaml"


def load(path: Path = TEMPLATE) -> Template:
    """The template as plain dicts, lists and strings."""
    loaded = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - derived from the safe loader
    if not isinstance(loaded, dict):
        raise TypeError(f"{path} is not a template")
    return loaded


class _Loader(yaml.SafeLoader):
    """The safe loader, with the intrinsic functions of CloudFormation."""


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    match node:
        case yaml.ScalarNode():
            text = loader.construct_scalar(node)
            return {key: text.split(".", 1) if name == "GetAtt" else text}
        case yaml.SequenceNode():
            return {key: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {key: loader.construct_mapping(node, deep=True)}
    raise TypeError(f"!{name} is used on a node that is not a scalar, a list or a mapping")


_Loader.add_multi_constructor("!", _function)
