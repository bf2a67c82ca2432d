#!/usr/bin/env python3
"""Draws the error plots of docs/fixed-point.md from what the kernel computes: docs/kernel-*.svg.

    python3 crates/fixed/scripts/error_plots.py

Runs the kernel against the tests' 50-digit reference (cargo test -p ballast-fixed --test kernel plots -- --ignored) and
needs nothing but Python's standard library.
"""
import math
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WIDTH, LEFT, TOP, RIGHT, BOTTOM = 860, 78, 40, 20, 52
UNIT = 2.0**-48
INK, GRID, MARKS = "#24292f", "#d8dee4", ["#0969da", "#bc4c00", "#1a7f37", "#8250df", "#9a6700"]


def measured():
    """The kernel's output: rows of `price` and of `function`."""
    command = "cargo test --quiet --package ballast-fixed --test kernel plots -- --ignored --nocapture".split()
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    prices, functions = [], {}
    for line in text.splitlines():
        cells = line.split()
        if cells[:1] == ["price"]:
            prices.append([float(c) for c in cells[1:]])
        elif cells[:1] == ["function"]:
            functions.setdefault(cells[1], []).append((float(cells[2]), float(cells[3])))
    return prices, functions


class Axis:
    """Maps values to pixels, evenly or by their logarithm."""

    def __init__(self, low, high, start, end, log=False):
        self.scale = math.log10 if log else (lambda x: x)
        self.low, self.high, self.start, self.end, self.log = self.scale(low), self.scale(high), start, end, log

    def __call__(self, x):
        share = (self.scale(x) - self.low) / (self.high - self.low)
        return self.start + min(1, max(0, share)) * (self.end - self.start)


class Plot:
    """A panel and its axes."""

    def __init__(self, title, x_label, y_label, x, y, height=360):
        self.parts, self.height = [], height
        self.x = Axis(*x[:2], LEFT, WIDTH - RIGHT, *x[2:])
        self.y = Axis(*y[:2], height - BOTTOM, TOP, *y[2:])
        self.text(WIDTH / 2, 22, title, "middle", 15)
        self.text((LEFT + WIDTH - RIGHT) / 2, height - 12, x_label, "middle")
        middle = (TOP + height - BOTTOM) / 2
        self.parts.append(
            f'<text x="16" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 16 {middle:.0f})">{y_label}</text>'
        )

    def text(self, x, y, text, anchor="start", size=12, colour=INK):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{text}</text>')

    def ticks(self, xs, ys):
        bottom, right = self.height - BOTTOM, WIDTH - RIGHT
        for value, label in xs:
            p = self.x(value)
            self.parts.append(f'<path d="M{p:.1f} {TOP}V{bottom}" stroke="{GRID}"/>')
            self.text(p, bottom + 18, label, "middle")
        for value, label in ys:
            p = self.y(value)
            self.parts.append(f'<path d="M{LEFT} {p:.1f}H{right}" stroke="{GRID}"/>')
            self.text(LEFT - 8, p + 4, label, "end")

    def dots(self, points, colour):
        marks = "".join(f"M{self.x(a):.1f} {self.y(b):.1f}h0" for a, b in points)
        self.parts.append(f'<path d="{marks}" stroke="{colour}" stroke-width="2.4" stroke-linecap="round" opacity="0.45"/>')

    def line(self, points, colour):
        marks = "L".join(f"{self.x(a):.1f} {self.y(b):.1f}" for a, b in points)
        self.parts.append(f'<path d="M{marks}" stroke="{colour}" stroke-width="1.4" fill="none"/>')

    def level(self, value, label, colour="#cf222e"):
        p = self.y(value)
        self.parts.append(f'<path d="M{LEFT} {p:.1f}H{WIDTH - RIGHT}" stroke="{colour}" stroke-dasharray="6 4"/>')
        self.text(WIDTH - RIGHT - 4, p - 5, label, "end", 12, colour)


def save(name, *plots):
    """One panel under the other."""
    height = sum(plot.height for plot in plots)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    top = 0
    for plot in plots:
        lines += [f'<g transform="translate(0 {top})">', *plot.parts, "</g>"]
        top += plot.height
    (ROOT / "docs" / name).write_text("\n".join([*lines, "</svg>", ""]))
    print(f"docs/{name}")


def power(n):
    return f'10<tspan dy="-5" font-size="9">{str(n).replace("-", "−")}</tspan>'


def powers(low, high, step=1):
    return [(10.0**n, power(n)) for n in range(low, high + 1, step)]


def largest(points, axis, bins):
    """The largest value of each bin along the axis, at the bin's place."""
    best = {}
    for x, y in points:
        place = (axis.scale(x) - axis.low) / (axis.high - axis.low)
        index = min(bins - 1, max(0, int(place * bins)))
        if index not in best or y > best[index][1]:
            best[index] = (x, y)
    return [best[index] for index in sorted(best)]


