//! `narrows interpolate`: from one code to another.

use ndarray::{Array2, Axis};
use serde_json::json;

use super::super::CliError;
use super::super::args::InterpolateArguments;
use super::super::machine;
use super::super::output::{json, path_json, say, table};
use super::super::paths::out_folder;
use super::{images_at, part_of, pixels, write_grid};
use narrows::analysis::{ALPHAS, Comparison, Interpolation, Pair, choose_pairs, interpolate as between};
use narrows::figures::grid::GridRow;
use narrows::figures::number::{counted, significant};
use narrows::files::write_whole;

/// Interpolates between pairs of images and compares what is decoded with the blend of the decoded ends.
pub fn interpolate(arguments: InterpolateArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(&arguments.of)?;
    let data = &run.prepared.loaded.data;
    let indices = part_of(&run, arguments.part)?.indices;
    let pairs = choose_pairs(data.labels.as_deref(), indices, arguments.pairs as usize, arguments.seed)?;
    let folder = out_folder(arguments.out, &run)?;
    let end = |of: fn(&Pair) -> u32| images_at(&run, &pairs.iter().map(of).collect::<Vec<u32>>());
    let (first, second) = (end(|pair| pair.first), end(|pair| pair.second));
    let found = machine.run(|| {
        let trained = run.trained(machine.context)?;
        Ok::<_, CliError>(between(&trained, first.view(), second.view())?)
    })??;

    let class = |index: u32| match &data.labels {
        Some(labels) => data.class_names[usize::from(labels[index as usize])].clone(),
        None => index.to_string(),
    };
    let row = |(at, pair): (usize, &Pair)| {
        let end = |images: &Array2<f32>| pixels(&run, images.row(at).insert_axis(Axis(0)));
        let images = [end(&first), pixels(&run, found.decoded[at].view()), end(&second)].concat();
        GridRow { label: format!("{} to {}", class(pair.first), class(pair.second)), images }
    };
    let rows = pairs.iter().enumerate().map(row).collect();
    let picture = folder.join("interpolation.png");
    let decoded = ALPHAS.iter().map(|alpha| format!("α = {alpha}"));
    let columns = std::iter::once("image".into()).chain(decoded).chain(["image".into()]).collect();
    let title = format!("{}: decoded on the way from one image to another", run.config.name);
    write_grid(&run, &title, columns, rows, &picture)?;
    let figures = folder.join("interpolation.csv");
    write_whole(&figures, csv(&pairs, &found).as_bytes())?;

    let apart =
        |pair: &Pair| data.labels.as_ref().is_some_and(|all| all[pair.first as usize] != all[pair.second as usize]);
    let kind = match (&data.labels, pairs.iter().all(apart)) {
        (Some(_), true) => " of different classes",
        (Some(_), false) => ", all of one class",
        (None, _) => "",
    };
    let fewer = match pairs.len() < arguments.pairs as usize {
        true => format!(" ({} were asked for; {} images make no more)", arguments.pairs, indices.len()),
        false => String::new(),
    };
    say!("{} of images{kind}{fewer}, means against the blend of the decoded ends:", counted(pairs.len(), "pair"));
    let means = ALPHAS.iter().zip(&found.mean);
    json(|| {
        let rows =
            means.clone().map(|(alpha, mean)| json!({ "alpha": alpha, "psnr_db": mean.psnr, "l2": mean.distance }));
        json!({ "pairs": pairs.len(), "means": rows.collect::<Vec<_>>(), "figures": path_json(&figures), "picture": path_json(&picture) })
    });
    let row = |(alpha, mean): (&f64, &Comparison)| {
        vec![alpha.to_string(), significant(mean.psnr, 4), significant(mean.distance, 4)]
    };
    table(&["alpha", "PSNR in dB", "L2 / √pixels"], &means.map(row).collect::<Vec<_>>());
    say!("\n{}\n{}  original, decoded from alpha 0 to 1, original", figures.display(), picture.display());
    Ok(())
}

/// Every pair, then the means, whose pair is "mean".
fn csv(pairs: &[Pair], found: &Interpolation) -> String {
    let mut text = "pair,first,second,alpha,psnr_db,l2,image_psnr_db,code_distance\n".to_owned();
    let mut add = |pair: &str, ends: [String; 2], compared: &[Comparison]| {
        for (alpha, Comparison { psnr, distance, image_psnr, code_distance }) in ALPHAS.iter().zip(compared) {
            let [first, second] = &ends;
            text += &format!("{pair},{first},{second},{alpha},{psnr},{distance},{image_psnr},{code_distance}\n");
        }
    };
    for (number, (pair, compared)) in pairs.iter().zip(&found.pairs).enumerate() {
        add(&(number + 1).to_string(), [pair.first, pair.second].map(|end| end.to_string()), compared);
    }
    add("mean", [String::new(), String::new()], &found.mean);
    text
}
