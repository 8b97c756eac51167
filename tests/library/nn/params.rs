//! The table of contents of a flat buffer of parameters, and the buffer with its table.

use narrows::nn::*;

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.param("encoder.0.weight", [3, 2]);
    layout.param("encoder.0.bias", [1, 2]);
    layout.buffer("encoder.1.mean", [1, 2]);
    layout.param("encoder.1.scale", [1, 2]);
    layout.param("decoder.0.weight", [2, 3]);
    layout.param("decoder.0.bias", [1, 3]);
    layout
}

#[test]
fn ranges_leave_out_buffers_and_join_neighbours() {
    let layout = layout();
    assert_eq!(layout.len(), 6 + 2 + 2 + 2 + 6 + 3);
    assert_eq!(layout.groups(), ["encoder", "decoder"]);
    assert_eq!(layout.ranges(&["encoder"]), Ok(vec![0..8, 10..12]));
    assert_eq!(layout.ranges(&["decoder"]).unwrap(), std::slice::from_ref(&(12..21)));
    assert_eq!(layout.ranges(&["decoder", "encoder"]), Ok(vec![0..8, 10..21]));
    let error = layout.ranges(&["head"]).unwrap_err().to_string();
    assert_eq!(error, "there is no group of parameters called \"head\"; the model has encoder, decoder");
}
