//! The known word that a mistyped one was meant to be.

/// Words longer than this are nobody's typing error; comparing them would only cost time.
const LONGEST: usize = 64;

/// The candidate that is nearest to `word` when case is ignored, if it is near enough to be meant: at most a third of
/// the letters (at least one) inserted, deleted, replaced, or swapped with their neighbour (optimal string alignment). Where none is, one that
/// contains the word, if that has three letters or more. Of equals, the first.
///
/// ```
/// use narrows::spelling::nearest;
/// assert_eq!(nearest("batchsize", ["seed", "batch_size"]), Some("batch_size"));
/// assert_eq!(nearest("boot", ["Sandal", "Ankle boot"]), Some("Ankle boot"));
/// assert_eq!(nearest("colour", ["seed", "batch_size"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST * 4 {
        return None;
    }
    let lower = word.to_lowercase();
    let letters = lower.chars().count();
    if letters == 0 || letters > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut containing = None;
    for candidate in candidates {
        let lower_candidate = candidate.to_lowercase();
        if containing.is_none() && letters >= 3 && lower_candidate.contains(&lower) {
            containing = Some(candidate);
        }
        let len = lower_candidate.chars().count();
        let allowed = (letters.max(len) / 3).max(1);
        if len > LONGEST || letters.abs_diff(len) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&lower, &lower_candidate);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate).or(containing)
}

#[cfg(test)]
mod tests {
    use super::*;

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
