"""Reference values of crates/capabilities/fairness/src/significance and src/data.

Run: pip install scipy==1.17.1 statsmodels==0.14.6 numpy==2.4.6 && python make.py > values.json
"""

import json

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

chance = numpy.random.default_rng(20_250_101)


def selection(of, rate):
    return [int(chance.binomial(of, rate)), int(of)]


def pairs():
    made = []
    for most in (6, 30, 400, 20_000, 3_000_000):
        for _ in range(12):
            of = chance.integers(1, most, size=2)
            rate = chance.uniform(0.02, 0.98)
            near = min(max(rate + chance.normal() * (0.25 / most**0.4), 0), 1)
            group, other = selection(of[0], rate), selection(of[1], near)
            table = [[group[0], group[1] - group[0]], [other[0], other[1] - other[0]]]
            selected, rows = group[0] + other[0], group[1] + other[1]
            exact = stats.fisher_exact(table).pvalue
            entry = {"group": group, "other": other, "fisher": exact}
            entry["mid_p"] = exact - stats.hypergeom.pmf(group[0], rows, group[1], selected) / 2
            if 0 < selected < rows:
                for name, correction in (("chi_square", False), ("yates", True)):
                    found = stats.chi2_contingency(table, correction=correction)
                    entry[name] = [found.statistic, found.pvalue]
                pooled = selected / rows
                apart = group[0] / group[1] - other[0] / other[1]
                spread = pooled * (1 - pooled) * (1 / group[1] + 1 / other[1])
                entry["standard_deviations"] = apart / spread**0.5
            made.append(entry)
    return made


def groups():
    made = []
    for count in (2, 3, 5, 12):
        for _ in range(4):
            selections = [selection(chance.integers(5, 900), chance.uniform(0.2, 0.5)) for _ in range(count)]
            found = stats.chi2_contingency([[s, n - s] for s, n in selections], correction=False)
            made.append({"groups": selections, "statistic": found.statistic, "df": found.dof, "p": found.pvalue})
    return made


def many():
    made = []
    for count in (1, 2, 5, 17):
        p = chance.uniform(size=count) ** 3
        holm = multipletests(p, method="holm")[1]
        made.append({"p": p.tolist(), "holm": holm.tolist(), "bh": stats.false_discovery_control(p).tolist()})
    return made


def stratified():
    made = []
    for count in (1, 2, 6, 20):
        for _ in range(3):
            strata, tables = [], []
            for _ in range(count):
                rate = chance.uniform(0.1, 0.8)
                group = selection(chance.integers(3, 300), rate)
                other = selection(chance.integers(3, 300), min(rate + 0.1, 1))
                strata.append([group, other])
                tables.append([[group[0], group[1] - group[0]], [other[0], other[1] - other[0]]])
            table = StratifiedTable([numpy.array(t, dtype=float) for t in tables])
            plain, corrected = table.test_null_odds(), table.test_null_odds(correction=True)
            made.append(
                {
                    "strata": strata,
                    "test": [plain.statistic, plain.pvalue],
                    "corrected": [corrected.statistic, corrected.pvalue],
                    "odds_ratio": table.oddsratio_pooled,
                    "interval": list(table.oddsratio_pooled_confint(0.05)),
                }
            )
    return made


def power():
    made = []
    for of, other in ((40, [30, 60]), (100, [40, 100]), (300, [200, 500]), (5_000, [900, 20_000])):
        for alpha, chance_of in ((0.05, 0.8), (0.01, 0.9)):
            base = other[0] / other[1]
            a, b = stats.norm.ppf(1 - alpha / 2), stats.norm.ppf(chance_of)

            def margin(rate):
                pooled = (of * rate + other[0]) / (of + other[1])
                equal = (pooled * (1 - pooled) * (1 / of + 1 / other[1])) ** 0.5
                apart = (rate * (1 - rate) / of + base * (1 - base) / other[1]) ** 0.5
                return base - rate - a * equal - b * apart

            rate = optimize.brentq(margin, 0, base, xtol=1e-15)
            made.append({"of": of, "other": other, "alpha": alpha, "power": chance_of, "rate": rate})
    return made


def associations():
    made = []
    for rows, columns, n in ((2, 2, 40), (3, 2, 500), (5, 4, 90), (12, 7, 20_000)):
        for _ in range(3):
            p = chance.dirichlet(numpy.full(rows * columns, 2.0))
            table = chance.multinomial(n, p).reshape(rows, columns)
            filled = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
            found = stats.chi2_contingency(filled, correction=False)
            r, c = filled.shape
            phi2 = found.statistic / n
            shrunk_r, shrunk_c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
            corrected = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
            joint = filled / n
            information = stats.entropy(joint.ravel(), numpy.outer(joint.sum(1), joint.sum(0)).ravel())
            made.append(
                {
                    "table": table.tolist(),
                    "cramers_v": stats.contingency.association(filled, method="cramer"),
                    "cramers_v_corrected": (corrected / (min(shrunk_r, shrunk_c) - 1)) ** 0.5,
                    "mutual_information": information,
                    "uncertainty": information / stats.entropy(joint.sum(0)),
                    "p": found.pvalue,
                }
            )
    return made


def correlation_ratios():
    made = []
    for count in (2, 3, 8):
        groups = [chance.normal(chance.normal(), 1.5, size=chance.integers(2, 200)) for _ in range(count)]
        every = numpy.concatenate(groups)
        within = sum(((g - g.mean()) ** 2).sum() for g in groups)
        eta = (1 - within / ((every - every.mean()) ** 2).sum()) ** 0.5
        made.append({"groups": [[len(g), g.sum(), (g * g).sum()] for g in groups], "eta": eta})
    return made


print(
    json.dumps(
        {
            "made_by": "make.py",
            "versions": {
                "scipy": scipy.__version__,
                "statsmodels": statsmodels.__version__,
                "numpy": numpy.__version__,
            },
            "pairs": pairs(),
            "groups": groups(),
            "many": many(),
            "stratified": stratified(),
            "power": power(),
            "associations": associations(),
            "correlation_ratios": correlation_ratios(),
        },
        indent=1,
    )
)
