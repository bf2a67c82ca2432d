//! Random accounts, and ways to damage them.

/// SplitMix64: the same accounts in every run.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Bits of any size, so that small numbers turn up as often as large ones.
    pub fn sized(&mut self) -> u64 {
        let shift = self.bits() % 64;
        self.bits() >> shift
    }

    /// A number of up to `bits` bits and either sign.
    pub fn signed(&mut self, bits: u32) -> i128 {
        let shift = 128 - bits + (self.bits() % u64::from(bits)) as u32;
        let magnitude = (u128::from(self.bits()) << 64 | u128::from(self.bits())) >> shift;
        if self.bits() % 2 == 0 {
            magnitude as i128
        } else {
            (magnitude as i128).wrapping_neg()
        }
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub fn index(&mut self, len: usize) -> usize {
        (self.bits() % len as u64) as usize
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        out.fill_with(|| self.bits() as u8);
        out
    }
}

/// Where to damage an account so that it matters.
pub struct Layout {
    /// Bytes at the beginning that mark what the account is: discriminator, magic number and version, type.
    pub mark: usize,
    /// Offsets near which the fields lie that are read.
    pub fields: &'static [usize],
}

/// A way to damage an account's data.
pub type Damage = fn(&mut Random, &mut Vec<u8>, &Layout);

pub const DAMAGES: [(&str, Damage); 8] = [
    ("truncated", |random, data, _| data.truncate(random.index(data.len()))),
    ("one byte short", |_, data, _| data.truncate(data.len() - 1)),
    ("extended", |random, data, _| {
        data.resize(data.len() + 1 + random.index(200), 0)
    }),
    ("bit flipped", |random, data, _| {
        let at = random.index(data.len());
        data[at] ^= 1 << random.index(8);
    }),
    ("field's bit flipped", |random, data, layout| {
        let at = layout.fields[random.index(layout.fields.len())] + random.index(8);
        data[at] ^= 1 << random.index(8);
    }),
    ("mark", |random, data, layout| {
        let at = random.index(layout.mark);
        data[at] ^= 1 + random.index(255) as u8;
    }),
    ("field overwritten", |random, data, layout| {
        for _ in 0..1 + random.index(8) {
            let at = layout.fields[random.index(layout.fields.len())] + random.index(8);
            data[at] = random.bits() as u8;
        }
    }),
    ("bytes overwritten", |random, data, _| {
        for _ in 0..1 + random.index(20) {
            let at = random.index(data.len());
            data[at] = random.bits() as u8;
        }
    }),
];

/// Cases of each kind of damage, and as many undamaged ones as all of them together.
pub const CASES: usize = 2_000;

/// Holds one account after the other against the vendor: `agree` asserts that both read it alike and says whether the vendor and whether
/// we take it. Undamaged accounts come out of `make` in every state that the vendor's program leaves one in.
pub fn compare(
    seed: u64,
    layout: &Layout,
    mut make: impl FnMut(&mut Random) -> Vec<u8>,
    agree: impl Fn(&[u8]) -> (bool, bool),
) {
    let mut random = Random(seed);
    let mut count = |name: &str, cases: usize, damage: Option<Damage>| {
        let (mut theirs, mut ours) = (0, 0);
        for _ in 0..cases {
            let mut data = make(&mut random);
            // Damage makes an account of another type one that is read, once in a while.
            let was_read = agree(&data).1;
            if let Some(damage) = damage {
                damage(&mut random, &mut data, layout);
            }
            let (vendor, us) = agree(&data);
            assert!(vendor || !us, "{name}: we take what the vendor refuses: {data:?}");
            theirs += usize::from(vendor);
            ours += usize::from(us && was_read);
        }
        println!("{name}: of {cases} the vendor takes {theirs}, we take {ours}");
        (theirs, ours)
    };
    let all = CASES * DAMAGES.len();
    let (theirs, ours) = count("as written", all, None);
    assert!(theirs > all / 4 && ours > all / 4, "too few are taken to say anything");
    for (name, damage) in DAMAGES {
        let (_, ours) = count(name, CASES, Some(damage));
        match name {
            "truncated" | "one byte short" | "extended" | "mark" => assert_eq!(ours, 0, "{name}"),
            _ => assert!(0 < ours && ours < CASES, "{name}: {ours}"),
        }
    }
    for len in [0, 7, 8, 100, 134, 611, 3_208, 3_312, 3_851, 4_000] {
        for _ in 0..100 {
            let data: Vec<u8> = (0..len).map(|_| random.bits() as u8).collect();
            assert_eq!(agree(&data), (false, false), "noise of {len} bytes");
        }
        assert_eq!(agree(&vec![0; len]), (false, false), "{len} zeros");
    }
}

/// An account as it stood on chain, or nothing when the folder with them is not there; they are third-party data and no part of this
/// repository.
#[allow(dead_code)] // not every vendor has one
pub fn real_account(key: &str) -> Option<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/oracle-accounts");
    if !folder.is_dir() {
        println!("skipped: no folder {}", folder.display());
        return None;
    }
    Some(std::fs::read(folder.join(key).with_extension("bin")).expect("the folder has the account"))
}
