//! Price accounts as `pyth-sdk-solana` reads them.
use ballast_oracle::pyth_push::{PythPush, LEN, MAGIC};
use ballast_oracle::{Adapter, OracleError, Reading};
use pyth_sdk_solana::state::{load_price_account, AccountType, PriceStatus, PriceType, SolanaPriceAccount, VERSION_2};
use solana_program::pubkey::Pubkey;

use crate::common::{compare, real_account, Layout, Random};

const KEY: [u8; 32] = [7; 32];

/// Magic and version, type and size, price type and exponent, time, price, confidence, status, slot.
const LAYOUT: Layout = Layout {
    mark: 8,
    fields: &[0, 8, 16, 96, 208, 216, 224, 232],
};

/// The vendor reads through a reference, so its accounts are aligned.
struct Aligned(Vec<u64>, usize);

impl Aligned {
    fn new(data: &[u8]) -> Aligned {
        let mut words = vec![0; data.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..data.len()].copy_from_slice(data);
        Aligned(words, data.len())
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.0)[..self.1]
    }
}

/// A price account with any status.
fn account(random: &mut Random) -> Vec<u8> {
    let mut words = vec![0u64; LEN / 8];
    let account: &mut SolanaPriceAccount = bytemuck::from_bytes_mut(bytemuck::cast_slice_mut(&mut words));
    account.magic = pyth_sdk_solana::state::MAGIC;
    account.ver = VERSION_2;
    account.atype = AccountType::Price as u32;
    account.num = random.below(33) as u32;
    account.size = 240 + 96 * account.num;
    account.ptype = PriceType::Price;
    account.expo = -(random.below(20) as i32);
    account.num_qt = random.below(33) as u32;
    account.last_slot = random.sized();
    account.timestamp = random.sized() as i64;
    account.prev_slot = random.sized();
    account.prev_price = random.sized() as i64;
    account.prev_conf = random.sized();
    account.prev_timestamp = random.sized() as i64;
    account.agg.price = random.signed(63) as i64;
    account.agg.conf = random.sized();
    account.agg.pub_slot = random.sized();
    account.agg.status = match random.below(16) {
        0 => PriceStatus::Unknown,
        1 => PriceStatus::Halted,
        2 => PriceStatus::Auction,
        3 => PriceStatus::Ignored,
        _ => PriceStatus::Trading,
    };
    bytemuck::cast_slice(&words).to_vec()
}

fn word(data: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(data[offset..offset + 4].try_into().expect("four bytes"))
}

/// Bytes that are none of the vendor's enumerations: it has no defined answer to them.
fn undefined(data: &[u8]) -> bool {
    data.len() >= LEN && (data[16] > 1 || data[224] > 4 || data[225] > 0)
}

/// What the vendor's crate reads and we refuse: another size than the program creates, which is Pythnet's own or none, sizes in use that
/// end before the aggregate, accounts of no price type. Where an account does not trade the vendor falls back on the price before.
fn we_refuse(data: &[u8]) -> Option<OracleError> {
    if data.len() != LEN || !(240..=LEN as u32).contains(&word(data, 12)) || word(data, 16) & 0xff != 1 {
        return Some(OracleError::WrongLayout);
    }
    (word(data, 224) != PriceStatus::Trading as u32).then_some(OracleError::NotTrading)
}

/// The vendor's feed under our names.
fn fields(account: &SolanaPriceAccount) -> Reading {
    let price = account
        .to_price_feed(&Pubkey::new_from_array(KEY))
        .get_price_unchecked();
    Reading {
        id: KEY,
        queue: [0; 32],
        hash: [0; 32],
        price: i128::from(price.price),
        confidence: u128::from(price.conf),
        exponent: price.expo,
        publish_time: price.publish_time,
        slot: account.agg.pub_slot,
        first_slot: account.agg.pub_slot,
        own_max_slots: 0,
        samples: 0,
    }
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let ours = PythPush::read(&KEY, data);
    if undefined(data) {
        assert!(ours.is_err(), "{data:?}");
        return (false, false);
    }
    let aligned = Aligned::new(data);
    let theirs = load_price_account::<32, ()>(aligned.bytes()).ok();
    let expected = match theirs {
        None => Err(OracleError::WrongLayout),
        Some(account) => we_refuse(data).map_or_else(|| Ok(fields(account)), Err),
    };
    assert_eq!(ours, expected, "{data:?}");
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(MAGIC, pyth_sdk_solana::state::MAGIC);
    assert_eq!(LEN, std::mem::size_of::<SolanaPriceAccount>());
}

#[test]
fn price_accounts_read_as_the_vendor_reads_them() {
    compare(1, &LAYOUT, account, agree);
}

/// Pyth's USDC/USD account as it stood on 7 December 2023: 1.00000750 ± 0.00024249.
#[test]
fn a_real_price_account_reads_as_the_vendor_reads_it() {
    let Some(data) = real_account("Gnt27xtC473ZT2Mw5u8wZ68Z3gULkSTb5DuxJy7eJotD") else {
        return;
    };
    assert_eq!(agree(&data), (true, true));
    let reading = PythPush::read(&KEY, &data).expect("it trades");
    assert_eq!(
        (reading.price, reading.confidence, reading.exponent),
        (100_000_750, 24_249, -8)
    );
    assert_eq!((reading.publish_time, reading.slot), (1_701_981_042, 234_590_446));
}
