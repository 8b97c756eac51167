//! The macro that declares settings.

/// Declares a structure or an enumeration of settings.
///
/// A field of a structure has a doc comment, a type that is a [`Setting`](super::Setting), a default, and where wanted what it
/// is held to (`in`), what a configuration that lacks it is asked for (`required`), and when it means anything at all (`if`; after `else`, what
/// is said where it is given all the same, and what would be accepted). Its
/// key is its name, or what stands in parentheses after the name:
///
/// ```text
/// settings! {
///     /// When training ends before its last epoch.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct EarlyStopping {
///         /// Least improvement that counts.
///         pub min_delta: f64 = 0.0, in Range::NOT_NEGATIVE;
///     }
///     settle settle;
/// }
/// ```
///
/// It becomes [`Default`], [`Settings`](super::Settings) and a setting itself. `settle` names its method for
/// [`Settings::settle`](super::Settings::settle). Where defaults depend on something, that is a parameter,
/// `pub struct Adam(semantics: Semantics)`, and becomes a field; `defaults` takes it in place of `Default`.
///
/// A variant of an enumeration has a name, and in braces its settings, where it has any. The first variant is the default. An
/// enumeration is a word with its settings beside it, or, with `tagged` before its braces, a word or a table of its settings; then
/// the variants without settings stand first. A variant with `implied` before its braces is meant where only its settings are given.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(($param:ident: $param_type:ty))? {
            $(
                $(#[doc = $doc:literal])+
                $field_vis:vis $field:ident $(($key:literal))?: $type:ty = $default:expr
                $(, in $form:expr)? $(, required $required:literal)? $(, by $by:ident)?
                $(, if $shown:expr $(, else $found:literal, $instead:literal)?)?;
            )*
        }
        $(settle $settle:ident;)?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $(
                /// Whose definition it follows.
                pub $param: $param_type,
            )?
            $($(#[doc = $doc])+ $field_vis $field: $type,)*
        }

        impl $name {
            /// Every setting at its default.
            $vis fn defaults($($param: $param_type)?) -> Self {
                $name { $($field: $default,)* $($param,)? }
            }
        }

        $crate::settings::settings!(@default $name $($param)?);

        impl $crate::settings::Settings for $name {
            fn visit(&mut self, visitor: &mut dyn $crate::settings::Visitor) {
                $({
                    $crate::settings::settings!(@about ABOUT [$($doc)+] $field [$($key)?] [$($required)?]);
                    let form = $crate::settings::settings!(@or Default::default(); $($form)?);
                    let is_shown: fn(&Self) -> bool = $crate::settings::settings!(@or |_| true; $($shown)?);
                    if is_shown(self) {
                        $crate::settings::settings!(@show self.$field, self ABOUT form visitor $($by)?);
                    }
                    $($(else {
                        visitor.meaningless(ABOUT.key, $found, $instead);
                    })?)?
                })*
            }

            fn reset(&mut self) {
                *self = Self::defaults($(self.$param)?);
            }

            $(
                fn settle(&mut self, given: &dyn Fn(&str) -> bool) -> Result<(), $crate::settings::Fault> {
                    self.$settle(given)
                }
            )?
        }

        impl $crate::settings::Setting for $name {
            type Form = $crate::settings::TableForm;

            fn show(
                &mut self,
                about: &$crate::settings::About,
                form: Self::Form,
                visitor: &mut dyn $crate::settings::Visitor,
            ) {
                visitor.table(about, self, form);
            }

            fn or_false(form: Self::Form) -> bool {
                form.or_false
            }
        }
    };

    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident $($tagged:ident)? {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident = $word:literal $($implied:ident)? $({
                    $(
                        $(#[doc = $doc:literal])+
                        $field:ident $(($key:literal))?: $type:ty = $default:expr
                        $(, in $form:expr)? $(, required $required:literal)?;
                    )*
                })?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant $({ $($(#[doc = $doc])+ $field: $type,)* })?,)*
        }

        impl $name {
            /// The name of each, in order.
            pub const NAMES: &'static [&'static str] = &[$($word),*];

            /// Its name in a configuration.
            pub fn name(&self) -> &'static str {
                match self {
                    $($name::$variant { .. } => $word,)*
                }
            }

            /// Each, with its settings at their defaults.
            pub fn all() -> impl Iterator<Item = Self> {
                [$($name::$variant $({ $($field: $default),* })?),*].into_iter()
            }
        }

        impl Default for $name {
            /// The first.
            fn default() -> Self {
                let [first, ..] = [$($name::$variant $({ $($field: $default),* })?),*];
                first
            }
        }

        impl $crate::settings::Choice for $name {
            fn names(&self) -> &'static [&'static str] {
                Self::NAMES
            }

            fn words(&self) -> usize {
                [$($crate::settings::settings!(@or true; $(is_table $($field)*)?)),*].iter().filter(|is| **is).count()
            }

            fn chosen(&self) -> usize {
                Self::NAMES.iter().position(|name| *name == self.name()).unwrap_or(0)
            }

            fn choose(&mut self, number: usize) {
                if let Some(chosen) = Self::all().nth(number) {
                    *self = chosen;
                }
            }

            fn is_implied(&self, number: usize) -> bool {
                [$($crate::settings::settings!(@or false; $($implied)?)),*][number]
            }

            fn visit(&mut self, visitor: &mut dyn $crate::settings::Visitor) {
                // Read by those that have settings.
                let _ = &visitor;
                match self {
                    $($name::$variant $({ $($field),* })? => {
                        $($({
                            $crate::settings::settings!(@about ABOUT [$($doc)+] $field [$($key)?] [$($required)?]);
                            let form = $crate::settings::settings!(@or Default::default(); $($form)?);
                            $crate::settings::Setting::show($field, &ABOUT, form, visitor);
                        })*)?
                    })*
                }
            }
        }

        impl $crate::settings::Setting for $name {
            type Form = $crate::settings::settings!(@form $($tagged)?);

            fn show(
                &mut self,
                about: &$crate::settings::About,
                form: Self::Form,
                visitor: &mut dyn $crate::settings::Visitor,
            ) {
                $crate::settings::settings!(@choice visitor about self form $($tagged)?);
            }
        }
    };

    (@default $name:ident) => {
        impl Default for $name {
            fn default() -> Self {
                Self::defaults()
            }
        }
    };
    (@default $name:ident $param:ident) => {};

    (@about $about:ident [$($doc:literal)+] $field:ident [$($key:literal)?] [$($required:literal)?]) => {
        const $about: $crate::settings::About = $crate::settings::About {
            key: $crate::settings::settings!(@or stringify!($field); $($key)?),
            doc: concat!($($doc, "\n"),+),
            required: $crate::settings::settings!(@some $($required)?),
        };
    };

    (@show $field:expr, $self:ident $about:ident $form:ident $visitor:ident) => {
        $crate::settings::Setting::show(&mut $field, &$about, $form, $visitor)
    };
    (@show $field:expr, $self:ident $about:ident $form:ident $visitor:ident $by:ident) => {
        $self.$by(&$about, $form, $visitor)
    };

    (@form) => { () };
    (@form tagged) => { &'static str };
    (@choice $visitor:ident $about:ident $self:ident $form:ident) => {{
        let () = $form;
        $visitor.word($about, $self);
    }};
    (@choice $visitor:ident $about:ident $self:ident $form:ident tagged) => { $visitor.tagged($about, $self, $form); };

    (@some) => { None };
    (@some $value:expr) => { Some($value) };

    (@or $otherwise:expr; is_table $($field:ident)*) => { false };
    (@or $otherwise:expr; implied) => { true };
    (@or $otherwise:expr;) => { $otherwise };
    (@or $otherwise:expr; $value:expr) => { $value };
}

pub(crate) use settings;
