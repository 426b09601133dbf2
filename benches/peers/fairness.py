"""One peer of Ephor's fairness engine, on a file that the bench made.

usage: fairness.py PEER FILE ROUNDS
Prints JSON: the peer's name with version, wall and CPU seconds (the median of the rounds; who takes
minutes has one), the process's peak memory, and count, selection rate and true positive rate of each
intersection, so that the bench can compare what was found.
"""

import json
import logging
import resource
import statistics
import sys
import time
import warnings
from unittest import mock

PROTECTED = ["sex", "race", "age"]


def measured(name, work, rounds, groups):
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "name": name,
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


def duckdb(path, rounds, score="score"):
    """The bare GROUP BY of the same columns: no metrics, no intervals."""
    import duckdb as engine

    connection = engine.connect()
    read = "read_csv" if path.endswith(".csv") else "read_parquet"
    query = f"""
        select {", ".join(PROTECTED)}, y_true, y_pred, count(*), sum({score})
        from {read}('{path}') group by all
    """

    def work():
        return connection.execute(query).fetchall()

    work()  # once to warm up, as for everybody
    note = " in full" if score == "score_full" else ""
    name = f"DuckDB {engine.__version__}: bare GROUP BY with the sum of the scores{note}"
    return measured(name, work, rounds, cells)


def duckdb_full(path, rounds):
    return duckdb(path, rounds, "score_full")


def polars(path, rounds):
    """The same by Polars' streaming engine."""
    import polars as engine

    scan = engine.scan_csv if path.endswith(".csv") else engine.scan_parquet

    def work():
        grouped = scan(path).group_by([*PROTECTED, "y_true", "y_pred"])
        found = grouped.agg(engine.len(), engine.col("score").sum())
        return found.collect(engine="streaming").rows()

    work()
    name = f"Polars {engine.__version__}: bare group_by with the sum of the scores"
    return measured(name, work, rounds, cells)


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


def in_memory(path):
    import pyarrow.parquet as parquet

    return parquet.read_table(path, columns=PROTECTED + ["y_true", "y_pred"]).to_pandas()


def fairlearn(path, rounds, note=""):
    """MetricFrame on data that is already in memory."""
    import fairlearn as library
    from fairlearn.metrics import (
        MetricFrame, count, false_negative_rate, false_positive_rate, mean_prediction,
        selection_rate, true_negative_rate, true_positive_rate,
    )
    from sklearn.metrics import accuracy_score

    frame = in_memory(path)
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

    name = f"Fairlearn {library.__version__}: MetricFrame of {len(metrics)} metrics{note}"
    return measured(name, work, 1, frame_groups)


def fairlearn_unstacked(path, rounds):
    """The same without its row-wise stack: it stacks each column's values one by one, in case they are lists."""
    import fairlearn.metrics._annotated_metric_function as calls

    with mock.patch.object(calls.np, "stack", side_effect=lambda values: values):
        return fairlearn(path, rounds, " without its row-wise stack")


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


def joined(frame):
    """The intersection as one attribute: neither of the next two makes intersections."""
    return frame.sex + "|" + frame.race + "|" + frame.age


def aif360(path, rounds):
    """Three metrics of each intersection, on data that is already in memory."""
    logging.disable(logging.WARNING)  # of what is not installed and not used
    import pandas
    from importlib.metadata import version
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import ClassificationMetric

    frame = in_memory(path)
    codes, names = pandas.factorize(joined(frame))
    table = pandas.DataFrame({"group": codes.astype(float), "label": frame.y_true.astype(float)})
    labels = BinaryLabelDataset(
        df=table, label_names=["label"], protected_attribute_names=["group"]
    )
    predictions = labels.copy(deepcopy=True)
    predictions.labels = frame.y_pred.to_numpy(float).reshape(-1, 1)

    def work():
        found = {}
        for code, name in enumerate(names):
            metric = ClassificationMetric(
                labels, predictions,
                unprivileged_groups=[{"group": code}],
                privileged_groups=[{"group": 0 if code else 1}],
            )
            found[name] = {
                "count": int(metric.num_instances(privileged=False)),
                "selection_rate": float(metric.selection_rate(privileged=False)),
                "tpr": float(metric.true_positive_rate(privileged=False)),
            }
        return found

    name = f"AIF360 {version('aif360')}: three metrics of each intersection"
    return measured(name, work, 1, lambda found: found)


def aequitas(path, rounds):
    """The crosstabs of each intersection, on data that is already in memory."""
    from importlib.metadata import version
    from aequitas.group import Group
    import pandas

    frame = in_memory(path)
    table = pandas.DataFrame(
        {"group": joined(frame), "label_value": frame.y_true, "score": frame.y_pred}
    )

    def work():
        return Group().get_crosstabs(table, attr_cols=["group"])[0]

    def groups(found):
        return {
            row["attribute_value"]: {
                "count": int(row["group_size"]),
                # What it calls `pprev`: predicted positives of the group's rows.
                "selection_rate": float(row["pprev"]),
                "tpr": float(row["tpr"]),
            }
            for _, row in found.iterrows()
        }

    name = f"Aequitas {version('aequitas')}: crosstabs of each intersection"
    return measured(name, work, 1, groups)


PEERS = {
    work.__name__: work
    for work in [
        duckdb, duckdb_full, polars, fairlearn, fairlearn_unstacked, aif360, aequitas,
    ]
}


def main():
    peer, path, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    warnings.simplefilter("ignore")
    json.dump(PEERS[peer](path, rounds), sys.stdout)


if __name__ == "__main__":
    main()
