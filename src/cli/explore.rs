//! `narrows explore`: a page on which one plays with a decoder.

use std::process::{Command, Stdio};

use super::CliError;
use super::args::ExploreArguments;
use super::codes::part_of;
use super::machine;
use super::output::{json, note, path_json, say};
use super::paths::check_target;
use narrows::explore::{MOST_BYTES, page};
use narrows::figures::number::counted;
use narrows::files::write_whole;
use serde_json::json;

/// Writes the page, and opens it where that is asked for.
pub fn run(arguments: ExploreArguments) -> Result<(), CliError> {
    check_target(&arguments.out, &["html"], "explore.html")?;
    let (machine, run) = machine::open(&arguments.of)?;
    let (name, images) = (arguments.part.name(), part_of(&run, arguments.part)?);
    let page = machine.run(|| page(&run, machine.context, (name, images), arguments.count as usize))??;
    let out = arguments.out.unwrap_or_else(|| run.path.join("explore.html"));
    write_whole(&out, page.html.as_bytes())?;
    json(|| {
        json!({
            "file": path_json(&out),
            "bytes": page.html.len(),
            "points": page.points,
            "training": page.training,
            "maps": page.maps,
            "decoder_sha256": page.sha256,
            "encoder_bits": page.encoder_bits,
        })
    });
    let maps = page.maps.join(", ");
    say!(
        "{} on the map ({maps}), {}, {:.1} MB: {}",
        counted(page.points, &format!("{name} image")),
        counted(page.training, "training image"),
        page.html.len() as f64 / 1e6,
        out.display()
    );
    say!("SHA-256 of the decoder's weights in it: {}", page.sha256);
    let wanted = images.len().min(arguments.count as usize);
    if page.points < wanted && !page.maps.contains(&"tsne") {
        note(&format!("{wanted} images would make it larger than {} MB", MOST_BYTES / 1_000_000));
    }
    match page.encoder_bits {
        32 => {}
        16 => {
            note("the encoder's weights are rounded to 16 bits in it, or it would be larger; the decoder's are exact")
        }
        _ => note("the weights are so large that the encoder is left out: one cannot draw on it"),
    }
    if arguments.open {
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let opened = Command::new(opener).arg(&out).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        opened.map_err(|error| CliError::Failed(format!("cannot open {} with {opener}: {error}", out.display())))?;
    }
    Ok(())
}
