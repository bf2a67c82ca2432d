//! Accounts, calls of other programs, events and std, through the whole of Anchor.

use solana_address::Address;
use solana_instruction::AccountMeta;

use crate::machine::{
    address, discriminator, readonly, wide, word, writable, Machine, ASSOCIATED_TOKEN, RENT, SYSTEM, TOKEN,
};

fn derived(machine: &Machine, seeds: &[&[u8]]) -> (Address, u8) {
    Address::find_program_address(seeds, &machine.program)
}

#[test]
fn an_empty_instruction_is_cheap() {
    let done = Machine::new().call("nothing", &[], vec![]).expect("it does nothing");
    assert!(done.units <= 400, "{} compute units", done.units);
}

#[test]
fn an_account_is_created_at_a_derived_address() {
    let mut machine = Machine::new();
    let me = machine.me();
    let (key, bump) = derived(&machine, &[b"data", me.as_ref()]);
    let accounts = vec![writable(key), AccountMeta::new(me, true), readonly(address(SYSTEM))];
    machine
        .call("initialize", &77u64.to_le_bytes(), accounts)
        .expect("it is created");
    let account = machine.svm.get_account(&key).expect("it is there");
    assert_eq!(account.owner, machine.program);
    assert_eq!(account.data[..8], discriminator("account:Data"));
    assert_eq!(wide(&account.data, 8), 77 * 1_000_000 / 7);
    assert_eq!(account.data[24], bump);
    assert_eq!(account.data[25..57], me.to_bytes());
}

#[test]
fn tokens_move_by_a_call_and_an_event_is_logged() {
    let mut machine = Machine::new();
    let (me, mint) = (machine.me(), machine.put_mint());
    let (from, to) = (Address::new_unique(), Address::new_unique());
    machine.put_tokens(from, mint, me, 1_000);
    machine.put_tokens(to, mint, me, 5);
    let signer = AccountMeta::new_readonly(me, true);
    let accounts = vec![writable(from), writable(to), signer, readonly(address(TOKEN))];
    let done = machine
        .call("pay", &300u64.to_le_bytes(), accounts.clone())
        .expect("it pays");
    assert_eq!((machine.tokens(from), machine.tokens(to)), (700, 305));
    assert!(
        done.logs.iter().any(|line| line.starts_with("Program data: ")),
        "{:#?}",
        done.logs
    );

    let too_much = machine
        .call("pay", &5_000u64.to_le_bytes(), accounts)
        .expect_err("refused");
    assert!(too_much.says("insufficient funds"), "{too_much:#?}");
    assert_eq!((machine.tokens(from), machine.tokens(to)), (700, 305));
}

#[test]
fn a_vault_is_opened_paid_out_grown_and_closed() {
    let mut machine = Machine::new();
    let (me, mint) = (machine.me(), machine.put_mint());
    let associated = |owner: Address| {
        let seeds = [owner.as_ref(), address(TOKEN).as_ref(), mint.as_ref()].map(<[u8]>::to_vec);
        Address::find_program_address(&[&seeds[0], &seeds[1], &seeds[2]], &address(ASSOCIATED_TOKEN)).0
    };
    let (state, _) = derived(&machine, &[b"state", b"main"]);
    let (vault, _) = derived(&machine, &[b"vault", state.as_ref()]);
    let mine = associated(me);
    machine.put_tokens(mine, mint, me, 10_000);
    let signer = AccountMeta::new(me, true);
    let (token, system) = (readonly(address(TOKEN)), readonly(address(SYSTEM)));

    let arguments = [&4u32.to_le_bytes()[..], b"main", &700u64.to_le_bytes()].concat();
    let accounts = vec![
        writable(state),
        readonly(mint),
        writable(vault),
        writable(mine),
        writable(associated(state)),
        signer.clone(),
        token.clone(),
        readonly(address(ASSOCIATED_TOKEN)),
        system.clone(),
    ];
    machine
        .call("open_vault", &arguments, accounts)
        .unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(
        (
            machine.tokens(vault),
            machine.tokens(mine),
            machine.tokens(associated(state))
        ),
        (700, 9_300, 0)
    );
    assert_eq!(machine.data(state).len(), 300);

    let accounts = vec![writable(state), writable(vault), writable(mine), signer, token, system];
    let mut close = |amount: u64| machine.call("close_vault", &amount.to_le_bytes(), accounts.clone());
    close(200).unwrap_or_else(|f| panic!("{f:#?}"));
    assert!(close(501).expect_err("refused").says("insufficient funds"));
    close(500).unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(machine.tokens(mine), 10_000);
    assert!(
        machine.data(state).is_empty() && machine.data(vault).is_empty(),
        "both are closed"
    );
}

