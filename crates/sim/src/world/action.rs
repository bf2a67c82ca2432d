//! What wallets, keepers and traders do, one method an instruction.
use anchor_lang::prelude::Pubkey;
use ballast_client::instruction::{self, AccountKeys};
use solana_signer::Signer;

use super::{token_account, token_amount, Outcome, Token, User, World, TOKEN_PROGRAM};

/// 10⁻⁹ USD in a dollar.
const PRICE_UNIT: f64 = 1e9;

impl World {
    /// Opens the user's margin account number `index`.
    pub fn open(&mut self, user: &User, index: u16) -> Outcome {
        let wallet = user.key.pubkey();
        let open = instruction::open_margin_account(&self.exchange, &wallet, index, vec![]);
        let receipt = self.vm.send(&[open], &[&user.key])?;
        self.accounts.push(self.exchange.margin_account(&wallet, index));
        Ok(receipt)
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
        self.vm.send(&[deposit], &[&user.key])
    }

    /// `withdraw`, with the markets of the losing positions that settle.
    pub fn withdraw(&mut self, user: &User, token: &Token, amount: u64) -> Outcome {
        let destination = self.token_account_of(user, token);
        let losers = self.losers(&user.account.margin_account);
        let withdraw = instruction::withdraw(
            &self.exchange,
            &user.account,
            &token.mint,
            &destination,
            amount,
            &losers,
        );
        self.vm.send(&[withdraw], &[&user.key])
    }

    /// `refresh_prices` of these assets from their price accounts.
    pub fn refresh(&mut self, assets: &[u8]) -> Outcome {
        let prices: Vec<(u8, Pubkey)> = assets.iter().map(|a| (*a, self.price_account(*a))).collect();
        self.vm
            .send(&[instruction::refresh_prices(&self.exchange, &prices)], &[])
    }

    /// `block_trade`: the taker buys `lots` at `price` dollars from the maker.
    pub fn trade(&mut self, instrument: usize, taker: &User, maker: &User, lots: i64, price: f64) -> Outcome {
        let price = (price * PRICE_UNIT).round() as i64;
        let trade = instruction::block_trade(
            &self.exchange,
            &self.markets[instrument],
            &taker.account,
            &maker.account,
            lots,
            price,
        );
        self.vm.send(&[trade], &[&taker.key, &maker.key])
    }

    /// `settle_pnl` of an account's positions in these instruments.
    pub fn settle(&mut self, account: &Pubkey, instruments: &[usize]) -> Outcome {
        let markets: Vec<Pubkey> = instruments.iter().map(|i| self.markets[*i]).collect();
        self.vm
            .send(&[instruction::settle_pnl(&self.exchange, account, &markets)], &[])
    }

    /// `flag`.
    pub fn flag(&mut self, account: &Pubkey) -> Outcome {
        self.vm.send(&[instruction::flag(&self.exchange, account)], &[])
    }

    /// `unflag`.
    pub fn unflag(&mut self, account: &Pubkey) -> Outcome {
        self.vm.send(&[instruction::unflag(&self.exchange, account)], &[])
    }

    /// `liquidate`: the keeper takes over `lots` lots of the account's position.
    pub fn liquidate(&mut self, instrument: usize, account: &AccountKeys, keeper: &User, lots: u64) -> Outcome {
        let liquidate = instruction::liquidate(
            &self.exchange,
            &self.markets[instrument],
            account,
            &keeper.account,
            lots,
        );
        self.vm.send(&[liquidate], &[&keeper.key])
    }

    /// Gives quote to a user, who contributes it to the insurance fund.
    pub fn fund_insurance(&mut self, user: &User, amount: u64) -> Outcome {
        let usd = self.usd;
        self.give(user, &usd, amount);
        let fund = instruction::fund_insurance(&self.exchange, &user.key.pubkey(), &user.usd, amount);
        self.vm.send(&[fund], &[&user.key])
    }

    /// `close_margin_account`.
    pub fn close(&mut self, user: &User, index: u16) -> Outcome {
        let wallet = user.key.pubkey();
        let receipt = self.vm.send(
            &[instruction::close_margin_account(&self.exchange, &wallet, index)],
            &[&user.key],
        )?;
        let closed = self.exchange.margin_account(&wallet, index);
        self.accounts.retain(|key| *key != closed);
        Ok(receipt)
    }
}
