"""Peers of Ephor's fairness engine, on the Parquet file that the bench made.

usage: fairness.py FILE ROWS_FOR_FAIRLEARN
Prints one JSON object: per peer its version, wall and CPU seconds, peak memory, and the selection
rate and true positive rate of each intersection, so that the bench can compare what they found.
"""

import json
import resource
import sys
import time


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def duckdb_cube(path):
    """The bare GROUP BY of the same columns: no metrics, no intervals."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 2")
    query = f"""
        select sex, race, age, y_true, y_pred, count(*), sum(score)
        from read_parquet('{path}') group by all
    """
    connection.execute(query).fetchall()  # once to warm the file cache, for every peer alike
    rows, wall, cpu = timed(lambda: connection.execute(query).fetchall())
    groups = {}
    for sex, race, age, label, prediction, count, _ in rows:
        cell = groups.setdefault(f"{sex} × {race} × {age}", [0, 0, 0, 0])
        cell[0] += count
        cell[1] += count * prediction
        cell[2] += count * label
        cell[3] += count * label * prediction
    return duckdb.__version__, wall, cpu, {
        name: {"count": n, "selection_rate": s / n, "tpr": tp / p if p else None}
        for name, (n, s, p, tp) in groups.items()
    }


def fairlearn_frame(path, rows):
    """MetricFrame on data that is already in memory."""
    import fairlearn
    import pyarrow.parquet as parquet
    from fairlearn.metrics import (
        MetricFrame, count, false_negative_rate, false_positive_rate, mean_prediction,
        selection_rate, true_negative_rate, true_positive_rate,
    )
    from sklearn.metrics import accuracy_score

    batch = next(parquet.ParquetFile(path).iter_batches(batch_size=rows))
    frame = batch.to_pandas()
    metrics = {
        "count": count, "selection_rate": selection_rate, "tpr": true_positive_rate,
        "fpr": false_positive_rate, "tnr": true_negative_rate, "fnr": false_negative_rate,
        "mean_prediction": mean_prediction, "accuracy": accuracy_score,
    }

    def run():
        by_group = MetricFrame(
            metrics=metrics, y_true=frame.y_true, y_pred=frame.y_pred,
            sensitive_features=frame[["sex", "race", "age"]],
        ).by_group
        return by_group

    by_group, wall, cpu = timed(run)
    found = {
        " × ".join(map(str, key)): {
            "count": int(row["count"]),
            "selection_rate": float(row["selection_rate"]),
            "tpr": float(row["tpr"]),
        }
        for key, row in by_group.iterrows()
        if row["count"] == row["count"]
    }
    return fairlearn.__version__, len(frame), wall, cpu, found


def main():
    path, rows = sys.argv[1], int(sys.argv[2])
    version, wall, cpu, groups = duckdb_cube(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    out = {"duckdb": {"version": version, "wall": wall, "cpu": cpu, "peak": peak, "groups": groups}}
    version, used, wall, cpu, groups = fairlearn_frame(path, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    out["fairlearn"] = {
        "version": version, "rows": used, "wall": wall, "cpu": cpu, "peak": peak, "groups": groups,
    }
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