def price_errors(prices):
    plot = Plot(
        "Error of a call, of max(F, K), against 50-digit arithmetic",
        "F/K, shocks included",
        "error / max(F, K)",
        (0.004, 100, True),
        (1e-18, 2e-12, True),
    )
    plot.ticks([(0.004, "0.004"), (0.01, "0.01"), (0.1, "0.1"), (1, "1"), (10, "10"), (100, "100")], powers(-18, -12))
    # Where an option is worth nothing or its intrinsic value there is hardly an error to draw.
    plot.dots([(row[0], row[3]) for row in prices[:10000] if row[3] > 1e-18], MARKS[0])
    plot.level(1e-12, "required")
    plot.level(24 * UNIT, "ERROR, what the engine takes off", MARKS[2])
    save("kernel-price-error.svg", plot)


def error_map(prices):
    columns, rows = 60, 30
    plot = Plot(
        "Largest error of a call by total volatility and distance, units of 2⁻⁴⁸ · max(F, K)",
        "σ√T",
        "ln(F/K) / σ√T",
        (5e-4, 15, True),
        (-9, 9),
    )
    cells = {}
    for ratio, v, distance, error, *_ in prices:
        if abs(distance) < 9 and 5e-4 < v < 15:
            column = int((math.log10(v) - plot.x.low) / (plot.x.high - plot.x.low) * columns)
            row = int((distance + 9) / 18 * rows)
            cells[column, row] = max(cells.get((column, row), 0), error / UNIT)
    width, height = (WIDTH - RIGHT - LEFT) / columns, (plot.height - BOTTOM - TOP) / rows
    for (column, row), error in sorted(cells.items()):
        x, y = LEFT + column * width, plot.height - BOTTOM - (row + 1) * height
        plot.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width + 0.3:.1f}" height="{height + 0.3:.1f}" fill="{shade(error / 4)}"/>'
        )
    plot.ticks([(0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1, "1"), (10, "10")], [(y, str(y)) for y in (-8, -4, 0, 4, 8)])
    for step in range(5):
        plot.parts.append(f'<rect x="{LEFT + step * 50}" y="{plot.height - 21}" width="12" height="9" fill="{shade(step / 4)}"/>')
        plot.text(LEFT + 17 + step * 50, plot.height - 12, f"{step}{' or more' if step == 4 else ''}", "start", 11)
    save("kernel-error-map.svg", plot)


def shade(share):
    """From nearly white to dark blue."""
    share = min(1, max(0, share))
    light, dark = (239, 246, 255), (5, 48, 120)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(light, dark))


def greek_errors(prices):
    plot = Plot(
        "Largest error of the greeks, as parts of their scale",
        "σ√T",
        "error",
        (5e-4, 15, True),
        (1e-15, 2e-9, True),
    )
    plot.ticks([(0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1, "1"), (10, "10")], powers(-15, -9))
    for index, name in enumerate(["delta", "gamma", "vega", "theta"]):
        points = [(row[1], max(row[5 + index], 1e-15)) for row in prices]
        plot.line(largest(points, plot.x, 70), MARKS[index])
        plot.text(LEFT + 14 + index * 70, TOP + 36, name, "start", 13, MARKS[index])
    plot.level(1e-9, "required")
    save("kernel-greeks-error.svg", plot)


def function_errors(functions):
    panels = [
        ("cdf", "Φ", (-9, 9), [(x, str(x)) for x in (-8, -4, 0, 4, 8)]),
        ("pdf", "φ", (-9, 9), [(x, str(x)) for x in (-8, -4, 0, 4, 8)]),
        ("ln", "ln", (0.004, 100, True), [(0.01, "0.01"), (1, "1"), (100, "100")]),
        ("exp", "exp", (-12, 1), [(x, str(x)) for x in (-12, -8, -4, 0)]),
        ("sqrt", "√", (1e-6, 4, True), [(1e-6, power(-6)), (1e-3, power(-3)), (1, "1")]),
    ]
    plots = []
    for name, symbol, x, ticks in panels:
        plot = Plot(f"Error of {symbol}, units of 2⁻⁴⁸", "x", "units", x, (-2, 2), 220)
        plot.ticks(ticks, [(y, str(y)) for y in (-2, -1, 0, 1, 2)])
        plot.dots(functions[name][:1500], MARKS[0])
        plots.append(plot)
    save("kernel-functions-error.svg", *plots)


def main():
    prices, functions = measured()
    price_errors(prices)
    error_map(prices)
    greek_errors(prices)
    function_errors(functions)


if __name__ == "__main__":
    main()
