"""Which functions of a package run while something is done, in order, and how they are counted."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

# The package's functions on the stack when one of them is entered: that one is the last.
Stack = tuple[CodeType, ...]
# Python 3.12 and later run these within the function around them; before, each has a frame of its own.
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")


def walked(folder: Path, action: Callable[[], object]) -> list[Stack]:
    """The stack at each call, while the action runs, of a function whose source is in the folder.

    A generator that goes on is a call too. Other threads are not seen.
    """
    stacks: list[Stack] = []

    def is_seen(code: CodeType) -> bool:
        return _is_in(folder, code.co_filename) and code.co_name not in _COMPREHENSIONS

    def hook(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and is_seen(frame.f_code):
            outwards = [each.f_code for each in _outwards(frame) if is_seen(each.f_code)]
            stacks.append(tuple(reversed(outwards)))

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        action()
    finally:
        sys.setprofile(before)
    return stacks


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _is_in(folder: Path, file: str | None) -> bool:
    return bool(file) and Path(str(file)).is_relative_to(folder)


def counted(walk: list[Stack], values: set[CodeType]) -> list[CodeType]:
    """The functions entered, in order; without generators, and without `values` and their modules' help."""
    return [stack[-1] for stack in walk if not _is_generator(stack[-1]) and not _is_of_value(stack, values)]


def _is_generator(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_GENERATOR)


def _is_of_value(stack: Stack, values: set[CodeType]) -> bool:
    """Whether it is a value's method, or is called by one with no other module between them."""
    for code in reversed(stack):
        if module(code) != module(stack[-1]):
            return False
        if code in values:
            return True
    return False


def value_methods(folder: Path) -> set[CodeType]:
    """The properties and methods of frozen values that the loaded modules of the folder define."""
    return {
        code
        for loaded in list(sys.modules.values())
        if _is_in(folder, getattr(loaded, "__file__", None))
        for each in vars(loaded).values()
        if isinstance(each, type) and is_frozen(each)
        for member in vars(each).values()
        if (code := code_of(member))
    }


def is_frozen(kind: type) -> bool:
    """Whether it is a frozen dataclass or a frozen pydantic model."""
    of_dataclass, of_model = getattr(kind, "__dataclass_params__", None), getattr(kind, "model_config", {})
    return bool(getattr(of_dataclass, "frozen", False) or of_model.get("frozen"))


def code_of(member: Any) -> CodeType | None:
    """The code of a function, method or property; of what is decorated, the code within."""
    for inner in ("fget", "func", "__func__"):
        member = getattr(member, inner, member)
    return getattr(inspect.unwrap(member), "__code__", None) if callable(member) else None


def moves(entered: list[CodeType]) -> int:
    """How often a function is entered in another module than the one entered before it."""
    return sum(module(one) != module(other) for one, other in pairwise(entered))


def made(walk: list[Stack], functions: tuple[Callable[..., object], ...]) -> int:
    """The calls of any of the functions, but for those that one of them makes."""
    codes = {code for each in functions if (code := code_of(each))}
    return sum(stack[-1] in codes and codes.isdisjoint(stack[:-1]) for stack in walk)


def module(code: CodeType) -> str:
    """The file of the function's source."""
    return code.co_filename


def name(code: CodeType) -> str:
    """Module and function, as a reader looks for it."""
    return f"{Path(code.co_filename).stem}.{code.co_qualname}"
