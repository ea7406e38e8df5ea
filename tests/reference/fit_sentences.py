"""Measures the weights of src/answer/extract/mod.rs: does the best sentence hold the answer?

    python fit_sentences.py PROGRAM ANSWERS CORPUS [EMBEDDER]

ANSWERS has questions with the wordings of their answers, CORPUS the documents. The program tells what speaks for each
sentence (signals.py). Prints how often the best sentence, the best three, and those within the program's margin hold
the answer, for the weights in the program and, in five parts by the title of the document, for weights fitted to the
other parts (the likelihood of the right sentences among all of a question). Needs numpy and scipy.
"""
import json
import re
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from signals import ask

SOURCE = (Path(__file__).parents[2] / "src/answer/extract/mod.rs").read_text()
PROGRAM = np.array([float(n) for n in re.findall(r"-?[\d.]+", re.search(r"const WEIGHTS: \[f32; \d+\] =\s*\[(.*?)\];", SOURCE, re.S)[1])])
MARGIN = float(re.search(r"SHOWN_BELOW_BEST: f32 = ([\d.]+)", SOURCE)[1])


def plain(text):
    words = re.findall(r"[^\W_]+", text.lower())
    return f" {' '.join(word for word in words if word not in ('a', 'an', 'the'))} "


def fit(parts):
    def loss(w):
        total, slope = .005 * w @ w, .01 * w
        for x, y in parts:
            e = np.exp(x @ w - (x @ w).max())
            p, right = e / e.sum(), e * y / (e * y).sum()
            total -= np.log((p * y).sum()) / len(parts)
            slope = slope - x.T @ (right - p) / len(parts)
        return total, slope
    return minimize(loss, np.zeros(len(PROGRAM)), jac=True, method="L-BFGS-B").x


def main(program, answers, corpus, embedder="static"):
    titles = {d["_id"]: d["title"] for d in map(json.loads, Path(corpus).read_text().splitlines())}
    asked = []
    for case, _, sentences in ask(program, answers, corpus, embedder):
        if case["answers"] and not case.get("unanswerable"):
            held = np.array([any(plain(a) in plain(s["quote"]) for a in case["answers"]) for s in sentences], bool)
            asked.append((titles.get(case["external_ids"][0], ""), np.array([s["row"] for s in sentences]), held))
    parts = {title: number % 5 for number, title in enumerate(sorted({title for title, _, _ in asked}))}
    scores = {"program": [(x @ PROGRAM, y) for _, x, y in asked], "fitted to other parts": []}
    for part in range(5):
        others = [(x, y) for t, x, y in asked if parts[t] != part and y.any() and not y.all()]
        weights = fit(others)
        scores["fitted to other parts"] += [(x @ weights, y) for t, x, y in asked if parts[t] == part]
    for name, all in scores.items():
        ranked = [(np.argsort(-s, kind="stable")[:3], s, y) for s, y in all]
        top = [np.mean([y[order[:k]].any() for order, _, y in ranked]) for k in (1, 3)]
        shown = [(y[order[s[order] >= s[order[0]] - MARGIN]]) for order, s, y in ranked if len(order)]
        print(f"{name}: best {top[0]:.3f}, best three {top[1]:.3f}; shown {np.mean([s.any() for s in shown]):.3f} with "
              f"{np.mean([len(s) for s in shown]):.2f} sentences, one alone {np.mean([len(s) == 1 for s in shown]):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
