#!/usr/bin/env python3
"""Thirty days of six accounts, by hand: what each of them has in the end is what it brought, what its trades gave, what it paid in fees and
funding, and what its positions were worth when they ended.

A perpetual pays funding by its book until it is delisted in the middle of an hour; another one takes its place and is delisted at a full hour.
A future, a call and a put expire twice; one window has too few prints and goes on after its end. Trades, books, prices, cranks and settlements
come at irregular times. Written from the methodology alone, with the rules of funding.py and settlement.py and exact fractions. One line an
event, times in unix seconds, prices 10^-9 dollars, money 10^-6 dollars, lots whole, accounts by number; the last two are the makers of
the books and the first price stands before anything else:

    market IMPACT_NOTIONAL LOT_SIZE MIN_ORDER MAX_FUNDING_PPM DEPOSIT ...     as in funding.py, and what each account brings
    list TIME NAME KIND EXPIRY STRIKE                                         P perpetual, F future, C call, U put
    price TIME INDEX
    book TIME NAME MID SIDE PRICE LOTS EXPIRES ...                            as in funding.py
    take TIME NAME WHO SIDE PRICE LOTS MID                                    WHO takes so many lots of that side of the book
    trade TIME NAME TAKER MAKER LOTS PRICE                                    the taker buys (sells, when negative) from the maker
    look TIME NAME HOUR INDEX RATE FUNDING                                    as in funding.py
    delist TIME NAME ENDS
    early TIME NAME WHO                                                       WHO tries to settle too soon
    expire TIME NAME WHO PRICE                                                WHO settles at what a unit is worth for good
    close TIME NAME                                                           nothing is left of it
    has WHO MONEY                                                             after the event above: cash and what was locked, and the
                                                                              quotes of all positions, without pending funding

The rules: a fill pays lots times price, rounded down for each side; its fee is a part of it, rounded up. What funding a position has pending
is credited, rounded down, whenever its lots change or its account places an order in the market. An ended position gets lots times the
settlement price, or what an option pays at it, rounded down.
"""
from fractions import Fraction
from heapq import heappop, heappush
from math import ceil, erf, floor, log, sqrt
from random import Random
import sys

from funding import DOLLAR, HOUR, LOT, MAX_PPM, MIN_ORDER, NOTIONAL, START, Sheet, mid, rate, side
from settlement import look as average

DAY, WINDOW = 24 * HOUR, 1_800
TRADERS, BIDDER, ASKER = 4, 4, 5
DEPOSITS = [2_000_000, 1_500_000, 3_000_000, 2_500_000, 6_000_000, 6_000_000]
TICK = DOLLAR // 10
MONEY = 10**12  # a price times a quantity in one millionth of a dollar
FEES = {"taker": Fraction(500, 10**6), "maker": Fraction(200, 10**6)}
FIRST_TIER = 25_000_000 * DOLLAR * DOLLAR
VOLATILITY = 0.6
LATE = 18 * HOUR  # how long nobody looks after the end of the second perpetual


