# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""Writes a stream of river's generators: `generators.py NAME SEED BEFORE AFTER FILE`. The concept changes behind BEFORE rows,
within some 500.

Runs in river's environment. The file has `x/<name>`, float64 or text, and `y`, text.
"""

import itertools
import sys
from typing import Any

import numpy as np
from river.datasets import synth

WIDTH = 250
"""Of the change. river raises e to four times the position over it, which must stay a float."""
PAIRS: dict[str, Any] = {
    "SEA": lambda s: (synth.SEA(0, seed=s), synth.SEA(3, seed=s + 1)),
    "Agrawal": lambda s: (synth.Agrawal(0, seed=s), synth.Agrawal(3, seed=s + 1)),
    "STAGGER": lambda s: (synth.STAGGER(0, seed=s), synth.STAGGER(2, seed=s + 1)),
    "LED": lambda s: (
        synth.LEDDrift(s, 0.1, True, 0),
        synth.LEDDrift(s + 1, 0.1, True, 7),
    ),
    "Hyperplane": lambda s: (synth.Hyperplane(seed=s), synth.Hyperplane(seed=s + 1)),
    "RandomRBF": lambda s: (synth.RandomRBF(s, s), synth.RandomRBF(s + 1, s + 1)),
    "Sine": lambda s: (synth.Sine(0, seed=s), synth.Sine(2, seed=s + 1)),
    "Mixed": lambda s: (synth.Mixed(0, seed=s), synth.Mixed(1, seed=s + 1)),
}


def main(name: str, seed: int, before: int, after: int, path: str) -> None:
    first, second = PAIRS[name](seed)
    stream = synth.ConceptDriftStream(
        stream=first, drift_stream=second, seed=seed, position=before + WIDTH, width=WIDTH
    )
    rows = list(itertools.islice(stream, before + after))
    parts: dict[str, Any] = {"y": np.array([str(y) for _, y in rows])}
    for key in rows[0][0]:
        values = [x[key] for x, _ in rows]
        text = isinstance(values[0], str) or len({*values[:2000]}) <= 2
        parts[f"x/{key}"] = np.array(values).astype(str) if text else np.array(values, float)
    np.savez_compressed(path, **parts)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
