//! The program file: a BPF object, laid out as the sBPF v0 shared object that every cluster loads today.
//!
//! Everything is linked here to a file offset that equals its address; only syscalls keep dynamic relocations,
//! which the loader resolves by name. A writer for a later version of the format would share [`Layout`] and replace
//! the rest.

use std::collections::{BTreeMap, HashMap};

use anyhow::{bail, ensure, Context, Result};
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionIndex, SectionKind, SymbolSection,
};

use super::readable;

/// Where the loader maps the file: the start of the machine's read-only region.
const BASE: u64 = 0x1_0000_0000;
const FILE_HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SECTION_HEADER: u64 = 64;
const PROGRAM_HEADERS: u64 = 3;
/// `DT_*` entries of the dynamic section.
const DYNAMIC_ENTRIES: u64 = 7;
const DYNAMIC_ENTRY: u64 = 16;
const SYMBOL_ENTRY: u64 = 24;
const RELOCATION_ENTRY: u64 = 16;
/// BPF's relocation types: a 64-bit immediate, a 64-bit word of data, a call.
const R_BPF_64_64: u32 = 1;
const R_BPF_64_ABS64: u32 = 2;
const R_BPF_64_32: u32 = 10;

type Bytes<'a> = object::File<'a>;

fn align(value: u64, to: u64) -> u64 {
    value.next_multiple_of(to.max(1))
}

/// The program as an sBPF v0 shared object.
///
/// # Errors
/// A function that is neither in the program nor a syscall, or an instruction or relocation that sBPF v0 lacks.
pub fn write(object: &[u8], entry_point: &str) -> Result<Vec<u8>> {
    let object = Bytes::parse(object).context("LLVM's object")?;
    let layout = Layout::of(&object)?;
    let mut image = layout.image(&object)?;
    let syscalls = relocate(&object, &layout, &mut image)?;
    translate(&mut image[layout.text.0 as usize..layout.text.1 as usize])?;
    let entry = layout
        .symbol_address(&object, entry_point)?
        .with_context(|| format!("the program defines no `{entry_point}`: it needs #[program]"))?;
    Ok(Writer::new(image, layout, entry).finish(entry_point, &syscalls))
}

/// Where the sections of the object go in the file.
struct Layout {
    address: HashMap<SectionIndex, u64>,
    /// Start and end of the code.
    text: (u64, u64),
    /// Start and end of the constants.
    rodata: (u64, u64),
}

impl Layout {
    fn of(object: &Bytes) -> Result<Self> {
        let mut address = HashMap::new();
        let text_start = FILE_HEADER + PROGRAM_HEADERS * PROGRAM_HEADER;
        let mut end = text_start;
        for section in object.sections().filter(|s| s.kind() == SectionKind::Text) {
            address.insert(section.index(), end);
            end = align(end + section.size(), 8);
        }
        let text = (text_start, end);
        end = align(end, 16);
        let rodata_start = end;
        for section in object.sections() {
            if is_rodata(&section)? {
                end = align(end, section.align());
                address.insert(section.index(), end);
                end += section.size();
            }
        }
        Ok(Layout {
            address,
            text,
            rodata: (rodata_start, align(end, 8)),
        })
    }

    /// The file up to the end of the constants, unrelocated and with an empty header.
    fn image(&self, object: &Bytes) -> Result<Vec<u8>> {
        let mut image = vec![0; self.rodata.1 as usize];
        for section in object.sections() {
            if let Some(at) = self.address.get(&section.index()) {
                let data = section.data()?;
                image[*at as usize..][..data.len()].copy_from_slice(data);
            }
        }
        Ok(image)
    }

    fn symbol_address(&self, object: &Bytes, name: &str) -> Result<Option<u64>> {
        let found = object.symbols().find(|s| s.name() == Ok(name));
        found.map_or(Ok(None), |symbol| self.address_of(&symbol))
    }

    /// The address of a symbol, or nothing when it is not defined in the program.
    fn address_of<'a>(&self, symbol: &impl ObjectSymbol<'a>) -> Result<Option<u64>> {
        let SymbolSection::Section(section) = symbol.section() else {
            return Ok(None);
        };
        let name = symbol.name().unwrap_or_default();
        let base = self
            .address
            .get(&section)
            .with_context(|| format!("`{}` lies in a section that is not loaded", readable(name)))?;
        Ok(Some(base + symbol.address()))
    }
}

