"""How far generated images can be trusted: what is lost on plain reconstructions is the generator's doing."""

from __future__ import annotations

from engine.methods.error_discovery.result import Generator

TRUSTED, DOUBTFUL, ARTEFACTS = "trusted", "doubtful", "artefacts"
DOUBT, TOO_MUCH = 0.05, 0.15  # accuracy lost


def trust(generator: Generator) -> str:
    """`trusted`, `doubtful` from 5 points of accuracy lost to reconstruction on, `artefacts` from 15 on.

    Without a labelled image to tell by, it is doubtful.
    """
    if not generator.gate_real.n:
        return DOUBTFUL
    lost = round(generator.gate_real.value - generator.gate_reconstructed.value, 9)  # 0.95 - 0.9 is less than 0.05
    return ARTEFACTS if lost >= TOO_MUCH else DOUBTFUL if lost >= DOUBT else TRUSTED


def how_far_to_trust(generator: Generator) -> str:
    """The gate in a sentence or two, with the class that loses most."""
    real, rebuilt = generator.gate_real, generator.gate_reconstructed
    if not real.n:
        return "There is no labelled image to tell by how far its images can be trusted."
    said = (
        f"The classifier gets {real.value:.1%} of {real.n:,} images of {generator.gate_role} right, and "
        f"{rebuilt.value:.1%} of their reconstructions"
    )
    level = trust(generator)
    if level == ARTEFACTS:
        return f"{said}: so much is lost that errors found below are the generator's, not the classifier's."
    if level == DOUBTFUL:
        return f"{said}: some of the errors found below will be the generator's doing.{worst_class(generator)}"
    return f"{said}, so generated images can be believed.{worst_class(generator)}"


def worst_class(generator: Generator) -> str:
    """The class that loses most where it loses as much as would be doubtful in all, else nothing."""
    lost = [
        (real.value - rebuilt.value, name)
        for name, real, rebuilt in zip(
            generator.classes, generator.class_real, generator.class_reconstructed, strict=True
        )
        if real.n
    ]
    most, name = max(lost, default=(0.0, ""))
    return (
        f" Most is lost of {name}, {100 * most:.0f} points: errors around it may be the generator's."
        if most >= DOUBT
        else ""
    )
