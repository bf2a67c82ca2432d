//! Each instruction's effect and refusals, against the compiled program.
mod block_trade;
mod deposit;
mod fund_insurance;
mod margin_figures;
mod preview;
mod price_guards;
mod real_price;
mod refresh_prices;
mod trade_limits;
mod trade_rules;
mod withdraw;
mod withdraw_limits;
