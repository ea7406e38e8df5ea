"""Fits the weights of src/answer/abstain.rs: does the content hold the answer?

    python fit_abstain.py PROGRAM FOLDER [EMBEDDER]

FOLDER holds sets of two kinds. BEIR sets (corpus.jsonl, queries.jsonl, qrels/test.tsv): a quarter of the documents is
taken away, so that their questions have no answer left, and questions of the set after next and of the one after that
are added, which have none either; where those share their articles (XQuAD is of SQuAD's), the ones after. Sets with
answers.jsonl and `unanswerable` in it are taken as they are. The program tells its own signals (signals.py). Prints,
for each set, what weights fitted to the other sets, without those of the same texts, do to it: AUROC, expected
calibration error in ten bins of equal weight, how far its mean is from the truth, and both kinds of error at the
program's threshold. Then the weights fitted to all, as the program has them to two digits. In each set seven questions
of ten count as answerable, whatever the number of each, so that a probability means the same everywhere. What this
printed, and what else was tried, stands in confidence.md. Needs numpy and scikit-learn.

EMBEDDER is `static` (the default) or the name of a sentence encoder, whose best cosine counts as a signal too. The
weights with similarity are from all-MiniLM-L6-v2.
"""
import collections
import json
import random
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from signals import ask

ABSTAIN = (Path(__file__).parents[2] / "src/answer/abstain.rs").read_text()
THRESHOLD = float(re.search(r"DEFAULT_THRESHOLD: f32 = ([\d.]+)", ABSTAIN)[1])
ANSWERABLE = .7
OWN, FOREIGN = 400, 100  # questions of a set


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def load(folder):
    right = collections.defaultdict(set)
    for line in (folder / "qrels/test.tsv").read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        if float(score) > 0:
            right[query].add(document)
    return read(folder / "corpus.jsonl"), [(q["text"], right[q["_id"]]) for q in read(folder / "queries.jsonl") if q["_id"] in right]


def texts(name):
    """What a set's texts are from: what is fitted to one such set knows the others."""
    stem = name.removesuffix(" as it is")
    return {"abstain-machine-learning": "faq-machine-learning", "xquad-en": "squad"}.get(stem, stem)


def sets(folder, scratch):
    """Name, answers and corpus of each set, the questions marked with their kind."""
    beir = sorted(p.parent for p in folder.glob("*/queries.jsonl") if not p.parent.name.startswith("xquad-") or p.parent.name == "xquad-en")
    data = {f.name: load(f) for f in beir if f.name != "cranfield"}
    rng, names = random.Random(7), list(data)
    for place, name in enumerate(names):
        corpus, questions = data[name]
        gone = {d["_id"] for d in corpus if rng.random() < .27}
        rows = [("removed", text, not ids - gone) for text, ids in rng.sample(questions, min(OWN, len(questions)))]
        others = [other for other in names[place + 1:] + names[:place] if texts(other) != texts(name)]
        for other, kind in zip(others, ("next", "other")):
            foreign = data[other][1]
            rows += [(kind, text, True) for text, _ in rng.sample(foreign, min(FOREIGN, len(foreign)))]
        (scratch / name).mkdir()
        write(scratch / name / "corpus.jsonl", [d for d in corpus if d["_id"] not in gone])
        write(scratch / name / "answers.jsonl", [
            {"id": f"{kind}-{number}", "question": text, "answers": [], "unanswerable": without, "external_ids": []}
            for number, (kind, text, without) in enumerate(rows)])
        yield name, scratch / name / "answers.jsonl", scratch / name / "corpus.jsonl"
    for path in sorted(folder.glob("*/answers.jsonl")):
        yield f"{path.parent.name} as it is", path, path.parent / "corpus.jsonl"


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def weights(y):
    return np.where(y == 1, ANSWERABLE / max(y.sum(), 1), (1 - ANSWERABLE) / max((1 - y).sum(), 1))


def fit(parts):
    w = np.concatenate([weights(y) for _, y, _ in parts])
    x, y = np.vstack([x for x, _, _ in parts]), np.concatenate([y for _, y, _ in parts])
    return LogisticRegression(C=1, max_iter=5000).fit(x, y, w * len(w) / w.sum())


def calibration_error(parts):
    p, y, w = (np.concatenate(all) for all in zip(*((p, y, weights(y)) for p, y in parts)))
    order = np.argsort(p, kind="stable")
    p, y, w = p[order], y[order], w[order] / w.sum()
    bins = np.minimum(((np.cumsum(w) - w / 2) * 10).astype(int), 9)
    return sum(abs((w * (p - y))[bins == b].sum()) for b in range(10))


def main(program, folder, embedder="static"):
    names = ["coverage", "names", "context", "words", "negation"]
    names = ["score", "lead", *names, "meaning"] if embedder == "static" else ["gap", *names, "similarity"]
    data = {}  # signals, whether there is an answer, and the kind of each question
    with tempfile.TemporaryDirectory() as scratch:
        for name, answers, corpus in sets(Path(folder), Path(scratch)):
            told = ask(program, answers, corpus, embedder)
            x = np.array([[signals.get(n, 0) for n in names] for _, signals, _ in told])
            y = np.array([not case["unanswerable"] for case, _, _ in told], int)
            data[name] = x, y, np.array([case["id"].split("-")[0] if "as it is" not in name else "" for case, _, _ in told])
    left_out = []
    for name, (x, y, kinds) in data.items():
        p = fit([part for other, part in data.items() if texts(other) != texts(name)]).predict_proba(x)[:, 1]
        left_out.append((p, y))
        parts = []
        for kind in sorted(set(kinds)):
            chosen = (kinds == kind) | ((y == 1) & (kind in ("next", "other")))
            if 0 < y[chosen].mean() < 1:
                parts.append(f"{kind} {roc_auc_score(y[chosen], p[chosen]):.3f}".strip())
        print(f"{name}: AUROC {', '.join(parts)}; calibration error {calibration_error([(p, y)]):.3f}, "
              f"mean off by {np.average(p, weights=weights(y)) - ANSWERABLE:+.3f}; "
              f"refuses {(p[y == 1] < THRESHOLD).mean():.3f} of the answerable, answers {(p[y == 0] >= THRESHOLD).mean():.3f} of the others")
    print(f"calibration error of a left-out set: {np.mean([calibration_error([part]) for part in left_out]):.3f}, "
          f"of all together: {calibration_error(left_out):.3f}")
    model = fit(list(data.values()))
    print(f"bias: {model.intercept_[0]:.2f}, " + ", ".join(f"{n}: {w:.2f}" for n, w in zip(names, model.coef_[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
