"""The commands of infra/pigeonhole with their options, read from the functions that are the commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from infra.cli.__main__ import app
from infra.dev.bootstrap import ROOT
from infra.dev.markdown import Line, code

_VALUES = {int: "N", float: "NUMBER", str: "TEXT", Path: "PATH"}


def command_lines() -> Iterator[Line]:
    """Lines of a table: name or usage, default, description. A hidden command is left out."""
    for name, function in _commands(app):
        yield f"**`{name}`**", "", f"**{_help(function)}**"
        hints = get_type_hints(function, include_extras=True)
        for parameter in inspect.signature(function).parameters.values():
            yield _line(parameter, hints[parameter.name])


def _commands(group: typer.Typer, prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in group.registered_commands:
        if command.callback and not command.hidden:
            yield prefix + (command.name or command.callback.__name__), command.callback
    for inner in group.registered_groups:
        if inner.typer_instance and inner.hidden is not True and inner.typer_instance.info.hidden is not True:
            yield from _commands(inner.typer_instance, f"{prefix}{inner.name} ")


def _help(function: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(function) or "").split())


def _line(parameter: inspect.Parameter, hint: Any) -> Line:
    kind, info = get_args(hint)
    if get_origin(kind) is UnionType:
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
    if isinstance(info, ArgumentInfo):
        usage = _argument(parameter, info, is_many=get_origin(kind) is list)
    else:
        usage = _option(parameter, info, kind)
    return code(usage), _default(parameter.default), f"{info.help or ''}{_bounds(info)}"


def _argument(parameter: inspect.Parameter, info: ArgumentInfo, *, is_many: bool) -> str:
    name = f"{info.metavar or parameter.name.upper()}{'…' if is_many else ''}"
    return name if parameter.default is inspect.Parameter.empty else f"[{name}]"


def _option(parameter: inspect.Parameter, info: OptionInfo, value_type: type) -> str:
    # In Annotated the first name of an option is what typer calls its default.
    given = (each for each in (info.default, *(info.param_decls or ())) if str(each).startswith("--"))
    name = str(next(given, f"--{parameter.name.replace('_', '-')}"))
    if value_type is bool:
        return name
    if issubclass(value_type, Enum):
        return f"{name} {'|'.join(each.value for each in value_type)}"
    return f"{name} {info.metavar or _VALUES[value_type]}"


def _default(value: Any) -> str:
    """The default, a path relative to the repository; nothing for a flag or where there is none."""
    match value:
        case inspect.Parameter.empty | None | False | "":
            return ""
        case Path():
            return code(value.relative_to(ROOT))
        case Enum():
            return code(value.value)
        case float():
            return code(f"{value:g}")
    return code(value)


def _bounds(info: ArgumentInfo | OptionInfo) -> str:
    match info.min, info.max:
        case None, None:
            return ""
        case least, None:
            return f" At least {least:,}."
        case None, most:
            return f" At most {most:,}."
        case least, most:
            return f" {least:,} to {most:,}."
