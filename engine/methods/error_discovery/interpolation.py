"""From one image to another through the latent space, with the classifier's answers on the way."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from engine.methods.error_discovery.decoding import Decoder
from engine.toolkit.prediction import as_tensor


def strip(
    decoder: Decoder, first: np.ndarray, second: np.ndarray, steps: int, labels: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (steps, C, H, W) from the first uint8 (C, H, W) to the second, and the answers (steps,) to them.

    Decoded from codes on the straight line between theirs; a conditional generator is given the labels in the same
    shares, by default the classifier's answers to both. ValueError with fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"a strip has at least two images, got {steps}")
    device, classifier = decoder.classifier.device, decoder.classifier
    with torch.inference_mode():
        ends = as_tensor(np.stack([first, second]), device)
        known = classifier(ends).argmax(dim=1) if labels is None else torch.tensor(labels, device=device)
        codes = torch.from_numpy(decoder.encode(ends, known.cpu().numpy())).to(device)
        share = torch.linspace(0, 1, steps, device=device)[:, None]
        shares = F.one_hot(known, len(classifier.classes)).float()
        images = decoder.decoded(torch.lerp(codes[:1], codes[1:], share), torch.lerp(shares[:1], shares[1:], share))
        answers = classifier(images).argmax(dim=1).cpu().numpy()
        return images.mul(255).round().to(torch.uint8).cpu().numpy(), answers
