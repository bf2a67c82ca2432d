#!/usr/bin/env python3
"""Portfolio margin in decimal numbers of 70 digits, written from sections 1 to 5 of the margin methodology.

usage: margin_oracle.py [--precise | --reference FOLDER] < accounts.json

Reads a JSON list of accounts in the input format of the reference margin script (positions in perpetuals, futures and options,
collateral, cash, overrides of class parameters, levels; and the calculator's slow, slow_iv and fixed) and prints a JSON list of
answers. Every figure is a pair of texts: the value in 10^-18 dollars rounded down, and rounded up, so that the caller can check a
bound without rounding of its own.
Seventy digits hold every product of a position exactly; divisions are off by 10^-70, which printing takes away again (10^-40).
Only the prices and deltas of one unit of an option come from floating point, to 10^-15 of the larger of forward and strike: a
thousandth of what the engine allows itself. With --precise they are computed to 70 digits as well.
With --reference it runs reference_margin.py of that folder on the same accounts instead and prints its floating-point figures.
"""
import json
import math
import sys
from decimal import ROUND_FLOOR, Decimal as Q, getcontext

getcontext().prec = 70
ZERO, ONE = Q(0), Q(1)


def table(text):
    """Rows of decimals: a name and its exact values."""
    rows = [line.split() for line in text.strip().splitlines()]
    head = rows[0][1:]
    return {row[0]: {name: Q(x) for name, x in zip(head, row[1:])} for row in rows[1:]}


# The table of section 4. The depth of a stablecoin is beyond any account.
CLASSES = table("""
class   psr   buffer basis lam lam_opt depth     rho  h_im h_mm hedge som   vol_up vol_dn
BTC     0.095 0.005  0.015 1   0.2     25000000  0.02 0.15 0.10 1     0.01  0.40   0.25
ETH     0.12  0.005  0.02  1   0.2     15000000  0.02 0.15 0.10 1     0.01  0.40   0.25
SOL     0.19  0.01   0.03  1   0.2     5000000   0.03 0.25 0.20 1     0.015 0.45   0.25
MID     0.24  0.01   0.04  1   0.2     1000000   0.05 0.50 0.40 0     0.02  0.50   0.25
STABLE  0     0      0     0   0       1e12      0    0.02 0.01 0     0     0      0
""")
LEVELS = [(Q("0.5"), []), (Q("0.25"), [["BTC", "ETH"]]), (Q("0.25"), [["BTC", "ETH", "SOL"]])]

# Section 1: (shock in scan ranges, weight, volatility), one row a scenario.
SCENARIOS = (
    [(ZERO, ONE, "up"), (ZERO, ONE, "down")]
    + [(Q(sign * k) / 3, ONE, vol) for k in (1, 2, 3) for sign in (1, -1) for vol in ("up", "down")]
    + [(Q(p), ONE / abs(p), "up") for p in (-2, 2, -4, 4, 8, 12)]
    + [(ZERO, ONE, vol) for vol in ("tilt+", "tilt-", "wings", "day less")]
)
assert len(SCENARIOS) == 24


class Float:
    """The functions of Black's formula in floating point."""

    number = float
    log, exp, sqrt = math.log, math.exp, math.sqrt

    @staticmethod
    def cdf(x):
        return 0.5 * math.erfc(-x / math.sqrt(2))


class Precise:
    """The same to the context's digits."""

    number = Q

    @staticmethod
    def log(x):
        return x.ln()

    @staticmethod
    def exp(x):
        return x.exp()

    @staticmethod
    def sqrt(x):
        return x.sqrt()

    @staticmethod
    def cdf(x):
        """1/2 + phi(x)·(x + x^3/3 + x^5/15 + ...), and 0 or 1 beyond 15 deviations."""
        if abs(x) > 15:
            return Q(int(x > 0))
        term = total = x
        n = 1
        while abs(term) > abs(total) * Q(10) ** -getcontext().prec and term != 0:
            n += 2
            term *= x * x / n
            total += term
        two_pi = Q("6.283185307179586476925286766559005768394338798750211641949889184615632812572417997256069650684234136")
        return Q("0.5") + total * (-x * x / 2).exp() / two_pi.sqrt()


MATH = Float


def call(forward, strike, root, sigma):
    """Black's undiscounted call and its delta; root is the square root of the years."""
    deviation = sigma * root
    d1 = MATH.log(forward / strike) / deviation + deviation / 2
    return forward * MATH.cdf(d1) - strike * MATH.cdf(d1 - deviation), MATH.cdf(d1)


