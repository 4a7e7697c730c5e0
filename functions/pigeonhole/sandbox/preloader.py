"""What the fork server imports before it forks, so that no worker has to import it after.

It learns that from a document's first bytes, and from workers, which report what they had to import.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable
from importlib import import_module

from pigeonhole.extract import registry


class Preloader:
    """Imports readers' modules into this process, each once; `modules` are those that it has tried."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._seen: set[tuple[str, ...]] = set()

    def load_for(self, head: bytes) -> None:
        """Import what the formats need that a document may have which begins with `head`."""
        candidates = registry.candidates(head)
        if candidates not in self._seen:
            self._seen.add(candidates)
            self.load(module for name in candidates for module in registry.FORMATS[name].modules)

    def load(self, modules: Iterable[str]) -> None:
        """Import these modules, and call the function `warm_up` of those that have one.

        That is for what the import does not set up. What is missing or broken is passed over: it fails again
        in the workers that need it, and they report it.
        """
        for name in modules:
            if name not in self.modules:
                self.modules.add(name)
                with contextlib.suppress(Exception):
                    getattr(import_module(name), "warm_up", _no_warm_up)()
                gc.freeze()  # so that no collection in a worker writes to pages that it shares


def _no_warm_up() -> None:
    return None
