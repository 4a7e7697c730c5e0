"""What the READMEs refer to exists: files and folders in backticks, and targets of links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = (
    "README.md",
    "functions/README.md",
    "infra/README.md",
    "tests/README.md",
    ".github/CONTRIBUTING.md",
)
# Where a path may begin: at the root, beside the document, or in the packages that the document is about.
BASES = {
    "functions/README.md": ("functions/pigeonhole",),
    "infra/README.md": (".github/workflows",),
    "tests/README.md": ("functions/pigeonhole",),
    ".github/CONTRIBUTING.md": ("functions/pigeonhole",),
}
# Made by a command, so not there in a fresh clone.
MADE = (".local/", ".aws-sam/")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
# A file with one of our endings, or something below a folder of ours.
FILE = re.compile(r"[\w.*/-]+\.(?:py|md|toml|yaml|yml|json|txt|sh|css|j2)")
BELOW = re.compile(r"(?:\.?/)?(?:functions|infra|tests|\.github)/[\w./*-]*")


def paths(text: str) -> set[str]:
    """The paths that a document names; a command's first word is one, and `*` stands for any name."""
    prose = CODE_BLOCK.sub("", text)
    words = [word for span in CODE.findall(prose) for word in span.split()]
    named = {word.partition("::")[0] for word in words}
    links = {link for link in LINK.findall(prose) if "://" not in link}
    found = {word for word in named if FILE.fullmatch(word) or BELOW.fullmatch(word)}
    return {path for path in found | links if not path.startswith(MADE)}


def exists(path: str, document: str) -> bool:
    beside = str(Path(document).parent)
    bases = [ROOT / base for base in ("", beside, *BASES.get(document, ()))]
    return any(base.joinpath(path).exists() or any(base.glob(path)) for base in bases)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_readme_names_exists(document):
    named = paths((ROOT / document).read_text("utf-8"))

    assert named
    assert sorted(path for path in named if not exists(path, document)) == []


def test_paths_are_found_in_code_spans_and_links_but_not_in_code_blocks():
    text = "`a/b.py`, `infra/check tests/unit`, [c](d.md#e), `status`\n```sh\ninfra/gone\n```\n"

    assert paths(text) == {"a/b.py", "infra/check", "tests/unit", "d.md"}


def test_a_path_that_does_not_exist_is_found_out():
    assert exists("jobs/lifecycle.py", "functions/README.md")
    assert exists("tests/unit/*/test_lifecycle.py", "README.md")
    assert not exists("jobs/gone.py", "functions/README.md")
