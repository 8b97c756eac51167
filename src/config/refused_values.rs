//! Refusals of values, word for word.

use super::RunConfig;
use super::refusals::{RUN, check, said};

#[test]
fn wrong_types_name_the_line_what_was_found_and_what_is_accepted() {
    let count = "accepted: an integer from 1 to 4294967295";
    for (found, described) in [
        ("\"64\"", "the string \"64\""),
        ("64.0", "the float 64.0"),
        ("true", "the boolean true"),
        ("1979-05-27", "the date 1979-05-27"),
        ("[64]", "an array"),
        ("[]", "an empty array"),
        ("{ a = 1 }", "a table"),
        ("{}", "an empty table"),
        ("99999999999999999999", "the integer 99999999999999999999"),
        ("nan", "nan"),
    ] {
        let expected = format!("a.toml:21: \"train.batch_size\" is {described}; {count}");
        assert_eq!(said("batch_size = 256", &format!("batch_size = {found}")), expected);
    }
    check(&[
        ("name = \"a\"", "name = 1", "a.toml:1: \"name\" is the integer 1; accepted: a name that can be a folder's: …"),
        (
            "\"mnist\"",
            "1",
            "a.toml:5: \"data.set\" is the integer 1; accepted: the name of a data set or a path, as a string",
        ),
        (
            "[1, \"two\"]",
            "\"two\"",
            "a.toml:6: \"data.classes\" is the string \"two\"; accepted: an array of class names or numbers, such as [\"Sandal\", 7]",
        ),
        (
            "[1, \"two\"]",
            "[1.5]",
            "a.toml:6: \"data.classes[0]\" is the float 1.5; accepted: the name of a class, or its number of at least 0",
        ),
        ("false", "\"false\"", "a.toml:7: \"data.pool\" is the string \"false\"; accepted: true or false"),
        (
            "{ train = 5, validation = 1 }",
            "5",
            "a.toml:8: \"data.split\" is the integer 5; accepted: a table such as …",
        ),
        (
            "[{ dense = 8, activation = \"relu\" }]",
            "8",
            "a.toml:11: \"model.encoder\" is the integer 8; accepted: an array of layers, such as …",
        ),
        (
            "{ dense = 8 }",
            "8",
            "a.toml:13: \"model.decoder[0]\" is the integer 8; accepted: one layer: { dense = 256, …",
        ),
        (
            "{ l1 = 0.0 }",
            "0.0",
            "a.toml:17: \"model.code_penalty\" is the float 0.0; accepted: a table such as { l1 = 1e-6 }",
        ),
        (
            "{ patience = 5, min_delta = 1e-2 }",
            "true",
            "a.toml:23: \"train.early_stopping\" is the boolean true; accepted: a table such as { patience = 5, min_delta = 1e-2 }, or false",
        ),
        (
            "1e-4",
            "\"1e-4\"",
            "a.toml:27: \"optimizer.learning_rate\" is the string \"1e-4\"; accepted: a finite number above 0",
        ),
        ("{ cosine = 50 }", "50", "a.toml:28: \"optimizer.schedule\" is the integer 50; accepted: \"constant\", …"),
    ]);
}

