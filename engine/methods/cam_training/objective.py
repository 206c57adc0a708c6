"""The loss of a step with its CAM term, and what is noted of it on the way."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.methods.cam_training.contrast import contrast, score_against_rest, score_map
from engine.methods.cam_training.gradients import check_reach, norm
from engine.methods.cam_training.looking import Lookout
from engine.methods.cam_training.losses import energy, l1, margin, mse, published, published_as_it_was
from engine.methods.cam_training.result import Curves
from engine.methods.cam_training.schedule import weights_at
from engine.methods.cam_training.settings import TeachingSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.toolkit.training import Batch

LOGGED = 60  # steps of which the curves are made
PENALTIES = {"mse": mse, "l1": l1, "energy": energy}
BROKEN = "training broke off at step {step} of {steps}: its loss is no number any more; take a smaller {smaller}"


@dataclass(frozen=True)
class Term:
    """The CAM term of a batch before its weight, and the maps of the label's contrast (n, h, w) behind it."""

    loss: Tensor
    contrast: Tensor


class TaughtLoss:
    """Cross-entropy with a CAM term, for `toolkit.training.train`; without a weight it is the cross-entropy alone.

    Each step makes one pass through the network, of which the maps are taken. `forbidden` (rows, h, w), or (1, h, w)
    for all, on the map's grid. At some sixty steps two more passes backward tell the gradients' norms.
    """

    def __init__(
        self, settings: TeachingSettings, place: Lookout, forbidden: Tensor, steps: int, progress: Progress
    ) -> None:
        self.settings, self.place, self.forbidden = settings, place, forbidden
        self.steps, self.progress = steps, progress
        self.teaches = settings.arm == "cam" and settings.weight > 0
        self.logged = set(np.linspace(0, steps - 1, min(LOGGED, steps)).round().astype(int).tolist())
        self.curves: dict[str, list[float]] = {each.name: [] for each in fields(Curves)}
        self.right: list[Tensor] = []

    def __call__(self, classifier: Classifier, batch: Batch) -> Tensor:
        """The loss of the batch."""
        plain_weight, cam_weight = weights_at(self.settings, batch.step, self.steps)
        logged = batch.step in self.logged
        if cam_weight == 0 and not logged:
            logits = classifier(batch.images)
            self.count(logits, batch)
            return F.cross_entropy(logits, batch.labels)
        with self.place.attached(classifier, self.teaches) as seen:
            logits = classifier(batch.images)
            plain = F.cross_entropy(logits, batch.labels)
            term = self.term(seen[-1], logits, plain, batch)
        self.count(logits, batch)
        if batch.step == 0 and self.teaches:
            check_reach(classifier.network, seen[-1], logits, term.loss)
        if logged:
            self.note(classifier, batch, plain, term, cam_weight)
        if cam_weight == 0:
            return plain
        added = cam_weight * term.loss
        return plain + added if plain_weight > 0 else added

    def term(self, activations: Tensor, logits: Tensor, plain: Tensor, batch: Batch) -> Term:
        """The CAM term of the loss that was asked for, in float32 whatever the network computes in.

        The margin's is what it has more than the cross-entropy, in whose place it stands.
        """
        head, labels, loss = self.place.head_weight(), batch.labels, self.settings.loss
        shown, forbidden = contrast(activations, logits, labels, head).float(), self.of_rows(batch.rows)
        if loss == "margin":
            scores = score_against_rest(logits, labels)
            return Term(margin(scores, shown, forbidden, self.settings.weight) - plain, shown)
        if loss == "published":
            own = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
            return Term(published(score_map(activations, logits, own, head).float()), shown)
        if loss == "published_as_it_was":
            last = F.one_hot(torch.full_like(labels, logits.shape[1] - 1), logits.shape[1]).to(logits.dtype)
            maps = score_map(activations, logits, last, head).float()
            return Term(published_as_it_was(maps, batch.images.shape[-2], batch.images.shape[-1]), shown)
        return Term(PENALTIES[loss](shown, forbidden), shown)

    def of_rows(self, rows: Tensor) -> Tensor:
        """What is forbidden in the maps of these rows."""
        return self.forbidden if len(self.forbidden) == 1 else self.forbidden[rows.to(self.forbidden.device)]

    def count(self, logits: Tensor, batch: Batch) -> None:
        """Remember which answers were right, until they are noted."""
        self.right.append((logits.detach().argmax(dim=1) == batch.labels).float().mean())

    def note(self, classifier: Classifier, batch: Batch, plain: Tensor, term: Term, cam_weight: float) -> None:
        """Write a point of the curves and show them; ValueError where the loss is no number any more."""
        value, cam_value = float(plain.detach()), float(term.loss.detach())
        if not np.isfinite([value, cam_value]).all():
            smaller = "learning rate or weight of the CAM term" if self.teaches else "learning rate"
            raise ValueError(BROKEN.format(step=batch.step + 1, steps=self.steps, smaller=smaller))
        weights = [weight for weight in classifier.network.parameters() if weight.requires_grad]
        evidence = term.contrast.detach().relu()
        forbidden = self.of_rows(batch.rows).expand_as(evidence)
        found = {
            "step": batch.step,
            "cross_entropy": value,
            "cam_loss": cam_value,
            "cross_entropy_gradient": norm(plain, weights),
            "cam_gradient": norm(cam_weight * term.loss, weights) if cam_weight > 0 else 0.0,
            "inside": weighed_mean(evidence, 1 - forbidden),
            "outside": weighed_mean(evidence, forbidden),
            "accuracy": float(torch.stack(self.right).mean()),
        }
        self.right.clear()
        for name, value in found.items():
            self.curves[name].append(value)
        self.progress.show({name: list(values) for name, values in self.curves.items()})

    def result(self) -> Curves:
        """The curves as arrays."""
        return Curves(
            **{
                name: np.array(values, dtype=np.int64 if name == "step" else np.float64)
                for name, values in self.curves.items()
            }
        )


def weighed_mean(values: Tensor, weights: Tensor) -> float:
    """The mean of values with these weights, NaN where all weigh nothing."""
    return float((values * weights).sum() / weights.sum()) if float(weights.sum()) > 0 else float("nan")