#[test]
fn a_zero_copy_account_is_changed_in_place() {
    const HEADER: usize = 8;
    const BOOK: usize = 32;
    const ORDER: usize = 64;
    let mut machine = Machine::new();
    let (me, book) = (machine.me(), Address::new_unique());
    machine.put(book, machine.program, vec![0; HEADER + BOOK + 80 * ORDER]);
    machine
        .call("fill_book", &[], vec![writable(book)])
        .expect("it is filled");
    let accounts = vec![writable(book), AccountMeta::new_readonly(me, true)];
    machine
        .call("change_book", &7u64.to_le_bytes(), accounts.clone())
        .expect("it is changed");
    let data = machine.data(book);
    let order = HEADER + BOOK + 7 * ORDER;
    assert_eq!(word(&data, HEADER), (0..80).sum::<u64>());
    assert_eq!(word(&data, order), 7 * 10 * 3);
    assert_eq!(data[order + 16..order + 48], me.to_bytes());
    let outside = machine
        .call("change_book", &80u64.to_le_bytes(), accounts)
        .expect_err("refused");
    assert!(outside.says("Panicked in src/lib.rs"), "{outside:#?}");
}

#[test]
fn std_works_as_programs_use_it() {
    let mut machine = Machine::new();
    let notes = Address::new_unique();
    let mut data = discriminator("account:Notes");
    data.extend([0; 400]);
    machine.put(notes, machine.program, data);
    let me = machine.me().to_bytes();
    let text = |length: u32, content: &[u8]| [&length.to_le_bytes()[..], content].concat();
    let pair = |a: u64, b: u64| [a.to_le_bytes(), b.to_le_bytes()].concat();
    // The argument as Borsh writes it, and the operation's value.
    let operations: [(u8, Vec<u8>, u64); 11] = [
        (0, vec![], 0),
        (1, pair(5, 6), 11),
        (2, pair(9, 6), 3),
        (
            3,
            [5u128.to_le_bytes().to_vec(), 6u64.to_le_bytes().to_vec()].concat(),
            30,
        ),
        (4, pair(-50i64 as u64, -7i64 as u64), 7),
        (5, text(5, b"hello"), 5),
        (6, text(3, &[1, 0, 2, 0, 3, 1]), 1 + 2 + 259),
        (7, vec![9, 10, 0, 0, 0], 90),
        (8, me.to_vec(), Address::from(me).to_string().len() as u64),
        (9, [&[1][..], &(-123_456i128).to_le_bytes()].concat(), -456i64 as u64),
        (10, vec![1], 1),
    ];
    for (variant, content, value) in operations {
        let arguments = [vec![variant, variant], content].concat();
        let done = machine.call("use_std", &arguments, vec![writable(notes)]);
        let done = done.unwrap_or_else(|f| panic!("operation {variant}: {f:#?}"));
        assert_eq!(wide(&machine.data(notes), 8), u128::from(value), "operation {variant}");
        let says = |text: &str| done.logs.iter().any(|line| line.contains(text));
        // 0 + 1 + ... + 49; 78 times 0 to 255 and 0 to 31 once, and 0 to 899.
        let vectors = 78 * (255 * 256 / 2) + 31 * 32 / 2 + 899 * 900 / 2;
        assert!(
            says("hashed=1225") && says(&format!("vectors={vectors}")),
            "{:#?}",
            done.logs
        );
        assert!(
            says("a considerably longer name for an entry,alpha,delta,gamma,beta,zeta"),
            "{:#?}",
            done.logs
        );
    }
    let overflow = machine.call("use_std", &[vec![0, 2], pair(5, 6)].concat(), vec![writable(notes)]);
    assert!(overflow.expect_err("refused").says("Panicked in src/collections.rs"));
}

#[test]
fn twenty_accounts_fit_into_one_instruction() {
    let mut machine = Machine::new();
    let (me, mint) = (machine.me(), machine.put_mint());
    let mut accounts = vec![];
    for value in 1..=8u128 {
        let key = Address::new_unique();
        let data = [&discriminator("account:Data")[..], &value.to_le_bytes(), &[1], &[3; 32]].concat();
        machine.put(key, machine.program, data);
        accounts.push(if value <= 2 { writable(key) } else { readonly(key) });
    }
    for amount in 0..4 {
        let key = Address::new_unique();
        machine.put_tokens(key, mint, me, amount);
        accounts.push(if amount == 0 { writable(key) } else { readonly(key) });
    }
    accounts.push(AccountMeta::new_readonly(me, true));
    accounts.extend((0..4).map(|_| readonly(Address::new_unique())));
    accounts.extend([RENT, TOKEN, SYSTEM].map(|key| readonly(address(key))));
    machine
        .call("many_accounts", &[], accounts.clone())
        .unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(wide(&machine.data(accounts[0].pubkey), 8), (1..=8).sum::<u128>());

    accounts[3].pubkey = accounts[8].pubkey;
    let wrong = machine.call("many_accounts", &[], accounts).expect_err("refused");
    // AccountOwnedByWrongProgram
    assert!(wrong.says("Custom(3007)"), "{wrong:#?}");
}
