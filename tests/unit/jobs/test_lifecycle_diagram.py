"""The diagram in functions/README.md is drawn from the lifecycle's table."""

from __future__ import annotations

import re
from pathlib import Path

from pigeonhole.domain.document import Stage
from pigeonhole.jobs.lifecycle import LIFECYCLE, Event
from tests.support.snapshots import assert_text_current

README = Path(__file__).parents[3] / "functions" / "README.md"
BETWEEN_MARKERS = re.compile(r"(?<=<!-- lifecycle -->\n).*?(?=<!-- /lifecycle -->)", re.DOTALL)
# A label of more than so many events is broken into lines.
EVENTS_A_LINE = 4


def diagram() -> str:
    """The table in Mermaid: all events that lead from one stage to the same next stage share an arrow."""
    arrows: dict[tuple[Stage, Stage], list[Event]] = {}
    for stage, events in LIFECYCLE.table.items():
        for event, after in events.items():
            arrows.setdefault((stage, after), []).append(event)
    lines = [f"    {stage} --> {after}: {_label(events)}" for (stage, after), events in arrows.items()]
    first = next(iter(LIFECYCLE.table))
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```", ""])


def _label(events: list[Event]) -> str:
    starts = range(0, len(events), EVENTS_A_LINE)
    return ",<br/>".join(", ".join(events[start : start + EVENTS_A_LINE]) for start in starts)


def test_the_readme_has_the_lifecycle_as_its_table_has_it():
    text = README.read_text("utf-8")

    drawn, found = BETWEEN_MARKERS.subn(lambda _: diagram(), text)

    assert found == 1
    assert_text_current(README, drawn)
