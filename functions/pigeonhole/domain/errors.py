"""The few errors: each says whose fault it is and whether to try again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pigeonhole.domain.error_codes import ErrorCode


class RetryCause(StrEnum):
    """Why something has to be tried again: it decides what counts as an attempt."""

    WAITING = "waiting"  # Claude was not asked: a lease, a rate slot, a deadline, a busy AWS
    THROTTLED = "throttled"  # Claude itself was busy or out of reach, and billed nothing
    BILLED = "billed"  # a call may have cost money and brought nothing
    UNCERTAIN = "uncertain"  # what was asked of AWS may have been done all the same


class WaitReason(StrEnum):
    """What a parked document waits for."""

    SPEND_CAP = "spend_cap"
    CAPACITY = "capacity"
    CLAUDE = "claude"
    CREDENTIALS = "credentials"


class PigeonholeError(Exception):
    """Something that went wrong and that we can name."""


class DocumentError(PigeonholeError):
    """The work on the document ends here, as a rule for a fault of its own; the code says why.

    A code that error_codes.py does not list is a ValueError.
    """

    def __init__(self, code: ErrorCode | str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = ErrorCode(code)
        self.detail = detail


class TryLater(PigeonholeError):
    """Nobody's fault that lasts: try again in `seconds`."""

    def __init__(self, reason: str, *, seconds: float, cause: RetryCause = RetryCause.WAITING) -> None:
        super().__init__(f"{reason}, try again in {seconds:.0f} s")
        self.reason = reason
        self.seconds = seconds
        self.cause = cause


class StopAll(PigeonholeError):
    """Nothing can go on before `until`; without one, before a person has acted."""

    def __init__(self, waiting_for: WaitReason, detail: str, *, until: datetime | None = None) -> None:
        super().__init__(f"{waiting_for}: {detail}")
        self.waiting_for = waiting_for
        self.detail = detail
        self.until = until


class OverCap(StopAll):
    """A call that may cost `usd` fits under the cap of this `account` when its day or month is over."""

    def __init__(self, account: str, usd: Decimal, detail: str, *, until: datetime) -> None:
        super().__init__(WaitReason.SPEND_CAP, detail, until=until)
        self.account = account
        self.usd = usd


class Defect(PigeonholeError):
    """Our own mistake, which a person has to mend; until then it is tried again from time to time."""
