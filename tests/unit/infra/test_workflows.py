"""The workflows use GitHub's own actions alone, pinned to a commit, with a read-only token."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.dev.bootstrap import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
OWN_ACTION = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def test_there_is_a_check_and_an_audit():
    assert [path.name for path in WORKFLOWS] == ["audit.yml", "check.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_githubs_own_and_pinned_to_a_commit(path: Path):
    actions = [step["uses"] for step in steps(path) if "uses" in step]
    assert actions
    assert all(OWN_ACTION.fullmatch(action) for action in actions)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_token_can_only_read(path: Path):
    assert load(path)["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in load(path)["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_oldest_and_the_deployed_python_are_used_and_no_address_is_named(path: Path):
    (job,) = load(path)["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert "://" not in path.read_text("utf-8")


def test_the_check_is_the_one_that_people_run():
    assert "infra/check" in [step.get("run") for step in steps(FOLDER / "check.yml")]
