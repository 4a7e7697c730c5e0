"""Progress of a run: a bar for each step on a terminal, a line now and then elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.cli.console import STDERR, print_info
from infra.cli.submit import OnProgress

STEPS = {"uploaded": "Uploaded", "sorted": "Sorted"}


@contextmanager
def progress(total: int) -> Iterator[OnProgress]:
    """Gives a function to call with each step's name and by how many files it has advanced."""
    if STDERR.is_terminal:
        with _bars() as bars:
            tasks = {step: bars.add_task(label, total=total) for step, label in STEPS.items()}
            yield lambda step, number: bars.advance(tasks[step], number)
    else:
        done = dict.fromkeys(STEPS, 0)

        def count(step: str, number: int) -> None:
            done[step] += number
            if done[step] == total or done[step] % max(1, total // 4) == 0:
                print_info(f"{STEPS[step]} {done[step]} of {total}")

        yield count


def _bars() -> Progress:
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=STDERR)
