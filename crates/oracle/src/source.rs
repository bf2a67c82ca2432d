//! The kinds of sources, and which adapter reads each.
use crate::pyth_pull::PythPull;
use crate::pyth_push::PythPush;
use crate::switchboard_on_demand::SwitchboardOnDemand;
use crate::switchboard_v2::SwitchboardV2;
use crate::{Adapter, OracleError, Reading};

/// A vendor's kind of price account. A kind is read only where a source is listed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SourceKind {
    /// Pyth's pull updates.
    PythPull = 1,
    /// Switchboard On-Demand's pull feeds.
    SwitchboardOnDemand = 2,
    /// Pyth's push accounts, which have ended on Solana's mainnet.
    PythPush = 3,
    /// Switchboard V2's aggregators, which have ended on Solana's mainnet.
    SwitchboardV2 = 4,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [SourceKind; 4] = [
        SourceKind::PythPull,
        SourceKind::SwitchboardOnDemand,
        SourceKind::PythPush,
        SourceKind::SwitchboardV2,
    ];

    /// The kind with that number.
    pub const fn from_u8(number: u8) -> Option<SourceKind> {
        match number {
            1 => Some(SourceKind::PythPull),
            2 => Some(SourceKind::SwitchboardOnDemand),
            3 => Some(SourceKind::PythPush),
            4 => Some(SourceKind::SwitchboardV2),
            _ => None,
        }
    }

    /// The programs that write such accounts.
    pub const fn programs(self) -> &'static [[u8; 32]] {
        match self {
            SourceKind::PythPull => PythPull::PROGRAMS,
            SourceKind::SwitchboardOnDemand => SwitchboardOnDemand::PROGRAMS,
            SourceKind::PythPush => PythPush::PROGRAMS,
            SourceKind::SwitchboardV2 => SwitchboardV2::PROGRAMS,
        }
    }

    /// Whether a program writes such accounts.
    pub fn is_owner(self, owner: &[u8; 32]) -> bool {
        self.programs().contains(owner)
    }

    /// Reads an account with the adapter of this kind.
    ///
    /// # Errors
    /// [`OracleError::WrongOwner`], and the adapter's own.
    pub fn read(self, owner: &[u8; 32], key: &[u8; 32], data: &[u8]) -> Result<Reading, OracleError> {
        if !self.is_owner(owner) {
            return Err(OracleError::WrongOwner);
        }
        match self {
            SourceKind::PythPull => PythPull::read(key, data),
            SourceKind::SwitchboardOnDemand => SwitchboardOnDemand::read(key, data),
            SourceKind::PythPush => PythPush::read(key, data),
            SourceKind::SwitchboardV2 => SwitchboardV2::read(key, data),
        }
    }
}
