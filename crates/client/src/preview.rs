//! The whole preview of an account, put together from the sections that the program returns one by one.
//!
//! Nothing here does input or output: the caller simulates each instruction, over RPC or in an embedded VM, and gives back its return data.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::AnchorDeserialize;
use ballast::instructions::{
    AssetGreeks, AssetSection, DistanceReport, Isolated, PreviewChange, PreviewReport, PreviewRequest, PreviewSection,
    RiskTotals, Summary,
};
use ballast_fixed::Ratio;
use ballast_risk::MAX_GROSS;

use crate::address::Exchange;
use crate::instruction;

/// Step in which the way to a liquidation is walked up to a move of 100 %; beyond that it is 100 %.
const STEP: i64 = Ratio::SCALE / 20;
/// A distance is narrowed to a hundredth of a per cent at least.
const WIDE: u64 = Ratio::SCALE as u64 / 10_000;
/// Calls that one distance takes at most: 20 steps and 9 more of the fewest evaluations that a call makes, and narrowing.
const CALLS: u32 = 64;

/// Why there is no preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviewError<E> {
    /// The instruction could not be simulated, or the program has refused it.
    Send(E),
    /// The return data is no report: another program's, or that of another version.
    Malformed,
    /// The report is of another section than the one asked for.
    OtherSection,
}

impl<E: std::fmt::Display> std::fmt::Display for PreviewError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            PreviewError::Send(error) => write!(f, "the preview was not simulated: {error}"),
            PreviewError::Malformed => f.write_str("the return data is not a preview of this program's version"),
            PreviewError::OtherSection => f.write_str("the program returned another section of the preview"),
        }
    }
}

impl<E: std::error::Error> std::error::Error for PreviewError<E> {}

/// An asset that the account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetPreview {
    /// Index on the board.
    pub asset: u8,
    /// Charges and scenarios.
    pub margin: AssetSection,
    /// Sensitivities.
    pub greeks: AssetGreeks,
    /// The smallest rise that makes the account liquidatable.
    pub rise: DistanceReport,
    /// The smallest fall that does.
    pub fall: DistanceReport,
}

/// Everything that the program says about an account. Dollars in 10⁻⁸, ratios in 10⁻⁹.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Requirements, charges, equities and health.
    pub summary: Summary,
    /// The assets held, by index.
    pub assets: Vec<AssetPreview>,
    /// Sensitivities of the account and its value at risk.
    pub totals: RiskTotals,
    /// The positions one by one, and what is saved.
    pub isolated: Isolated,
}

/// How figures change; dollars in 10⁻⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Of IM.
    pub initial_margin: i64,
    /// Of MM.
    pub maintenance_margin: i64,
    /// Of E_im.
    pub equity_initial: i64,
    /// Of E_mm.
    pub equity_maintenance: i64,
    /// Of E_w.
    pub equity_withdrawal: i64,
    /// Of the saving of IM.
    pub saving_initial: i64,
    /// Of the value at risk.
    pub value_at_risk: i64,
}

impl Preview {
    /// What has changed since `before`.
    pub fn minus(&self, before: &Preview) -> Difference {
        let (new, old) = (&self.summary, &before.summary);
        Difference {
            initial_margin: new.initial_margin.saturating_sub(old.initial_margin),
            maintenance_margin: new.maintenance_margin.saturating_sub(old.maintenance_margin),
            equity_initial: new.equity_initial.saturating_sub(old.equity_initial),
            equity_maintenance: new.equity_maintenance.saturating_sub(old.equity_maintenance),
            equity_withdrawal: new.equity_withdrawal.saturating_sub(old.equity_withdrawal),
            saving_initial: self
                .isolated
                .saving_initial
                .saturating_sub(before.isolated.saving_initial),
            value_at_risk: self.totals.value_at_risk.saturating_sub(before.totals.value_at_risk),
        }
    }

    /// What may still be required of new risk: E_im − IM.
    pub fn free_margin(&self) -> i64 {
        self.summary.equity_initial.saturating_sub(self.summary.initial_margin)
    }

    /// One asset, if the account holds it.
    pub fn asset(&self, asset: u8) -> Option<&AssetPreview> {
        self.assets.iter().find(|a| a.asset == asset)
    }
}

/// Which account is previewed, and after which changes.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    exchange: &'a Exchange,
    margin_account: &'a Pubkey,
    changes: &'a [PreviewChange],
    mints: &'a [Pubkey],
}

