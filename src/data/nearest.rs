//! The known name that a mistyped one probably meant.

/// The name in `known` nearest to `typed`, ignoring case: one that contains it, else the one at the least edit
/// distance (Levenshtein), if at most half of its letters differ. The first of equals.
pub(crate) fn nearest(typed: &str, known: &[String]) -> Option<String> {
    let typed = typed.to_lowercase();
    let candidates = || known.iter().map(|name| (name, name.to_lowercase()));
    if typed.chars().count() >= 3
        && let Some((name, _)) = candidates().find(|(_, lower)| lower.contains(&typed))
    {
        return Some(name.clone());
    }
    candidates()
        .map(|(name, lower)| (distance(&typed, &lower), lower.chars().count(), name))
        .filter(|(distance, length, _)| 2 * distance <= *length)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., name)| name.clone())
}

fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_matches_worked_examples() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn the_nearest_name_is_found_and_a_stranger_has_none() {
        let known: Vec<String> = ["Sandal", "Sneaker", "Ankle boot"].map(String::from).to_vec();
        assert_eq!(nearest("sneekers", &known).as_deref(), Some("Sneaker"));
        assert_eq!(nearest("boot", &known).as_deref(), Some("Ankle boot"));
        assert_eq!(nearest("xylophone", &known), None);
    }
}
