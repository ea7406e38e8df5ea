#!/usr/bin/env python3
"""Makes answer_metrics.json: exact match and F1 by the SQuAD script as transformers carries it, AUROC by scikit-learn,
percentiles by NumPy.

    pip install transformers==4.57.1 scikit-learn==1.9.1 numpy==2.4.6 && python3 tests/reference/answer_metrics.py

Read by the tests of src/eval/metrics/. The texts are made up here.
"""
import json
import random
from pathlib import Path

import numpy
from sklearn.metrics import roc_auc_score
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

TEXTS = [
    ("Fourteen days", ["fourteen days"]), ("the fourteen days.", ["fourteen days"]), ("14 days", ["fourteen days", "14 days"]),
    ("within 14 days of purchase", ["14 days"]), ("A refund, an apology, the end", ["refund apology end"]),
    ("a", ["the"]), ("", [""]), ("", ["something"]), ("something", [""]), ("U.S.A.", ["USA"]), ("state-of-the-art", ["state of the art"]),
    ("“the end”", ["“end”"]), ("theatre", ["the atre"]), ("an_other", ["another"]), ("no no no", ["no"]), ("no", ["no no"]),
    ("Über die Brücke", ["über die brücke"]), ("ÉCOLE", ["école"]), ("it's Ada's", ["its adas"]), ("3.14", ["314"]),
    ("x\ty\n z", ["x y z"]), ("the the the", ["a an"]), ("tree a-b", ["tree ab"]), ("十四天", ["十四天"]), ("left right", ["right left"]),
    ("one two three four", ["three five", "one six seven", "four three"]), ("a.b.c", ["bc"]), ("The—end", ["end"]),
    ("€5 the € a", ["€5 €"]), ("naïve the\u00a0answer", ["naïve answer"]),
]


def squad(answer, right):
    return {"answer": answer, "right": right, "exact_match": max(compute_exact(gold, answer) for gold in right),
            "f1": max(float(compute_f1(gold, answer)) for gold in right)}


def auroc(generator, size, grain):
    labels = [True, False] + [generator.random() < 0.3 for _ in range(size - 2)]
    scores = [round((generator.random() + 0.4 * label) * grain) / grain for label in labels]
    return {"scored": list(zip(scores, labels)), "expected": float(roc_auc_score(labels, scores))}


def percentiles(generator, size):
    values = [round(generator.expovariate(0.1), 3) for _ in range(size)]
    return {"values": values, "expected": [float(value) for value in numpy.percentile(values, [50, 95, 99])]}


def main():
    generator = random.Random(21)
    reference = {
        "squad": [squad(*case) for case in TEXTS],
        "auroc": [auroc(generator, size, grain) for size in (2, 5, 20, 60) for grain in (1, 5, 1000)],
        "percentiles": [percentiles(generator, size) for size in (1, 2, 3, 10, 57)],
    }
    rows = (f'"{name}": [\n' + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]" for name, rows in reference.items())
    Path(__file__).with_suffix(".json").write_text("{" + ",\n".join(rows) + "}\n")


if __name__ == "__main__":
    main()
