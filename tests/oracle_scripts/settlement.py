#!/usr/bin/env python3
"""Settlement prices of expiries, by hand: a list of buckets, one row each, and exact fractions.

Written from the methodology alone (section 5): 60 buckets of 30 seconds before the expiry, the latest print of each; fewer than 40 filled
extends the window bucket by bucket; none after a day, and then nothing of it is fixed. Prints a made-up series of each case and what must come of it, one line an event:

    case NAME BASIS         the next lines are of this case; basis of the forward, 10^-9
    print PUBLISHED ACCEPTED PRICE
    look NOW PRICE F FORWARD

Times are seconds relative to the expiry, prices 10^-9 dollars. PRICE is the settlement price or 0 while there is none, F the part of the
average that is fixed, 10^-9 rounded down, FORWARD what the expiry's forward is with the last accepted print as index, rounded down at each
of its two steps: index and basis, then the mean.
"""
from fractions import Fraction
from math import floor
from random import Random

BUCKET, BEFORE, NEEDED, DAY = 30, 60, 40, 86_400
ONE = 1_000_000_000


def bucket(time):
    """Number of the bucket of a time, the first one 0; the expiry begins number 60."""
    return (time + BUCKET * BEFORE) // BUCKET


def sheet(prints, now):
    """Rows of the closed buckets at `now`: the latest print accepted within the bucket that it was published in, or None."""
    latest = {}
    for published, accepted, price in prints:
        if accepted <= now and bucket(published) == bucket(accepted):
            latest[bucket(accepted)] = price
    rows = [latest.get(n) for n in range(max(0, min(bucket(now), BEFORE + DAY // BUCKET)))]
    return rows


def look(prints, now, index, basis):
    """(settlement price or 0, f, forward) at `now`."""
    rows = sheet(prints, now)
    used = rows[:BEFORE]
    for row in rows[BEFORE:]:
        if sum(r is not None for r in used) >= NEEDED:
            break
        used.append(row)
    filled = [r for r in used if r is not None]
    if len(rows) >= BEFORE and len(filled) >= NEEDED:
        price = floor(Fraction(sum(filled), len(filled)))
        return price, ONE, price
    if bucket(now) >= BEFORE + DAY // BUCKET:
        filled = []  # what it has collected decides nothing any more
    left = max(0, BEFORE - len(rows))
    fixed = Fraction(len(filled), max(NEEDED, len(filled) + left))
    outright = floor(Fraction(index * (ONE + basis), ONE))
    mean = Fraction(sum(filled), len(filled)) if filled else Fraction(0)
    return 0, floor(fixed * ONE), floor(fixed * mean + (1 - fixed) * outright)


def series(random, start, end, gap, silence):
    """Irregular prints: a walk of the price, delays of up to 15 seconds, one silence."""
    prints, now, newest = [], start, start - DAY
    price = random.randrange(20_000, 120_000) * 100_000_000  # 10^-8 dollars
    while True:
        now += random.randrange(1, gap)
        if now > end:
            return prints
        if silence[0] <= now < silence[1]:
            continue
        published = now - random.choice([0, 0, 1, 2, 5, 15])
        price += random.randrange(-price // 400, price // 400)
        if published > newest:  # older ones are passed over by the board
            prints.append((published, now, price * 10))
            newest = published


CASES = [
    # name, prints from, to, largest gap, silence, basis
    ("steady", -2_400, 300, 12, (0, 0), 0),
    ("sparse", -2_400, 300, 40, (0, 0), 2_500_000),
    ("a silence within the window", -2_000, 200, 15, (-900, -400), -1_200_000),
    ("a silence over the expiry", -2_000, 3_000, 20, (-700, 500), 4_000_000),
    ("too sparse for the window", -2_000, 6_000, 120, (0, 0), 0),
    ("silent until the next hour", -1_900, 7_000, 20, (-1_750, 3_600), 700_000),
    ("silent for a day", -2_000, 87_000, 20, (-1_000, 86_400), 0),
    ("the last bucket of the day", -1_805, 86_500, 9, (-630, 86_370), 0),
]


def main():
    random = Random(20270115)
    for name, start, end, gap, silence, basis in CASES:
        prints = series(random, start, end, gap, silence)
        print("case", name.replace(" ", "_"), basis)
        seen = []
        looks = [-1_800, -1_771, -1_770, -31, -30, -1, 0, 1, 29, 30, 3_599, 3_600, 86_369, 86_399, 86_400, 90_000]
        looks += [random.randrange(-1_800, 1_800) for _ in range(40)]
        looks = sorted(set(looks))
        for entry in prints + [None]:
            until = entry[1] if entry else 10**9
            while looks and looks[0] < until:
                now = looks.pop(0)
                if seen:
                    print("look", now, *look(seen, now, seen[-1][2], basis))
            if entry:
                seen.append(entry)
                print("print", *entry)


if __name__ == "__main__":
    main()
