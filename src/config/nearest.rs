//! The known word that a mistyped one was meant to be.

/// Words longer than this are nobody's typing error; comparing them would only cost time.
const LONGEST: usize = 64;

/// The candidate that is nearest to `word` when case is ignored, if it is near enough to be meant: at most a third of
/// the letters (at least one) inserted, deleted, replaced, or swapped with their neighbour. Where none is, one that
/// contains the word, if that has three letters or more. Of equals, the first.
///
/// ```
/// use narrows::config::nearest;
/// assert_eq!(nearest("batchsize", ["seed", "batch_size"]), Some("batch_size"));
/// assert_eq!(nearest("boot", ["Sandal", "Ankle boot"]), Some("Ankle boot"));
/// assert_eq!(nearest("colour", ["seed", "batch_size"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST * 4 {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let lower: String = word.iter().collect();
    let mut best: Option<(usize, &str)> = None;
    let mut containing = None;
    for candidate in candidates {
        let lower_candidate = candidate.to_lowercase();
        if containing.is_none() && word.len() >= 3 && lower_candidate.contains(&lower) {
            containing = Some(candidate);
        }
        let letters: Vec<char> = lower_candidate.chars().collect();
        let allowed = (word.len().max(letters.len()) / 3).max(1);
        if letters.len() > LONGEST || word.len().abs_diff(letters.len()) > allowed {
            continue;
        }
        let distance = distance(&word, &letters);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate).or(containing)
}

/// Optimal string alignment distance (Damerau 1964, restricted: no letter is edited twice), by rows of the usual
/// dynamic programme, of which a swap looks back two.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn the_distance_counts_insertions_deletions_replacements_and_swaps() {
        assert_eq!(between("", ""), 0);
        assert_eq!(between("abc", ""), 3);
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("adam", "adam"), 0);
        assert_eq!(between("adm", "adam"), 1);
        assert_eq!(between("adxm", "adam"), 1);
        assert_eq!(between("adma", "adam"), 1);
        assert_eq!(between("kitten", "sitting"), 3);
    }

    #[test]
    fn the_first_of_equally_near_words_wins_and_far_words_do_not() {
        assert_eq!(nearest("adamx", ["adam", "adamw"]), Some("adam"));
        assert_eq!(nearest("ADAM", ["sgd", "adam"]), Some("adam"));
        assert_eq!(nearest("train.batchsize", ["train.batch_size"]), Some("train.batch_size"));
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("rmsprop", ["sgd", "adam"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), ["a"]), None);
    }
}
