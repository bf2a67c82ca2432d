#!/usr/bin/env python3
"""Makes src/kernel/tables.rs, the tables and polynomials of the pricing kernel, and proves their error.

    python3 crates/fixed/scripts/kernel_tables.py            write the file
    python3 crates/fixed/scripts/kernel_tables.py --check    fail unless the file is exactly what this script makes
    python3 crates/fixed/scripts/kernel_tables.py --report   print the error of every table (docs/fixed-point.md quotes it)

Needs mpmath (Debian: python3-mpmath, PyPI: mpmath). All arithmetic has 60 digits. Every mode measures the stored, rounded
coefficients against the exact function, interval by interval, and fails when one exceeds its bound.
"""
import sys
from pathlib import Path

from mpmath import chebyt, cos, erfc, exp, floor, ln, mp, mpf, nint, npdf, pi, polyval, sqrt, taylor

mp.dps = 60
TARGET = Path(__file__).resolve().parent.parent / "src" / "kernel" / "tables.rs"

TAIL_INTERVALS = 144
TAIL_HALF_WIDTH = mpf(1) / 32
# Fraction bits of the coefficients of t^0 .. t^6; kernel/normal.rs multiplies accordingly.
TAIL_BITS = [48, 48, 46, 44, 29, 28, 28]
# No accumulator of Horner's scheme, coefficient k and all above it, may exceed these.
TAIL_BOUNDS = [mpf(1) / 2, mpf(1) / 2, 2, 8, 16, 32, 32]
LN_ENTRIES = 64
EXP_ENTRIES = 64
# Largest error of the stored polynomials, in units of 2^-48 of the result: the tail's is absolute, and so are the others'.
TAIL_ERROR = mpf("0.75")
TAIL_RELATIVE_ERROR = mpf("4e-10")
LN_ERROR = mpf("0.05")
EXP_ERROR = mpf("0.05")


def scaled(x, bits):
    """x in units of 2^-bits, to the nearest."""
    return int(nint(mpf(x) * mpf(2) ** bits))


