"""What `benchmarks/speed.py` times beside our recipes: one function each, data in, labels out.

Each takes the training split, the test images and a seed, and returns an `Outcome`. They train on
all 60,000 images unless they say otherwise. Their libraries come with the extra `bench`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardpairs.data.split import Split, drop_gray
from operations import training_operations


@dataclass(frozen=True)
class Outcome:
    """Predicted labels (N,), seconds of fitting, and for nets what is needed to count operations.

    Attributes:
        predicted: int64 (N,) for the test images.
        one_side: The same of a net that averages over mirror images, without them; or None.
        fit_seconds: Feature extraction and fitting, graph building included.
        epochs, images: Passes over how many training images.
        operations: Floating-point operations for one image in training, 0 if unknown.
        parameters: 0 where the word doesn't fit.
    """

    predicted: np.ndarray
    fit_seconds: float
    epochs: int = 1
    images: int = 60_000
    operations: int = 0
    parameters: int = 0
    one_side: np.ndarray | None = None


def torch_lesson(train: Split, test_images: np.ndarray, seed: int) -> Outcome:
    """The lesson's net and settings in PyTorch: channels last, bf16 autocast, data resident."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(0.4), nn.Linear(128, 10)),
    ).to(memory_format=torch.channels_last)
    weights = [weight.numel() for weight in net.parameters() if weight.dim() > 1]
    positions = (28 * 28, 14 * 14, 1, 1)
    layers = [(2 * many * at, True) for many, at in zip(weights, positions, strict=True)]
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7, fused=True)
    loss_function = nn.CrossEntropyLoss()

    def tensor(images: np.ndarray) -> Any:
        pixels = torch.from_numpy(drop_gray(images).astype(np.float32) / 255)[:, None]
        return pixels.contiguous(memory_format=torch.channels_last)

    def logits(images: Any) -> Any:
        net.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return torch.cat([net(batch) for batch in images.split(1000)]).float()

    images, labels = tensor(train.pixels), torch.from_numpy(train.labels)
    held_out, patience = 6000, 0
    best: tuple[float, dict[str, Any]] = (np.inf, {})
    generator = torch.Generator().manual_seed(seed)
    started = time.perf_counter()
    epoch = 0
    while epoch < 20 and patience < 3:
        net.train()
        order = torch.randperm(len(images) - held_out, generator=generator)
        for chosen in order.split(128):
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_function(net(images[chosen]), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        validation = loss_function(logits(images[-held_out:]), labels[-held_out:]).item()
        epoch, patience = epoch + 1, patience + 1
        if validation < best[0]:
            best = (validation, {k: v.clone() for k, v in net.state_dict().items()})
            patience = 0
    net.load_state_dict(best[1])
    seconds = time.perf_counter() - started
    return Outcome(
        logits(tensor(test_images)).argmax(1).numpy(),
        seconds,
        epochs=epoch,
        images=54_000,
        operations=training_operations(layers),
        parameters=sum(weight.numel() for weight in net.parameters()),
    )


def hog_svm(train: Split, test_images: np.ndarray, seed: int) -> Outcome:
    """Histograms of oriented gradients and a support vector machine with a Gaussian kernel.

    The kernel's classifier is fitted on 20,000 images: on all of them it takes hours.
    """
    from skimage.feature import hog
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def features(images: np.ndarray) -> np.ndarray:
        options: dict[str, Any] = {"pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
        return np.array([hog(image, orientations=8, **options) for image in drop_gray(images)])

    chosen = np.random.default_rng(seed).permutation(len(train))[:20_000]
    started = time.perf_counter()
    model = make_pipeline(StandardScaler(), SVC(C=10, cache_size=2000))
    model.fit(features(train.images[chosen]), train.labels[chosen])
    seconds = time.perf_counter() - started
    return Outcome(model.predict(features(test_images)), seconds, images=len(chosen))


def gradient_boosting(train: Split, test_images: np.ndarray, seed: int) -> Outcome:
    """LightGBM on the bare pixels."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=100, num_leaves=31, random_state=seed, verbosity=-1)
    started = time.perf_counter()
    model.fit(train.pixels.reshape(len(train), -1), train.labels)
    seconds = time.perf_counter() - started
    return Outcome(model.predict(test_images.reshape(len(test_images), -1)), seconds)


def random_convolutions(train: Split, test_images: np.ndarray, seed: int) -> Outcome:
    """Random patches of the images as filters, pooled responses, ridge regression.

    After Coates, Ng and Lee (AISTATS 2011), with sampled instead of clustered patches.
    """
    from numpy.lib.stride_tricks import sliding_window_view
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(seed)
    size, count = 6, 400

    def patches_of(images: np.ndarray) -> np.ndarray:
        windows = sliding_window_view(drop_gray(images), (size, size), axis=(1, 2))[:, ::1, ::1]
        flat = windows.reshape(*windows.shape[:3], size * size).astype(np.float32)
        flat -= flat.mean(axis=-1, keepdims=True)
        return flat / np.sqrt(flat.var(axis=-1, keepdims=True) + 100)

    started = time.perf_counter()
    sample = patches_of(train.images[rng.permutation(len(train))[:2000]]).reshape(-1, size * size)
    filters = sample[rng.permutation(len(sample))[:count]]
    filters /= np.linalg.norm(filters, axis=1, keepdims=True) + 1e-6

    def features(images: np.ndarray) -> np.ndarray:
        parts = []
        for first in range(0, len(images), 250):
            response = np.maximum(patches_of(images[first : first + 250]) @ filters.T - 1, 0)
            rows = np.array_split(response, 3, axis=1)
            cells = [cell.mean(axis=(1, 2)) for row in rows for cell in np.array_split(row, 3, 2)]
            parts.append(np.concatenate(cells, axis=1))
        return np.concatenate(parts)

    train_features = features(train.pixels)
    mean, deviation = train_features.mean(axis=0), train_features.std(axis=0) + 1e-6
    model = Ridge(alpha=100).fit((train_features - mean) / deviation, np.eye(10)[train.labels])
    seconds = time.perf_counter() - started
    scores = model.predict((features(test_images) - mean) / deviation)
    return Outcome(scores.argmax(axis=1), seconds)


CONTESTANTS: dict[str, Callable[[Split, np.ndarray, int], Outcome]] = {
    "torch-lesson": torch_lesson,
    "hog-svm": hog_svm,
    "lightgbm": gradient_boosting,
    "random-convolutions": random_convolutions,
}
