//! The first key in which two configurations differ, for a refusal that names it.

use narrows::config::preset;

#[test]
fn the_first_difference_is_named_with_both_values() {
    let run = |settings: &[&str]| {
        let source = preset("footwear").unwrap().source().unwrap();
        settings.iter().fold(source, |source, setting| source.set(setting).unwrap()).into_base_run().unwrap()
    };
    assert_eq!(run(&[]).difference(&run(&[])), None);
    for (setting, key, first, second) in [
        ("seed=1", "seed", "2026", "1"),
        ("train.batch_size=32", "train.batch_size", "256", "32"),
        ("train.early_stopping.patience=6", "train.early_stopping.patience", "5", "6"),
        ("train.early_stopping=false", "train.early_stopping.monitor", "\"val_loss\"", "nothing"),
        ("optimizer.clip_norm=1", "optimizer.clip_norm", "nothing", "1.0"),
        ("data.classes=[\"Sandal\", \"Sneaker\"]", "data.classes", "[\"Sandal\", \"Sneaker\", \"Ankle boot\"]", ""),
    ] {
        let found = run(&[]).difference(&run(&[setting])).unwrap();
        assert_eq!((found.key.as_str(), found.first.as_str()), (key, first));
        assert!(second.is_empty() || found.second == second, "{found:?}");
    }
}