#[test]
fn numbers_outside_their_range_are_refused() {
    let number = |value: &str| said("1e-4", value);
    for (value, described) in [
        ("0", "the integer 0"),
        ("0.0", "the float 0.0"),
        ("-1e-3", "the float -1e-3"),
        ("nan", "nan"),
        ("-nan", "nan"),
        ("inf", "inf"),
        ("1e400", "inf"),
    ] {
        let expected =
            format!("a.toml:27: \"optimizer.learning_rate\" is {described}; accepted: a finite number above 0");
        assert_eq!(number(value), expected, "{value}");
    }
    check(&[
        (
            "seed = 1",
            "seed = 9223372036854775808",
            "a.toml:2: \"seed\" is the integer 9223372036854775808; accepted: an integer from 0 to 9223372036854775807",
        ),
        (
            "seed = 1",
            "seed = -1",
            "a.toml:2: \"seed\" is the integer -1; accepted: an integer from 0 to 9223372036854775807",
        ),
        (
            "batch_size = 256",
            "batch_size = 0",
            "a.toml:21: \"train.batch_size\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "max_epochs = 50",
            "max_epochs = 0",
            "a.toml:22: \"train.max_epochs\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "max_epochs = 50",
            "max_epochs = 50\ncheckpoint = { every_steps = 0 }",
            "a.toml:23: \"train.checkpoint.every_steps\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "1e-2",
            "-1",
            "a.toml:23: \"train.early_stopping.min_delta\" is the integer -1; accepted: a finite number of at least 0",
        ),
        (
            "1e-2",
            "nan",
            "a.toml:23: \"train.early_stopping.min_delta\" is nan; accepted: a finite number of at least 0",
        ),
        ("1e-2", "0, baseline = inf", "a.toml:23: \"train.early_stopping.baseline\" is inf; accepted: a finite number"),
        (
            "l1 = 0.0",
            "l1 = -0.1",
            "a.toml:17: \"model.code_penalty.l1\" is the float -0.1; accepted: a finite number of at least 0",
        ),
        (
            "l1 = 0.0 }",
            "}\nweight_penalty = { l2 = nan }",
            "a.toml:18: \"model.weight_penalty.l2\" is nan; accepted: a finite number of at least 0",
        ),
        (
            "{ dense = 8 }",
            "{ dropout = 1.0 }",
            "a.toml:13: \"model.decoder[0].dropout\" is the float 1.0; accepted: a number of at least 0 and below 1",
        ),
        (
            "{ dense = 8 }",
            "{ dropout = -0.1 }",
            "a.toml:13: \"model.decoder[0].dropout\" is the float -0.1; accepted: a number of at least 0 and below 1",
        ),
        (
            "{ dense = 8 }",
            "{ noise = -1 }",
            "a.toml:13: \"model.decoder[0].noise\" is the integer -1; accepted: a finite number of at least 0",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 0 }",
            "a.toml:13: \"model.decoder[0].dense\" is the integer 0; accepted: a number of units from 1 to 1048576, or \"input\"",
        ),
        (
            "{ dense = 8 }",
            "{ dense = \"output\" }",
            "a.toml:13: \"model.decoder[0].dense\" is the string \"output\"; accepted: a number of units from 1 to 1048576, or \"input\"",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, activation = \"leaky-relu\", slope = nan }",
            "a.toml:13: \"model.decoder[0].slope\" is nan; accepted: a number above 0 and at most 1 (for 0 there is \"relu\")",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, activation = \"elu\", alpha = 0 }",
            "a.toml:13: \"model.decoder[0].alpha\" is the integer 0; accepted: a finite number above 0",
        ),
        (
            "\"he-normal\"",
            "{ normal = 0 }",
            "a.toml:16: \"model.init.normal\" is the integer 0; accepted: a finite number above 0",
        ),
        (
            "train = 5",
            "train = -5",
            "a.toml:8: \"data.split.train\" is the integer -5; accepted: an integer from 0 to 1000000000",
        ),
        (
            "pool = false",
            "limit = 0",
            "a.toml:7: \"data.limit\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "pool = false",
            "per_class = 0",
            "a.toml:7: \"data.per_class\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "cosine = 50",
            "cosine = 0",
            "a.toml:28: \"optimizer.schedule.cosine\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "cosine = 50",
            "step = 1, factor = 0",
            "a.toml:28: \"optimizer.schedule.factor\" is the integer 0; accepted: a finite number above 0",
        ),
        (
            "cosine = 50",
            "exponential = nan",
            "a.toml:28: \"optimizer.schedule.exponential\" is nan; accepted: a finite number above 0",
        ),
        (
            "cosine = 50",
            "plateau = \"loss\", patience = 1, factor = 1",
            "a.toml:28: \"optimizer.schedule.factor\" is the integer 1; accepted: a number above 0 and below 1",
        ),
    ]);
    for key in ["clip_norm", "clip_value", "epsilon"] {
        let expected = format!("a.toml:29: \"optimizer.{key}\" is the integer 0; accepted: a finite number above 0");
        assert_eq!(said("1e-4\n", &format!("1e-4\n\n{key} = 0\n")), expected);
    }
    for key in ["beta_1", "beta_2"] {
        let expected =
            format!("a.toml:28: \"optimizer.{key}\" is the integer 1; accepted: a number of at least 0 and below 1");
        assert_eq!(said("1e-4\n", &format!("1e-4\n{key} = 1\n")), expected);
    }
}

