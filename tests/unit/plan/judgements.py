"""A strategy for anything that the monitor may say of a version."""

from hypothesis import strategies as st

from tests import make
from tests.unit.plan.occurrences import MOSTLY
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.drift.quality import Fault, Quality
from trimtab.drift.shifts import Severity, Shift
from trimtab.drift.shifts import Verdict as Word
from trimtab.drift.verdicts import Reason, Verdict
from trimtab.plan.judgement import Judgement

SHIFTS = st.builds(
    Shift,
    st.sampled_from(["temp", "arr. delay ✈", "a" * 256, "b", "c"]),
    st.sampled_from(["Drifting", "InDistribution", "Unknown"]),
    st.just(1),
    st.just(100),
    st.sampled_from(["Minor", "Major", None]),
    psi=st.sampled_from([None, 0.0, 0.31]),
    threshold=st.sampled_from([None, 0.034]),
)


WORDS: list[tuple[Word, Reason]] = [
    ("Drifting", "FeatureDrift"),
    ("Drifting", "PredictionDrift"),
    ("InDistribution", "NoDrift"),
    ("Unknown", "TooFewRows"),
    ("Unknown", "NothingToJudge"),
]


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    """Anything the monitor may say."""
    digest, window = (
        draw(st.sampled_from([make.digest(1), make.digest(2)])),
        draw(st.sampled_from([10.0, 3600.0, 100_001.0])),
    )
    if draw(st.booleans()):
        return Judgement(digest, window, reason=draw(st.sampled_from([Why.NO_REFERENCE, Why.SNAPSHOTS_MISSING])))
    word, reason = draw(st.sampled_from(WORDS))
    shifts = tuple(draw(st.lists(SHIFTS, max_size=3, unique_by=lambda shift: shift.name)))
    many = tuple(Shift(f"f{number}", "Drifting", 1, 9, "Minor", psi=0.5, threshold=0.1) for number in range(15))
    severity: Severity | None = "Major" if word == "Drifting" else None
    features = shifts if draw(MOSTLY) else many
    scale = draw(st.sampled_from([1, 168]))
    verdict = Verdict(word, reason, severity, scale, 500, 3, features, None, None, "as told" * 900, ())
    fault = Fault("arr. delay ✈", draw(st.sampled_from(["Missing", "Frozen"])), 0.5, 0.1, 1, 9)
    quality = draw(st.sampled_from([None, Quality("Sound", (), "fine"), Quality("Faulty", (fault,), "'x': bad")]))
    return Judgement(digest, window, verdict, quality)
