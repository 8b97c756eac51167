//! Instruction sets, chosen at run time.

#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};

/// An instruction set that this CPU has: a value is the proof, since only detection makes one.
#[derive(Clone, Copy)]
pub struct Isa(Level);

#[derive(Clone, Copy)]
pub(crate) enum Level {
    Scalar,
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// An instruction set that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IsaError {
    /// The name means nothing.
    Unknown(String),
    /// This CPU lacks it.
    Missing(&'static str),
}

impl std::fmt::Display for IsaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IsaError::Unknown(name) => {
                write!(f, "NARROWS_ISA={name:?} names no instruction set; accepted are {}", Isa::NAMES.join(", "))
            }
            IsaError::Missing(name) => {
                let present: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
                write!(f, "NARROWS_ISA={name} cannot be used: this CPU lacks it; it has {}", present.join(", "))
            }
        }
    }
}

impl std::error::Error for IsaError {}

impl Isa {
    /// The names that `NARROWS_ISA` accepts, from the narrowest to the widest.
    pub const NAMES: [&'static str; 4] = ["scalar", "neon", "avx2", "avx512"];

    /// The portable code, which every CPU has.
    pub const SCALAR: Isa = Isa(Level::Scalar);

    /// Every instruction set of this CPU, from the narrowest to the widest.
    pub fn available() -> Vec<Isa> {
        Self::NAMES.iter().filter_map(|name| Self::named(name).ok()).collect()
    }

    /// The widest instruction set of this CPU.
    pub fn detect() -> Isa {
        Self::available().pop().unwrap_or(Self::SCALAR)
    }

    /// The instruction set with this name, if this CPU has it.
    pub fn named(name: &str) -> Result<Isa, IsaError> {
        let name =
            *Self::NAMES.iter().find(|known| **known == name).ok_or_else(|| IsaError::Unknown(name.to_owned()))?;
        let level = match name {
            "scalar" => Some(Level::Scalar),
            #[cfg(target_arch = "aarch64")]
            "neon" => Neon::detect().map(Level::Neon),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::detect().map(Level::Avx2),
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::detect().map(Level::Avx512),
            // Of another architecture.
            _ => None,
        };
        level.map(Isa).ok_or(IsaError::Missing(name))
    }

    /// The instruction set that `NARROWS_ISA` forces, else the widest of this CPU.
    pub fn from_env() -> Result<Isa, IsaError> {
        match std::env::var_os("NARROWS_ISA") {
            Some(name) if !name.is_empty() => Self::named(&name.to_string_lossy()),
            _ => Ok(Self::detect()),
        }
    }

    /// One of [`Isa::NAMES`].
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Scalar => "scalar",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "neon",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
        }
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }
}

impl std::fmt::Debug for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Isa {
    fn eq(&self, other: &Isa) -> bool {
        self.name() == other.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_instruction_set_is_named_in_the_refusal() {
        let error = Isa::named("sse9").unwrap_err();
        assert_eq!(
            error.to_string(),
            "NARROWS_ISA=\"sse9\" names no instruction set; accepted are scalar, neon, avx2, avx512"
        );
    }

    #[test]
    fn scalar_is_always_there() {
        assert_eq!(Isa::available()[0], Isa::SCALAR);
    }
}
