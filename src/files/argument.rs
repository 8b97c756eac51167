//! Paths as they are typed.

use std::path::Path;

/// A path as a POSIX shell takes it for one argument: in quotes where it has a character that means something else there.
pub fn argument(path: impl AsRef<Path>) -> String {
    let text = path.as_ref().display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "%+,-./:=@_".contains(c);
    let is_bare = !text.is_empty() && text.chars().all(is_plain);
    if is_bare { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::argument;

    #[test]
    fn what_a_shell_would_take_apart_is_in_quotes() {
        for bare in ["runs/footwear-2", "/tmp/a_b/é.toml", "a=b,c@d:e%f+g"] {
            assert_eq!(argument(bare), bare);
        }
        for (path, quoted) in [("my run", "'my run'"), ("it's", r"'it'\''s'"), ("", "''"), ("~/$a", "'~/$a'")] {
            assert_eq!(argument(path), quoted);
        }
    }
}
