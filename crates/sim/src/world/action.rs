//! What wallets, keepers and traders do, one method an instruction.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::instructions::{TradeLeg, HOURS_A_CALL};
use ballast::state::{MarginAccount, MarginMethod};
use ballast_client::account::decode;
use ballast_client::instruction::{self, AccountKeys};
use ballast_risk::index_history::hour_of;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{token_account, token_amount, Outcome, Token, User, World, TOKEN_PROGRAM};
use crate::invariants::{Action, Leg, Picture};

/// 10⁻⁹ USD in a dollar.
const PRICE_UNIT: f64 = 1e9;

impl World {
    /// Sends an action's instruction. Where the world is watched, every invariant is checked on the exchange before and after it.
    pub fn send(&mut self, action: &Action, instruction: Instruction, signers: &[&Keypair]) -> Outcome {
        self.send_all(action, &[instruction], signers)
    }

    /// As [`World::send`], where the action takes several instructions.
    pub fn send_all(&mut self, action: &Action, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        let Some(mut watch) = self.watch.take() else {
            return self.vm.send(instructions, signers);
        };
        let before = Picture::of(self);
        let outcome = self.vm.send(instructions, signers);
        watch.saw(&before, &Picture::of(self), action, outcome.is_ok());
        self.watch = Some(watch);
        outcome
    }

    /// Opens the user's margin account number `index`.
    pub fn open(&mut self, user: &User, index: u16) -> Outcome {
        let wallet = user.key.pubkey();
        let open = instruction::open_margin_account(&self.exchange, &wallet, index, vec![]);
        let account = self.exchange.margin_account(&wallet, index);
        let receipt = self.send(&Action::Open { account }, open, &[&user.key])?;
        self.accounts.push(account);
        Ok(receipt)
    }

    /// `set_margin_method` of the user's account number 0.
    pub fn set_method(&mut self, user: &User, method: MarginMethod) -> Outcome {
        let set = instruction::set_margin_method(&self.exchange, &user.key.pubkey(), 0, method);
        let account = user.account.margin_account;
        self.send(&Action::SetMethod { account }, set, &[&user.key])
    }

    /// `set_referrer` of the user's account number 0.
    pub fn set_referrer(&mut self, user: &User, referrer: &Pubkey) -> Outcome {
        let set = instruction::set_referrer(&user.account, referrer);
        let account = user.account.margin_account;
        self.send(&Action::SetReferrer { account }, set, &[&user.key])
    }

    /// `claim_referral` of what an account's fees have earned its referrer.
    pub fn claim_referral(&mut self, account: &Pubkey, referrer: &Pubkey) -> Outcome {
        let claim = instruction::claim_referral(&self.exchange, account, referrer);
        let action = Action::ClaimReferral {
            account: *account,
            referrer: *referrer,
        };
        self.send(&action, claim, &[])
    }

    /// The user's token account of a token.
    pub fn token_account_of(&self, user: &User, token: &Token) -> Pubkey {
        match token.mint {
            m if m == self.usd.mint => user.usd,
            m if m == self.btc.mint => user.btc,
            _ => user.sol,
        }
    }

    /// Gives tokens to a user, native units.
    pub fn give(&mut self, user: &User, token: &Token, amount: u64) {
        let account = self.token_account_of(user, token);
        let held = token_amount(&self.vm.data(&account));
        let data = token_account(&token.mint, &user.key.pubkey(), held + amount);
        self.vm.put(account, TOKEN_PROGRAM, data);
    }

    /// Gives tokens to a user and deposits them, native units.
    pub fn fund(&mut self, user: &User, token: &Token, amount: u64) -> Outcome {
        self.give(user, token, amount);
        self.deposit(user, token, amount)
    }

    /// `deposit`.
    pub fn deposit(&mut self, user: &User, token: &Token, amount: u64) -> Outcome {
        let source = self.token_account_of(user, token);
        let deposit = instruction::deposit(&self.exchange, &user.account, &token.mint, &source, amount);
        let action = Action::Deposit {
            account: user.account.margin_account,
            mint: token.mint,
            amount,
        };
        self.send(&action, deposit, &[&user.key])
    }

    /// `withdraw`, with the markets of the losing positions that settle and the last funding of those that have ended.
    pub fn withdraw(&mut self, user: &User, token: &Token, amount: u64) -> Outcome {
        let account = self.vm.data(&user.account.margin_account);
        let account = decode::<MarginAccount>(&account); // not opened: the program says so itself
        let held = account.map_or_else(|_| Vec::new(), |account| account.positions().to_vec());
        self.update_last_funding(held.iter().map(|position| usize::from(position.instrument)));
        let losers = self.losers(&user.account.margin_account);
        self.withdraw_with(user, token, amount, &losers)
    }

    /// `withdraw` with these markets.
    pub fn withdraw_with(&mut self, user: &User, token: &Token, amount: u64, markets: &[Pubkey]) -> Outcome {
        let destination = self.token_account_of(user, token);
        let withdraw = instruction::withdraw(
            &self.exchange,
            &user.account,
            &token.mint,
            &destination,
            amount,
            markets,
        );
        let action = Action::Withdraw {
            account: user.account.margin_account,
            mint: token.mint,
            amount,
        };
        self.send(&action, withdraw, &[&user.key])
    }

    /// `refresh_prices` of these assets from their price accounts.
    pub fn refresh(&mut self, assets: &[u8]) -> Outcome {
        let prices: Vec<(u8, Pubkey)> = assets.iter().map(|a| (*a, self.price_account(*a))).collect();
        let refresh = instruction::refresh_prices(&self.exchange, &prices);
        self.send(&Action::Refresh, refresh, &[])
    }

