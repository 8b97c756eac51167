//! The visitor that lists settings: every key with what is accepted, the default and the meaning.

use narrows::config::*;

fn said(key: &str) -> [String; 3] {
    let entry = vocabulary().into_iter().find(|entry| entry.key == key).expect(key);
    [entry.accepted, entry.default, entry.meaning]
}

#[test]
fn every_key_has_its_range_its_default_and_its_meaning() {
    assert!(vocabulary().iter().all(|entry| !entry.meaning.is_empty() && !entry.accepted.is_empty()));
    let count = "an integer from 1 to 4294967295";
    assert_eq!(said("train.batch_size")[..2], [count, "required"]);
    assert_eq!(said("train.checkpoint.every_epochs")[..2], [count, "1"]);
    assert_eq!(
        said("data.limit"),
        [count, "none", "Keep only the first so many images of each part, after splitting."]
    );
    assert_eq!(said("data.split")[1], "{ train = 5, validation = 1, test = 0, stratified = true, block = 1 }");
    assert_eq!(said("data.split.validation")[1], "0");
    assert_eq!(said("model.encoder[].dense")[..2], ["a number of units from 1 to 1048576, or \"input\"", ""]);
    assert_eq!(said("model.encoder[].slope")[1], "0.01");
    assert_eq!(said("optimizer.schedule.threshold")[..2], ["a number of at least 0 and below 1", "none"]);
    let of_epsilon = vocabulary().into_iter().filter(|entry| entry.key == "optimizer.epsilon");
    assert_eq!(of_epsilon.map(|entry| entry.default).collect::<Vec<_>>(), ["1e-7", "1e-8", "1e-10", "1e-6"]);
}

#[test]
fn every_key_of_the_list_is_known() {
    let classifier = "name = \"a\"\ntask = \"classifier\"\ndata.set = \"footwear\"\nmodel.encoder = [{ dense = 3 }]\n\
                      train = { batch_size = 1, max_epochs = 1 }\noptimizer.name = \"sgd\"\n";
    let [footwear, gan, simclr] = ["footwear", "gan", "simclr"].map(|name| preset(name).unwrap().text);
    let texts = [footwear, classifier, gan, simclr];
    let keys: Vec<String> = vocabulary().into_iter().map(|entry| entry.key).collect();
    assert!(keys.len() > 60 && keys.contains(&"optimizer.schedule.threshold".to_owned()), "{keys:?}");
    for key in keys.iter().filter(|key| !key.contains('[')) {
        // No key accepts a date, so each of these fails; but none because it is unknown to every task.
        let errors = texts.map(|text| {
            let set = Source::parse(text, "a.toml").unwrap().set(&format!("{key}=1979-05-27"));
            set.and_then(Source::into_base_run).err().unwrap_or_else(|| panic!("{key} accepts a date"))
        });
        assert!(errors.iter().any(|error| !error.problem.contains("unknown key")), "{errors:?}");
    }
}
