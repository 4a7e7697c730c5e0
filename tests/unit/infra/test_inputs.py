"""Every file that is named gets one key of its own, or a reason that a person can act on."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.inputs import LINKED, InputError, find


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def keys(*paths: Path) -> list[str]:
    return [file.key for file in find(paths)]


def test_a_folder_keeps_its_tree_so_that_its_folders_are_the_teams(tmp_path: Path):
    assert keys(files(tmp_path, "b.txt", "finance/2026/a.pdf")) == ["b.txt", "finance/2026/a.pdf"]


def test_several_folders_keep_their_own_names(tmp_path: Path):
    files(tmp_path, "one/a.txt", "two/a.txt")
    assert keys(tmp_path / "one", tmp_path / "two") == ["one/a.txt", "two/a.txt"]


def test_files_of_the_same_name_stay_apart(tmp_path: Path):
    files(tmp_path, "one/a.txt", "two/a.txt", "two/b.txt")
    assert keys(tmp_path / "one/a.txt", tmp_path / "two/a.txt", tmp_path / "one/a.txt") == [
        "a.txt",
        "2/a.txt",
        "3/a.txt",
    ]


def test_what_an_earlier_run_left_in_the_folder_is_no_input(tmp_path: Path):
    files(tmp_path, "a.txt", "documents.jsonl")
    found = find([tmp_path], leave_out={tmp_path.resolve() / "documents.jsonl"})
    assert [file.key for file in found] == ["a.txt"]


def test_hidden_files_are_files_too(tmp_path: Path):
    assert keys(files(tmp_path, ".hidden", ".git/config")) == [".hidden", ".git/config"]


def test_a_link_to_a_folder_is_not_followed_round_and_round(tmp_path: Path):
    files(tmp_path, "a.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert keys(tmp_path) == ["a.txt"]


def test_a_link_to_a_folder_elsewhere_is_told_and_not_passed_over(tmp_path: Path):
    given = files(tmp_path / "given", "a.txt")
    (given / "linked").symlink_to(files(tmp_path / "elsewhere", "b.txt"))
    found = {file.key: file.problem for file in find([given])}
    assert found == {"a.txt": None, "linked/": LINKED}
    assert keys(given / "linked") == ["b.txt"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x" * 200, None),
        ("sp ace+plus%41 (1)é😀.txt", None),
        ("two\nlines", "line break"),
        (os.fsdecode(b"bad\xff.txt"), "UTF-8"),
    ],
    ids=["long", "odd", "line-break", "not-utf8"],
)
def test_a_name_is_taken_as_it_is_or_refused_with_the_reason(tmp_path: Path, name: str, problem: str | None):
    (found,) = find([files(tmp_path, name)])
    assert (found.key, problem in (found.problem or "") if problem else found.problem) == (
        name,
        True if problem else None,
    )


def test_a_key_of_1024_bytes_is_taken_and_a_longer_one_is_not(tmp_path: Path):
    folder = "/".join(["d" * 200] * 4)
    fits, too_long = ("é" * 110 for _ in range(2))
    fits += "x" * (1024 - len(f"{folder}/{fits}".encode()))
    too_long += "y" * (1025 - len(f"{folder}/{too_long}".encode()))
    found = find([files(tmp_path, f"{folder}/{fits}", f"{folder}/{too_long}")])
    assert [file.problem is None for file in found] == [True, False]


def test_what_is_no_file_is_said_to_be_none(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nothing")
    problems = {file.key: file.problem for file in find([tmp_path])}
    assert problems == {
        "pipe": "it is not a regular file",
        "dangling": "it is a link whose target does not exist",
    }


def test_a_path_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        find([tmp_path / "nowhere"])


def test_an_empty_folder_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="no files"):
        find([tmp_path])


def test_a_folder_that_may_not_be_opened_is_told_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    closed = files(tmp_path, "a.txt", "closed/b.txt") / "closed"
    scandir = os.scandir  # root may open everything

    def guarded(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(closed))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert [(file.key, file.problem) for file in find([tmp_path])] == [
        ("a.txt", None),
        ("closed/", "it may not be read: check its permissions"),
    ]


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(st.sets(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=8))
def test_no_two_files_ever_share_a_key_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
):
    folder = files(tmp_path_factory.mktemp("any"), *names)
    found = find([folder, folder])
    assert len({file.key for file in found}) == len(found) == 2 * len(list(folder.iterdir()))
