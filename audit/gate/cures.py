"""The smallest change that lets a rule hold: found by scoring again, not by adding gains up."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from audit.config import Config
from audit.model import CapabilityResult, Decisions, Gap, PracticeResult
from audit.stages import gaps
from audit.stages.scoring import normalised, score

if TYPE_CHECKING:
    from audit.practices.registry import Practice

MOST: Final = 12
"""Steps after which no small change is in sight."""

Capabilities = tuple[CapabilityResult, ...]


class Cure:
    """Knows how scores answer to changes."""

    def __init__(
        self, decisions: Decisions, practices: "Mapping[str, Practice]", config: Config
    ) -> None:
        self._duplicated = decisions.duplicated
        self._practices = practices
        self._config = config

    def smallest(
        self, capabilities: Capabilities, holds: Callable[[Capabilities], bool], only: str = ""
    ) -> str:
        """Return the fewest steps after which a rule holds, as one line.

        While no single step is enough, the one that gains most is taken; the last is the
        smallest that is enough. `only` keeps to one capability.
        """
        steps: list[Gap] = []
        while len(steps) < MOST:
            tried = list(self._tries(capabilities, only))
            enough = [(gap, after) for gap, after in tried if holds(after)]
            if enough:
                gap, _ = min(enough, key=lambda row: row[0].gain)
                return "; ".join(map(_words, [*steps, gap]))
            if not tried:
                break
            gap, capabilities = max(tried, key=lambda row: _sum(row[1]))
            steps.append(gap)
        return "no small change is enough: `codex-audit explain` shows the arithmetic"

    def _tries(self, capabilities: Capabilities, only: str) -> Iterator[tuple[Gap, Capabilities]]:
        """Yield every gap that raises a score, with the scores once it is closed."""
        ranked = gaps.rank(capabilities, self._practices, self._config, self._duplicated)
        for gap in ranked:
            if not only or gap.capability == only:
                after = tuple(
                    self._closed(one, gap) if one.id == gap.capability else one
                    for one in capabilities
                )
                if _sum(after) > _sum(capabilities):
                    yield gap, after

    def _closed(self, one: CapabilityResult, gap: Gap) -> CapabilityResult:
        return self.rescored(one, tuple(_closed(row, gap) for row in one.practices))

    def rescored(
        self, one: CapabilityResult, practices: tuple[PracticeResult, ...]
    ) -> CapabilityResult:
        """Return a capability with other decisions."""
        weights, _ = normalised(self._config.weights)
        reason = self._config.not_applicable.get(one.id, "")
        return score(one.id, practices, weights, self._config.caps, self._duplicated, reason)


def _closed(row: PracticeResult, gap: Gap) -> PracticeResult:
    replace = msgspec.structs.replace
    if gap.practice:
        return replace(row, status="present", evidence=()) if row.id == gap.practice else row
    flag = {gaps.RAISE["tests"]: "tested", gaps.RAISE["documentation"]: "documented"}
    name = flag.get(gap.action)
    if name is None:
        return row
    return replace(row, evidence=tuple(replace(one, **{name: True}) for one in row.evidence))


def _sum(capabilities: Capabilities) -> float:
    return sum(one.score for one in capabilities)


def _words(gap: Gap) -> str:
    where = f" in {gap.where}" if gap.where else ""
    return f"{gap.practice or gap.capability}: {gap.action}{where} (+{gap.gain:.3f})"