impl<'a> Query<'a> {
    /// The account as it is.
    pub fn new(exchange: &'a Exchange, margin_account: &'a Pubkey) -> Query<'a> {
        Query {
            exchange,
            margin_account,
            changes: &[],
            mints: &[],
        }
    }

    /// The account after changes. `mints` are those of the collaterals that they add and the account does not hold.
    pub fn after(self, changes: &'a [PreviewChange], mints: &'a [Pubkey]) -> Query<'a> {
        Query { changes, mints, ..self }
    }

    /// The instruction that returns one section.
    pub fn instruction(&self, section: PreviewSection) -> Instruction {
        let changes = self.changes.to_vec();
        let request = PreviewRequest { section, changes };
        instruction::preview_what_if(self.exchange, self.margin_account, request, self.mints)
    }

    /// Asks for every section: four, a page of greeks for each 16 assets, and for each asset one and those that its distances take, of which
    /// an asset without options needs three. All of them should see the same slot, or prices may move between them.
    ///
    /// # Errors
    /// See [`PreviewError`].
    pub fn read<E>(&self, mut send: impl FnMut(Instruction) -> Result<Vec<u8>, E>) -> Result<Preview, PreviewError<E>> {
        let mut reader = Reader {
            query: self,
            send: &mut send,
        };
        let summary = reader.section(PreviewSection::Summary, |report| match report {
            PreviewReport::Summary(summary) => Some(summary),
            _ => None,
        })?;
        let isolated = reader.section(PreviewSection::Isolated, |report| match report {
            PreviewReport::Isolated(isolated) => Some(isolated),
            _ => None,
        })?;
        let totals = reader.section(PreviewSection::Risk, |report| match report {
            PreviewReport::Risk(totals) => Some(totals),
            _ => None,
        })?;
        let mut assets = Vec::new();
        for greeks in reader.greeks()? {
            assets.push(reader.asset(greeks, &summary)?);
        }
        Ok(Preview {
            summary,
            assets,
            totals,
            isolated,
        })
    }
}

struct Reader<'a, F> {
    query: &'a Query<'a>,
    send: &'a mut F,
}

impl<E, F: FnMut(Instruction) -> Result<Vec<u8>, E>> Reader<'_, F> {
    fn section<T>(
        &mut self,
        section: PreviewSection,
        pick: impl FnOnce(PreviewReport) -> Option<T>,
    ) -> Result<T, PreviewError<E>> {
        let data = (self.send)(self.query.instruction(section)).map_err(PreviewError::Send)?;
        // The runtime cuts zeros off the end of return data.
        let mut padded = data;
        padded.resize(padded.len().max(RETURN_DATA), 0);
        let report = PreviewReport::deserialize(&mut padded.as_slice()).map_err(|_| PreviewError::Malformed)?;
        pick(report).ok_or(PreviewError::OtherSection)
    }

    fn greeks(&mut self) -> Result<Vec<AssetGreeks>, PreviewError<E>> {
        let (mut all, mut next) = (Vec::new(), Some(0));
        while let Some(first) = next {
            let page = self.section(PreviewSection::Greeks { first }, |report| match report {
                PreviewReport::Greeks(page) => Some(page),
                _ => None,
            })?;
            all.extend(page.assets);
            next = page.next.filter(|n| *n > first);
        }
        Ok(all)
    }

    fn asset(&mut self, greeks: AssetGreeks, summary: &Summary) -> Result<AssetPreview, PreviewError<E>> {
        let asset = greeks.asset;
        let margin = self.section(PreviewSection::Asset { asset }, |report| match report {
            PreviewReport::Asset(section) => Some(section),
            _ => None,
        })?;
        Ok(AssetPreview {
            asset,
            margin,
            greeks,
            rise: self.distance(asset, &[Ratio::SCALE.min(reach(summary)), reach(summary)])?,
            fall: self.distance(asset, &[-Ratio::SCALE])?,
        })
    }

    /// Walks from where the price is to each of the ends, and narrows what it finds.
    fn distance(&mut self, asset: u8, ends: &[i64]) -> Result<DistanceReport, PreviewError<E>> {
        let mut found = DistanceReport::default();
        let mut calls = 0;
        for end in ends {
            let step = if end.abs() > Ratio::SCALE { Ratio::SCALE } else { STEP };
            while found.safe != *end && calls < CALLS {
                calls += 1;
                let steps = (found.safe.abs_diff(*end) / step.unsigned_abs()).clamp(1, 100) as u8;
                found = self.way(asset, [found.safe, *end], steps)?;
                if found.liquidatable.is_some() {
                    return self.narrow(asset, found);
                }
            }
        }
        Ok(found)
    }

    fn narrow(&mut self, asset: u8, mut found: DistanceReport) -> Result<DistanceReport, PreviewError<E>> {
        for _ in 0..CALLS {
            match found.liquidatable {
                Some(end) if end.abs_diff(found.safe) > WIDE => found = self.way(asset, [found.safe, end], 1)?,
                _ => break,
            }
        }
        Ok(found)
    }

    fn way(&mut self, asset: u8, [from, to]: [i64; 2], steps: u8) -> Result<DistanceReport, PreviewError<E>> {
        let section = PreviewSection::Distance { asset, from, to, steps };
        self.section(section, |report| match report {
            PreviewReport::Distance(distance) => Some(distance),
            _ => None,
        })
    }
}

