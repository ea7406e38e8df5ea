#!/usr/bin/env python3
"""Judges the rankings of `neverafk eval run` with pytrec_eval and ranx: do the numbers agree to four digits?

    pip install pytrec-eval-terrier==0.5.11 ranx==0.3.21
    python3 tests/reference/check_run.py FOLDER [NEVERAFK [FLAG...]]

FOLDER is a set in BEIR's layout, NEVERAFK the program (default: on the path); flags go to `eval run`. Ranx is asked where
it is installed. Exits 1 where a number differs.
"""
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytrec_eval

TREC = {"success_1": "hit@1", "success_5": "hit@5", "success_10": "hit@10", "ndcg_cut_10": "ndcg@10", "recall_100": "recall@100"}
RANX = {"hit_rate@1": "hit@1", "hit_rate@5": "hit@5", "hit_rate@10": "hit@10", "mrr@10": "mrr@10", "ndcg@10": "ndcg@10",
        "recall@100": "recall@100"}


def read_run(path):
    run = collections.defaultdict(dict)
    for line in path.read_text().splitlines():
        query, _, document, _, score, _ = line.split(" ")
        run[query][document] = float(score)
    return run


def read_judgements(folder, queries):
    judged = collections.defaultdict(dict)
    for line in (folder / "qrels/test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        judged[query][document] = int(grade)
    return {query: grades for query, grades in judged.items() if query in queries and max(grades.values()) > 0}


def by_trec_eval(judged, run):
    scores = pytrec_eval.RelevanceEvaluator(judged, {"success", "ndcg_cut", "recall"}).evaluate(run)
    tops = {query: dict(sorted(found.items(), key=lambda pair: -pair[1])[:10]) for query, found in run.items()}
    ranks = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(tops)
    # A query that found nothing is not in the run and counts 0.
    means = {ours: sum(row[theirs] for row in scores.values()) / len(judged) for theirs, ours in TREC.items()}
    return means | {"mrr@10": sum(row["recip_rank"] for row in ranks.values()) / len(judged)}


def by_ranx(judged, run):
    try:
        from ranx import Qrels, Run, evaluate
    except ImportError:
        return None
    # Ranx counts a document as found by its presence alone, so unrelevant judgements are left out.
    relevant = {query: {document: grade for document, grade in grades.items() if grade > 0} for query, grades in judged.items()}
    found = {query: run.get(query) or {"nothing": 1.0} for query in relevant}
    return {RANX[name]: float(value) for name, value in evaluate(Qrels(relevant), Run(found), list(RANX)).items()}


def main():
    folder, program, flags = Path(sys.argv[1]), (sys.argv[2:3] or ["neverafk"])[0], sys.argv[3:]
    with tempfile.TemporaryDirectory() as scratch:
        rankings = Path(scratch) / "run.trec"
        told = subprocess.run([program, "--data-dir", scratch, "eval", "run", str(folder), "--json", "--per-question",
                               "--trec", str(rankings), *flags], check=True, capture_output=True, text=True)
        report, run = json.loads(told.stdout), read_run(rankings)
    judged = read_judgements(folder, {question["id"] for question in report["questions"]})
    independent = {"trec_eval": by_trec_eval(judged, run), "ranx": by_ranx(judged, run)}
    print(f"{folder.name}, {len(judged)} queries\n{'':12} {'neverafk':>10} " + " ".join(f"{name:>10}" for name in independent))
    wrong = report["queries"] != len(judged)
    for name, value in report["metrics"].items():
        others = [numbers and numbers[name] for numbers in independent.values()]
        wrong |= any(other is not None and abs(other - value) > 5e-5 for other in others)
        print(f"{name:12} {value:10.6f} " + " ".join("         –" if other is None else f"{other:10.6f}" for other in others))
    print("they differ" if wrong else "they agree to four digits")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