class Option:
    """One unit of an option. Prices of a put are those of the call less forward plus strike."""

    def __init__(self, market, price, slow, now, params):
        self.is_call, self.strike, self.forward = market["call"], market["strike"], market["forward"]
        self.slow_forward = self.forward
        if slow != price:  # in the board's unit of 10^-9
            self.slow_forward = (self.forward * slow / price).quantize(Q("1e-9"), ROUND_FLOOR)
        number = MATH.number
        self.sigma, self.slow_sigma = number(market["iv"]), number(market.get("slow_iv", market["iv"]))
        self.open = 1 - market.get("fixed", ZERO)
        if self.open == 1:
            seconds = max(market["expiry"] - now, 3600)
        else:
            # The variance of what is still open of the average: g^3 hours, in whole seconds from the next one on, at least a minute.
            seconds = min(max(int(3600 * self.open**3) + 1, 60), 3600)
        less = max(seconds - 86400, 60)
        year = number(31536000)
        self.root, self.root_less = MATH.sqrt(number(Q(seconds)) / year), MATH.sqrt(number(Q(less)) / year)
        days = max(Q(seconds) / 86400, ONE)
        power = Q("0.30") if seconds < 30 * 86400 else Q("0.13")
        multiplier = MATH.exp(number(power) * MATH.log(number(30 / days)))
        tenth, least, tilt = (number(Q(text)) for text in ("0.1", "0.05", "0.15"))
        sigma = self.sigma
        skew = MATH.log(number(self.strike / self.forward)) / (number(Q("2.4")) * self.root)
        skew = max(number(-1), min(number(1), skew)) * tilt
        self.sigmas = {
            "up": max(sigma * (1 + number(params["vol_up"]) * multiplier), sigma + tenth),
            "down": max(min(sigma * (1 - number(params["vol_dn"]) * multiplier), sigma - tenth), least),
            "tilt+": sigma * (1 + skew), "tilt-": sigma * (1 - skew), "wings": sigma * (1 + abs(skew)), "day less": sigma,
        }

    def value(self, sigma, forward):
        strike = MATH.number(self.strike)
        price, _ = call(MATH.number(forward), strike, self.root, sigma)
        return Q(price) + (ZERO if self.is_call else self.strike - forward)

    def delta(self):
        _, delta = call(MATH.number(self.forward), MATH.number(self.strike), self.root, self.sigma)
        return Q(delta) - (ZERO if self.is_call else ONE)

    def moves(self, psr, shock_floor):
        """P&L of a unit in each scenario."""
        strike = MATH.number(self.strike)
        before = Q(call(MATH.number(self.forward), strike, self.root, self.sigma)[0])
        out = []
        for unit, weight, vol in SCENARIOS:
            forward = self.forward * (1 + max(unit * psr, -shock_floor) * self.open)
            change = -before
            if forward > 0:
                root = self.root_less if vol == "day less" else self.root
                change += Q(call(MATH.number(forward), strike, root, self.sigmas[vol])[0])
            if not self.is_call:
                change += self.forward - forward
            out.append(change * weight)
        return out


def loss_of(pnl):
    """L: the worst loss over the scenarios."""
    return max(ZERO, max(-x for x in pnl))


def credited(value, haircut, params):
    """The part of the value that counts and its haircut; above the depth the haircut grows, and the credit never falls."""
    rho, depth = params["rho"], params["depth"]
    counted = value
    if rho > 0:
        counted = min(value, depth * max(ONE, (1 - haircut + rho) / (2 * rho)))
    grown = haircut + (rho * max(ZERO, counted / depth - 1) if rho > 0 else ZERO)
    return counted, min(ONE, grown)


