"""Compute the package's 10 x 10 table of mean human votes from Fashion-MNIST-H.

    python benchmarks/class_votes.py fmh_counts.csv > class-votes.csv

The votes (GPL-3.0, see NOTICE) aren't part of this repository; `fmh_counts.csv` has one row per
test image in the official order and one column per class, each entry how many people chose it.
"""

import sys

from hardpairs import load_dataset, load_votes
from hardpairs.analysis.people import class_shares


def main() -> None:
    """Print the table: rows are true classes, columns mean shares of the votes."""
    dataset = load_dataset("fashion-mnist")
    test = dataset.test
    votes = load_votes(sys.argv[1], test.labels, test.ids, dataset.class_names)
    print(",".join(dataset.class_names))
    for means in class_shares(test.labels, votes):
        print(",".join(f"{value:.5f}" for value in means))


if __name__ == "__main__":
    main()
