//! What must hold for whatever bytes: the bodies of the fuzz targets.
//!
//! **Problem.** Envelopes, messages and URLs come from outside, and keys from arguments that an attacker may choose. A fuzzer finds
//! what nobody thought of, but it stands in a crate of its own and sees nothing private.
//!
//! **Decision.** The properties are stated here, beside what they speak of, and this is the one door the fuzzers come through; it is
//! open only with `--cfg fuzzing`, which a fuzzer's build sets, and in this crate's own tests, which run every target over the
//! seeds in `fuzz/seeds`. Each target reads its inputs from the bytes it is given ([`Source`]) and panics where
//! a property does not hold. What is compared with is written anew from the documentation, and calls nothing of what it judges.
//!
//! No part of the public API, of no stability.

mod envelopes;
mod keys;
mod messages;
mod patterns;
mod source;
mod urls;
mod values;

use source::Source;

/// A target: panics if the bytes show that a property does not hold.
pub type Target = fn(&[u8]);

/// Every target with its name, which is that of its folder of seeds and of its program in `fuzz/`.
pub const TARGETS: [(&str, Target); 5] = [
    ("envelopes", envelopes::check),
    ("keys", keys::check),
    ("messages", messages::check),
    ("patterns", patterns::check),
    ("urls", urls::check),
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::TARGETS;

    #[test]
    fn every_seed_holds() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        for (name, check) in TARGETS {
            let folder = seeds.join(name);
            let files = fs::read_dir(&folder).expect("every target has seeds");
            let mut count = 0;
            for file in files {
                let path = file.expect("a folder can be read to its end").path();
                println!("{}", path.display());
                check(&fs::read(&path).expect("a seed is a file"));
                count += 1;
            }
            assert!(count > 0, "{} is empty", folder.display());
        }
    }

    /// Without a fuzzer's guidance, for machines that have none.
    #[test]
    fn bytes_at_random_hold() {
        let mut random = fastrand::Rng::new();
        for (name, check) in TARGETS {
            for _ in 0..2_000 {
                let bytes: Vec<u8> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
                if let Err(panic) = std::panic::catch_unwind(|| check(&bytes)) {
                    println!("{name}: {bytes:?}");
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}
