"""Peers of Ephor's fairness engine, on the Parquet file that the bench made.

usage: fairness.py FILE ROUNDS
Prints a JSON list: per peer its name with version, wall and CPU seconds (the median of the rounds;
Fairlearn takes minutes and has one), the process's peak memory so far, and count, selection rate and
true positive rate of each intersection, so that the bench can compare what was found.
"""

import json
import resource
import statistics
import sys
import time
from unittest import mock

PROTECTED = ["sex", "race", "age"]


def measured(key, name, work, rounds, groups):
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "key": key, "name": name,
        "wall": statistics.median(walls), "cpu": statistics.median(cpus),
        "peak": peak(),
        "groups": groups(result),
    }


def peak():
    """The highest resident memory of this process so far, in bytes."""
    if sys.platform == "linux":
        # getrusage tells no less than the program had that started this one.
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def duckdb_cubes(path, rounds):
    """The bare GROUP BY of the same columns: no metrics, no intervals."""
    import duckdb

    def cube(key, score, note):
        connection = duckdb.connect()
        query = f"""
            select {", ".join(PROTECTED)}, y_true, y_pred, count(*), sum({score})
            from read_parquet('{path}') group by all
        """

        def work():
            return connection.execute(query).fetchall()

        work()  # once to warm up, as for everybody
        name = f"DuckDB {duckdb.__version__}: bare GROUP BY with the sum of the scores{note}"
        return measured(key, name, work, rounds, cells)

    return [cube("duckdb", "score", ""), cube("duckdb_full", "score_full", " in full")]


def cells(rows):
    found = {}
    for sex, race, age, label, prediction, count, _ in rows:
        cell = found.setdefault(f"{sex}|{race}|{age}", [0, 0, 0, 0])
        cell[0] += count
        cell[1] += count * prediction
        cell[2] += count * label
        cell[3] += count * label * prediction
    return {
        name: {"count": n, "selection_rate": s / n, "tpr": tp / p if p else None}
        for name, (n, s, p, tp) in found.items()
    }


def fairlearn_frames(path):
    """MetricFrame on data that is already in memory; then the same without its row-wise stack."""
    import fairlearn
    import fairlearn.metrics._annotated_metric_function as calls
    import pyarrow.parquet as parquet
    from fairlearn.metrics import (
        MetricFrame, count, false_negative_rate, false_positive_rate, mean_prediction,
        selection_rate, true_negative_rate, true_positive_rate,
    )
    from sklearn.metrics import accuracy_score

    frame = parquet.read_table(path, columns=PROTECTED + ["y_true", "y_pred"]).to_pandas()
    metrics = {
        "count": count, "selection_rate": selection_rate, "tpr": true_positive_rate,
        "fpr": false_positive_rate, "tnr": true_negative_rate, "fnr": false_negative_rate,
        "mean_prediction": mean_prediction, "accuracy": accuracy_score,
    }

    def work():
        return MetricFrame(
            metrics=metrics, y_true=frame.y_true, y_pred=frame.y_pred,
            sensitive_features=frame[PROTECTED],
        ).by_group

    name = f"Fairlearn {fairlearn.__version__}: MetricFrame of {len(metrics)} metrics, no intervals"
    yield measured("fairlearn", name, work, 1, frame_groups)
    # It stacks each column's values one by one, in case they are lists.
    with mock.patch.object(calls.np, "stack", side_effect=lambda values: values):
        name = f"Fairlearn {fairlearn.__version__}: the same without its row-wise stack"
        yield measured("fairlearn_unstacked", name, work, 1, frame_groups)


def frame_groups(by_group):
    return {
        "|".join(map(str, key)): {
            "count": int(row["count"]),
            "selection_rate": float(row["selection_rate"]),
            "tpr": float(row["tpr"]),
        }
        for key, row in by_group.iterrows()
        if row["count"] == row["count"]
    }


def main():
    path, rounds = sys.argv[1], int(sys.argv[2])
    json.dump([*duckdb_cubes(path, rounds), *fairlearn_frames(path)], sys.stdout)


if __name__ == "__main__":
    main()
