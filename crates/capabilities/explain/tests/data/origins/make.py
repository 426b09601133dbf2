"""Small models of every kind that XGBoost 3.2.0 and LightGBM 4.7.0 make and Ephor reads, with what they answer themselves.

    python make.py

`margin` and `prediction` are the library's own; `enumerated` are Shapley values against the background rows, by all coalitions
of the library's own margins (rows x outputs x features, of the first rows).
"""

import itertools
import json
import math
import pathlib

import lightgbm
import numpy
import xgboost

HERE = pathlib.Path(__file__).parent
FEATURES = 5
NAMES = ["age", "income", "debt", "years", "kind"]
EXPLAINED, BACKGROUND = 3, 4

random = numpy.random.default_rng(20261122)


def table(rows, gaps=0.0, zeros=0.0):
    """Four numbers and a category of 0 to 9."""
    given = numpy.round(random.normal(size=(rows, FEATURES)) * 2, 2)
    given[:, 4] = random.integers(0, 10, size=rows)
    if zeros:
        given[:, :4][random.random((rows, 4)) < zeros] = 0.0
    if gaps:
        given[:, :4][random.random((rows, 4)) < gaps] = numpy.nan
    return given


def signal(given):
    filled = numpy.nan_to_num(given, nan=0.7)
    return filled[:, 0] + 0.5 * filled[:, 1] * (filled[:, 2] > 0) + (filled[:, 4] % 3) - 1


def enumerated(margin, rows, background):
    """Shapley values by the definition, of the margins that the library finds for mixed rows."""
    sets = [set_ for size in range(FEATURES + 1) for set_ in itertools.combinations(range(FEATURES), size)]
    found = []
    for row in rows[:EXPLAINED]:
        mixed = []
        for known in sets:
            for other in background:
                one = other.copy()
                one[list(known)] = row[list(known)]
                mixed.append(one)
        worth = numpy.asarray(margin(numpy.array(mixed)), dtype=float)
        worth = worth.reshape(len(sets), len(background), -1).mean(axis=1)
        of = {frozenset(known): worth[index] for index, known in enumerate(sets)}
        values = numpy.zeros((worth.shape[1], FEATURES))
        for feature in range(FEATURES):
            for known in sets:
                if feature in known:
                    continue
                weight = math.factorial(len(known)) * math.factorial(FEATURES - len(known) - 1) / math.factorial(FEATURES)
                known = frozenset(known)
                values[:, feature] += weight * (of[known | {feature}] - of[known])
        found.append(values.tolist())
    return found


def listed(array):
    array = numpy.asarray(array, dtype=float)
    array = array.reshape(len(array), -1)
    return [[None if math.isnan(value) else value for value in row] for row in array.tolist()]


expected = {"versions": {"xgboost": xgboost.__version__, "lightgbm": lightgbm.__version__}, "models": {}}


def keep(name, files, margin, prediction, rows):
    background = rows[-BACKGROUND:]
    expected["models"][name] = {
        "files": files,
        "rows": listed(rows),
        "margin": listed(margin(rows)),
        "prediction": None if prediction is None else listed(prediction(rows)),
        "enumerated": enumerated(margin, rows, background),
    }


def xgb(name, objective, label=None, rounds=4, files=("json",), gaps=0.1, group=None, bounds=None, asked=True, categories=False, **more):
    given = table(120, gaps)
    kinds = ["q"] * 4 + ["c" if categories else "q"]
    truth = label(signal(given)) if label else None
    data = xgboost.DMatrix(given, label=truth, feature_names=NAMES, feature_types=kinds, enable_categorical=True)
    if group:
        data.set_group(group)
    if bounds is not None:
        lower, upper = bounds(signal(given))
        data.set_float_info("label_lower_bound", lower)
        data.set_float_info("label_upper_bound", upper)
    asking = {"objective": objective, "max_depth": 3, "eta": 0.5, "seed": 7, "nthread": 1, **more}
    if objective.startswith("multi:"):
        asking["num_class"] = 3
    model = xgboost.train(asking, data, rounds)
    names = []
    for kind in files:
        names.append(f"{name}.{kind}")
        model.save_model(HERE / names[-1])

    def matrix(rows):
        return xgboost.DMatrix(rows, feature_names=NAMES, feature_types=kinds, enable_categorical=True)

    keep(
        name,
        names,
        lambda rows: model.predict(matrix(rows), output_margin=True),
        (lambda rows: model.predict(matrix(rows))) if asked else None,
        table(16, gaps),
    )


def yes(score):
    return (score > 0).astype(int)


def three(score):
    return numpy.digitize(score, [-0.5, 1.0])


def positive(score):
    return numpy.exp(score / 3)


def count(score):
    return numpy.round(positive(score) * 3)


def number(score):
    return score + 10


def both(score):
    return numpy.stack([score, 3 - score**2 / 4], axis=1)


