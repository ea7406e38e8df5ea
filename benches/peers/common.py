"""What the measuring scripts share: repetitions within a budget, medians, and the JSON they print."""

import json
import statistics
import sys
import time


def repeat(work, seconds, least=3, warm_ups=1, most=20_000):
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


def give(figures):
    """Prints the figures of one run: {"name of the point": {"figure": number}}."""
    json.dump(figures, sys.stdout)
    print()


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
