"""Profiles and spans as text."""

from collections.abc import Sequence

from tests.load.profile_run import Sampled
from tests.load.sampling import Profile
from tests.load.spans import Step


def profile_text(sampled: Sampled) -> str:
    parts = [f"profile, {sampled.load}: {sampled.orders:.0f} orders"]
    return "\n".join([*parts, *(_process(profile) for profile in sampled.processes)])


def steps_text(steps: Sequence[Step]) -> str:
    head = f"{'service':<10}{'span':<46}{'begins p50':>12}{'takes p50':>12}{'takes p99':>12}  (ms)"
    rows = [f"{s.service:<10}{s.name:<46}{s.begins:>12.1f}{s.p50:>12.2f}{s.p99:>12.2f}" for s in steps]
    return "\n".join([head, "-" * len(head), *rows])


def _process(profile: Profile) -> str:
    lines = [f"\n{profile.process}: {profile.cpu_ms:.3f} ms of CPU an order, {profile.samples} samples"]
    lines += [f"  {ms:8.3f} ms  {name}" for name, ms in profile.packages.items()]
    lines += ["      own    total  function (ms an order)"]
    lines += [f"  {hot.own_ms:7.3f}  {hot.total_ms:7.3f}  {hot.name}" for hot in profile.hottest]
    return "\n".join(lines)