/// Whether a section belongs to the constants; a writable one is an error.
fn is_rodata<'a>(section: &impl ObjectSection<'a>) -> Result<bool> {
    let name = section.name().unwrap_or_default();
    Ok(match section.kind() {
        SectionKind::ReadOnlyData | SectionKind::ReadOnlyString | SectionKind::ReadOnlyDataWithRel => {
            !name.starts_with(".BTF")
        }
        // Constants with pointers in them.
        SectionKind::Data if name.starts_with(".data.rel.ro") => true,
        SectionKind::Data | SectionKind::UninitializedData | SectionKind::Common if section.size() > 0 => {
            bail!("writable section {name}: a Solana program has no writable statics")
        }
        _ => false,
    })
}

fn word(image: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([image[at], image[at + 1], image[at + 2], image[at + 3]])
}

fn put_word(image: &mut [u8], at: usize, value: u32) {
    image[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Applies all relocations. Returns the syscalls with the places that call them.
fn relocate(object: &Bytes, layout: &Layout, image: &mut [u8]) -> Result<BTreeMap<String, Vec<u64>>> {
    let mut syscalls: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for section in object.sections() {
        let Some(&base) = layout.address.get(&section.index()) else {
            continue;
        };
        for (offset, relocation) in section.relocations() {
            let at = (base + offset) as usize;
            let (RelocationFlags::Elf { r_type }, RelocationTarget::Symbol(symbol)) =
                (relocation.flags(), relocation.target())
            else {
                bail!("a relocation of an unknown kind in {:?}", section.name());
            };
            let symbol = object.symbol_by_index(symbol)?;
            let name = symbol.name().unwrap_or_default();
            match (r_type, layout.address_of(&symbol)?) {
                (R_BPF_64_64, Some(target)) => relocate_immediate(image, at, target),
                (R_BPF_64_ABS64, Some(target)) => relocate_data(image, at, target),
                (R_BPF_64_32, Some(target)) => relocate_call(image, at, target)?,
                (R_BPF_64_32, None) if name == "abort" || name.starts_with("sol_") => {
                    // The loader puts the syscall's hash here; register 0 marks it as one.
                    image[at + 1] = 0;
                    put_word(image, at + 4, u32::MAX);
                    syscalls.entry(name.to_string()).or_default().push(at as u64);
                }
                (R_BPF_64_32, None) => bail!(
                    "undefined function `{}`: neither in the program nor a syscall; a dependency expects it from C or \
                     an operating system",
                    readable(name)
                ),
                (kind, _) => bail!(
                    "relocation {kind} against `{}` has no counterpart in sBPF",
                    readable(name)
                ),
            }
        }
    }
    Ok(syscalls)
}

/// The address in a two-slot load.
fn relocate_immediate(image: &mut [u8], at: usize, target: u64) {
    let addend = u64::from(word(image, at + 4)) | u64::from(word(image, at + 12)) << 32;
    let address = BASE.wrapping_add(target).wrapping_add(addend);
    put_word(image, at + 4, address as u32);
    put_word(image, at + 12, (address >> 32) as u32);
}

/// An address in the constants.
fn relocate_data(image: &mut [u8], at: usize, target: u64) {
    let addend = u64::from(word(image, at)) | u64::from(word(image, at + 4)) << 32;
    let address = BASE.wrapping_add(target).wrapping_add(addend);
    image[at..at + 8].copy_from_slice(&address.to_le_bytes());
}

/// A call within the program: the distance in instructions.
fn relocate_call(image: &mut [u8], at: usize, target: u64) -> Result<()> {
    let addend = i64::from(word(image, at + 4) as i32) + 1;
    let distance = target as i64 / 8 + addend - (at as i64 / 8 + 1);
    // -1 is the mark of a syscall that the loader has to resolve.
    ensure!(
        distance != -1,
        "a call of itself at {at:#x}, which sBPF v0 cannot express"
    );
    put_word(image, at + 4, (distance as i32) as u32);
    Ok(())
}

/// Turns the code that LLVM wrote into sBPF v0 and refuses instructions that it lacks.
fn translate(text: &mut [u8]) -> Result<()> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            // callx: LLVM names the register in dst, sBPF v0 in the immediate.
            0x8d => {
                let register = u32::from(text[at + 1] & 15);
                text[at + 1] = 0;
                put_word(text, at + 4, register);
            }
            // The two-slot load of a 64-bit immediate.
            0x18 => at += 8,
            opcode if is_sbpf_v0(opcode, &text[at + 2..at + 4]) => {}
            opcode => {
                bail!("sBPF v0 has no instruction {opcode:#04x} (at {at:#x} of the code), a defect of the builder")
            }
        }
        at += 8;
    }
    Ok(())
}