DART = {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}
xgb("xgb_dart", "binary:logistic", yes, rounds=6, files=("json", "ubj"), **DART)
xgb("xgb_dart_forest", "reg:squarederror", number, rounds=6, normalize_type="forest", **DART)
xgb("xgb_dart_three", "multi:softprob", three, rounds=3, **DART)
xgb("xgb_three", "multi:softprob", three, files=("json", "ubj"))
xgb("xgb_three_class", "multi:softmax", three, asked=False)
xgb("xgb_three_based", "multi:softprob", three, base_score=0.3)
xgb("xgb_parallel", "binary:logistic", yes, rounds=2, num_parallel_tree=3, subsample=0.7)
xgb("xgb_parallel_three", "multi:softprob", three, rounds=2, num_parallel_tree=2, subsample=0.7)
xgb("xgb_categories", "multi:softprob", three, categories=True, max_cat_to_onehot=4, files=("json", "ubj"))
xgb("xgb_two_targets", "reg:squarederror", both)
xgb("xgb_number", "reg:squarederror", number)
xgb("xgb_number_based", "reg:squarederror", number, base_score=2.5)
xgb("xgb_shares", "reg:logistic", lambda score: 1 / (1 + numpy.exp(-score)))
xgb("xgb_logitraw", "binary:logitraw", yes, base_score=0.2)
xgb("xgb_hinge", "binary:hinge", yes)
xgb("xgb_poisson", "count:poisson", count)
xgb("xgb_gamma", "reg:gamma", positive)
xgb("xgb_tweedie", "reg:tweedie", count, tweedie_variance_power=1.4)
xgb("xgb_cox", "survival:cox", lambda score: positive(score) * numpy.where(score > 2, -1, 1))
xgb("xgb_aft", "survival:aft", bounds=lambda score: (positive(score), positive(score) * numpy.where(score > 2, numpy.inf, 1)))
xgb("xgb_squaredlog", "reg:squaredlogerror", positive)
xgb("xgb_pseudohuber", "reg:pseudohubererror", number)
xgb("xgb_absolute", "reg:absoluteerror", number)
xgb("xgb_quantiles", "reg:quantileerror", number, quantile_alpha=[0.2, 0.8])
for rank in ["pairwise", "ndcg", "map"]:
    xgb(f"xgb_rank_{rank}", f"rank:{rank}", yes, group=[10] * 12)


def lgb(name, objective, label, rounds=4, gaps=0.1, zeros=0.0, group=None, categorical=False, asked=True, **more):
    given = table(200, gaps, zeros)
    asking = {
        "objective": objective, "num_leaves": 6, "min_data_in_leaf": 5, "learning_rate": 0.5, "seed": 7, "verbose": -1,
        "num_threads": 1, "deterministic": True, **more,
    }
    data = lightgbm.Dataset(
        given, label(signal(given)), feature_name=NAMES, group=group, categorical_feature=["kind"] if categorical else [],
        params={"verbose": -1, **{key: more[key] for key in ("zero_as_missing", "use_missing") if key in more}},
    )
    model = lightgbm.train(asking, data, rounds)
    model.save_model(HERE / f"{name}.txt")
    # Of a random forest `raw_score` is the sum of the trees, and what is predicted comes of their mean.
    share = 1 / rounds if more.get("boosting") == "rf" else 1
    keep(
        name,
        [f"{name}.txt"],
        lambda rows: share * model.predict(rows, raw_score=True),
        (lambda rows: model.predict(rows)) if asked else None,
        table(16, max(gaps, 0.1), zeros),
    )


lgb("lgb_three", "multiclass", three, num_class=3)
lgb("lgb_three_categories", "multiclass", three, num_class=3, categorical=True, max_cat_to_onehot=1, min_data_per_group=5, cat_smooth=1)
lgb("lgb_three_ova", "multiclassova", three, num_class=3, sigmoid=1.5)
lgb("lgb_binary", "binary", yes, sigmoid=2.0, is_unbalance=True)
lgb("lgb_rf_number", "regression", number, boosting="rf", bagging_freq=1, bagging_fraction=0.6, feature_fraction=0.8)
lgb("lgb_rf_binary", "binary", yes, boosting="rf", bagging_freq=1, bagging_fraction=0.6)
lgb("lgb_rf_three", "multiclass", three, num_class=3, boosting="rf", bagging_freq=1, bagging_fraction=0.6)
lgb("lgb_dart", "binary", yes, rounds=6, boosting="dart", drop_rate=0.5, skip_drop=0.0)
lgb("lgb_zero_missing", "binary", yes, zeros=0.3, zero_as_missing=True)
lgb("lgb_zero_missing_full", "binary", yes, gaps=0.0, zeros=0.3, zero_as_missing=True)
lgb("lgb_no_missing", "binary", yes, use_missing=False)
lgb("lgb_whole", "binary", yes, gaps=0.0)
lgb("lgb_poisson", "poisson", count)
lgb("lgb_gamma", "gamma", positive)
lgb("lgb_tweedie", "tweedie", count)
lgb("lgb_absolute", "regression_l1", number)
lgb("lgb_huber", "huber", number)
lgb("lgb_fair", "fair", number)
lgb("lgb_quantile", "quantile", number, alpha=0.8)
lgb("lgb_mape", "mape", number)
lgb("lgb_shares", "cross_entropy", lambda score: 1 / (1 + numpy.exp(-score)))
lgb("lgb_lambdarank", "lambdarank", yes, group=[10] * 20)
lgb("lgb_xendcg", "rank_xendcg", yes, group=[10] * 20)

text = json.dumps(expected, allow_nan=False)
(HERE / "expected.json").write_text(text.replace('}, "', '},\n"') + "\n")
print(len(expected["models"]), "models")
