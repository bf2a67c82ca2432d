#!/usr/bin/env python3
"""Makes tests/kernel/reference_points.csv: Black-76 by mpmath with 70 digits, to prove the tests' own wide arithmetic.

    python3 crates/fixed/scripts/reference_points.py            write the file
    python3 crates/fixed/scripts/reference_points.py --check    fail unless the file is exactly what this script makes

Columns: forward, strike (10^-9 USD), volatility (10^-9), seconds to expiry, then in parts of the strike call, delta, gamma, vega, theta
(50 digits after the point). Needs mpmath (Debian: python3-mpmath, PyPI: mpmath).
"""
import random
import sys
from pathlib import Path

from mpmath import erfc, exp, floor, ln, mp, mpf, npdf, sqrt

mp.dps = 70
TARGET = Path(__file__).resolve().parent.parent / "tests" / "kernel" / "reference_points.csv"
YEAR = 31_536_000


def fixed(x):
    """x with 50 digits after the point, rounded down."""
    units = int(floor(abs(x) * mpf(10) ** 50))
    sign = "-" if x < 0 else ""
    return f"{sign}{units // 10**50}.{units % 10**50:050d}"


def row(forward, strike, sigma, seconds):
    ratio, years = mpf(forward) / strike, mpf(seconds) / YEAR
    v = mpf(sigma) / 10**9 * sqrt(years)
    d1 = ln(ratio) / v + v / 2
    d2 = d1 - v
    cdf = lambda x: erfc(-x / sqrt(mpf(2))) / 2
    values = [
        ratio * cdf(d1) - cdf(d2),
        cdf(d1),
        npdf(d1) / (ratio * v),
        npdf(d2) * sqrt(years),
        -npdf(d2) * v / (2 * years),
    ]
    return ",".join([str(forward), str(strike), str(sigma), str(seconds)] + [fixed(x) for x in values])


def points():
    rng = random.Random(1976)
    between = lambda low, high: exp(mpf(rng.uniform(float(ln(low)), float(ln(high)))))
    for i in range(200):
        seconds = int(between(3_600, 2 * YEAR))
        sigma = int(between(mpf("0.05"), 10) * 10**9)
        v = sigma * sqrt(mpf(seconds) / YEAR) / 10**9
        if i % 4 == 0:
            moneyness = ln(between(mpf("0.004"), 100))
        else:  # within nine deviations, where there is something to compute
            moneyness = max(ln(mpf("0.004")), min(ln(mpf(100)), v * rng.uniform(-9, 9)))
        strike = int(between(10**6, 10**15))
        yield max(1, int(strike * exp(moneyness))), strike, sigma, seconds


def main():
    text = "\n".join(row(*point) for point in points()) + "\n"
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET.name} is not what this script makes: run it without arguments and commit the result")
        print(f"{TARGET.name} is what this script makes")
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