const JUMPS: [u8; 25] = [
    0x05, 0x85, 0x95, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x55, 0x5d, 0x65, 0x6d, 0x75, 0x7d, 0xa5, 0xad,
    0xb5, 0xbd, 0xc5, 0xcd, 0xd5, 0xdd,
];
const LOADS_AND_STORES: [u8; 12] = [0x61, 0x69, 0x71, 0x79, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b];
const BYTE_SWAPS: [u8; 2] = [0xd4, 0xdc];

/// Whether sBPF v0 has an instruction. `offset` is its offset field, in which later versions of BPF mark signed
/// division and sign-extending moves.
fn is_sbpf_v0(opcode: u8, offset: &[u8]) -> bool {
    let is_alu64 = opcode & 7 == 7 && opcode >> 4 <= 0xc && offset == [0, 0];
    is_alu64 || JUMPS.contains(&opcode) || LOADS_AND_STORES.contains(&opcode) || BYTE_SWAPS.contains(&opcode)
}

/// Appends the tables behind the constants and fills in the header.
struct Writer {
    image: Vec<u8>,
    layout: Layout,
    entry: u64,
}

/// A part of the file: offset (and address) and length.
type Span = (u64, u64);

/// The tables that the loader reads.
struct Tables {
    dynamic: Span,
    symbols: Span,
    strings: Span,
    relocations: Span,
    section_names: Span,
}

const SECTION_NAMES: [&str; 8] = [
    "",
    ".text",
    ".rodata",
    ".dynamic",
    ".dynsym",
    ".dynstr",
    ".rel.dyn",
    ".shstrtab",
];

impl Writer {
    fn new(image: Vec<u8>, layout: Layout, entry: u64) -> Self {
        Writer { image, layout, entry }
    }

    fn finish(mut self, entry_point: &str, syscalls: &BTreeMap<String, Vec<u64>>) -> Vec<u8> {
        let (symbols, strings) = self.symbols(entry_point, syscalls.keys());
        let relocations = dynamic_relocations(syscalls.values());
        let dynamic = self.append(&[0; (DYNAMIC_ENTRIES * DYNAMIC_ENTRY) as usize]);
        let tables = Tables {
            dynamic,
            symbols: self.append(&symbols),
            strings: self.append(&strings),
            relocations: self.append(&relocations),
            section_names: self.append(SECTION_NAMES.map(|name| format!("{name}\0")).concat().as_bytes()),
        };
        self.fill_dynamic(&tables);
        self.image.resize(align(self.image.len() as u64, 8) as usize, 0);
        let section_headers = self.image.len() as u64;
        self.append_section_headers(&tables);
        self.fill_header(&tables, section_headers);
        self.image
    }

    /// Appends a table at the next multiple of 8.
    fn append(&mut self, data: &[u8]) -> Span {
        let at = align(self.image.len() as u64, 8);
        self.image.resize(at as usize, 0);
        self.image.extend(data);
        (at, data.len() as u64)
    }

