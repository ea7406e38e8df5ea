"""Fits the weights of src/answer/abstain.rs: does the content hold the answer?

    python fit_abstain.py FOLDER      # of BEIR sets: */corpus.jsonl, queries.jsonl, qrels/test.tsv

In each set a quarter of the documents is taken away, so that their questions have no answer left. Prints, for each
set, the AUROC of weights fitted to the other sets and of those in the program, then the weights fitted to all and the
rates at the program's threshold. Whole documents stand for chunks, and neither spelling nor nearness is imitated, so
the coefficients differ from the program's, which were fitted to its own signals and also to questions of other
courses and to adversarial ones. Needs numpy, scikit-learn and snowballstemmer.

Where a set also holds documents.npy and questions.npy, the vectors of a sentence encoder for the lines of corpus.jsonl
and of queries.jsonl, the weights with similarity are fitted as well; the program's come from all-MiniLM-L6-v2.
"""
import collections
import json
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from fit_support import EVERYDAY, STEM, STOP, fit, words

WORDS_ALONE = -4.15, np.array([2.8, 1.55, 1.05])
WITH_SIMILARITY = -6.3, np.array([.9, 3.25, .8, 5.6])
THRESHOLD = .2
MOST = 400  # questions of a set


def terms(text):
    return [STEM(w) for w in words(text) if w not in STOP]


def features(documents, questions, cosines):
    """Best BM25 over IDF mass, coverage of the best sentence with its title, share of names that it holds, and the
    best cosine where there are vectors."""
    bodies = [collections.Counter(terms(d["text"])) for d in documents]
    titles = [set(terms(d.get("title") or "")) for d in documents]
    held = [collections.Counter(b) for b in bodies]
    for h, t in zip(held, titles):
        for term in t:
            h[term] += 2.5
    df = collections.Counter(t for h in held for t in h)
    n = len(documents) + 100
    lengths = [sum(h.values()) for h in held]
    mean = sum(lengths) / len(held)

    def idf(term):
        with_term = df[term] + (5 if term in EVERYDAY else .4)
        return math.log1p((n - with_term + .5) / (with_term + .5))

    out = []
    for number, question in enumerate(questions):
        asked = terms(question) or [STEM(w) for w in words(question)]
        mass = sum(map(idf, asked)) or 1
        scores = np.array([sum(idf(t) * h[t] * 2.2 / (h[t] + 1.2 * (.5 + .5 * length / mean)) for t in asked if t in h) / mass
                           for h, length in zip(held, lengths)])
        near = [] if cosines is None else [cosines[number]]
        fused = scores if cosines is None else scores + 1.3 * near[0]
        best = sorted(range(len(scores)), key=fused.__getitem__, reverse=True)[:5]
        tokens = re.findall(r"[^\W_]+", question)
        names = [t.lower() for n, t in enumerate(tokens) if any(c.isdigit() for c in t) or n and t[0].isupper() and t != "I"]
        choices = []
        for place in best:
            title = documents[place].get("title") or ""
            for sentence in re.split(r"(?<=[.!?])\s+|\n+", documents[place]["text"]):
                found = set(terms(sentence)) | titles[place]
                coverage = sum(idf(t) for t in asked if t in found) / mass
                lower = f"{title} {sentence}".lower()
                held_names = sum(name in lower for name in names) / len(names) if names else 1
                choices.append((coverage + min(scores[place], 2), coverage, held_names))
        out.append([min(max(scores[b] for b in best), 2), *max(choices)[1:], *(max(n[best]) for n in near)])
    return np.array(out)


def load(folder, with_similarity):
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open()]
    right = collections.defaultdict(set)
    for line in (folder / "qrels/test.tsv").read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        if float(score) > 0:
            right[query].add(document)
    questions = [(n, q) for n, q in enumerate(map(json.loads, (folder / "queries.jsonl").open())) if q["_id"] in right]
    questions = questions[::max(1, len(questions) // MOST)]
    rng = random.Random(7)
    gone = {d["_id"] for d in corpus if rng.random() < .27}
    labels = np.array([not right[q["_id"]] <= gone for _, q in questions], int)
    kept = [n for n, d in enumerate(corpus) if d["_id"] not in gone]
    cosines = None
    if with_similarity:
        cosines = np.load(folder / "questions.npy")[[n for n, _ in questions]] @ np.load(folder / "documents.npy")[kept].T
    return features([corpus[n] for n in kept], [q["text"] for _, q in questions], cosines), labels


def report(folders, with_similarity):
    bias, program = WITH_SIMILARITY if with_similarity else WORDS_ALONE
    data = {folder.name: load(folder, with_similarity) for folder in folders}
    data = {name: part for name, part in data.items() if 0 < part[1].mean() < 1}
    for name, (x, y) in data.items():
        others = [part for other, part in data.items() if other != name]
        fitted = f", fitted to the others {roc_auc_score(y, fit(others).decision_function(x)):.3f}" if others else ""
        refused = 1 / (1 + np.exp(-(x @ program + bias))) < THRESHOLD
        print(f"{name}: program {roc_auc_score(y, x @ program):.3f}{fitted}; "
              f"refuses {refused[y == 1].mean():.2f} of the answerable, {refused[y == 0].mean():.2f} of the others")
    model = fit(list(data.values()))
    names = "lexical, coverage, names" + ", similarity" * with_similarity
    print(f"{names}:", model.coef_[0].round(2), "bias", model.intercept_.round(2))


def main(folder):
    folders = sorted(p.parent for p in Path(folder).glob("*/queries.jsonl"))
    report(folders, False)
    if with_vectors := [f for f in folders if (f / "documents.npy").exists() and (f / "questions.npy").exists()]:
        report(with_vectors, True)


if __name__ == "__main__":
    main(sys.argv[1])
