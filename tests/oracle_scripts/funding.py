#!/usr/bin/env python3
"""Funding of a perpetual over thirty days, by hand: one row an hour, each a list of stretches in which nothing changed, exact fractions.

Written from the methodology alone (section 5). Books, prices and looks come at irregular times. Prints the series and what must come of it,
one line an event, times in unix seconds, prices and funding in 10^-9 dollars, lots whole:

    market IMPACT_NOTIONAL LOT_SIZE MIN_ORDER MAX_FUNDING_PPM      notional 10^-8 dollars, lot 10^-9 units
    price TIME INDEX                                              the index from then on
    book TIME MID SIDE PRICE LOTS EXPIRES ...                     what rests from then on, best first, and its impact mid (0 for none)
    look TIME HOUR INDEX RATE FUNDING                             somebody looks: funding paid up to the beginning of the hour, the hour's
                                                                  rate, and what has been paid up to TIME

The rules: the impact mid is what the notional at the index of the moment (a lot's value rounded down) costs on both sides, (bids + asks) / 2, rounded down and held
within eight times the largest funding and no less than 0.5 % of that index; an order counts up to the beginning of the hour in which it
expires; a book without the depth counts as no premium. An hour's funding is an eighth of the mean premium of the hour before, at most the
largest part of its mean index, rounded towards zero, and is paid evenly over it, rounded down.
"""
from bisect import bisect_right
from fractions import Fraction
from math import ceil, floor
from random import Random
import sys

HOUR, DAYS = 3_600, 30
DOLLAR = UNIT = 1_000_000_000
START = 1_800_000_000
NOTIONAL, LOT, MIN_ORDER, MAX_PPM = 38_000 * 100_000_000, UNIT // 1_000, 64, 500


def held(value, bound):
    return max(-bound, min(bound, value))


def mid(book, index, now):
    """(impact mid or 0, until when it stands)."""
    lot = max(1, floor(Fraction(index * LOT, 10**10)))  # 10^-8 dollars
    lots = ceil(Fraction(NOTIONAL, lot))
    cost, until = Fraction(0), None
    for side in "ba":
        left = lots
        for price, size, expires in book[side]:
            gone = expires // HOUR * HOUR if expires else None
            if gone is not None and gone <= now:
                continue
            if left > 0 and gone is not None:
                until = gone if until is None else min(until, gone)
            cost += price * min(left, size)
            left -= min(left, size)
        if left > 0:
            return 0, None
    bound = floor(index * max(Fraction(8 * MAX_PPM, 10**6), Fraction(5, 1_000)))
    return index + held(floor(cost / (2 * lots)) - index, bound), until


def last(events, time, none):
    """The last event up to a time."""
    at = bisect_right(events, time, key=lambda event: event[0])
    return events[at - 1] if at else none


class Sheet:
    """What happened, and the rows that follow."""

    def __init__(self):
        self.prices, self.mids = [], []

    def stretches(self, hour):
        """(seconds, index, mid or 0) of each stretch of an hour in which nothing changed."""
        begin, end = hour * HOUR, (hour + 1) * HOUR
        inside = {t for t, *_ in self.prices + self.mids if begin < t < end}
        marks = [begin] + sorted(inside) + [end]  # an order counts up to a full hour, so none ends inside
        for a, b in zip(marks, marks[1:]):
            _, index = last(self.prices, a, (0, 0))
            _, middle, until = last(self.mids, a, (0, 0, None))
            yield b - a, index, middle if until is None or a < until else 0

    def row(self, hour):
        """(mean premium, mean index) of an hour."""
        premium, index = Fraction(0), Fraction(0)
        for seconds, price, middle in self.stretches(hour):
            index += seconds * price
            if middle:
                premium += seconds * (middle - price)
        return premium / HOUR, index / HOUR


def rate(row):
    premium, index = row
    return int(held(premium / 8, floor(index * Fraction(MAX_PPM, 10**6))))  # towards zero


def side(random, sign, middle):
    """Orders of one side, best first."""
    price = middle // DOLLAR * DOLLAR + sign * random.randrange(1, 20) * DOLLAR
    orders = []
    for _ in range(random.randrange(1, 9)):
        expires = 0
        if random.random() < 0.3:
            expires = random.randrange(1, 5 * HOUR)
        orders.append([price, random.randrange(MIN_ORDER, 1_200), expires])
        price += sign * random.randrange(0, 30) * DOLLAR
    return orders


def main():
    random = Random(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
    sheet, lines = Sheet(), []
    now, index = START, 30_000 * DOLLAR
    end = START + DAYS * 24 * HOUR
    next_price, next_book, next_look = START, START + 40, START + random.randrange(HOUR)
    looked = START
    while now < end:
        now = min(next_price, next_book, next_look)
        if now == next_price:
            index = floor(index * Fraction(random.randrange(9_940, 10_061), 10_000)) // 1_000 * 1_000  # as a feed has it
            sheet.prices.append((now, index))
            lines.append(f"price {now} {index}")
            next_price += random.choice([1, 7, 60, 400, 3_000, 9_000])
        elif now == next_book:
            middle = floor(index * (1 + Fraction(random.randrange(-600, 600), 100_000)))
            book = {"b": side(random, -1, middle), "a": side(random, 1, middle)}
            for orders in book.values():
                for order in orders:
                    order[2] = order[2] and now + order[2]
            middle, until = mid(book, index, now)
            sheet.mids.append((now, middle, until))
            orders = "".join(f" {s} {p} {n} {e}" for s in "ba" for p, n, e in book[s])
            lines.append(f"book {now} {middle}{orders}")
            looked = now
            next_book += random.choice([1, 20, 200, 2_000, 20_000])
        else:
            lines.append(f"look {now}")
            looked = now
            next_look += random.choice([1, 30, 900, 3_600, 10_000, 50_000])
        # Nobody waits for longer than the hours that the index is kept for.
        next_look = min(next_look, looked + 22 * HOUR)

    rates, paid = {START // HOUR: 0}, {START // HOUR: 0}
    for hour in range(START // HOUR, end // HOUR + 1):
        rates[hour + 1] = rate(sheet.row(hour))
        paid[hour + 1] = paid[hour] + rates[hour]
    print("market", NOTIONAL, LOT, MIN_ORDER, MAX_PPM)
    for line in lines:
        if line.startswith("look"):
            now = int(line.split()[1])
            hour = now // HOUR
            funding = paid[hour] + floor(Fraction(rates[hour] * (now - hour * HOUR), HOUR))
            line += f" {hour} {paid[hour]} {rates[hour]} {funding}"
        print(line)


if __name__ == "__main__":
    main()