    /// The dynamic symbols (none, the entry point, the syscalls) and their names.
    fn symbols<'a>(&self, entry_point: &str, syscalls: impl Iterator<Item = &'a String>) -> (Vec<u8>, Vec<u8>) {
        const GLOBAL_FUNCTION: u8 = 0x12;
        const GLOBAL: u8 = 0x10;
        const TEXT_SECTION: u16 = 1;
        let mut symbols = vec![0; SYMBOL_ENTRY as usize];
        let mut strings = vec![0];
        let mut add = |name: &str, info: u8, section: u16, value: u64| {
            symbols.extend((strings.len() as u32).to_le_bytes());
            symbols.extend([info, 0]);
            symbols.extend(section.to_le_bytes());
            symbols.extend(value.to_le_bytes());
            symbols.extend(0u64.to_le_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        };
        add(entry_point, GLOBAL_FUNCTION, TEXT_SECTION, self.entry);
        for name in syscalls {
            add(name, GLOBAL, 0, 0);
        }
        (symbols, strings)
    }

    fn fill_dynamic(&mut self, tables: &Tables) {
        const DT_NULL: u64 = 0;
        const DT_STRTAB: u64 = 5;
        const DT_SYMTAB: u64 = 6;
        const DT_STRSZ: u64 = 10;
        const DT_REL: u64 = 17;
        const DT_RELSZ: u64 = 18;
        const DT_RELENT: u64 = 19;
        const DT_RELACOUNT: u64 = 0x6fff_fff9;
        let (relocations, size) = tables.relocations;
        let mut entries = [
            (DT_REL, relocations),
            (DT_RELSZ, size),
            (DT_RELENT, RELOCATION_ENTRY),
            (DT_SYMTAB, tables.symbols.0),
            (DT_STRTAB, tables.strings.0),
            (DT_STRSZ, tables.strings.1),
            (DT_NULL, 0),
        ];
        if size == 0 {
            // The loader refuses an empty table of relocations.
            entries[..3].fill((DT_RELACOUNT, 0));
        }
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|(tag, value)| [*tag, *value])
            .flat_map(u64::to_le_bytes)
            .collect();
        self.image[tables.dynamic.0 as usize..][..bytes.len()].copy_from_slice(&bytes);
    }

    fn append_section_headers(&mut self, tables: &Tables) {
        let (text, rodata) = (self.layout.text, self.layout.rodata);
        const ALLOCATED: u64 = 2;
        // type, flags, span, link, info, alignment, size of an entry
        let headers: [(u64, u64, Span, u64, u64, u64, u64); 8] = [
            (0, 0, (0, 0), 0, 0, 0, 0),
            (1, 6, (text.0, text.1 - text.0), 0, 0, 8, 0),
            (1, 2, (rodata.0, rodata.1 - rodata.0), 0, 0, 16, 0),
            (6, 3, tables.dynamic, 5, 0, 8, DYNAMIC_ENTRY),
            (11, 2, tables.symbols, 5, 1, 8, SYMBOL_ENTRY),
            (3, 2, tables.strings, 0, 0, 1, 0),
            (9, 2, tables.relocations, 4, 0, 8, RELOCATION_ENTRY),
            (3, 0, tables.section_names, 0, 0, 1, 0),
        ];
        let mut name_at = 0u32;
        for (name, (kind, flags, (at, size), link, info, alignment, entry)) in SECTION_NAMES.iter().zip(headers) {
            let address = if flags & ALLOCATED != 0 { at } else { 0 };
            self.image.extend(name_at.to_le_bytes());
            self.image.extend((kind as u32).to_le_bytes());
            self.image
                .extend([flags, address, at, size].into_iter().flat_map(u64::to_le_bytes));
            self.image.extend((link as u32).to_le_bytes());
            self.image.extend((info as u32).to_le_bytes());
            self.image
                .extend([alignment, entry].into_iter().flat_map(u64::to_le_bytes));
            name_at += name.len() as u32 + 1;
        }
    }

    fn fill_header(&mut self, tables: &Tables, section_headers: u64) {
        const ET_DYN: u16 = 3;
        const EM_BPF: u16 = 247;
        const SBPF_V0: u32 = 0;
        const PT_LOAD: u32 = 1;
        const PT_DYNAMIC: u32 = 2;
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header.extend(ET_DYN.to_le_bytes());
        header.extend(EM_BPF.to_le_bytes());
        header.extend(1u32.to_le_bytes());
        header.extend(
            [self.entry, FILE_HEADER, section_headers]
                .into_iter()
                .flat_map(u64::to_le_bytes),
        );
        header.extend(SBPF_V0.to_le_bytes());
        let sections = SECTION_NAMES.len() as u16;
        let sizes = [FILE_HEADER, PROGRAM_HEADER, PROGRAM_HEADERS, SECTION_HEADER].map(|v| v as u16);
        let counts = [sizes[0], sizes[1], sizes[2], sizes[3], sections, sections - 1];
        header.extend(counts.into_iter().flat_map(u16::to_le_bytes));
        let (text, rodata) = (self.layout.text, self.layout.rodata);
        let tables_end = tables.relocations.0 + tables.relocations.1;
        let segments = [
            (PT_LOAD, 5u32, (text.0, text.1 - text.0), 0x1000u64),
            (PT_LOAD, 4, (rodata.0, tables_end - rodata.0), 0x1000),
            (PT_DYNAMIC, 6, tables.dynamic, 8),
        ];
        for (kind, flags, (at, size), alignment) in segments {
            header.extend(kind.to_le_bytes());
            header.extend(flags.to_le_bytes());
            header.extend(
                [at, at, at, size, size, alignment]
                    .into_iter()
                    .flat_map(u64::to_le_bytes),
            );
        }
        self.image[..header.len()].copy_from_slice(&header);
    }
}

/// One relocation for every call of a syscall, in the order of the code.
fn dynamic_relocations<'a>(sites: impl Iterator<Item = &'a Vec<u64>>) -> Vec<u8> {
    /// Symbol 0 is empty and symbol 1 the entry point.
    const FIRST_SYSCALL: u64 = 2;
    let mut relocations: Vec<(u64, u64)> = vec![];
    for (index, sites) in (FIRST_SYSCALL..).zip(sites) {
        relocations.extend(sites.iter().map(|site| (*site, index << 32 | u64::from(R_BPF_64_32))));
    }
    relocations.sort_unstable();
    relocations
        .into_iter()
        .flat_map(|(site, info)| [site, info])
        .flat_map(u64::to_le_bytes)
        .collect()
}