def on_tick(price):
    return max(1, int(price) // TICK) * TICK


def black(kind, forward, strike, seconds):
    """About what an option is worth: what it trades at, so that the last digits do not matter."""
    s = VOLATILITY * sqrt(seconds / (365 * DAY))
    d = log(forward / strike) / s + s / 2
    normal = lambda x: (1 + erf(x / sqrt(2))) / 2
    sign = 1 if kind == "C" else -1
    return sign * (forward * normal(sign * d) - strike * normal(sign * (d - s)))


class Perpetual:
    """Its sheet, and the hours that have been paid for."""

    kind = "P"

    def __init__(self, prices, now):
        self.sheet, self.ends = Sheet(), None
        self.sheet.prices = prices
        self.hour, self.rates, self.paid = now // HOUR, {now // HOUR: 0}, {now // HOUR: 0}
        self.book = None

    def funding(self, now):
        """(hour, paid up to its beginning, its rate, paid up to now)."""
        now = now if self.ends is None else min(now, self.ends)
        while self.hour < now // HOUR:
            self.rates[self.hour + 1] = rate(self.sheet.row(self.hour))
            self.paid[self.hour + 1] = self.paid[self.hour] + self.rates[self.hour]
            self.hour += 1
        hour = now // HOUR
        part = floor(Fraction(self.rates[hour] * (now - hour * HOUR), HOUR))
        return hour, self.paid[hour], self.rates[hour], self.paid[hour] + part

    def pays(self, price):
        return price


class Dated:
    """A future, a call or a put."""

    def __init__(self, kind, expiry, strike):
        self.kind, self.ends, self.strike = kind, expiry, strike

    def pays(self, price):
        return {"F": price, "C": max(price - self.strike, 0), "U": max(self.strike - price, 0)}[self.kind]


class Month:
    """What happens, in the order of time, and the accounts' rows."""

    def __init__(self, seed):
        self.random, self.now, self.todo, self.count = Random(seed), START, [], 0
        self.index, self.prices, self.listed, self.ended = 30_000 * DOLLAR, [], {}, {}
        self.has = [dollars * 10**6 for dollars in DEPOSITS]
        self.lots, self.checkpoint, self.volume = {}, {}, [0] * len(DEPOSITS)
        self.extended, self.fixed = set(), {}

    # Time.

    def at(self, time, what, *args):
        self.count += 1
        heappush(self.todo, (time, self.count, what, args))

    def run(self):
        while self.todo:
            self.now, _, what, args = heappop(self.todo)
            what(*args)

    def say(self, word, *rest):
        print(word, self.now, *rest)

    # Prices.

    def windows(self):
        """(end, whether its prints are few) of whatever is about to end, or has and has no price."""
        for name, ended in self.ended.items():
            if self.now >= ended - WINDOW - 10_000 and self.price_of(name) == 0:
                yield ended, name == "P1" or name[1] == "2" and name != "P2"

    def price_of(self, name):
        """The settlement price of what ends, by the prints up to now; 0 while there is none."""
        end = self.ended[name]
        if self.now >= end and not self.fixed.get(name):
            self.fixed[name] = self.window(name)[0]
        return self.fixed.get(name, 0)

    def window(self, name):
        """(settlement price or 0, f, forward) by the prints so far."""
        end = self.ended[name]
        prints = [(t - end, t - end, p) for t, p in self.prices if t >= end - WINDOW]
        return average(prints, self.now - end, self.index, 0)

    def post(self):
        """The index as it stands, for whoever needs a fresh one."""
        if not self.prices or self.prices[-1][0] < self.now:
            self.prices.append((self.now, self.index))
            self.say("price", self.index)

    def move(self):
        calm = any(self.now >= end - WINDOW for end, _ in self.windows())
        part = self.random.randrange(9_993, 10_008) if calm else self.random.randrange(9_940, 10_061)
        if not self.prices or self.prices[-1][0] < self.now:
            self.index = floor(self.index * Fraction(part, 10_000)) // 1_000 * 1_000  # as a feed has it
            self.post()
        gap = self.random.choice([1, 7, 60, 400, 3_000, 9_000])
        for end, few in self.windows():
            inside = self.random.randrange(40, 110) if few else self.random.randrange(3, 40)
            gap = min(gap, inside if self.now >= end - WINDOW else max(1, end - WINDOW - self.now))
        if self.todo and self.now + gap < START + 31 * DAY:
            self.at(self.now + gap, self.move)

    # What is listed.

    def list(self, name, what):
        self.listed[name] = what
        if what.kind == "P":
            self.say("list", name, "P", 0, 0)
            return
        self.ended[name] = what.ends
        self.say("list", name, what.kind, what.ends, what.strike)
        if what.kind == "F":
            self.at(what.ends - 1, self.early, name)
        self.at(what.ends, self.wait, name)

    def dated(self, number, expiry):
        strike = self.index // (500 * DOLLAR) * 500 * DOLLAR
        for kind in "FCU":
            self.list(f"{kind}{number}", Dated(kind, expiry, 0 if kind == "F" else strike))

    def delist(self, name, ends):
        self.say("delist", name, ends)
        self.ended[name] = self.listed[name].ends = ends
        self.at(ends - 1, self.early, name)
        self.at(ends, self.wait, name)

    def early(self, name):
        holders = [who for who in range(len(DEPOSITS)) if self.lots.get((who, name), 0)]
        if holders:
            self.say("early", name, holders[0])

    def wait(self, name):
        """From the end on: until the price stands, then everybody settles when he likes."""
        if self.price_of(name) == 0:
            self.extended.add(name)
            self.at(self.now + self.random.randrange(1, 40), self.wait, name)
            return
        late = LATE if name == "P2" else 0
        waits = [late + self.random.choice([0, 5, 900, 9_000, 40_000]) + self.random.randrange(60) for _ in DEPOSITS]
        for who, wait in enumerate(waits):
            self.at(self.now + wait, self.expire, name, who)
        self.at(self.now + max(waits) + 1, self.close, name)

    def expire(self, name, who):
        lots = self.lots.pop((who, name), 0)
        if lots == 0:
            return
        price = self.listed[name].pays(self.price_of(name))
        self.touch(name, who, lots)
        self.has[who] += floor(Fraction(lots * LOT * price, MONEY))
        self.say("expire", name, who, price)
        self.tell(who)

    def close(self, name):
        self.say("close", name)
        del self.listed[name]
        if name == "P1":
            self.list("P2", Perpetual(self.prices, self.now))
            self.at(START + 27 * DAY + 5, self.delist, "P2", START + 29 * DAY)
        elif name[1] == "1" and not any(n in self.listed for n in ("F1", "C1", "U1")):
            self.dated(2, START + 21 * DAY + 17)

    # What the accounts do.

    def tell(self, *accounts):
        for who in accounts:
            print("has", who, self.has[who])

    def touch(self, name, who, lots):
        if self.listed[name].kind == "P":
            paid = self.listed[name].funding(self.now)[3]
            was = self.checkpoint.get((who, name), paid)
            self.has[who] += floor(Fraction((was - paid) * lots * LOT, MONEY))
            self.checkpoint[who, name] = paid

    def fill(self, name, taker, maker, lots, price):
        size = abs(lots) * LOT * price
        for who, sign, role in [(taker, -1, "taker"), (maker, 1, "maker")]:
            held = self.lots.get((who, name), 0)
            self.touch(name, who, held)
            self.lots[who, name] = held - sign * lots
            self.has[who] += floor(Fraction(sign * lots * LOT * price, MONEY)) - ceil(size * FEES[role] / MONEY)
            self.volume[who] += size
            assert self.volume[who] < FIRST_TIER, "another fee from here on"

    def trades(self, name, before=0):
        """Whether something is listed and its end is further away than this."""
        return name in self.listed and (name not in self.ended or self.now < self.ended[name] - before)

    def settling(self):
        return any(self.now >= end for end, _ in self.windows())

    def trade(self):
        if self.now < START + 29 * DAY:
            self.at(self.now + self.random.choice([1, 900, 7_000, 20_000]), self.trade)
        open_ = [n for n, what in self.listed.items() if self.trades(n, 7_200 if what.kind in "CU" else 0)]
        if not open_ or self.settling():
            return
        self.post()
        name = self.random.choice(open_)
        what, forward = self.listed[name], self.index
        if name in self.ended and self.now >= self.ended[name] - WINDOW:
            forward = self.window(name)[2]
        if what.kind in "CU":
            fair = black(what.kind, float(forward), float(what.strike), what.ends - self.now)
            price = on_tick(fair + float(self.index) * self.random.uniform(-0.001, 0.001))
        else:
            price = on_tick(forward * self.random.uniform(0.992, 1.008))
        taker, maker = self.random.sample(range(TRADERS), 2)
        lots = self.random.choice([-1, 1]) * self.random.choice([3, 50, 400, 1_900]) + self.random.randrange(3)
        self.fill(name, taker, maker, lots, price)
        self.say("trade", name, taker, maker, lots, price)
        self.tell(taker, maker)

    def perpetual(self):
        """The one that is open and not about to end, and its name."""
        for name, what in self.listed.items():
            if what.kind == "P" and self.trades(name, WINDOW):
                return name, what
        return None, None

    def orders(self):
        if self.now < START + 29 * DAY:
            self.at(self.now + self.random.choice([1, 20, 4_000, 30_000]), self.orders)
        name, perpetual = self.perpetual()
        if name is None or self.settling():
            return
        self.post()
        middle = floor(self.index * (1 + Fraction(self.random.randrange(-500, 500), 100_000)))
        book = {"b": side(self.random, -1, middle), "a": side(self.random, 1, middle)}
        for orders in book.values():
            for order in orders:
                order[2] = order[2] and self.now + order[2]
        perpetual.book = book
        for maker in (BIDDER, ASKER):
            self.touch(name, maker, self.lots.get((maker, name), 0))
        text = "".join(f" {s} {p} {n} {e}" for s in "ba" for p, n, e in book[s])
        self.say("book", name, f"{self.show(perpetual)}{text}")
        if self.random.random() < 0.5:
            self.take(name, perpetual)

    def show(self, perpetual):
        middle, until = mid(perpetual.book, self.index, self.now)
        perpetual.sheet.mids.append((self.now, middle, until))
        return middle

    def take(self, name, perpetual):
        """The best of one side, at most two of its orders."""
        who, which = self.random.randrange(TRADERS), self.random.choice("ba")
        maker, sign = (BIDDER, -1) if which == "b" else (ASKER, 1)
        orders = perpetual.book[which]
        reach = orders[: self.random.choice([1, 2])]
        total, price = self.random.randrange(MIN_ORDER, sum(o[1] for o in reach) + 1), reach[-1][0]
        left = total
        for order in reach:
            taken = min(left, order[1])
            if taken:
                self.fill(name, who, maker, sign * taken, order[0])
            order[1] -= taken
            left -= taken
        perpetual.book[which] = [order for order in orders if order[1]]
        self.say("take", name, who, which, price, total, self.show(perpetual))
        self.tell(who, maker)

    def look(self):
        quiet = START + 29 * DAY - 2 * HOUR <= self.now < START + 29 * DAY + LATE
        for name, what in self.listed.items():
            if what.kind == "P" and not quiet:
                self.say("look", name, *what.funding(self.now))
        # Nobody waits for longer than the hours that the index is kept for.
        gap = min(self.random.choice([1, 30, 900, 3_600, 10_000, 50_000]), 22 * HOUR)
        if self.now + gap < START + 31 * DAY:
            self.at(self.now + gap, self.look)


def main():
    month = Month(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
    print("market", NOTIONAL, LOT, MIN_ORDER, MAX_PPM, *DEPOSITS)
    month.post()
    month.list("P1", Perpetual(month.prices, START))
    month.dated(1, START + 9 * DAY)
    month.at(START, month.move)
    month.at(START + 40, month.orders)
    month.at(START + 50, month.trade)
    month.at(START + month.random.randrange(HOUR), month.look)
    month.at(START + 10 * DAY, month.delist, "P1", START + 12 * DAY + 1_234)
    month.run()
    assert not month.listed, month.listed
    assert {"P1", "F2"} <= month.extended, month.extended


if __name__ == "__main__":
    main()
