"""The triage handler in a process of its own, as on Lambda: an event a line in, its answer a line out."""

import json
import os
import sys
import time


class Context:
    """Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


def main() -> None:
    """What the function itself prints, Lambda would keep; here it goes nowhere."""
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        from triage.handler import handle

        for line in sys.stdin:
            event = json.loads(line)
            started, used = time.monotonic(), time.process_time()
            answer = handle(event, Context())
            took = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - used}
            print(json.dumps(took | answer), file=out, flush=True)


if __name__ == "__main__":
    main()
