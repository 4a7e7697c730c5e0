"""How the code is built, in numbers: the walk of one upload through it, and the sizes of its parts.

The walk is that of one accepted upload over the fakes, entered as a Lambda handler enters it: the second of
two in one process that differ in name and text alone, so that what is cached for a process is cached. Each
has ports of its own, and is longer than what the fast model is sent. A profile hook sees each call of a
function whose source is in functions/pigeonhole; the code that dataclasses generate has no source.

Left out as functions are comprehensions, generators (those that are context managers too), and properties
and methods of frozen dataclasses and frozen pydantic models, with what these call in their own module. What
is called from there in another module counts, and so do lambdas and functions within functions.

- Moves between modules: how often a function is entered in another module than the one entered before it;
  a return is no move.
- Functions entered: different functions, however often each is entered.
- Deepest stack: the package's frames that are on the stack at once, with those of all that is left out
  above, but for comprehensions, which have none since Python 3.12.
- Price computations and parses: calls of the functions named below, whoever calls; one made by another of
  the same row is part of it. The most that a call may cost, computed before it, is no price of a reply.
- Modules in one folder: in the folder of functions/pigeonhole with most of them; extract/ and `__init__`
  left out.
- Lines: of a file, all; of a function, from its `def` to its end, with its docstring.
- Fields: of the job or of a frozen dataclass that it is made of, whichever has most. The public row that it
  holds is a pydantic model, and no part of it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pigeonhole
from pigeonhole.claude import answer_form
from pigeonhole.jobs import job
from pigeonhole.jobs.message import Batch
from pigeonhole.money import pricing
from pigeonhole.pipeline import batch
from tests.benchmarks.calls import Stack, counted, is_frozen, made, module, moves, name, value_methods, walked
from tests.support.builders import World, created, message, reply, upload

# What is measured by name; all else is found by walking the folders.
ENTRY = batch.process_batch
PRICES = (pricing.cost_usd, pricing.reply_cost)
PARSES = (answer_form.interpret,)
JOB: type = job.Job
FORMATS = "extract"

PACKAGE = Path(pigeonhole.__file__).resolve().parent
FUNCTIONS = PACKAGE.parent
LONG_FILE = 200
TEXT = "Amount due: 12\n" + "A line about hinges, screws and their delivery in spring. " * 60
Figures = dict[str, Any]


def run(on: Path | None) -> Iterator[Figures]:
    """Each figure and what it shall be at most; `on` has no meaning here."""
    yield from _of_the_walk()
    yield from _of_the_sizes()


def _of_the_walk() -> Iterator[Figures]:
    walk = accepted_upload()
    values = value_methods(PACKAGE)
    entered = counted(walk, values)
    deepest = max(walk, key=len)
    values_used = len(values.intersection(stack[-1] for stack in walk))
    calls = f"{len(entered)} calls; left out: {values_used} methods of values"
    yield _figure("moves between modules", moves(entered), 45, f"{len(set(map(module, entered)))} modules")
    yield _figure("functions entered", len(set(entered)), 100, calls)
    yield _figure("deepest stack", len(deepest), 14, name(deepest[-1]))
    yield _figure("price computations for one reply", _made(walk, PRICES), 2)
    yield _figure("parses of one reply", _made(walk, PARSES), 1)


def _of_the_sizes() -> Iterator[Figures]:
    files = file_lengths(FUNCTIONS)
    yield _largest("modules in one folder", modules(PACKAGE), 12)
    yield _figure(f"files over {LONG_FILE} lines", sum(lines > LONG_FILE for lines in files.values()), 4)
    yield _largest("lines of the longest file", files, 260)
    yield _largest("lines of the longest function", function_lengths(FUNCTIONS), 40)
    yield _largest("fields of the job or of a part of it", field_counts(JOB), 10)


def _figure(what: str, measured: int, at_most: int, where: str = "") -> Figures:
    met = measured <= at_most
    return {"figure": what, "measured": measured, "at_most": at_most, "met": met, "where": where}


def _largest(what: str, sizes: dict[str, int], at_most: int) -> Figures:
    where = max(sizes, key=sizes.__getitem__)
    return _figure(what, sizes[where], at_most, where)


def accepted_upload() -> list[Stack]:
    """The walk of the second of two uploads."""
    world = World()
    _prepared(world, 1)()
    return walked(PACKAGE, _prepared(world, 2))


def _prepared(world: World, number: int) -> Callable[[], None]:
    """An upload that only has to be entered; RuntimeError then, unless it is accepted."""
    of = world.put(upload(f"finance/{number}.txt", order=number), f"{TEXT}{number}")
    world.claude.answers = [reply()]
    messages = Batch(messages=(message(created(of)),), queued=True)
    services, invocation = world.services, world.invocation()
    handlers, ports = services.triage, services.batch_ports

    def enter() -> None:
        unfinished = ENTRY(messages, handlers, ports, invocation)
        if unfinished or world.row(of).status != "done":
            raise RuntimeError("the upload was not accepted, so this is not the walk that is to be measured")

    return enter


def _made(walk: list[Stack], functions: tuple[Callable[..., object], ...]) -> int:
    """A name that nobody calls any more would look like the best of figures."""
    if not (number := made(walk, functions)):
        raise RuntimeError(f"none of {functions} is called: what does their work now?")
    return number


def modules(package: Path) -> dict[str, int]:
    """How many modules lie in each folder."""
    return Counter(
        str(path.parent.relative_to(package.parent))
        for path in _sources(package)
        if path.stem != "__init__" and FORMATS not in path.relative_to(package).parts
    )


def file_lengths(folder: Path) -> dict[str, int]:
    """The lines of each file."""
    return {
        str(path.relative_to(folder)): len(path.read_text("utf-8").splitlines()) for path in _sources(folder)
    }


def function_lengths(folder: Path) -> dict[str, int]:
    """The lines of each function, by file, line and name."""
    return {
        f"{path.relative_to(folder)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in _sources(folder)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def field_counts(value: type) -> dict[str, int]:
    """The fields of a frozen dataclass, and of each that it is made of."""
    counts: dict[str, int] = {}
    left: list[Any] = [value]
    while left:
        each = left.pop()
        left += get_args(each)
        if isinstance(each, type) and is_dataclass(each) and is_frozen(each) and _label(each) not in counts:
            counts[_label(each)] = len(fields(each))
            left += get_type_hints(each).values()
    return counts


def _label(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
