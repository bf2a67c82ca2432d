#!/usr/bin/env python3
"""Dynamic parameters of two assets over twelve days, by their definitions, in floating point.

Written from the methodology alone (section 4). Prices come at irregular times through calm and turbulent hours. Nothing is carried along:
each look goes back to all the prices there were. Prints, one line an event, times in unix seconds, prices in 10^-9 dollars:

    asset PSI CAP FALL                  scan range, largest scale, fall of the scale an hour, as decimals; one line for each of the two
    reference CORRELATION               below which the pair nets by less
    price TIME ASSET PRICE              the index of asset 0 or 1 from then on
    look TIME IM0 MM0 IM1 MM1 RETURNS CORRELATION W0 W1 W2
                                        the scales in force at TIME, the hours counted for the correlation, it (- for none yet) and the weights

The rules: r of an hour of the clock is ln of the price that stood at its end over the one at its begin (the first price in the first hour), of
the open hour with the price that stands; sigma^2 of a day is ln 2 times the sum of r^2 * 2^(-age / 24 hours). The scale asked for is
3 sigma / psi, between 1 and the cap; the scale in force has it at once and falls from it by FALL an hour at most. It is taken with each
price. Maintenance takes the lesser of that and the one that stood when the minute began that was ten minutes ago. Correlation is that of ln
of the ratios of the mean index of an hour of the clock to the hour before, weighted by 2^(-age / 72 hours), from 24 on. Levels 0.50, 0.25 and
0.25, of which the pair is joined by the last two: they keep the part correlation / reference, and the first takes what they lose.
"""
from bisect import bisect_left, bisect_right
from math import exp, log, sqrt
from random import Random
import sys

HOUR, DAYS, MINUTE = 3_600, 12, 60
START = 1_800_000_000 + 1_234
PSI, CAP, FALL = (0.095, 0.12), 2.5, 0.05
REFERENCE = 0.65


class Asset:
    """Prices of an asset, and what follows from them."""

    def __init__(self, psi):
        self.psi, self.times, self.prices = psi, [], []
        self.stretches = None

    def add(self, time, price):
        self.times.append(time)
        self.prices.append(price)

    def stood(self, time):
        """The price just before a time; the first one before there was any."""
        return self.prices[max(0, bisect_left(self.times, time) - 1)]

    def variance(self, time):
        """sigma^2 of a day with the prices up to and at a time."""
        hour, total = time // HOUR, 0.0
        for h in range(self.times[0] // HOUR, hour + 1):
            begin = self.stood(h * HOUR)
            end = self.prices[bisect_right(self.times, time) - 1] if h == hour else self.stood((h + 1) * HOUR)
            total += log(end / begin) ** 2 * 0.5 ** ((hour - h) / 24)
        return log(2) * total

    def asked(self, time):
        return min(CAP, max(1.0, 3 * sqrt(self.variance(time)) / self.psi))

    def level(self, time, with_price):
        """What stands at a time: with the price of that moment, or just before it."""
        if self.stretches is None:
            # Between these moments nothing changes what is asked for.
            first, last = self.times[0] // HOUR, self.times[-1] // HOUR
            moments = sorted(set(self.times) | {h * HOUR for h in range(first + 1, last + 1)})
            self.stretches = [(m, self.asked(m)) for m in moments]
        best = 1.0
        for (begin, asked), (end, _) in zip(self.stretches, self.stretches[1:] + [(10**12, 0)]):
            if begin > time or (begin == time and not with_price):
                break
            best = max(best, asked - FALL * (time - min(end, time)) / HOUR)
        return best

    def scales(self, now):
        """(initial, maintenance) at a time."""
        last = self.times[bisect_right(self.times, now) - 1]
        initial = self.level(last, True)
        begun = (now // MINUTE - 10) * MINUTE
        if begun > last:
            return initial, initial
        return initial, min(initial, self.level(begun, False) if begun > self.times[0] else 1.0)

    def mean(self, hour):
        """Mean of the index over an hour; None where there was no price when it began."""
        begin, end = hour * HOUR, (hour + 1) * HOUR
        if self.times[0] >= begin:
            return None
        inside = [t for t in self.times[bisect_right(self.times, begin):bisect_left(self.times, end)]]
        marks = [begin] + inside + [end]
        return sum((b - a) * self.prices[bisect_right(self.times, a) - 1] for a, b in zip(marks, marks[1:])) / HOUR


def correlation(assets, now, means):
    """(hours counted, correlation or None)."""
    covariance = of_a = of_b = 0.0
    count, hour = 0, now // HOUR
    for h in range(START // HOUR, hour):
        for n, asset in enumerate(assets):
            if (n, h) not in means:
                means[n, h] = asset.mean(h)
        pair = [(means[n, h], means.get((n, h - 1))) for n in (0, 1)]
        if all(a and b for a, b in pair):
            a, b = (log(to / since) for to, since in pair)
            weight = 0.5 ** ((hour - 1 - h) / 72)
            covariance, of_a, of_b = covariance + weight * a * b, of_a + weight * a * a, of_b + weight * b * b
            count += 1
    return count, covariance / sqrt(of_a * of_b) if count >= 24 else None


def walk(random):
    """Logarithms of two prices minute by minute, through hours that are calm or turbulent, together or apart."""
    logs, paths = [log(30_000), log(2_000)], ([], [])
    deviation, together = 0.03, 0.9
    for minute in range(DAYS * 24 * 60 + 60):
        if minute % 600 == 0:
            deviation = random.choice([0.005, 0.01, 0.02, 0.02, 0.03, 0.04, 0.12])
        if minute % 2_880 == 0:
            together = random.choice([0.95, 0.8, 0.5, 0.0, -0.5])
        common, own = random.gauss(0, 1), random.gauss(0, 1)
        step = deviation / sqrt(1_440)
        for n, z in enumerate((common, together * common + sqrt(1 - together**2) * own)):
            logs[n] += z * step * (1.0, 1.3)[n]
            paths[n].append(logs[n])
    return paths


def main():
    random = Random(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    paths = walk(random)
    assets = [Asset(psi) for psi in PSI]
    lines, looks = [], []
    following = [START, START + 7, START + 3_000]
    end = START + DAYS * 24 * HOUR
    while min(following) < end:
        now = min(following)
        which = following.index(now)
        if which < 2:
            # A feed has two digits.
            price = round(exp(paths[which][(now - START) // MINUTE]) * 100) * 10_000_000
            assets[which].add(now, price)
            lines.append((now, f"price {now} {which} {price}"))
            gaps = [20, 60, 300, 900, 3_000] + ([20_000] if random.random() < 0.02 else [])
            following[which] += random.randrange(1, random.choice(gaps) + 2)
        else:
            looks.append(now)
            following[which] += random.choice([30, 300, 700, 4_000, 20_000])
    for psi in PSI:
        print("asset", psi, CAP, FALL)
    print("reference", REFERENCE)
    means = {}
    for now in looks:
        scales = [scale for asset in assets for scale in asset.scales(now)]
        count, known = correlation(assets, now, means)
        factor = 1.0 if known is None else min(1.0, max(0.0, known / REFERENCE))
        weights = [1 - 0.5 * factor, 0.25 * factor, 0.25 * factor]
        numbers = " ".join(f"{x:.12f}" for x in scales)
        known = "-" if known is None else f"{known:.12f}"
        lines.append((now, f"look {now} {numbers} {count} {known} " + " ".join(f"{w:.12f}" for w in weights)))
    for _, line in sorted(lines, key=lambda entry: entry[0]):
        print(line)


main()
