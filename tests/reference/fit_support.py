"""Fits the weights of src/answer/verify.rs: does the evidence bear a sentence out?

    python fit_support.py FOLDER      # *.jsonl, one {"claim", "evidence": [..], "label": 0|1} a line

Prints, for each file, the AUROC of weights fitted to the other files and of those in the program, and the weights
fitted to all. Needs numpy, scikit-learn and snowballstemmer. The program's weights stay near the fit with two changes
by judgement: neighbouring pairs count more, because verbatim sentences are the aim, and a missing number counts more,
because such files hold few exchanged numbers and a course's answers hold many.
"""
import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import snowballstemmer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

STEM = functools.cache(snowballstemmer.stemmer("english").stemWord)
SOURCE = Path(__file__).parents[2] / "src/index/analyze"
STOP = set(re.findall(r'"(.*?)"', re.search(r"const EN:.*?\];", (SOURCE / "stop_words.rs").read_text(), re.S)[0]))
EVERYDAY = {STEM(w) for w in re.search(r'WORDS: &str = "(.*?)"', (SOURCE / "everyday.rs").read_text(), re.S)[1].replace("\\", " ").split()}
PROGRAM = np.array([3.5, 2.5, -2.0, -2.0])


def words(text):
    return [w.replace("'", "").replace("’", "") for w in re.findall(r"\w+(?:['’]\w+)*", text.lower())]


def weight(term):
    return .4 if term in EVERYDAY else 1 + .08 * min(len(term), 10)


def share(items):
    items = list(items)
    return sum(items) / len(items) if items else None


def features(claim, evidence):
    """Weighted recall of content words, recall of neighbouring pairs, shares of missing numbers and of missing names."""
    all_terms = [STEM(w) for w in words(claim)]
    content = [STEM(w) for w in words(claim) if w not in STOP]
    held, pairs, plain = set(), set(), set()
    for text in evidence:
        terms = [STEM(w) for w in words(text)]
        held |= set(terms)
        pairs |= set(zip(terms, terms[1:]))
        plain |= set(words(text))
    mass = sum(map(weight, content))
    recall = sum(weight(t) for t in content if t in held) / mass if mass else .5
    tokens = re.findall(r"[^\W_]+", claim)
    paired = share(p in pairs for p in zip(all_terms, all_terms[1:]))
    return [recall, recall if paired is None else paired,
            share(t.lower() not in plain for t in tokens if any(c.isdigit() for c in t)) or 0,
            share(t.lower() not in plain for t in tokens[1:] if t[0].isupper()) or 0]


def fit(parts):
    """Every file and both labels weigh the same."""
    x, y = np.vstack([x for x, _ in parts]), np.concatenate([y for _, y in parts])
    w = np.concatenate([np.where(y == 1, .5 / y.mean(), .5 / (1 - y.mean())) * 500 / len(y) for _, y in parts])
    return LogisticRegression(C=3, max_iter=2000).fit(x, y, w)


def main(folder):
    data = {}
    for path in sorted(Path(folder).glob("*.jsonl")):
        rows = [json.loads(line) for line in path.open()]
        data[path.stem] = (np.array([features(r["claim"], r["evidence"]) for r in rows]), np.array([r["label"] for r in rows]))
    for name, (x, y) in data.items():
        others = [part for other, part in data.items() if other != name]
        fitted = f", fitted to the others {roc_auc_score(y, fit(others).decision_function(x)):.3f}" if others else ""
        print(f"{name}: program {roc_auc_score(y, x @ PROGRAM):.3f}{fitted}")
    model = fit(list(data.values()))
    print("recall, pairs, missing numbers, missing names:", model.coef_[0].round(2), "bias", model.intercept_.round(2))


if __name__ == "__main__":
    main(sys.argv[1])
