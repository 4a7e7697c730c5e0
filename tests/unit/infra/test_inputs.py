"""Every file that is named gets a key of its own, or a reason on which a person can act."""

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


def test_a_key_is_the_path_within_the_folder(tmp_path: Path):
    assert keys(files(tmp_path, "b.txt", "finance/2026/a.pdf")) == ["b.txt", "finance/2026/a.pdf"]


def test_with_several_folders_a_key_begins_with_the_folders_name(tmp_path: Path):
    files(tmp_path, "one/a.txt", "two/a.txt")
    assert keys(tmp_path / "one", tmp_path / "two") == ["one/a.txt", "two/a.txt"]


def test_files_with_the_same_name_get_different_keys(tmp_path: Path):
    files(tmp_path, "one/a.txt", "two/a.txt", "two/b.txt")
    assert keys(tmp_path / "one/a.txt", tmp_path / "two/a.txt", tmp_path / "one/a.txt") == [
        "a.txt",
        "2/a.txt",
        "3/a.txt",
    ]


def test_results_of_an_earlier_run_are_left_out(tmp_path: Path):
    files(tmp_path, "a.txt", "documents.jsonl")
    found = find([tmp_path], leave_out={tmp_path.resolve() / "documents.jsonl"})
    assert [file.key for file in found] == ["a.txt"]


def test_hidden_files_are_included(tmp_path: Path):
    assert keys(files(tmp_path, ".hidden", ".git/config")) == [".hidden", ".git/config"]


def test_a_link_to_its_own_folder_is_not_followed(tmp_path: Path):
    files(tmp_path, "a.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert keys(tmp_path) == ["a.txt"]


def test_a_link_to_another_folder_is_listed_with_the_reason(tmp_path: Path):
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
def test_a_name_is_used_unchanged_or_rejected_with_the_reason(tmp_path: Path, name: str, problem: str | None):
    (found,) = find([files(tmp_path, name)])
    assert (found.key, problem in (found.problem or "") if problem else found.problem) == (
        name,
        True if problem else None,
    )


def test_a_key_of_1024_bytes_is_accepted_and_a_longer_one_is_not(tmp_path: Path):
    folder = "/".join(["d" * 200] * 4)
    fits, too_long = ("é" * 110 for _ in range(2))
    fits += "x" * (1024 - len(f"{folder}/{fits}".encode()))
    too_long += "y" * (1025 - len(f"{folder}/{too_long}".encode()))
    found = find([files(tmp_path, f"{folder}/{fits}", f"{folder}/{too_long}")])
    assert [file.problem is None for file in found] == [True, False]


def test_pipes_and_broken_links_are_listed_with_the_reason(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nothing")
    problems = {file.key: file.problem for file in find([tmp_path])}
    assert problems == {
        "pipe": "it is not a regular file",
        "dangling": "it is a link whose target does not exist",
    }


def test_a_path_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        find([tmp_path / "nowhere"])


def test_an_empty_folder_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="no files"):
        find([tmp_path])


def test_a_folder_that_may_not_be_opened_is_listed_with_the_reason(
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
def test_no_two_files_share_a_key_and_no_file_is_lost(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
):
    folder = files(tmp_path_factory.mktemp("any"), *names)
    found = find([folder, folder])
    assert len({file.key for file in found}) == len(found) == 2 * len(list(folder.iterdir()))
