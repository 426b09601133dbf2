"""What AIF360 and Fairlearn make of the same data: weights, thresholds, bands.

    python -m venv venv && venv/bin/pip install aif360==0.6.1 fairlearn==0.15.0
    venv/bin/python make.py > values.json        # in this folder
"""

import importlib.metadata
import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
from aif360.algorithms.postprocessing import RejectOptionClassification
from aif360.algorithms.preprocessing import Reweighing
from aif360.datasets import BinaryLabelDataset
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
FILES = {
    "german_lr": (HERE / "../german_lr/input.csv", [("sex", "male"), ("age_group", "aged")]),
    "adult_lr": (HERE / "../../../../../../data/demo/adult_predictions.csv", [("sex", "Male"), ("race", "White")]),
}


class Given(ClassifierMixin, BaseEstimator):
    """A model whose scores are in the data."""

    classes_ = np.array([0, 1])
    fitted_ = True

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.asarray(x)[:, 0]


def dataset(frame, attribute, privileged, label, weight):
    table = pd.DataFrame({
        "group": (frame[attribute] == privileged).astype(float),
        "label": frame[label].astype(float),
        "weight": frame["weight"].astype(float) if weight else 1.0,
    })
    made = BinaryLabelDataset(
        df=table, label_names=["label"], protected_attribute_names=["group"],
        instance_weights_name="weight" if weight else None)
    if not weight:
        made.instance_weights = np.ones(len(frame))
    made.scores = frame["score"].to_numpy(float).reshape(-1, 1)
    return made


def reweighing(frame, attribute, privileged, weight):
    made = Reweighing([{"group": 0.0}], [{"group": 1.0}])
    data = dataset(frame, attribute, privileged, "y_true", weight)
    out = made.fit_transform(data)
    return {
        "privileged_positive": made.w_p_fav, "privileged_negative": made.w_p_unfav,
        "unprivileged_positive": made.w_up_fav, "unprivileged_negative": made.w_up_unfav,
        "sum": float(out.instance_weights.sum()),
    }


def reject_option(frame, attribute, privileged, metric):
    made = RejectOptionClassification(
        [{"group": 0.0}], [{"group": 1.0}], metric_name=metric, metric_lb=-0.05, metric_ub=0.05)
    true = dataset(frame, attribute, privileged, "y_true", False)
    made.fit(true, dataset(frame, attribute, privileged, "y_pred", False))
    out = made.predict(dataset(frame, attribute, privileged, "y_pred", False))
    chosen = out.labels.ravel() == 1
    truth, group = frame["y_true"].to_numpy() == 1, (frame[attribute] == privileged).to_numpy()
    return {
        "threshold": float(made.classification_threshold), "margin": float(made.ROC_margin),
        "selected_privileged": int(chosen[group].sum()), "selected_unprivileged": int(chosen[~group].sum()),
        "balanced_accuracy": float((chosen[truth].mean() + (~chosen[~truth]).mean()) / 2),
    }


def thresholds(frame, attribute, constraint, objective):
    x, y, groups = frame[["score"]].to_numpy(), frame["y_true"].to_numpy(), frame[attribute].astype(str)
    made = ThresholdOptimizer(
        estimator=Given(), constraints=constraint, objective=objective, prefit=True,
        predict_method="predict", grid_size=1000)
    made.fit(x, y, sensitive_features=groups)
    chance = made._pmf_predict(x, sensitive_features=groups)[:, 1]
    positive = y == 1
    rates = {}
    for group in sorted(groups.unique()):
        of = (groups == group).to_numpy()
        rates[group] = {
            "selection_rate": float(chance[of].mean()),
            "true_positive_rate": float(chance[of & positive].mean()) if (of & positive).any() else None,
            "false_positive_rate": float(chance[of & ~positive].mean()) if (of & ~positive).any() else None,
        }
    right = np.where(positive, chance, 1 - chance)
    return {
        "x": float(made._x_best),
        "accuracy": float(right.mean()),
        "balanced_accuracy": float((right[positive].mean() + right[~positive].mean()) / 2),
        "groups": rates,
    }


def main():
    found = {}
    for name, (path, attributes) in FILES.items():
        frame = pd.read_csv(path)
        mine = found[name] = {}
        for attribute, privileged in attributes:
            mine[attribute] = {
                "privileged": privileged,
                "thresholds": {
                    f"{constraint}/{objective}": thresholds(frame, attribute, constraint, objective)
                    for constraint, objective in [
                        ("demographic_parity", "accuracy_score"),
                        ("true_positive_rate_parity", "accuracy_score"),
                        ("false_positive_rate_parity", "accuracy_score"),
                        ("equalized_odds", "accuracy_score"),
                        ("equalized_odds", "balanced_accuracy_score"),
                    ]
                },
            }
            if frame[attribute].nunique() == 2:
                mine[attribute]["reweighing"] = reweighing(frame, attribute, privileged, False)
                mine[attribute]["reweighing_weighted"] = reweighing(frame, attribute, privileged, True)
                mine[attribute]["reject_option"] = {
                    metric: reject_option(frame, attribute, privileged, metric)
                    for metric in ["Statistical parity difference", "Average odds difference", "Equal opportunity difference"]
                }
    versions = {name: importlib.metadata.version(name) for name in ["aif360", "fairlearn", "numpy", "pandas", "scikit-learn"]}
    json.dump({"versions": versions, "data": found}, sys.stdout, indent=1)
    print()


main()
