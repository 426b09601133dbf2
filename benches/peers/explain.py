"""XGBoost and shap beside Ephor's exact SHAP values.

usage: explain.py make FOLDER DEPTHS ROWS   trains models of 500 trees, one of each depth, and writes rows to explain
       explain.py pred_contribs FOLDER DEPTH ROWS ROUNDS
       explain.py shap FOLDER DEPTH ROWS ROUNDS
The last two print JSON: the peer's name with version, wall and CPU seconds (the median), the process's peak
memory, and the values.
"""

import json
import os
import resource
import statistics
import sys
import time

FEATURES = 20
TREES = 500


def make(folder, depths, rows):
    import numpy
    import xgboost

    chance = numpy.random.default_rng(20261121)
    training = chance.normal(size=(20_000, FEATURES)).astype(numpy.float32)
    noise = chance.normal(size=len(training))
    labels = (training[:, 0] * training[:, 1] + training[:, 2] + noise > 0).astype(int)
    for depth in depths:
        parameters = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1}
        matrix = xgboost.DMatrix(training, labels)
        xgboost.train(parameters, matrix, TREES).save_model(f"{folder}/model{depth}.json")
    explained = chance.normal(size=(rows, FEATURES)).astype(numpy.float32)
    numpy.save(f"{folder}/rows.npy", explained)
    names = ",".join(f"f{index}" for index in range(FEATURES))
    numpy.savetxt(f"{folder}/rows.csv", explained, "%.9g", ",", header=names, comments="")


def measured(name, work, rounds):
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        values = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    found = {
        "name": name,
        "wall": statistics.median(walls), "cpu": statistics.median(cpus),
        "peak": peak(),
    }
    json.dump({**found, "values": [float(value) for value in values.ravel()]}, sys.stdout)


def peak():
    """The highest resident memory of this process so far, in bytes."""
    if sys.platform == "linux":
        # getrusage tells no less than the program had that started this one.
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def loaded(folder, depth, rows):
    import numpy
    import xgboost

    model = xgboost.Booster()
    model.load_model(f"{folder}/model{depth}.json")
    model.set_param({"nthread": os.cpu_count()})
    return model, numpy.load(f"{folder}/rows.npy")[:rows]


def pred_contribs(folder, depth, count, rounds):
    import xgboost

    model, rows = loaded(folder, depth, count)
    matrix = xgboost.DMatrix(rows)
    name = f"XGBoost {xgboost.__version__}: pred_contribs"
    # The last column is the base.
    measured(name, lambda: model.predict(matrix, pred_contribs=True)[:, :-1], rounds)


def shap(folder, depth, count, rounds):
    import shap as library

    model, rows = loaded(folder, depth, count)
    explainer = library.TreeExplainer(model)
    # It would ask XGBoost itself: told that the trees are its own, it uses its own algorithm.
    explainer.model.model_type = "internal"
    name = f"shap {library.__version__}: TreeExplainer"
    measured(name, lambda: explainer.shap_values(rows, check_additivity=False), rounds)


def main():
    work, folder = sys.argv[1], sys.argv[2]
    if work == "make":
        make(folder, [int(depth) for depth in sys.argv[3].split(",")], int(sys.argv[4]))
    else:
        depth, rows, rounds = (int(argument) for argument in sys.argv[3:6])
        {"pred_contribs": pred_contribs, "shap": shap}[work](folder, depth, rows, rounds)


if __name__ == "__main__":
    main()
