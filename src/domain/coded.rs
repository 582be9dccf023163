//! Faults that have a public code and a public text, each said once.

/// Makes an enum of `Name "code" "what is wrong and what would be right"`, with whatever
/// attributes and docs stand before the enum and before a name. Codes and texts are fixed:
/// nothing that a caller sent can get into them.
macro_rules! coded_faults {
    (
        $(#[$attribute:meta])* $public:vis enum $Fault:ident {
            $($(#[$meaning:meta])* $name:ident $code:literal $description:literal)*
        }
    ) => {
        $(#[$attribute])*
        $public enum $Fault {
            $($(#[$meaning])* #[doc = ""] #[doc = $description] $name,)*
        }

        impl $Fault {
            /// Every fault there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code for it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What is wrong and what would be right. Never text from the caller.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description),* }
            }
        }
    };
}

pub(crate) use coded_faults;
