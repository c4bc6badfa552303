"""`python -m trimtab.serving` serves the artifact that `python -m trimtab.serving fetch` brought."""

import faulthandler
import logging
import signal
import sys
from types import FrameType

from trimtab.serving import termination
from trimtab.serving.refusal import StartError
from trimtab.serving.settings import Settings, read

_CRASHED = StartError(
    "LoadCrashed",
    "the process ended without a word while it loaded the model: most likely a library crashed on the file, which is then "
    "broken, or made to do that; the log says where",
)


def main(arguments: list[str]) -> int:
    """Exit code 0 after a wanted end, 1 with a termination message when the work cannot be done, 2 for wrong usage."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if arguments not in ([], ["fetch"]):
        print("usage: python -m trimtab.serving [fetch]", file=sys.stderr)
        return 2
    # The first process of a container has no default action for SIGTERM: without this, it would be deaf while loading.
    signal.signal(signal.SIGTERM, _leave)
    try:
        settings = read()
    except ValueError as error:
        logging.getLogger(__name__).error("%s", error)
        return 2
    try:
        _fetch(settings) if arguments else _serve(settings)
    except StartError as error:
        termination.write(settings.termination, error)
        return 1
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a native library is no Exception
        logging.getLogger(__name__).exception("the work ended unexpectedly")
        said = " ".join(str(error).split())
        termination.write(settings.termination, StartError("InternalError", f"{type(error).__name__}: {said}"))
        return 1
    return 0


def _fetch(settings: Settings) -> None:
    from trimtab.serving import fetch

    fetch.run(settings)


def _serve(settings: Settings) -> None:
    from trimtab.serving import loading, process

    serving = loading.config(settings.serving)
    with termination.will(settings.termination, _CRASHED):
        served = loading.load(serving, settings.model)
    process.run(served, settings)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    faulthandler.enable()  # a crash of native code says in the log where it was
    sys.exit(main(sys.argv[1:]))
