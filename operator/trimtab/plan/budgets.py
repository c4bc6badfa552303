"""What a user states of monitoring, in the numbers that verdicts take."""

from trimtab.api.modeldeployment import Monitoring
from trimtab.api.quantities import parse_duration
from trimtab.drift import budget
from trimtab.drift.profile import Profile


def stated(monitoring: Monitoring, profile: Profile | None) -> budget.Settings:
    """What the user states, in numbers. Features that are not included are left out."""
    chosen = monitoring.features
    left_out = frozenset((chosen.exclude if chosen else None) or ())
    if chosen is not None and chosen.include is not None and profile is not None:
        left_out = frozenset(feature.name for feature in profile.features) - frozenset(chosen.include)
    return budget.Settings(
        window_seconds=parse_duration(monitoring.window),
        false_alarm_every_seconds=parse_duration(monitoring.false_alarm_every),
        sensitivity=monitoring.sensitivity.value,
        exclude=left_out,
    )
