from __future__ import annotations

from typing import Any, Mapping, Sequence


class FermataError(Exception):
    """What fermata did not do: what happened, to what, what to do about it.

    `exit_code` is that of the command line (3: refused, nothing happened; 4: the instant was missed; 6: a checkpoint is
    corrupt…), `code` is stable over releases, `reasons` has one entry for each thing that was wrong.
    """

    def __init__(
        self, detail: str, *, code: str = "failed", exit_code: int = 1, reasons: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.exit_code = exit_code
        self.reasons = list(reasons)

    @property
    def codes(self) -> set[str]:
        """Of everything that was wrong."""
        return {self.code} | {str(reason.get("code")) for reason in self.reasons}

    @classmethod
    def of(cls, answer: Mapping[str, Any], what: str) -> FermataError:
        """From a problem, or from an operation's result."""
        reasons = answer.get("reasons") or []
        words = [
            f"{reason['machine']}: {reason['message']}" if reason.get("machine") else str(reason.get("message"))
            for reason in reasons
        ]
        detail = answer.get("detail") or "; ".join(words) or f"it ended as {answer.get('outcome')}"
        code = answer.get("code") or (reasons[0].get("code") if reasons else answer.get("outcome"))
        return cls(f"{what}: {detail}", code=str(code), exit_code=int(answer.get("exitCode") or 1), reasons=reasons)


class SerialTimeout(AssertionError):
    """A machine did not say on its serial port what it was expected to; tells what it said instead."""
