#!/usr/bin/env python3
"""Makes ir_metrics.json: rankings at random, scored by NIST's trec_eval through pytrec_eval.

    pip install pytrec-eval-terrier==0.5.11 && python3 tests/reference/ir_metrics.py

Read by the tests of src/eval/metrics/ranking.rs. `recip_rank` has no cut of its own, so it gets the first ten. Every
third query has many equal scores, which trec_eval orders by document id, the last first: the ranking is written in that
order. Judgements have grades and, here and there, a grade below 0; judged documents are missing from many rankings.
"""
import json
import random
from pathlib import Path

import pytrec_eval

NAMES = {"success_1": "hit@1", "success_5": "hit@5", "success_10": "hit@10", "ndcg_cut_10": "ndcg@10",
         "recall_100": "recall@100"}


def query(generator, tied):
    pool = [f"d{number}" for number in range(generator.choice([5, 40, 400]))]
    judged = generator.sample(pool, min(len(pool), generator.choice([1, 3, 30])))
    judgements = {document: generator.choice([-1, 0, 0, 1, 1, 1, 2, 2, 3, 3]) for document in judged}
    judgements[judged[0]] = max(1, judgements[judged[0]])
    length = min(len(pool), generator.choice([1, 7, 10, 60, 130]))
    # A ranking that is better than chance, so that the numbers differ: judged documents move forward.
    keyed = sorted(pool, key=lambda document: generator.random() - 0.5 * (document in judgements))
    if not tied:
        return judgements, {document: float(1000 - rank) for rank, document in enumerate(keyed[:length])}
    scores = {document: float(1000 - rank // 4) for rank, document in enumerate(keyed[:length])}
    return judgements, dict(sorted(sorted(scores.items(), reverse=True), key=lambda pair: -pair[1]))


def main():
    generator = random.Random(20)
    queries = [query(generator, tied=at % 3 == 2) for at in range(90)]
    runs = {str(at): run for at, (_, run) in enumerate(queries)}
    tops = {at: dict(list(run.items())[:10]) for at, run in runs.items()}
    qrels = {str(at): judgements for at, (judgements, _) in enumerate(queries)}
    scores = pytrec_eval.RelevanceEvaluator(qrels, {"success", "ndcg_cut", "recall"}).evaluate(runs)
    ranks = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(tops)
    expected = [{ours: scores[at][theirs] for theirs, ours in NAMES.items()} | {"mrr@10": ranks[at]["recip_rank"]}
                for at in map(str, range(len(queries)))]
    means = {name: sum(row[name] for row in expected) / len(expected) for name in expected[0]}
    rows = [{"judgements": judgements, "ranking": list(run), "expected": row}
            for (judgements, run), row in zip(queries, expected)]
    lines = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_suffix(".json").write_text(f'{{"means": {json.dumps(means)}, "queries": [\n{lines}\n]}}\n')
    print(means)


if __name__ == "__main__":
    main()