    /// `update_funding` of a perpetual, as often as it takes until no hour is left to close. What comes back is the last call's.
    pub fn update_funding(&mut self, instrument: usize) -> Outcome {
        loop {
            let before = self.board().instruments[instrument].funding_hour;
            let outcome = self.update_funding_once(instrument);
            if outcome.is_err() || self.board().instruments[instrument].funding_hour < before + HOURS_A_CALL {
                return outcome;
            }
        }
    }

    /// One call of `update_funding`.
    pub fn update_funding_once(&mut self, instrument: usize) -> Outcome {
        let update = instruction::update_funding(&self.exchange, &self.markets[instrument]);
        self.send(&Action::UpdateFunding { instrument }, update, &[])
    }

    /// `update_funding` of those of the instruments that are perpetuals whose hour is not on the board yet, as a trader sends it along.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn update_due_funding(&mut self, instruments: impl IntoIterator<Item = usize>) {
        let (board, hour) = (self.board(), hour_of(self.vm.now()));
        for instrument in instruments {
            let listed = &board.instruments[instrument];
            if listed.is_perpetual() && listed.funding_hour < hour {
                self.update_funding(instrument).expect("anybody may update funding");
            }
        }
    }

    /// `block_trade`: the taker buys `lots` at `price` dollars from the maker.
    pub fn trade(&mut self, instrument: usize, taker: &User, maker: &User, lots: i64, price: f64) -> Outcome {
        self.trade_at(instrument, taker, maker, lots, (price * PRICE_UNIT).round() as i64)
    }

    /// `block_trade` at a price of 10⁻⁹ USD.
    pub fn trade_at(&mut self, instrument: usize, taker: &User, maker: &User, lots: i64, price: i64) -> Outcome {
        let leg = Leg {
            instrument,
            lots,
            price,
        };
        self.trade_package(taker, maker, &[leg])
    }

    /// `block_trade` of several legs, with the funding that is due before it.
    pub fn trade_package(&mut self, taker: &User, maker: &User, legs: &[Leg]) -> Outcome {
        self.update_due_funding(legs.iter().map(|leg| leg.instrument));
        let terms = |leg: &Leg| {
            let (lots, price) = (leg.lots, leg.price);
            (self.markets[leg.instrument], TradeLeg { lots, price })
        };
        let terms: Vec<_> = legs.iter().map(terms).collect();
        let trade = instruction::package_trade(&self.exchange, &terms, &taker.account, &maker.account);
        let action = Action::Trade {
            taker: taker.account.margin_account,
            maker: maker.account.margin_account,
            legs: legs.to_vec(),
        };
        self.send(&action, trade, &[&taker.key, &maker.key])
    }

    /// `settle_pnl` of an account's positions in these instruments, with the last funding of those that have ended.
    pub fn settle(&mut self, account: &Pubkey, instruments: &[usize]) -> Outcome {
        self.update_last_funding(instruments.iter().copied());
        let markets: Vec<Pubkey> = instruments.iter().map(|i| self.markets[*i]).collect();
        let settle = instruction::settle_pnl(&self.exchange, account, &markets);
        let action = Action::Settle {
            account: *account,
            instruments: instruments.to_vec(),
        };
        self.send(&action, settle, &[])
    }

    /// `flag`.
    pub fn flag(&mut self, account: &Pubkey) -> Outcome {
        let flag = instruction::flag(&self.exchange, account);
        self.send(&Action::Flag { account: *account }, flag, &[])
    }

    /// `unflag`.
    pub fn unflag(&mut self, account: &Pubkey) -> Outcome {
        let unflag = instruction::unflag(&self.exchange, account);
        self.send(&Action::Unflag { account: *account }, unflag, &[])
    }

    /// `liquidate`: the keeper takes over `lots` lots of the account's position.
    pub fn liquidate(&mut self, instrument: usize, account: &AccountKeys, keeper: &User, lots: u64) -> Outcome {
        self.liquidate_package(&[(instrument, lots)], account, keeper)
    }

    /// `liquidate` of several legs: instruments and lots.
    pub fn liquidate_package(&mut self, legs: &[(usize, u64)], account: &AccountKeys, keeper: &User) -> Outcome {
        let markets: Vec<_> = legs.iter().map(|(i, lots)| (self.markets[*i], *lots)).collect();
        let liquidate = instruction::liquidate_package(&self.exchange, &markets, account, &keeper.account);
        let action = Action::Liquidate {
            legs: legs.to_vec(),
            account: account.margin_account,
            keeper: keeper.account.margin_account,
        };
        self.send(&action, liquidate, &[&keeper.key])
    }

    /// Gives quote to a user, who contributes it to the insurance fund.
    pub fn fund_insurance(&mut self, user: &User, amount: u64) -> Outcome {
        let usd = self.usd;
        self.give(user, &usd, amount);
        self.contribute(user, amount)
    }

    /// `fund_insurance` out of what the user has.
    pub fn contribute(&mut self, user: &User, amount: u64) -> Outcome {
        let wallet = user.key.pubkey();
        let fund = instruction::fund_insurance(&self.exchange, &wallet, &user.usd, amount);
        self.send(&Action::FundInsurance { wallet, amount }, fund, &[&user.key])
    }

    /// `close_margin_account`.
    pub fn close(&mut self, user: &User, index: u16) -> Outcome {
        let wallet = user.key.pubkey();
        let close = instruction::close_margin_account(&self.exchange, &wallet, index);
        let account = self.exchange.margin_account(&wallet, index);
        let receipt = self.send(&Action::Close { account }, close, &[&user.key])?;
        self.accounts.retain(|key| *key != account);
        Ok(receipt)
    }
}