#[test]
fn values_at_odds_with_each_other_are_refused() {
    let dense = "{ dense = \"input\", activation = \"sigmoid\" }";
    check(&[
        (
            "[{ dense = 8, activation = \"relu\" }]",
            "[]",
            "a.toml:11: \"model.encoder\" is an empty array; accepted: an array of layers, such as [{ dense = 50, activation = \"relu\" }]",
        ),
        (
            "[{ dense = 8, activation = \"relu\" }]",
            "[{ noise = 0.1 }]",
            "a.toml:11: \"model.encoder\" is an array without a dense layer; accepted: at least one layer { dense = … }",
        ),
        (
            "[\n  { dense = 8 },\n  { dense = \"input\", activation = \"sigmoid\" },\n]",
            "[]",
            "a.toml:12: \"model.decoder\" is an empty array; accepted: an array of layers, such as [{ dense = \"input\", activation = \"sigmoid\" }]",
        ),
        (
            dense,
            "{ dense = 784, activation = \"sigmoid\" }",
            "a.toml:14: \"model.decoder[1]\" is a dense layer of 784 units; accepted: a last decoder layer that gives the data back, such as { dense = \"input\", activation = \"sigmoid\" }",
        ),
        (
            dense,
            "{ dropout = 0.5 }",
            "a.toml:14: \"model.decoder[1]\" is a dropout layer; accepted: a last decoder layer …",
        ),
        (
            dense,
            "{ noise = 0.5 }",
            "a.toml:14: \"model.decoder[1]\" is a noise layer; accepted: a last decoder layer …",
        ),
        (
            "{ dense = 8 }",
            "{}",
            "a.toml:13: \"model.decoder[0]\" is a table without dense, dropout or noise; accepted: one layer: …",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, dropout = 0.1 }",
            "a.toml:13: \"model.decoder[0]\" is a table with dense and dropout; accepted: one layer: …",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, activation = \"relu\", slope = 0.5 }",
            "a.toml:13: \"model.decoder[0].slope\" is given while the activation is \"relu\"; accepted: slope with activation = \"leaky-relu\" only",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, alpha = 0.5 }",
            "a.toml:13: \"model.decoder[0].alpha\" is given while the activation is \"linear\"; accepted: alpha with activation = \"elu\" only",
        ),
        (
            "\"sigmoid\"",
            "\"relu\"",
            "a.toml:20: \"train.loss\" is \"bce\" while the last decoder layer's activation is \"relu\"; accepted: a last layer with activation = \"sigmoid\"; or \"bce-logits\", which applies the sigmoid itself",
        ),
        (
            "\"bce\"",
            "\"bce-logits\"",
            "a.toml:20: \"train.loss\" is \"bce-logits\", which applies a sigmoid, while the last decoder layer has applied one already; accepted: \"bce\"; or a last layer without activation = \"sigmoid\"",
        ),
        (
            "train = 5, validation = 1",
            "train = 0, validation = 0, test = 0",
            "a.toml:8: \"data.split\" is 0 : 0 : 0; accepted: parts of which train is at least 1",
        ),
        (
            "train = 5",
            "train = 0",
            "a.toml:8: \"data.split\" is 0 : 1 : 0; accepted: parts of which train is at least 1",
        ),
        (
            "validation = 1",
            "test = 1",
            "a.toml:8: \"data.split.test\" is the integer 1 while data.pool is false; accepted: 0 or no such key, since the published test part is then the test set; or data.pool = true",
        ),
        (
            "validation = 1",
            "validation = 0",
            "a.toml:23: \"train.early_stopping.monitor\" is \"val_loss\" while data.split has no validation part; accepted: \"loss\"; or a data.split.validation of at least 1",
        ),
        (
            "[1, \"two\"]",
            "[1, \"1\"]",
            "a.toml:6: \"data.classes\" is a list that has \"1\" twice; accepted: every class at most once",
        ),
        (
            "cosine = 50",
            "cosine = 5, step = 5",
            "a.toml:28: \"optimizer.schedule\" is a table with step and cosine; accepted: …",
        ),
        (
            "cosine = 50",
            "floor = 0.0",
            "a.toml:28: \"optimizer.schedule\" is a table without step, exponential, cosine or plateau; accepted: …",
        ),
        (
            "1e-4\n",
            "1e-4\nclip_norm = 1\nclip_value = 1\n",
            "a.toml:29: \"optimizer.clip_value\" is given beside clip_norm; accepted: one of the two",
        ),
        (
            "\"adam\"",
            "\"sgd\"\nnesterov = true",
            "a.toml:27: \"optimizer.nesterov\" is true while momentum is 0; accepted: a momentum above 0 and no dampening; or false",
        ),
        (
            "\"adam\"",
            "\"sgd\"\ndialect = \"pytorch\"\nnesterov = true\nmomentum = 0.9\ndampening = 0.1",
            "a.toml:28: \"optimizer.nesterov\" is true while dampening is not 0; accepted: a momentum above 0 and no dampening; or false",
        ),
    ]);
    let layers = vec!["{ dense = 2 }"; 257].join(", ");
    let expected = "a.toml:11: \"model.encoder\" is an array of 257; accepted: at most 256 items";
    assert_eq!(said("[{ dense = 8, activation = \"relu\" }]", &format!("[{layers}]")), expected);
    let plateau = said("validation = 1", "validation = 0").replace(":23:", ":28:");
    let text = RUN.replace("validation = 1", "validation = 0").replace("{ patience = 5, min_delta = 1e-2 }", "false");
    let text = text.replace("{ cosine = 50 }", "{ plateau = \"val_loss\", factor = 0.5, patience = 1 }");
    let error = RunConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    assert_eq!(error, plateau.replace("train.early_stopping.monitor", "optimizer.schedule.plateau"));
}

