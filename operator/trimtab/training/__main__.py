"""`python -m trimtab.training fetch|train|evaluate|publish`: one step, its exit code, and its last words.

Exit codes: 0 done; 1 trying again may help; 3 do not try again, the message says what to change.
"""

import errno
import faulthandler
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module

# Threads of OpenMP sleep while they wait: on a node that others use too, spinning makes a fit cost two to three times as much.
# OpenBLAS has one thread: with more, the last bits of a linear model depend on how many cores a node has and how busy they are,
# and equal runs would publish different files. Read when numpy is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trimtab.api.wire.runs import TERMINATION_BYTES, Run, StepReport
from trimtab.model.parts import ReadingError
from trimtab.store.faults import StoreError
from trimtab.training import folders, message
from trimtab.training.failures import Reason, StepFailure

STEPS = {
    "fetch": "trimtab.training.fetch",
    "train": "trimtab.training.train",
    "evaluate": "trimtab.training.evaluate",
    "publish": "trimtab.training.publishing",
}
"""Each imports its libraries only when it is the one that runs."""


def main(arguments: list[str]) -> int:
    """Run one step and return its exit code."""
    if len(arguments) != 1 or arguments[0] not in STEPS:
        print(f"usage: python -m trimtab.training {'|'.join(STEPS)}", file=sys.stderr)
        return 2
    name = arguments[0]
    started = time.monotonic()
    limit = TERMINATION_BYTES
    try:
        run = folders.run()
        limit = message.LOOK_BYTES if run.job is None else limit
        step: Callable[[Run, folders.Folders], StepReport] = import_module(STEPS[name]).step
        report, code = step(run, folders.here()), 0
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a native library is no Exception
        failure = classified(error)
        report, code = _told(name, failure, error), failure.exit_code
        print(f"{name}: {failure.reason}: {failure.message}", file=sys.stderr)
        if report.log_tail:
            print(report.log_tail, file=sys.stderr)
    seconds = round(time.monotonic() - started, 2)
    message.write(report.model_copy(update={"seconds": seconds}), folders.termination(), limit)
    return code


def classified(error: BaseException) -> StepFailure:
    """Any exception, or panic of a native library, as a failure of a step."""
    if isinstance(error, StepFailure):
        return error
    if isinstance(error, StoreError):
        return StepFailure(Reason(str(error.reason)), error.message)
    if isinstance(error, ReadingError):
        return StepFailure(Reason(error.reason), str(error))
    if isinstance(error, MemoryError):
        return StepFailure(
            Reason.OUT_OF_MEMORY, "the step ran out of memory: raise resources.limits.memory, or use fewer rows"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StepFailure(
            Reason.DISK_FULL, "the node's disk is full: raise the limit of ephemeral storage, or use fewer rows"
        )
    return StepFailure(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _told(name: str, failure: StepFailure, error: BaseException) -> StepReport:
    unexpected = failure.reason is Reason.INTERNAL_ERROR
    return StepReport(
        step=name,
        reason=str(failure.reason),
        message=failure.message,
        log_tail=message.tail("".join(traceback.format_exception(error))) if unexpected else None,
        look=getattr(error, "look", None),
    )


if __name__ == "__main__":
    faulthandler.enable()  # a crash of native code says in the log where it was
    sys.exit(main(sys.argv[1:]))
