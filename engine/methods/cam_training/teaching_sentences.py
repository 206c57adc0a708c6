"""What teaching came to, in words."""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.evidence import ArmOutcome, Evidence, Gap, on_test_images
from engine.methods.cam_training.result import Taught
from engine.toolkit.seeds import OverSeeds
from engine.toolkit.wording import capital, plural, points

ARM_WORDS = {
    "default": "Plain training",
    "cam": "CAM training",
    "crop": "The tight crop",
    "decorrelated": "Training on other classes' backgrounds",
}
ON = {
    "unchanged": "on unchanged images",
    "swapped": "on swapped backgrounds",
    "unseen": "on unseen backgrounds",
    "off_centre": "off the centre",
}
FEW_LOST = 0.005  # half a point: less is not worth a word
WHOLE = ".0f"  # points
NOTHING_TO_COMPARE_ON = "There are no labelled test or diagnosis images to compare on."
OF_PASTED = {
    "decorrelated": "training on other classes' backgrounds has seen such pasted images",
    "crop": "the tight crop never sees what is pasted",
}


def how_it_went(found: Taught) -> str:
    """What became of one training."""
    arm = ARM_WORDS[found.arm]
    if not found.learned:
        return (
            f"{arm} never learned: {found.train_accuracy:.1%} of its own training images are right after it. Take a "
            "smaller weight for the CAM term or another learning rate; what its maps show means nothing."
        )
    sentence = f"{arm} has {found.train_accuracy:.1%} of its training images right"
    if found.parts:
        shares = [f"{on_test_images(part)} {ON[part.name]}" for part in found.parts]
        sentence += f"; of the {found.parts[0].role} images {listed(shares)}."
    else:
        sentence += f". {NOTHING_TO_COMPARE_ON}"
    if len(there := found.energy_inside[~np.isnan(found.energy_inside)]) and found.arm != "crop":
        sentence += f" Of the evidence for the label {there.mean():.0%} lies in the allowed part (n = {len(there):,})."
    return sentence


def what_it_shows(evidence: Evidence) -> list[str]:
    """What the comparison says: what each arm gains and loses, which never learned, and what was made up."""
    if not evidence.parts:
        return [NOTHING_TO_COMPARE_ON, *(failures(arm) for arm in evidence.arms if arm.failed)]
    said = [gain(evidence, arm) for arm in evidence.arms if arm.arm != "default"]
    plain = evidence.arm("default")
    if plain is not None and len(evidence.arms) == 1:
        said.append("Only plain training was run, so there is nothing to compare.")
    said += [flips(arm.arm, arm.flips) for arm in evidence.arms if arm.flips is not None]
    said += [failures(arm) for arm in evidence.arms if arm.failed]
    if evidence.made:
        said.append(
            f"The images {listed([ON[name] for name in evidence.made])} were pasted together with the mask, so take "
            "differences between arms for more than the figures themselves."
        )
        if little := [words for arm, words in OF_PASTED.items() if evidence.arm(arm) is not None]:
            which = "those arms" if len(little) > 1 else "that arm"
            said.append(f"{capital(listed(little))}: these images prove little of {which}.")
    return said


def gain(evidence: Evidence, arm: ArmOutcome) -> str:
    """What an arm gains on swapped backgrounds (on unchanged images where there are none), and what else it changes."""
    words = ARM_WORDS[arm.arm]
    gaps = {part: found for part in evidence.parts if (found := evidence.gap(arm.arm, part)) is not None}
    if not gaps:
        return f"{words} can't be compared, for plain training was not run with the same seeds."
    first = "swapped" if "swapped" in gaps else next(iter(gaps))
    others = [f"{ON[part]} it {moved(each.difference)}" for part, each in gaps.items() if part != first]
    said = main_gain(words, gaps[first]) + (f"; {listed(others)}" if others else "")
    return f"{said}. {which_images(gaps[first], evidence.role)}"


def which_images(gap: Gap, role: str) -> str:
    """How many images the main difference is of, and what the interval over seeds therefore says."""
    images = f"n = {gap.images:,} {role} images"
    if gap.n == 1:
        return f"{images}."
    if gap.shared:
        return f"{images}, the same for all seeds, so the interval over seeds says how much training varies."
    return (
        f"{images} in all, not the same for every seed, so the interval over seeds is of training and images together."
    )


def main_gain(words: str, gap: Gap) -> str:
    """The sentence of the main difference: how large, how sure, how often, without the full stop."""
    difference, on = gap.difference, ON[gap.part]
    wins = f"{gap.wins} of {plural(gap.n, 'seed')}"
    if gap.n == 1:
        return f"{words} {moved(difference)} {on} with one seed, which is too few to say how sure that is"
    if np.isnan(difference.low):
        same = f"{words} {moved(difference)} {on}, the same in each seed, so there is no interval over seeds"
        return f"{same}, better in {wins}"
    sure = f"95 % interval over seeds {between(difference.low, difference.high)}"
    sure += "" if np.isnan(gap.image_low) else f", over images {between(gap.image_low, gap.image_high)}"
    sure += f", p = {gap.p:.2g}" if gap.p is not None else ""
    # comparisons with NaN, where there is no interval over images, are never true
    if difference.low > 0 and not gap.image_low <= 0:
        return f"{words} raised accuracy {on} by {points(difference.mean, WHOLE)} ({sure}), better in {wins}"
    if difference.high < 0 and not gap.image_high >= 0:
        return f"{words} lowered accuracy {on} by {points(-difference.mean, WHOLE)} ({sure}), better in {wins}"
    return f"{words} brought no significant gain {on}: it {moved(difference)} ({sure}), better in {wins}"


def between(low: float, high: float) -> str:
    """An interval in percentage points."""
    return f"{round(100 * low):+d} to {round(100 * high):+d}"


def moved(difference: OverSeeds) -> str:
    """Whether accuracy rose, fell or stayed, and by how much."""
    if abs(difference.mean) < FEW_LOST:
        return "changed nothing"
    return f"{'gained' if difference.mean > 0 else 'lost'} {points(abs(difference.mean), WHOLE)}"


def flips(arm: str, share: OverSeeds) -> str:
    """How often the answer changes with the background alone."""
    return f"{ARM_WORDS[arm]}: {share.mean:.0%} of the answers change when only the background is swapped."


def failures(arm: ArmOutcome) -> str:
    """Which seeds never learned."""
    which = f"seed{'' if len(arm.failed) == 1 else 's'} {listed([str(seed) for seed in arm.failed])}"
    return (
        f"{ARM_WORDS[arm.arm]} never learned in {len(arm.failed)} of {len(arm.seeds)} seeds ({which}), "
        "which are in the figures."
    )


def what_a_step_costs(ratio: float, low: float, high: float) -> str:
    """How much longer a training step takes with the CAM term."""
    return f"A training step takes {ratio:.2f} times as long with the CAM term (95 % interval {low:.2f} to {high:.2f})."


def listed(words: list[str]) -> str:
    """The words in a row, with "and" before the last."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