/// Most bytes of return data.
const RETURN_DATA: usize = 1_024;

/// The farthest rise that is looked at: 1,000 %, or what keeps an account of this size well inside the engine's domain.
fn reach(summary: &Summary) -> i64 {
    let size = summary.gross.saturating_add(summary.equity_unhaircut.saturating_abs());
    let factor = i128::from(MAX_GROSS.0) * i128::from(Ratio::SCALE) / (2 * i128::from(size.max(1)));
    let reach = factor.min(i128::from(11 * Ratio::SCALE)) as i64 - Ratio::SCALE;
    reach.max(STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::AnchorSerialize;

    /// An account in one asset that is liquidatable from a rise of 123 % on; each call looks at `evaluations` moves.
    fn program(evaluations: u8, bound: i64) -> impl FnMut(Instruction) -> Result<Vec<u8>, &'static str> {
        move |instruction| {
            let mut data = instruction.data.get(8..).unwrap_or_default();
            let request = PreviewRequest::deserialize(&mut data).map_err(|_| "no request")?;
            let report = match request.section {
                PreviewSection::Summary => PreviewReport::Summary(Summary::default()),
                PreviewSection::Asset { .. } => PreviewReport::Asset(AssetSection::default()),
                PreviewSection::Isolated => PreviewReport::Isolated(Isolated::default()),
                PreviewSection::Risk => PreviewReport::Risk(RiskTotals::default()),
                PreviewSection::Greeks { first } => {
                    let one = |asset| AssetGreeks {
                        asset,
                        ..AssetGreeks::default()
                    };
                    PreviewReport::Greeks(ballast::instructions::Greeks {
                        assets: vec![one(first)],
                        next: (first < 2).then_some(first + 1),
                    })
                }
                PreviewSection::Distance { from, to, steps, .. } => {
                    let mut found = DistanceReport {
                        safe: from,
                        liquidatable: None,
                    };
                    for n in 1..=i64::from(steps.min(evaluations)) {
                        let at = from + (to - from) / i64::from(steps) * n;
                        let at = if n == i64::from(steps) { to } else { at };
                        if at > bound {
                            found.liquidatable = Some(at);
                            break;
                        }
                        found.safe = at;
                    }
                    if let (1, Some(end)) = (steps, found.liquidatable) {
                        let middle = from + (end - from) / 2;
                        if middle > bound {
                            found.liquidatable = Some(middle);
                        } else {
                            found.safe = middle;
                        }
                    }
                    PreviewReport::Distance(found)
                }
            };
            let mut out = Vec::new();
            report.serialize(&mut out).map_err(|_| "no report")?;
            while out.last() == Some(&0) {
                out.pop(); // as the runtime does
            }
            Ok(out)
        }
    }

    fn keys() -> (Exchange, Pubkey) {
        let exchange = Exchange::new(1, Pubkey::new_unique(), Pubkey::new_unique());
        (exchange, Pubkey::new_unique())
    }

    #[test]
    fn pages_and_distances_are_followed_to_their_end() {
        let (exchange, account) = keys();
        for evaluations in [1, 3, 48] {
            let bound = 1_230_000_000;
            let preview = Query::new(&exchange, &account)
                .read(program(evaluations, bound))
                .expect("a preview");
            let indices: Vec<u8> = preview.assets.iter().map(|a| a.asset).collect();
            assert_eq!(indices, [0, 1, 2]);
            for asset in preview.assets {
                let end = asset.rise.liquidatable.expect("it ends");
                assert!(asset.rise.safe <= bound && end > bound && end - asset.rise.safe <= 100_000);
                let fall = DistanceReport {
                    safe: -1_000_000_000,
                    liquidatable: None,
                };
                assert_eq!(asset.fall, fall);
            }
        }
    }

    #[test]
    fn errors_are_named() {
        let (exchange, account) = keys();
        let query = Query::new(&exchange, &account);
        assert_eq!(query.read(|_| Err("offline")), Err(PreviewError::Send("offline")));
        let ninth = |_| Ok::<_, &str>(vec![9]);
        assert_eq!(query.read(ninth), Err(PreviewError::Malformed));
        let risk = |_| Ok::<_, &str>(vec![4]);
        assert_eq!(query.read(risk), Err(PreviewError::OtherSection));
    }

    #[test]
    fn large_accounts_are_not_followed_out_of_the_domain() {
        let of = |gross| {
            reach(&Summary {
                gross,
                ..Summary::default()
            })
        };
        assert_eq!(of(0), 10 * Ratio::SCALE);
        // 4 billion dollars: two and a half times that are half of 20 billion.
        assert_eq!(of(400_000_000_000_000_000), Ratio::SCALE * 3 / 2);
        assert_eq!(of(i64::MAX), STEP);
    }
}
