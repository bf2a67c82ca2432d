//! The sources of std, with what Solana needs changed.
//!
//! The folder is a mirror of Debian's sources made of links; the changed files are copies. Each change names the
//! text that it replaces and applies only if that text is there exactly once.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{bail, Context, Result};

use crate::toolchain::{Versions, RUST_SOURCE};

/// One change to a file of std.
#[derive(Hash)]
struct Patch {
    /// The file, from `library/`.
    file: &'static str,
    /// The text that must be there exactly once.
    find: &'static str,
    /// What takes its place.
    replace: &'static str,
    /// What breaks without it, for the error when it no longer applies.
    reason: &'static str,
}

const PATCHES: [Patch; 4] = [
    Patch {
        file: "std/src/sys/alloc/mod.rs",
        find: "    target_arch = \"csky\",\n",
        replace: "    target_arch = \"csky\",\n    target_arch = \"bpf\",\n",
        reason: "the allocator's minimum alignment is a list of architectures",
    },
    Patch {
        file: "std/src/panicking.rs",
        find: "pub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {\n",
        replace: "pub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {\n    \
                  unsafe extern \"Rust\" {\n        \
                  fn custom_panic(info: &core::panic::PanicInfo<'_>);\n    \
                  }\n    \
                  if true {\n        \
                  unsafe { custom_panic(info) };\n        \
                  crate::intrinsics::abort();\n    \
                  }\n",
        reason: "panics log their place through the program's custom_panic (which Anchor defines) and abort",
    },
    Patch {
        file: "std/src/alloc.rs",
        find: "    if cfg!(panic = \"immediate-abort\") {\n        return;\n    }\n",
        replace: "    if true {\n        rtprintpanic!(\"out of memory\\n\");\n        return;\n    }\n",
        reason: "running out of memory says so and keeps no writable static",
    },
    Patch {
        file: "std/src/hash/random.rs",
        find: "        thread_local!(static KEYS: Cell<(u64, u64)> = {\n            \
               Cell::new(hashmap_random_keys())\n        \
               });\n\n        \
               KEYS.with(|keys| {\n            \
               let (k0, k1) = keys.get();\n            \
               keys.set((k0.wrapping_add(1), k1));\n            \
               RandomState { k0, k1 }\n        \
               })\n",
        replace: "        RandomState { k0: 0x5f0e_1a8e_c3a9_47d1, k1: 0x8e1c_73f0_2b6d_9a45 }\n",
        reason: "a program has neither random numbers nor writable statics, so hash maps have fixed keys",
    },
];

/// Makes `folder` the patched `library/`; does nothing when it is there already. Returns whether it was made anew.
///
/// # Errors
/// A text to replace is missing or there twice: std changed, and the patch must be looked at.
pub fn prepare(folder: &Path, versions: &Versions) -> Result<bool> {
    let source = Path::new(RUST_SOURCE).join("library");
    let stamp_file = folder.with_extension("stamp");
    let stamp = stamp(&source, versions)?;
    if fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
        return Ok(false);
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    mirror(&source, folder)?;
    for patch in &PATCHES {
        apply(patch, &source, folder)?;
    }
    fs::write(&stamp_file, stamp)?;
    Ok(true)
}

/// Changes when the sources or the patches do.
fn stamp(source: &Path, versions: &Versions) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    PATCHES.hash(&mut hasher);
    for patch in &PATCHES {
        let file = source.join(patch.file);
        let modified = fs::metadata(&file)
            .and_then(|m| m.modified())
            .with_context(|| file.display().to_string())?;
        modified
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .hash(&mut hasher);
    }
    Ok(format!("{} {:016x}\n", versions.label(), hasher.finish()))
}

/// Real folders with links to the files: cargo resolves paths of folders, not of files.
fn mirror(source: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for entry in fs::read_dir(source).with_context(|| source.display().to_string())? {
        let entry = entry?;
        let target: PathBuf = folder.join(entry.file_name());
        if entry.path().is_dir() {
            mirror(&entry.path(), &target)?;
        } else {
            symlink(entry.path(), &target).with_context(|| target.display().to_string())?;
        }
    }
    Ok(())
}

fn apply(patch: &Patch, source: &Path, folder: &Path) -> Result<()> {
    let original = source.join(patch.file);
    let text = fs::read_to_string(&original).with_context(|| original.display().to_string())?;
    let patched = patch.applied_to(&text)?;
    let target = folder.join(patch.file);
    fs::remove_file(&target).with_context(|| target.display().to_string())?;
    fs::write(&target, patched).with_context(|| target.display().to_string())
}

impl Patch {
    fn applied_to(&self, text: &str) -> Result<String> {
        match text.matches(self.find).count() {
            1 => Ok(text.replacen(self.find, self.replace, 1)),
            count => bail!(
                "the patch point in std's {} moved: the text to replace is there {count} times instead of once. \
                 It is needed because {}. Look at the new source and adjust PATCHES in crates/sbf/src/std_source.rs; \
                 the text was:\n{}",
                self.file,
                self.reason,
                self.find
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: Patch = Patch {
        file: "std/src/x.rs",
        find: "fn old() {}\n",
        replace: "fn new() {}\n",
        reason: "this is a test",
    };

    #[test]
    fn a_patch_replaces_its_text_and_nothing_else() {
        assert_eq!(
            PATCH.applied_to("// a\nfn old() {}\n// b\n").unwrap(),
            "// a\nfn new() {}\n// b\n"
        );
    }

    #[test]
    fn a_patch_point_that_moved_is_an_error_that_names_the_file() {
        let error = PATCH.applied_to("fn older() {}\n").unwrap_err().to_string();
        assert!(
            error.contains("std/src/x.rs moved") && error.contains("0 times"),
            "{error}"
        );
    }

    #[test]
    fn a_patch_point_that_is_there_twice_is_an_error() {
        let error = PATCH.applied_to("fn old() {}\nfn old() {}\n").unwrap_err().to_string();
        assert!(error.contains("2 times"), "{error}");
    }
}