class Asset:
    """Everything the account holds in one asset."""

    def __init__(self, fields):
        self.params = dict(CLASSES[fields.get("class", "MID")])
        self.params.update({k: v for k, v in fields.items() if k in self.params})
        self.price = fields["price"]
        self.slow = fields.get("slow", self.price)
        self.legs = {}  # bucket -> notional of each position
        self.options = {}  # bucket -> {market: [option, quantity]}
        self.open = {}  # bucket -> the part of its average that is open
        self.unrealised = [ZERO, ZERO]  # of the linear legs, at the index and at the slow price
        self.collateral = ZERO  # quantity

    def used(self):
        return bool(self.legs) or bool(self.options) or (self.collateral > 0 and self.params["psr"] > 0)

    def spot(self, shocks):
        """P&L of the collateral: what the haircut does not cover, or the recognised part of a gain."""
        value = self.collateral * self.price
        held, haircut = credited(value, self.params["h_mm"], self.params)
        hedge, hedge_haircut = credited(value, self.params["h_im"], self.params)
        recognised = self.params["hedge"] * hedge * (1 - hedge_haircut)
        return [weight * (held * min(ZERO, shock + haircut) if shock < 0 else recognised * shock) for shock, weight in shocks]

    def credit(self, which, price):
        counted, haircut = credited(self.collateral * price, self.params[which], self.params)
        return counted * (1 - haircut)

    def held(self):
        """(bucket, option, quantity) of each instrument."""
        return [(bucket, option, quantity) for bucket, held in self.options.items() for option, quantity in held.values()]

    def new_risk(self):
        """(unrealised with options, credit) at the index and at the slow price, each option at the worse volatility."""
        out = []
        for which, price in enumerate((self.price, self.slow)):
            value = self.unrealised[which]
            for _, option, quantity in self.held():
                worse = min if quantity > 0 else max
                forward = option.slow_forward if which else option.forward
                value += quantity * option.value(worse(option.sigma, option.slow_sigma), forward)
            out.append((value, self.credit("h_im", price)))
        return out

    def margin(self, shock_floor, vega_offset, nov_discount):
        p = self.params
        shocks = [(max(unit * p["psr"], -shock_floor), weight) for unit, weight, _ in SCENARIOS]
        moves = [shock * weight for shock, weight in shocks]
        vectors, deltas, linears, vegas = {}, {}, {}, []
        for bucket, legs in self.legs.items():
            linears[bucket] = deltas[bucket] = sum(legs) * self.open.get(bucket, ONE)
            vectors[bucket] = [deltas[bucket] * move for move in moves]
        som = units = buffered = long_value = self.option_value = ZERO
        pairs = {(call, long): ZERO for call in (True, False) for long in (True, False)}
        for bucket, held in self.options.items():
            options_only, value = [ZERO] * 24, ZERO
            for option, quantity in held.values():
                options_only = [x + quantity * u for x, u in zip(options_only, option.moves(p["psr"], shock_floor))]
                mark, delta = option.value(option.sigma, option.forward), option.delta()
                value += quantity * mark
                dollars = quantity * delta * option.forward * option.open
                deltas[bucket] = deltas.get(bucket, ZERO) + dollars
                weight = min(max((abs(delta) - Q("0.75")) / Q("0.20"), ZERO), ONE)
                linears[bucket] = linears.get(bucket, ZERO) + weight * dollars
                pairs[option.is_call, quantity > 0] += (1 - weight) * abs(quantity) * self.price
                units += abs(quantity) * self.price
                som += max(ZERO, -quantity) * self.price
                buffered += abs(quantity) * min(self.price, 2 * mark)
            vectors[bucket] = [x + y for x, y in zip(vectors.get(bucket, [ZERO] * 24), options_only)]
            vegas.append(options_only[0])
            long_value += max(ZERO, value)
            self.option_value += value
        if self.collateral > 0:
            vectors["SPOT"] = self.spot(shocks)
        total = [sum(column) for column in zip(*vectors.values())]
        bucket_sum = sum(loss_of(vector) for vector in vectors.values())

        def positive(xs):
            return sum((max(ZERO, x) for x in xs), ZERO)

        def negative(xs):
            return sum((max(ZERO, -x) for x in xs), ZERO)

        counted, _ = credited(self.collateral * self.price, p["h_im"], p)
        spot_delta = min(p["hedge"] * counted, max(ZERO, -sum(deltas.values())))
        long_all, short_all = positive(deltas.values()) + spot_delta, negative(deltas.values())
        matched_all = min(long_all, short_all)
        # Long calls with short puts are futures, and short calls with long puts.
        long_linear = positive(linears.values()) + min(pairs[True, True], pairs[False, False])
        short_linear = negative(linears.values()) + min(pairs[True, False], pairs[False, True])
        matched_linear = min(matched_all, long_linear, short_linear)
        spread = (p["lam"] * p["psr"] + p["basis"]) * matched_linear
        spread += (p["lam_opt"] * p["psr"] + p["basis"]) * (matched_all - matched_linear)
        vega = vega_offset * min(positive(vegas), negative(vegas))

        largest = max(long_all, short_all, units / 4)
        concentration = ZERO
        if largest > p["depth"]:
            concentration = min(p["psr"] * largest, p["rho"] * (largest - p["depth"]) ** 2 / p["depth"])
        gross = sum((abs(n) for legs in self.legs.values() for n in legs), ZERO)
        return dict(
            scan=loss_of(total), bucket_sum=bucket_sum, matched_d1=matched_linear, matched_all=matched_all, spread=spread,
            vega=vega, charge=min(spread + vega, bucket_sum - loss_of(total)), som=p["som"] * som, nov=nov_discount * long_value,
            conc=concentration, buffer=p["buffer"] * (gross + buffered), net_delta=long_all - short_all, pnl=total)


def levels_of(params):
    if "levels" not in params:
        return LEVELS
    return [(level["w"], level["clusters"]) for level in params["levels"]]


