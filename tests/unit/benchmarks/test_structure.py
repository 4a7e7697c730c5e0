"""What the benchmark of the code's structure counts, told on a package of two modules."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.benchmarks import calls, structure

DESK = '''
"""The module that is entered first."""
from counted_house import shelf

def fetch():
    find()
    shelf.take()
    shelf.take()
    find()

def find():
    """It is found by a
    function within a function."""
    def look():
        pass
    look()

def read_values():
    book = shelf.Book(pages=3)
    book.title
    book.copied()
    shelf.Sheet(number=1).turned()
    shelf.Pile().grow()

def read_in_turn():
    return [shelf.take() for _ in range(2)] + list(shelf.taken()) + list(find() for _ in range(2))

def descend(steps):
    return sum(descend(steps - 1) for _ in range(1)) if steps else 0
'''
SHELF = '''
"""The other one."""
from dataclasses import dataclass
from pydantic import BaseModel, ConfigDict

def take():
    pass

def helper():
    pass

def taken():
    take()
    yield 1

@dataclass(frozen=True)
class Book:
    pages: int

    @property
    def title(self):
        helper()
        return "A title"

    def copied(self):
        from counted_house import desk
        desk.find()
        return self

class Sheet(BaseModel):
    model_config = ConfigDict(frozen=True)
    number: int

    def turned(self):
        return self

@dataclass
class Pile:
    height: int = 0

    def grow(self):
        self.height += 1
'''


@pytest.fixture
def house(tmp_path, monkeypatch):
    folder = tmp_path / "counted_house"
    folder.mkdir()
    for name, source in {"__init__": "", "desk": DESK, "shelf": SHELF}.items():
        (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    modules = [importlib.import_module(f"counted_house{each}") for each in ("", ".shelf", ".desk")]
    yield modules[-1], folder
    for each in modules:
        del sys.modules[each.__name__]


def entered(folder: Path, action) -> list[str]:
    walk = calls.walked(folder, action)
    return [calls.name(code) for code in calls.counted(walk, calls.value_methods(folder))]


def test_functions_are_counted_in_the_order_in_which_they_are_entered(house):
    desk, folder = house
    look = "desk.find.<locals>.look"
    order = ["desk.fetch", "desk.find", look, "shelf.take", "shelf.take", "desk.find", look]
    assert entered(folder, desk.fetch) == order


def test_a_move_is_a_function_entered_in_another_module_than_the_one_before_it(house):
    desk, folder = house
    walk = calls.walked(folder, desk.fetch)
    assert calls.moves(calls.counted(walk, set())) == 2  # to the shelf and, when one is entered there, back


def test_values_are_left_out_with_what_they_call_in_their_own_module(house):
    desk, folder = house
    look = ["desk.find", "desk.find.<locals>.look"]  # what a value calls elsewhere counts
    assert entered(folder, desk.read_values) == ["desk.read_values", *look, "shelf.Pile.grow"]


def test_generators_and_comprehensions_are_left_out_but_not_what_they_call(house):
    desk, folder = house
    found = ["desk.find", "desk.find.<locals>.look"]
    assert entered(folder, desk.read_in_turn) == ["desk.read_in_turn", *["shelf.take"] * 3, *found * 2]


def test_a_stack_is_as_deep_as_it_is_with_what_is_left_out(house):
    desk, folder = house
    walk = calls.walked(folder, lambda: desk.descend(2))
    assert max(map(len, walk)) == 5  # three functions, and between them two generator expressions


def test_a_call_within_a_call_of_the_same_kind_is_part_of_it(house):
    desk, folder = house
    walk = calls.walked(folder, desk.fetch)
    assert calls.made(walk, (desk.find,)) == 2
    assert calls.made(walk, (desk.fetch, desk.find)) == 1


def test_a_profile_hook_from_before_is_back_after_a_walk_also_when_it_raises(tmp_path):
    before = sys.getprofile()
    with pytest.raises(ZeroDivisionError):
        calls.walked(tmp_path, lambda: 1 / 0)
    assert sys.getprofile() is before


def test_a_function_named_in_the_table_that_nobody_calls_is_no_figure_but_an_error(monkeypatch):
    monkeypatch.setattr(structure, "PARSES", (structure.accepted_upload,))
    with pytest.raises(RuntimeError, match="accepted_upload"):
        list(structure.run(None))


def test_modules_are_counted_by_folder_without_their_init_and_without_the_formats(house):
    _, folder = house
    for name in ("extract", "shop"):
        (folder / name).mkdir()
        for module in ("__init__", "one"):
            (folder / name / f"{module}.py").touch()
    assert structure.modules(folder) == {"counted_house": 2, "counted_house/shop": 1}


def test_lines_are_all_of_a_file_and_a_function_from_def_to_end(house):
    _, folder = house
    assert structure.file_lengths(folder)["desk.py"] == len(DESK.splitlines())
    lengths = {at.split()[-1]: lines for at, lines in structure.function_lengths(folder).items()}
    assert {name: lengths[name] for name in ("fetch", "find", "look", "title")} == {
        "fetch": 5,
        "find": 6,
        "look": 2,
        "title": 3,
    }


@dataclass(frozen=True)
class Lease:
    owner: str
    until: int
    revision: int


@dataclass
class Mutable:
    one: int
    two: int
    three: int
    four: int


@dataclass(frozen=True)
class Job:
    leases: tuple[Lease, ...]
    last: Mutable | None


def test_a_job_is_made_of_the_frozen_dataclasses_in_its_fields():
    assert structure.field_counts(Job) == {f"{__name__}.Job": 2, f"{__name__}.Lease": 3}


def test_figures_of_the_code_as_it_is_are_the_same_each_time():
    figures = list(structure.run(None))
    assert len({each["figure"] for each in figures}) == 10
    assert list(structure.run(None)) == figures
