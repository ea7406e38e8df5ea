"""What the measuring scripts share: repetitions within a budget, medians, and the JSON they print."""

import json
import os
import statistics
import sys
import time


LEAST = int(os.environ.get("PEERS_LEAST", "3"))


def repeat(work, seconds, least=LEAST, warm_ups=1, most=20_000):
    """Seconds of each call of `work(call)`, as neverafk's own bench repeats: warm-ups, then at least so often."""
    for call in range(warm_ups):
        work(call)
    times, began = [], time.perf_counter()
    while len(times) < least or (time.perf_counter() - began < seconds and len(times) < most):
        start = time.perf_counter()
        work(warm_ups + len(times))
        times.append(time.perf_counter() - start)
    return times


def median(values):
    return statistics.median(values)


def times(seconds):
    """Milliseconds of a call: the median, and the 5th percentile, which other work on the machine disturbs least."""
    in_order = sorted(seconds)
    return {"milliseconds": 1000 * median(seconds), "fastest": 1000 * in_order[len(in_order) // 20]}


def give(figures):
    """Prints the figures of one run: {"name of the point": {"figure": number}}."""
    json.dump(figures, sys.stdout)
    print()


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
