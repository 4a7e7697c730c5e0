"""The local stack deploys template.yaml but for the listed differences, and they change nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from infra.local.build import INSTALL, REQUIREMENTS
from infra.local.differences import DIFFERENCES, LocalSetup, Timeouts, localised
from infra.ops import template
from infra.ops.stack import Stack

HERE = LocalSetup(
    code_uri="s3://deploy/functions.zip",
    libraries="/libraries",
    numbers={"MaximumConcurrency": 2},
    timeouts=Timeouts(invocation=30, call=10, visibility=45),
)
DEPLOYED = template.load()

# Every place where the two templates differ, and what stands there locally.
EVENTS = "Resources.{}.Properties.Events.{}.Properties.ScalingConfig.MaximumConcurrency"
EXPECTED = {
    "Globals.Function.CodeUri": "s3://deploy/functions.zip",
    "Globals.Function.Environment.Variables.PYTHONPATH": "/libraries",
    EVENTS.format("TriageFunction", "Intake"): 2,
    EVENTS.format("EscalationFunction", "Escalations"): 2,
    "Resources.InboxBucketPolicy.Properties.PolicyDocument.Statement": [],
    "Resources.ArtifactsBucketPolicy.Properties.PolicyDocument.Statement": [],
}
WAITS = {
    "Resources.TriageFunction.Properties.Timeout": 30,
    "Resources.EscalationFunction.Properties.Timeout": 30,
    "Resources.IntakeQueue.Properties.VisibilityTimeout": 45,
    "Resources.EscalationQueue.Properties.VisibilityTimeout": 45,
    **{
        f"Globals.Function.Environment.Variables.{name}": seconds
        for name, seconds in (
            ("INTAKE_VISIBILITY", "45"),
            ("ESCALATION_VISIBILITY", "45"),
            ("FAST_TIMEOUT", "10"),
            ("STRONG_TIMEOUT", "10"),
        )
    },
}


def test_the_local_template_differs_in_the_listed_places_and_nowhere_else():
    usual = replace(HERE, timeouts=None)
    assert dict(_differing(DEPLOYED, localised(DEPLOYED, usual))) == EXPECTED


def test_a_soak_waits_less_and_differs_in_nothing_else():
    assert dict(_differing(DEPLOYED, localised(DEPLOYED, HERE))) == EXPECTED | WAITS


def test_the_template_itself_is_left_alone():
    before = template.load()
    localised(before, HERE)
    assert before == DEPLOYED


def test_every_difference_is_needed_and_says_why():
    for differ in DIFFERENCES:
        changed = template.load()
        differ(changed, HERE)
        assert changed != DEPLOYED, differ.__name__
        assert differ.__doc__, differ.__name__


def test_without_a_number_of_its_own_the_stack_takes_the_templates_default():
    local = localised(DEPLOYED, LocalSetup(code_uri="s3://deploy/functions.zip", libraries="/libraries"))
    events = local["Resources"]["TriageFunction"]["Properties"]["Events"]
    default = DEPLOYED["Parameters"]["MaximumConcurrency"]["Default"]
    assert events["Intake"]["Properties"]["ScalingConfig"] == {"MaximumConcurrency": default}


def test_the_libraries_are_built_by_the_recipe_that_ships():
    makefile = (REQUIREMENTS.parent / "Makefile").read_text()
    recipe = makefile.partition("\ndependencies:")[2].partition("\n\n")[0].split()
    assert set(INSTALL) <= set(recipe)


def test_the_functions_find_the_libraries_and_their_settings_where_the_template_says(stack: Stack):
    for function in stack.client("lambda").list_functions()["Functions"]:
        assert "PYTHONPATH" in function["Environment"]["Variables"], function["FunctionName"]
        assert function["Environment"]["Variables"]["CLAUDE_BASE_URL"] == stack.claude_url


def _differing(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() <= other.keys() and "Ref" not in one:
        for key in other:
            yield from _differing(one.get(key), other[key], f"{path}.{key}" if path else key)
    elif one != other:
        yield path, other