def chebyshev(f, degree, half_width):
    """Coefficients (lowest first) of the polynomial through f at the Chebyshev points of ±half_width."""
    n = degree + 1
    nodes = [cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    values = [f(half_width * node) for node in nodes]
    result = [mpf(0)] * n
    for j in range(n):
        weight = sum(v * cos(j * pi * (2 * k + 1) / (2 * n)) for k, v in enumerate(values)) * (1 if j == 0 else 2) / n
        for power, c in enumerate(taylor(lambda x, j=j: chebyt(j, x), 0, j)):
            result[power] += weight * c / half_width**power
    return result


def worst(f, coefficients, half_width, points):
    """The largest |f − polynomial| on `points` + 1 even points of ±half_width, ends included."""
    high_first = coefficients[::-1]
    steps = [half_width * (mpf(2 * k) / points - 1) for k in range(points + 1)]
    return max(abs(f(t) - polyval(high_first, t)) for t in steps)


def tail(x):
    """Φ(−x)."""
    return erfc(x / sqrt(mpf(2))) / 2


def accumulators(coefficients, half_width):
    """A bound of each accumulator of Horner's scheme."""
    return [
        sum(abs(c) * half_width**j for j, c in enumerate(coefficients[k:])) for k in range(len(coefficients))
    ]


def tail_table(report):
    """Rows [c0 .. c6, s]: Φ(−x) = 2^-s · Σ c_k t^k for x = (i + ½)/16 + t."""
    rows, errors, relative = [], [], []
    for i in range(TAIL_INTERVALS):
        centre = (2 * i + 1) * TAIL_HALF_WIDTH
        f = lambda t: tail(centre + t)
        exact = chebyshev(f, 6, TAIL_HALF_WIDTH)
        bounds = accumulators(exact, TAIL_HALF_WIDTH)
        shift = 0
        while all(b * 2 ** (shift + 1) < limit * mpf("0.999") for b, limit in zip(bounds, TAIL_BOUNDS)):
            shift += 1
        # The last multiplication rounds down: half a unit more centres its error.
        half = mpf(2) ** -49
        units = [
            scaled(c * 2**shift + (half if k == 0 else 0), bits) for k, (c, bits) in enumerate(zip(exact, TAIL_BITS))
        ]
        stored = [mpf(u) / mpf(2) ** (bits + shift) for u, bits in zip(units, TAIL_BITS)]
        stored[0] -= half / 2**shift
        error = worst(f, stored, TAIL_HALF_WIDTH, 64)
        errors.append(error * 2**48)
        relative.append(error / tail(centre))
        rows.append(units + [shift])
        # The last accumulator is not multiplied again: only the others must keep their bounds.
        assert all(b * 2**shift < limit for b, limit in list(zip(bounds, TAIL_BOUNDS))[1:]), (i, bounds)
    shifts = [row[-1] for row in rows]
    assert shifts == sorted(shifts), "black76.rs relies on the farther tail having the larger scale"
    assert max(errors) <= TAIL_ERROR, float(max(errors))
    assert max(relative) <= TAIL_RELATIVE_ERROR, float(max(relative))
    i = errors.index(max(errors))
    report.append(f"tail of Φ, {TAIL_INTERVALS} intervals, degree 6: at most {float(max(errors)):.3f} · 2^-48 (interval {i}),")
    end = 2 * TAIL_INTERVALS * TAIL_HALF_WIDTH
    report.append(
        f"  relative to Φ(−x) at most {float(max(relative)):.1e}; beyond {int(end)}: {float(tail(end) * 2**48):.1e} · 2^-48"
    )
    return rows


def ln_table(report):
    """Rows [n, L]: n = 2^10 / centre of the j-th 64th of [1, 2), L = −ln(n / 2^10) in 2^-54; and the polynomial of 64·ln(1 + w/64)."""
    rows, reach = [], mpf(0)
    for j in range(LN_ENTRIES):
        low, high = 1 + mpf(j) / LN_ENTRIES, 1 + mpf(j + 1) / LN_ENTRIES
        n = int(nint(2**10 / ((low + high) / 2)))
        reach = max(reach, abs(low * n / 2**10 - 1), abs(high * n / 2**10 - 1))
        rows.append([n, scaled(-ln(mpf(n) / 2**10), 54)])
    half_width = reach * 64
    f = lambda w: 64 * ln(1 + w / 64)
    # Without a constant: ln 1 = 0 exactly, so the polynomial is w · q(w).
    g = lambda w: f(w) / w if abs(w) > mpf(2) ** -60 else mpf(1)
    units = [scaled(c, 48) for c in chebyshev(g, 5, half_width)]
    stored = [mpf(0)] + [mpf(u) / 2**48 for u in units]
    error = worst(f, stored, half_width, 4096) / 64 * 2**48
    assert error <= LN_ERROR, float(error)
    assert half_width < mpf("0.6"), half_width
    report.append(f"ln, 64 entries, degree 6: at most {float(error):.4f} · 2^-48 for |w| ≤ {float(half_width):.4f}")
    return rows, units


def exp_table(report):
    """2^(j/64) in 2^-54 and the polynomial of 64·(e^(w/64) − 1)."""
    rows = [scaled(mpf(2) ** (mpf(j) / EXP_ENTRIES), 54) for j in range(EXP_ENTRIES)]
    half_width = ln(mpf(2)) / 2 + mpf(2) ** -30
    f = lambda w: 64 * (exp(w / 64) - 1)
    g = lambda w: f(w) / w if abs(w) > mpf(2) ** -60 else mpf(1)
    units = [scaled(c, 48) for c in chebyshev(g, 4, half_width)]
    stored = [mpf(0)] + [mpf(u) / 2**48 for u in units]
    error = worst(f, stored, half_width, 4096) / 64 * 2**48
    assert error <= EXP_ERROR, float(error)
    report.append(f"exp, 64 entries, degree 5: relative at most {float(error):.4f} · 2^-48 for |w| ≤ {float(half_width):.4f}")
    return rows, units


def array(name, doc, rows, rust_type):
    lines = [f"/// {line}" for line in doc] + ["#[rustfmt::skip]", f"pub(super) static {name}: {rust_type} = ["]
    for row in rows:
        cells = [f"{c:_}" if abs(c) >= 1000 else str(c) for c in (row if isinstance(row, list) else [row])]
        lines.append(f"    [{', '.join(cells)}]," if isinstance(row, list) else f"    {cells[0]},")
    return lines + ["];", ""]


def constant(name, doc, value):
    return [f"/// {doc}", f"pub(super) const {name}: i64 = {value:_};", ""]


def rust():
    report = []
    tail_rows = tail_table(report)
    ln_rows, ln_units = ln_table(report)
    exp_rows, exp_units = exp_table(report)
    out = [
        "//! Tables and polynomials of the kernel, made by scripts/kernel_tables.py: change that, not this.",
        "",
    ]
    out += array(
        "TAIL",
        [
            f"Φ(−x) = 2^-s · Σ c_k t^k for x = (i + ½)/16 + t, 0 ≤ x < {int(2 * TAIL_INTERVALS * TAIL_HALF_WIDTH)}: rows of c_0 to c_6 in units of",
            f"{', '.join('2^-%d' % b for b in TAIL_BITS)}, and s.",
        ],
        tail_rows,
        f"[[i64; 8]; {TAIL_INTERVALS}]",
    )
    out += array(
        "LN",
        ["n = 2^10 / (1 + (j + ½)/64) to the nearest, and −ln(n / 2^10) in units of 2^-54."],
        ln_rows,
        f"[[i64; 2]; {LN_ENTRIES}]",
    )
    out += array("LN_POLYNOMIAL", ["64·ln(1 + w/64) = w · Σ c_k w^k, in units of 2^-48."], ln_units, "[i64; 6]")
    out += array("EXP", ["2^(j/64) in units of 2^-54."], exp_rows, f"[i64; {EXP_ENTRIES}]")
    out += array("EXP_POLYNOMIAL", ["64·(e^(w/64) − 1) = w · Σ c_k w^k, in units of 2^-48."], exp_units, "[i64; 5]")
    out += constant("LN_2", "ln 2 in units of 2^-54.", scaled(ln(mpf(2)), 54))
    out += constant("LN_BILLION", "ln 10^9 in units of 2^-54.", scaled(9 * ln(mpf(10)), 54))
    step = int(floor(ln(mpf(2)) / 64 * mpf(2) ** 81))
    out += constant("EXP_STEP", "ln 2 / 64 in units of 2^-57, rounded down.", step >> 24)
    out += constant("EXP_STEP_REST", "What that leaves, in units of 2^-81.", step & 0xFFFFFF)
    out += constant("EXP_STEPS", "Its inverse, 64 / ln 2, in units of 2^-48.", scaled(64 / ln(mpf(2)), 48))
    out += constant("LN_ROOT_TWO_PI", "ln √(2π) in units of 2^-48.", scaled(ln(sqrt(2 * pi)), 48))
    return "\n".join(out).rstrip() + "\n", report


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "--write"
    text, report = rust()
    if mode == "--check":
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET.name} is not what this script makes: run it without arguments and commit the result")
        print(f"{TARGET.name} is what this script makes")
    elif mode == "--report":
        print("\n".join(report))
    elif mode == "--write":
        TARGET.write_text(text)
        print("\n".join(report))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
