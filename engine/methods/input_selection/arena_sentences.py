"""What a comparison of strategies came to, in words."""

from __future__ import annotations

from math import isnan

from engine.methods.input_selection.arena import CONTROLS, SEEDS_AND_IMAGES, Arena, ArmOutcome, Gap
from engine.methods.input_selection.titles import arm_title
from engine.toolkit.wording import capital, plural, points

SURE = 0.05
LOSABLE = {"accuracy": "overall accuracy", "target_precision": "target precision"}
LOST = -0.01  # of overall accuracy, a loss worth a word
WORTH_A_WORD = 0.005  # half a point


def what_won(arena: Arena) -> str:
    """One sentence on top: which strategy helped the target labels more than random choice of the same, or none."""
    control = arena.arm("class_random")
    others = [arm for arm in arena.arms if arm.name not in CONTROLS]
    if not others:
        return "Only random choice was run, so there is nothing to compare."
    if control is None:
        return (
            "Whether scoring helps can't be told, for random choice of the same labels was not run: what looks like a "
            "gain may come from those labels alone."
        )
    gaps = {arm.name: arm.vs_class_random["target_recall"] for arm in others if "target_recall" in arm.vs_class_random}
    if not gaps:
        return "The strategies can't be compared, for they were not run with the same seeds as random choice."
    if all(len(gap.difference.values) < 2 for gap in gaps.values()):
        name, gap = max(gaps.items(), key=lambda each: each[1].difference.mean)
        mean = gap.difference.mean
        than = "more" if mean >= 0 else "less"
        return (
            f"{capital(arm_title(name))} has {points(abs(mean))} of target recall {than} than "
            "random choice of the same labels with one seed, which is too few to say how sure that is."
        )
    gaps = {name: gap for name, gap in gaps.items() if len(gap.difference.values) > 1}  # others are still coming in
    winners = {name: gap for name, gap in gaps.items() if wins(gap)}
    if not winners:
        return nothing_won(arena, gaps)
    name, gap = max(winners.items(), key=lambda each: each[1].difference.mean)
    more = len(winners) - 1
    also = f" {more} other{' does' if more == 1 else 's do'} too." if more else ""
    arm = arena.arm(name)
    return f"{capital(arm_title(name))} won: {gained(gap)} more than random choice of the same labels{cost(arm)}.{also}"


def nothing_won(arena: Arena, gaps: dict[str, Gap]) -> str:
    """That no scoring was worth it, with the best attempt, and whether the labels' share alone was."""
    name, gap = max(gaps.items(), key=lambda each: each[1].difference.mean)
    said = (
        f"No strategy helped the target labels significantly more than random choice of the same labels; the best, "
        f"{arm_title(name)}, {moved(gap)}."
    )
    control = arena.arm("class_random")
    own = control.vs_random.get("target_recall") if control is not None else None
    if own is not None and wins(own):
        said += f" Taking more of those labels is what helps: {gained(own)} more than random choice of any."
    return said


def what_each_did(arena: Arena) -> list[str]:
    """A sentence for each arm: its target recall, precision and overall accuracy, and how many it broke."""
    return [each_arm(arm) for arm in arena.arms]


def each_arm(arm: ArmOutcome) -> str:
    """What one arm came to after the last round."""
    final, before = arm.final, {figure: curve[0] for figure, curve in arm.curves.items()}
    n = len(arm.seeds)
    return (
        f"{capital(arm_title(arm.name))}: "
        f"target recall {before['target_recall'].mean:.1%} to {final['target_recall'].mean:.1%}, "
        f"target precision {before['target_precision'].mean:.1%} to {final['target_precision'].mean:.1%}, "
        f"accuracy {before['accuracy'].mean:.1%} to {final['accuracy'].mean:.1%}, "
        f"{final['broken'].mean:.0f} images newly wrong (n = {plural(n, 'seed')})."
    )


def wins(gap: Gap) -> bool:
    """Whether the difference is above 0, with all arms looked at."""
    return gap.difference.mean > 0 and gap.adjusted <= SURE


def gained(gap: Gap) -> str:
    """A gain of target recall with its interval and seeds."""
    return f"{points(gap.difference.mean)} of target recall {interval(gap)}"


def moved(gap: Gap) -> str:
    """What target recall did, with its interval and seeds."""
    mean = gap.difference.mean
    if abs(mean) < WORTH_A_WORD:
        return f"changed nothing {interval(gap)}"
    return f"{'gained' if mean > 0 else 'lost'} {points(abs(mean))} {interval(gap)}"


def interval(gap: Gap) -> str:
    """The interval, Holm's p and the number of seeds, in brackets; only the last where all seeds agree."""
    n = len(gap.difference.values)
    if isnan(gap.adjusted):
        return f"({n} seeds, which all agree)"
    low, high = 100 * gap.difference.low, 100 * gap.difference.high
    drawn = " and the images of test" if gap.over == SEEDS_AND_IMAGES else ""
    return f"(95 % interval over {n} seeds{drawn} {low:+.1f} to {high:+.1f}, p = {gap.adjusted:.2g} over all arms)"


def what_varies(arena: Arena) -> str:
    """What the intervals of the differences say, and what they can't."""
    if arena.over == SEEDS_AND_IMAGES:
        return (
            "All seeds share the classifier, the pool and the images of test; they differ in what chance chooses and "
            "in the order of training. The intervals are over seeds and images of test (a bootstrap of both): they "
            "say how sure this is for other such images, not for another classifier or pool."
        )
    return "The intervals are over the seeds, each with what was drawn anew for it (Student's t, paired by seed)."


def cost(arm: ArmOutcome | None) -> str:
    """What the winner does to overall accuracy."""
    gap = arm.vs_class_random.get("accuracy") if arm is not None else None
    if gap is None:
        return ""
    lost = [what for what in LOSABLE if arm is not None and falls(arm.vs_class_random.get(what))]
    if lost:
        said = [f"{points(-arm.vs_class_random[what].difference.mean)} of {LOSABLE[what]}" for what in lost if arm]
        return f", at the cost of {' and '.join(said)}"
    least = gap.difference.mean if isnan(gap.difference.low) else gap.difference.low  # NaN where all seeds agree
    if least > LOST:
        return ", and overall accuracy did not suffer"
    return ", but that overall accuracy did not suffer isn't sure"


def falls(gap: Gap | None) -> bool:
    """Whether a figure is surely below the control's."""
    return gap is not None and gap.difference.high < 0
