"""Compute the package's 10 x 10 table of mean human votes from Fashion-MNIST-H.

    python benchmarks/class_votes.py fmh_counts.csv > class-votes.csv

The votes (GPL-3.0, see NOTICE) aren't part of this repository; `fmh_counts.csv` has one row per
test image in the official order and one column per class, each entry how many people chose it.
"""

import sys

import numpy as np

from hardpairs import load_dataset


def main() -> None:
    """Print the table: rows are true classes, columns mean shares of the votes."""
    dataset = load_dataset("fashion-mnist")
    votes = np.loadtxt(sys.argv[1], delimiter=",")
    shares = votes / votes.sum(axis=1, keepdims=True)
    print(",".join(dataset.class_names))
    for index in range(len(dataset.class_names)):
        means = shares[dataset.test.labels == index].mean(axis=0)
        print(",".join(f"{value:.5f}" for value in means))


if __name__ == "__main__":
    main()
