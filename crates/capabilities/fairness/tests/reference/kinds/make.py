"""Reference values of crates/capabilities/fairness/src/regression, multiclass and individual.

Run: pip install scikit-learn==1.9.1 fairlearn==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1 && python make.py
It writes input.csv and values.json.

AIF360 0.6.1 computes consistency as: NearestNeighbors(n_neighbors=k, algorithm="ball_tree").fit(X), then
1 - mean(|y - mean(y[neighbours])|); the same is written out here, with the standardised X that Ephor makes.
"""

import json

import fairlearn
import numpy
import pandas
import scipy
import sklearn
from fairlearn.metrics import MetricFrame, demographic_parity_difference, equalized_odds_difference
from scipy import stats
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors

chance = numpy.random.default_rng(20_250_202)
ROWS = 600
group = chance.choice(["a", "b", "c"], size=ROWS, p=[0.5, 0.3, 0.2])
region = chance.choice(["north", "south"], size=ROWS)
income = numpy.round(chance.normal(40, 12, ROWS) + (group == "b") * 6, 4)
years = numpy.round(chance.gamma(3, 2, ROWS), 4)
trade = chance.choice(["x", "y", "z"], size=ROWS)
price = numpy.round(2.5 * income - 3 * years + chance.normal(0, 10, ROWS), 4)
guess = numpy.round(2.4 * income - 2.6 * years + (group == "c") * 7 + chance.normal(0, 8, ROWS), 4)
grade = chance.choice(["good", "fair", "poor"], size=ROWS, p=[0.5, 0.3, 0.2])
other = chance.choice(["good", "fair", "poor"], size=ROWS)
given = numpy.where(chance.random(ROWS) < numpy.where(group == "a", 0.8, 0.65), grade, other)
hired = (income + chance.normal(0, 10, ROWS) > 42).astype(int)
weight = chance.integers(1, 5, size=ROWS)
query = chance.integers(100, 140, size=ROWS)
rating = numpy.round(chance.normal(0, 1, ROWS) + (group == "a") * 0.5, 6)
data = pandas.DataFrame(
    dict(group=group, region=region, income=income, years=years, trade=trade, price=price, guess=guess,
         grade=grade, given=given, hired=hired, weight=weight, query=query,
         rating=rating)
)
data.to_csv("input.csv", index=False)

NUMBERS = {
    "mean_prediction": lambda y, p, sample_weight=None: numpy.average(p, weights=sample_weight),
    "mean_residual": lambda y, p, sample_weight=None: numpy.average(y - p, weights=sample_weight),
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
}
CLASSES = {"accuracy": metrics.accuracy_score}
for average in ("macro", "weighted"):
    for name in ("recall", "precision", "f1"):
        if (average, name) != ("weighted", "recall"):
            score = getattr(metrics, f"{name}_score")
            CLASSES[f"{average}_{name}"] = (
                lambda y, p, sample_weight=None, score=score, average=average: score(
                    y, p, average=average, sample_weight=sample_weight
                )
            )


def frame(functions, truth, predicted, by, weights):
    params = {name: {"sample_weight": weights} for name in functions} if weights is not None else None
    made = MetricFrame(metrics=functions, y_true=truth, y_pred=predicted, sensitive_features=by, sample_params=params)
    name = lambda key: "|".join(key) if isinstance(key, tuple) else key
    return {
        "overall": made.overall.to_dict(),
        "by_group": {name(key): row.to_dict() for key, row in made.by_group.iterrows()},
        "difference": made.difference(method="between_groups").to_dict(),
        "ratio": made.ratio(method="between_groups").to_dict(),
    }


def distances(by):
    parts = [data.guess[by == one] for one in sorted(set(by))]
    found = [stats.ks_2samp(one, two).statistic for at, one in enumerate(parts) for two in parts[at + 1:]]
    return float(max(found))