#[test]
fn kinds_of_autoencoders_that_contradict_themselves_are_refused() {
    let check_line = |line: &str, expected: &str| {
        let found = said("code_penalty = { l1 = 0.0 }", line);
        assert!(found.starts_with(&format!("a.toml:17: {expected}")), "{line}: {found}");
    };
    for (line, expected) in [
        ("code_penalty = { rho = 0.1 }", "\"model.code_penalty.rho\" is given without kl; accepted: rho beside kl"),
        (
            "code_penalty = { kl = 1, rho = 1 }",
            "\"model.code_penalty.rho\" is the integer 1; accepted: a number above 0",
        ),
        ("contractive = {}", "the key \"model.contractive.weight\" is missing"),
        (
            "contractive = { weight = 1, method = \"gram\", probes = 3 }",
            "\"model.contractive.probes\" is given while the method is \"gram\"; accepted: probes with method",
        ),
        ("corruption = {}", "\"model.corruption\" is a table without gaussian, masking or salt-and-pepper; accepted"),
        ("corruption = { gaussian = 1, masking = 0.1 }", "\"model.corruption\" is a table with gaussian and masking"),
        ("corruption = { masking = 1.5 }", "\"model.corruption.masking\" is the float 1.5; accepted: a probability"),
    ] {
        check_line(line, expected);
    }
    let variational = said("code_penalty = { l1 = 0.0 }", "variational = {}");
    let expected =
        "\"model.encoder\" is a last layer with \"relu\" in a variational model; accepted: an encoder that ends";
    assert!(variational.contains(expected), "{variational}");
}
