//! The known word that a mistyped one was meant to be.

use narrows::spelling::*;

#[test]
fn the_first_of_equally_near_words_wins_and_far_words_do_not() {
    assert_eq!(nearest("adamx", ["adam", "adamw"]), Some("adam"));
    assert_eq!(nearest("ADAM", ["sgd", "adam"]), Some("adam"));
    assert_eq!(nearest("train.batchsize", ["train.batch_size"]), Some("train.batch_size"));
    assert_eq!(nearest("", ["a"]), None);
    assert_eq!(nearest("rmsprop", ["sgd", "adam"]), None);
    assert_eq!(nearest(&"x".repeat(100_000), ["a"]), None);
}