def against_rest():
    made = {}
    for one in sorted(set(data.grade)):
        truth, predicted = (data.grade == one).astype(int), (data.given == one).astype(int)
        made[one] = {
            "demographic_parity": float(demographic_parity_difference(truth, predicted, sensitive_features=data.group)),
            "equalized_odds": float(equalized_odds_difference(truth, predicted, sensitive_features=data.group)),
            "tpr": {g: float(metrics.recall_score(truth[data.group == g], predicted[data.group == g])) for g in "abc"},
            "f1": {g: float(metrics.f1_score(truth[data.group == g], predicted[data.group == g])) for g in "abc"},
            "ppv": {g: float(metrics.precision_score(truth[data.group == g], predicted[data.group == g])) for g in "abc"},
        }
    return made


def consistency(features, k):
    columns = []
    for name in features:
        column = data[name]
        if pandas.api.types.is_numeric_dtype(column):
            columns.append(((column - column.mean()) / column.std(ddof=0)).to_numpy())
        else:
            columns += [(column == value).to_numpy() / numpy.sqrt(2) for value in sorted(set(column))]
    X, y = numpy.column_stack(columns), data.hired.to_numpy()
    _, near = NearestNeighbors(n_neighbors=k, algorithm="ball_tree").fit(X).kneighbors(X)
    agreement = 1 - numpy.abs(y - y[near].mean(axis=1))
    return {
        "overall": float(agreement.mean()),
        "by_group": {g: float(agreement[data.group == g].mean()) for g in "abc"},
    }


def ranking(top):
    """Exposure, share of the top, skew and NDKL from their definitions; no library."""
    exposure, count, first = ({g: 0.0 for g in "abc"} for _ in range(3))
    found = []
    for _, part in data.sort_values("rating", ascending=False).groupby("query"):
        groups = part.group.to_numpy()
        discount = 1 / numpy.log2(numpy.arange(len(groups)) + 2)
        share = {g: (groups == g).mean() for g in "abc"}
        for g in "abc":
            exposure[g] += discount[groups == g].sum()
            count[g] += (groups == g).sum()
            first[g] += (groups[:top] == g).sum()
        kl = [sum(p * numpy.log(p / share[g]) for g in "abc" if (p := (groups[:i + 1] == g).mean()) > 0)
              for i in range(len(groups))]
        found.append(numpy.average(kl, weights=discount))
    rows, tops, seen = sum(count.values()), sum(first.values()), sum(exposure.values())
    return {
        "ndkl": float(numpy.mean(found)),
        "by_group": {
            g: {
                "exposure": float(exposure[g] / count[g]),
                "relative_exposure": float(exposure[g] / seen / (count[g] / rows)),
                "top_share": float(first[g] / tops),
                "skew": float(numpy.log(first[g] / tops / (count[g] / rows))),
            }
            for g in "abc"
        },
    }


both = data[["group", "region"]]
values = {
    "versions": {one.__name__: one.__version__ for one in (sklearn, fairlearn, scipy, numpy, pandas)},
    "regression": {
        "plain": {"group": frame(NUMBERS, data.price, data.guess, data.group, None),
                  "group|region": frame(NUMBERS, data.price, data.guess, both, None)},
        "weighted": {"group": frame(NUMBERS, data.price, data.guess, data.group, data.weight)},
        "distance": {"group": distances(data.group), "region": distances(data.region)},
    },
    "multiclass": {
        "plain": {"group": frame(CLASSES, data.grade, data.given, data.group, None),
                  "group|region": frame(CLASSES, data.grade, data.given, both, None)},
        "weighted": {"group": frame(CLASSES, data.grade, data.given, data.group, data.weight)},
        "against_rest": against_rest(),
    },
    "consistency": {
        "income,years": {"5": consistency(["income", "years"], 5), "12": consistency(["income", "years"], 12)},
        "income,years,trade": {"5": consistency(["income", "years", "trade"], 5)},
    },
}
values["ranking"] = ranking(5)
with open("values.json", "w") as out:
    json.dump(values, out, indent=1, sort_keys=True)
    out.write("\n")
