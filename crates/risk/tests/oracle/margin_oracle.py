#!/usr/bin/env python3
"""Linear portfolio margin in exact rational numbers, written from sections 1 to 4 of the margin methodology.

usage: margin_oracle.py [--reference FOLDER] < accounts.json

Reads a JSON list of accounts in the input format of the reference margin script (positions in perpetuals and futures, collateral,
cash, overrides of class parameters, levels) and prints a JSON list of answers. Every figure is a pair of texts: the value in
10^-18 dollars rounded down, and rounded up, so that the caller can check a bound without rounding of its own.
With --reference it runs reference_margin.py of that folder on the same accounts instead and prints its floating-point figures.
"""
import json
import sys
from fractions import Fraction as Q

ZERO, ONE = Q(0), Q(1)


def table(text):
    """Rows of decimals: a name and its exact values."""
    rows = [line.split() for line in text.strip().splitlines()]
    head = rows[0][1:]
    return {row[0]: {name: Q(x) for name, x in zip(head, row[1:])} for row in rows[1:]}


# The table of section 4. The depth of a stablecoin is beyond any account.
CLASSES = table("""
class   psr   buffer basis lam lam_opt depth     rho  h_im h_mm hedge
BTC     0.095 0.005  0.015 1   0.2     25000000  0.02 0.15 0.10 1
ETH     0.12  0.005  0.02  1   0.2     15000000  0.02 0.15 0.10 1
SOL     0.19  0.01   0.03  1   0.2     5000000   0.03 0.25 0.20 1
MID     0.24  0.01   0.04  1   0.2     1000000   0.05 0.50 0.40 0
STABLE  0     0      0     0   0       1e12      0    0.02 0.01 0
""")
LEVELS = [(Q("0.5"), []), (Q("0.25"), [["BTC", "ETH"]]), (Q("0.25"), [["BTC", "ETH", "SOL"]])]

# Section 1: (shock in scan ranges, weight), one row a scenario; volatility does not matter to linear legs.
SCENARIOS = (
    [(ZERO, ONE)] * 2
    + [(sign * Q(k, 3), ONE) for k in (1, 2, 3) for sign in (1, -1) for _ in ("up", "down")]
    + [(Q(p), Q(1, abs(p))) for p in (-2, 2, -4, 4, 8, 12)]
    + [(ZERO, ONE)] * 4
)
assert len(SCENARIOS) == 24
# Volatility aside, rows repeat: each distinct one is computed once.
ROWS = list(dict.fromkeys(SCENARIOS))
PLACES = [ROWS.index(row) for row in SCENARIOS]


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
        self.legs = {}  # bucket -> notional of each position
        self.unrealised = ZERO
        self.collateral = ZERO

    def used(self):
        return bool(self.legs) or (self.collateral > 0 and self.params["psr"] > 0)

    def spot(self, shocks):
        """P&L of the collateral: what the haircut does not cover, or the recognised part of a gain."""
        held, haircut = credited(self.collateral, self.params["h_mm"], self.params)
        hedge, hedge_haircut = credited(self.collateral, self.params["h_im"], self.params)
        recognised = self.params["hedge"] * hedge * (1 - hedge_haircut)
        return [weight * (held * min(ZERO, shock + haircut) if shock < 0 else recognised * shock) for shock, weight in shocks]

    def margin(self, shock_floor):
        p = self.params
        shocks = [(max(unit * p["psr"], -shock_floor), weight) for unit, weight in ROWS]
        notionals = {bucket: sum(legs) for bucket, legs in self.legs.items()}
        moves = [shock * weight for shock, weight in shocks]
        vectors = [[n * move for move in moves] for n in notionals.values()]
        if self.collateral > 0:
            vectors.append(self.spot(shocks))
        total = [sum(column) for column in zip(*vectors)]
        bucket_sum = sum(loss_of(vector) for vector in vectors)

        long_linear = sum(max(ZERO, n) for n in notionals.values())
        short_linear = sum(max(ZERO, -n) for n in notionals.values())
        counted, _ = credited(self.collateral, p["h_im"], p)
        spot_delta = min(p["hedge"] * counted, max(ZERO, short_linear - long_linear))
        long_all = long_linear + spot_delta
        matched_all = min(long_all, short_linear)
        matched_linear = min(matched_all, min(long_linear, short_linear))
        spread = (p["lam"] * p["psr"] + p["basis"]) * matched_linear
        spread += (p["lam_opt"] * p["psr"] + p["basis"]) * (matched_all - matched_linear)

        largest = max(long_all, short_linear)
        concentration = ZERO
        if largest > p["depth"]:
            concentration = min(p["psr"] * largest, p["rho"] * (largest - p["depth"]) ** 2 / p["depth"])
        gross = sum(abs(n) for legs in self.legs.values() for n in legs)
        return dict(
            scan=loss_of(total), bucket_sum=bucket_sum, matched_d1=matched_linear, matched_all=matched_all, spread=spread,
            charge=min(spread, bucket_sum - loss_of(total)), conc=concentration, buffer=p["buffer"] * gross,
            net_delta=long_all - short_linear, pnl=total)


def levels_of(params):
    if "levels" not in params:
        return LEVELS
    return [(level["w"], level["clusters"]) for level in params["levels"]]


def margin(account):
    params = account.get("params", {})
    assets = {name: Asset(fields) for name, fields in account["assets"].items()}
    holdings = account["account"]
    for position in holdings["positions"]:
        market = account["markets"][position["market"]]
        asset = assets[market["asset"]]
        bucket = "perpetual" if market["kind"] == "perp" else market["expiry"]
        mark, quantity = market["mark"], position["qty"]
        asset.legs.setdefault(bucket, []).append(quantity * mark)
        asset.unrealised += quantity * (mark - position.get("entry", mark))
    for name, quantity in holdings.get("collateral", {}).items():
        assets[name].collateral = quantity * assets[name].price

    floor = -params.get("shock_floor", Q("-0.95"))
    parts = {name: asset.margin(floor) for name, asset in assets.items() if asset.used()}
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

    for part in parts.values():
        part["pnl"] = [part["pnl"][place] for place in PLACES]
    required = scan + over_assets("charge") + over_assets("conc")
    cash = holdings.get("cash", ZERO)
    credits = {"h_im": ZERO, "h_mm": ZERO}
    for asset in assets.values():
        for which in credits:
            counted, haircut = credited(asset.collateral, asset.params[which], asset.params)
            credits[which] += counted * (1 - haircut)
    unrealised = sum((asset.unrealised for asset in assets.values()), ZERO)
    losses = sum((min(ZERO, asset.unrealised) for asset in assets.values()), ZERO)
    return dict(
        IM=required + over_assets("buffer"), MM=params.get("mm_factor", Q("0.7")) * required + over_assets("buffer"), R=scan,
        levels=levels, charge=over_assets("charge"), conc=over_assets("conc"), buffer=over_assets("buffer"),
        equity_mm=cash + unrealised + credits["h_mm"], equity_im=cash + unrealised + credits["h_im"],
        equity_w=cash + losses + credits["h_im"], assets=parts,
        gross=sum((abs(n) for a in assets.values() for legs in a.legs.values() for n in legs), ZERO)
        + sum((a.collateral for a in assets.values()), ZERO))


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
    scaled = value * 10**18
    down = scaled.numerator // scaled.denominator
    return [str(down), str(down + (scaled.denominator != 1))]


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
    accounts = json.load(sys.stdin, parse_float=Q, parse_int=Q)
    answers = []
    for account in accounts:
        answer = margin(account)
        answer["isolated_IM"] = isolated(account)
        answers.append(printable(answer))
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
