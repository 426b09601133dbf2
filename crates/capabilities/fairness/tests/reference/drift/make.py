"""Reference values of crates/capabilities/fairness/src/drift.

Run: pip install scipy==1.17.1 numpy==2.4.6 && python make.py > values.json
"""

import json

import numpy
import scipy
from scipy import stats
from scipy.spatial.distance import jensenshannon

chance = numpy.random.default_rng(20_250_102)


def numbers():
    made = []
    for m, n, shift, places in (
        (7, 5, 0.0, 6),
        (12, 12, 1.5, 6),
        (40, 25, 0.4, 1),
        (150, 200, 0.2, 6),
        (300, 300, 0.0, 0),
        (1_000, 900, 0.1, 4),
        (3_000, 2_500, 0.1, 6),
        (4_000, 2_000, 1.0, 2),
    ):
        left = numpy.round(chance.normal(3, 2, m), places)
        right = numpy.round(chance.normal(3 + shift, 2.2, n), places)
        found = stats.ks_2samp(left, right, method="exact" if m * n <= 5_000_000 else "asymp")
        p = found.pvalue
        if m * n > 5_000_000:
            # SciPy takes the one-sample distribution of a rounded size; this is the limit of both.
            p = stats.kstwobign.sf(numpy.sqrt(m * n / (m + n)) * found.statistic)
        made.append(
            {
                "reference": left.tolist(),
                "current": right.tolist(),
                "ks": float(found.statistic),
                "ks_p": float(p),
                "wasserstein": float(stats.wasserstein_distance(left, right) / numpy.std(left)),
            }
        )
    return made


def categories():
    made = []
    for k, m, n in ((2, 30, 20), (2, 5_000, 4_000), (3, 100, 80), (5, 400, 900), (9, 2_000, 2_000), (40, 9_000, 700)):
        shares = chance.dirichlet(3 * numpy.ones(k))
        moved = chance.dirichlet(40 * shares + 0.5)
        left, right = chance.multinomial(m, shares), chance.multinomial(n, moved)
        table = numpy.array([left, right])
        table = table[:, table.sum(axis=0) > 0]
        test = stats.chi2_contingency(table, correction=False)
        p, q = left / m, right / n
        a, b = numpy.maximum(p, 0.0001), numpy.maximum(q, 0.0001)
        made.append(
            {
                "reference": left.tolist(),
                "current": right.tolist(),
                "chi_square": float(test.statistic),
                "df": int(test.dof),
                "chi_square_p": float(test.pvalue),
                "jensen_shannon": float(jensenshannon(p, q, base=2)),
                "l_infinity": float(numpy.abs(p - q).max()),
                "psi": float(((b - a) * numpy.log(b / a)).sum()),
            }
        )
    return made


versions = {"scipy": scipy.__version__, "numpy": numpy.__version__}
values = {"made_by": "make.py", "versions": versions, "numbers": numbers(), "categories": categories()}
print(json.dumps(values))