def read(account):
    """The account's assets with what it holds in each."""
    assets = {name: Asset(fields) for name, fields in account["assets"].items()}
    holdings = account["account"]
    for position in holdings["positions"]:
        market = account["markets"][position["market"]]
        asset = assets[market["asset"]]
        bucket = "perpetual" if market["kind"] == "perp" else market["expiry"]
        quantity = position["qty"]
        if market["kind"] == "option":
            held = asset.options.setdefault(bucket, {})
            instrument = (market["call"], market["strike"], market["iv"], market.get("slow_iv"))
            if instrument not in held:
                held[instrument] = [Option(market, asset.price, asset.slow, account["time"], asset.params), ZERO]
            held[instrument][1] += quantity
            asset.open[bucket] = 1 - market.get("fixed", ZERO)
            continue
        mark = market["mark"]
        asset.legs.setdefault(bucket, []).append(quantity * mark)
        entry = position.get("entry", mark)
        asset.unrealised[0] += quantity * (mark - entry)
        asset.unrealised[1] += quantity * (mark * asset.slow / asset.price - entry)
    for name, quantity in holdings.get("collateral", {}).items():
        assets[name].collateral = quantity
    return assets


def margin(account):
    params, cash = account.get("params", {}), account["account"].get("cash", ZERO)
    assets = read(account)
    floor = -params.get("shock_floor", Q("-0.95"))
    offsets = params.get("vega_offset", Q("0.25")), params.get("nov_discount", Q("0.05"))
    parts = {name: asset.margin(floor, *offsets) for name, asset in assets.items() if asset.used()}
    levels, scan = [], ZERO
    for weight, clusters in levels_of(params):
        groups = [[name for name in cluster if name in parts] for cluster in clusters]
        grouped = {name for group in groups for name in group}
        groups += [[name] for name in parts if name not in grouped]
        losses = [loss_of([sum(row) for row in zip(*(parts[name]["pnl"] for name in group))]) for group in groups if group]
        levels.append(sum(losses, ZERO))
        scan += weight * levels[-1]

    def over_assets(field):
        return sum((part[field] for part in parts.values()), ZERO)

    required = max(scan + over_assets("charge"), over_assets("som")) + over_assets("conc") + over_assets("nov")
    equity_mm = equity_im = equity_w = cash
    for asset in assets.values():
        options = sum((q * option.value(option.sigma, option.forward) for _, option, q in asset.held()), ZERO)
        equity_mm += asset.unrealised[0] + options + asset.credit("h_mm", asset.price)
        new_risk = asset.new_risk()
        equity_im += min(value + credit for value, credit in new_risk)
        equity_w += min(min(ZERO, value) + credit for value, credit in new_risk)
    return dict(
        IM=required + over_assets("buffer"), MM=params.get("mm_factor", Q("0.7")) * required + over_assets("buffer"), R=scan,
        levels=levels, charge=over_assets("charge"), conc=over_assets("conc"), buffer=over_assets("buffer"),
        som=over_assets("som"), nov=over_assets("nov"), equity_mm=equity_mm, equity_im=equity_im, equity_w=equity_w, assets=parts)


def isolated(account):
    """The sum of what each position would require alone."""
    total = ZERO
    for position in account["account"]["positions"]:
        name = account["markets"][position["market"]]["asset"]
        alone = {**account, "assets": {name: account["assets"][name]}, "account": {"positions": [position]}}
        total += margin(alone)["IM"]
    return total


def printable(value):
    """A figure as [down, up] in 10^-18 dollars; lists and objects by element."""
    if isinstance(value, dict):
        return {name: printable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [printable(item) for item in value]
    scaled = value.quantize(Q("1e-40")) * 10**18
    down = scaled.to_integral_value(ROUND_FLOOR)
    return [str(int(down)), str(int(down) + (scaled != down))]


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--reference":
        sys.path.insert(0, sys.argv[2])
        sys.dont_write_bytecode = True
        import reference_margin
        answers = []
        for account in json.load(sys.stdin):
            answer = reference_margin.compute(account)
            answer["isolated_IM"] = reference_margin.isolated(account)
            # JSON has no infinity: the health of an account that requires nothing.
            answers.append({name: value for name, value in answer.items() if not name.startswith("health")})
        print(json.dumps(answers))
        return
    if sys.argv[1:] == ["--precise"]:
        global MATH
        MATH = Precise
    accounts = json.load(sys.stdin, parse_float=Q, parse_int=Q)
    answers = []
    for number, account in enumerate(accounts):
        answer = margin(account)
        if number % 5 == 0:  # it takes as long as all the rest
            answer["isolated_IM"] = isolated(account)
        answers.append(printable(answer))
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
