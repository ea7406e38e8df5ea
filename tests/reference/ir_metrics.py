#!/usr/bin/env python3
"""Makes ir_metrics.json: rankings at random, scored by NIST's trec_eval through pytrec_eval.

    pip install pytrec-eval-terrier==0.5.11 && python3 tests/reference/ir_metrics.py

Read by the tests of src/eval/metrics/ranking.rs. `recip_rank` has no cut of its own, so it gets the first ten.
"""
import json
import random
from pathlib import Path

import pytrec_eval

NAMES = {"success_1": "hit@1", "success_5": "hit@5", "success_10": "hit@10", "ndcg_cut_10": "ndcg@10",
         "recall_100": "recall@100"}


def query(generator):
    pool = [f"d{number}" for number in range(generator.choice([5, 40, 400]))]
    judged = generator.sample(pool, min(len(pool), generator.choice([1, 3, 30])))
    judgements = {document: generator.choice([0, 1, 1, 2, 3]) for document in judged}
    judgements[judged[0]] = max(1, judgements[judged[0]])
    length = min(len(pool), generator.choice([1, 7, 10, 60, 130]))
    # A ranking that is better than chance, so that the numbers differ: judged documents move forward.
    keyed = sorted(pool, key=lambda document: generator.random() - 0.5 * (document in judgements))
    return judgements, keyed[:length]


def main():
    generator = random.Random(20)
    queries = [query(generator) for _ in range(60)]
    # trec_eval orders by score, so the ranking is told as scores without ties.
    runs = {str(at): {document: float(1000 - rank) for rank, document in enumerate(ranking)}
            for at, (_, ranking) in enumerate(queries)}
    tops = {at: dict(list(run.items())[:10]) for at, run in runs.items()}
    qrels = {str(at): judgements for at, (judgements, _) in enumerate(queries)}
    scores = pytrec_eval.RelevanceEvaluator(qrels, {"success", "ndcg_cut", "recall"}).evaluate(runs)
    ranks = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(tops)
    expected = [{ours: scores[at][theirs] for theirs, ours in NAMES.items()} | {"mrr@10": ranks[at]["recip_rank"]}
                for at in map(str, range(len(queries)))]
    means = {name: sum(row[name] for row in expected) / len(expected) for name in expected[0]}
    rows = [{"judgements": judgements, "ranking": ranking, "expected": row}
            for (judgements, ranking), row in zip(queries, expected)]
    lines = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_suffix(".json").write_text(f'{{"means": {json.dumps(means)}, "queries": [\n{lines}\n]}}\n')
    print(means)


if __name__ == "__main__":
    main()
