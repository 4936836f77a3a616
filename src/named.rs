//! Options by name: the text that a command line, a form or a configuration file holds.

/// Gives an enum of options the names of its variants: `as_str`, `Display` and `FromStr`.
macro_rules! named {
    ($option:ident, $what:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $option {
            /// All values, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name of this value, which `FromStr` reads.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::fmt::Display for $option {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $option {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.name() == name).ok_or_else(|| {
                    $crate::error::ErrorKind::InvalidOption {
                        option: $what,
                        expected: concat!($($name, " "),+).trim_end(),
                        found: name.into(),
                    }
                    .into()
                })
            }
        }
    };
}

pub(crate) use named;
