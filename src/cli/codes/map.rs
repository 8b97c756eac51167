//! `narrows map`: codes in a plane, by t-SNE and along their principal components.

use std::path::Path;
use std::time::Instant;

use ndarray::{ArrayView2, Axis, concatenate};
use serde_json::{Value, json};

use super::super::args::{MapArguments, Part};
use super::super::bars::Bar;
use super::super::output::{self, duration, note, say, table};
use super::super::paths::out_folder;
use super::super::{CliError, interrupt, machine};
use super::part_of;
use narrows::analysis::{Neighbours, Pca, Tsne, TsneMap, kl_divergence};
use narrows::figures::Chart;
use narrows::figures::number::{counted, significant};
use narrows::figures::scatter::Scatter;
use narrows::files::{read_whole, sha256, write_whole};
use narrows::train::Flow;
use narrows_kernels::Context;

/// Neighbours that maps are measured by, where there are points enough.
const NEIGHBOURS: usize = 10;

/// Pixels of the pictures.
const PICTURE: (usize, usize) = (1200, 1100);

/// What a map is worth.
struct Figures {
    neighbour_accuracy: f64,
    /// None for the codes themselves.
    trustworthiness: Option<f64>,
}

/// Maps the codes of a run's images by t-SNE and along their principal components, and measures both maps.
pub fn map(arguments: MapArguments) -> Result<(), CliError> {
    Part::must_differ(&arguments.part)?;
    interrupt::listen();
    let (machine, run) = machine::open(&arguments.of)?;
    let data = &run.prepared.loaded.data;
    if data.labels.is_none() {
        return Err(CliError::Usage(format!("cannot map {}: {} has no labels", run.path.display(), data.name)));
    }
    let parts = arguments.part.iter().map(|&part| part_of(&run, part)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = arguments.part.iter().map(|part| part.name()).collect();
    let mut labels: Vec<u8> = parts.iter().flat_map(|part| part.labels().into_iter().flatten()).collect();
    labels.truncate(arguments.count);
    let tsne = Tsne {
        perplexity: f64::from(arguments.perplexity),
        iterations: arguments.iterations as usize,
        ..Tsne::default()
    };
    let folder = out_folder(arguments.out, &run)?;
    let title = |map: &str| format!("{}: {map} of {}", run.config.name, counted(labels.len(), "code"));
    let shown = |points: ArrayView2<'_, f64>| -> Vec<(f64, f64, usize)> {
        points.rows().into_iter().zip(&labels).map(|(at, &label)| (at[0], at[1], usize::from(label))).collect()
    };

    let context = machine.context;
    let (map, hash, figures) = machine.run(|| -> Result<_, CliError> {
        let encoder = run.encoder(context)?;
        let mut codes = Vec::new();
        let mut left = arguments.count;
        for part in &parts {
            codes.push(encoder.encode(part.first(left))?);
            left -= part.len().min(left);
        }
        let codes: Vec<_> = codes.iter().map(|codes| codes.view()).collect();
        let codes = concatenate(Axis(0), &codes).expect("codes of one model have one size");
        let seconds = tsne.estimate(context, codes.view())?;
        note(&format!(
            "t-SNE of {}, {}: about {}",
            counted(codes.nrows(), "code"),
            counted(tsne.iterations, "iteration"),
            duration(seconds)
        ));
        let began = Instant::now();
        let map = fit(&tsne, context, codes.view())?;
        let seconds = began.elapsed().as_secs_f64();
        let pca = Pca::fit(context, codes.view(), 2)?;
        let components = pca.project(context, codes.view())?;

        let points = map.points.mapv(f64::from);
        let written = csv(map.points.view(), &labels);
        let hash = sha256(written.as_bytes());
        write_map(
            &folder,
            "map",
            &written,
            &Scatter {
                title: title("t-SNE map"),
                x_label: "first axis of the map".into(),
                y_label: "second axis of the map".into(),
                groups: data.class_names.clone(),
                points: shown(points.view()),
                ..Scatter::default()
            },
        )?;
        let chart = Scatter::of_components(
            title("principal components"),
            &pca.shares,
            data.class_names.clone(),
            shown(components.view()),
        );
        write_map(&folder, "pca", &csv(components.view(), &labels), &chart)?;
        if map.iterations < tsne.iterations {
            return Ok((map, hash, None));
        }
        let perplexity = tsne.perplexity;
        say!("t-SNE in {}: perplexity {perplexity}, {} iterations", duration(seconds), tsne.iterations);
        let k = NEIGHBOURS.min((codes.nrows() - 1) / 2);
        let components = components.mapv(|x| x as f32);
        let neighbours = |points: ArrayView2<'_, f32>| Neighbours::of(context, points, k);
        let measure = |map: ArrayView2<'_, f32>| -> Result<Figures, CliError> {
            let near = neighbours(map)?;
            let trustworthiness = Some(near.trustworthiness(context, codes.view())?);
            Ok(Figures { neighbour_accuracy: near.accuracy(&labels)?, trustworthiness })
        };
        let divergence = kl_divergence(context, codes.view(), map.points.view(), perplexity)?;
        let neighbour_accuracy = neighbours(codes.view())?.accuracy(&labels)?;
        let of_codes = Figures { neighbour_accuracy, trustworthiness: None };
        let all = [of_codes, measure(map.points.view())?, measure(components.view())?];
        show(k, divergence, &all, &pca.shares);
        Ok((map, hash, Some((k, divergence, all, pca.shares))))
    })??;

    let figures = match figures {
        Some((k, divergence, [code, tsne, pca], shares)) => json!({
            "neighbours": k,
            "code": { "neighbour_accuracy": code.neighbour_accuracy },
            "tsne": {
                "kl_divergence": divergence,
                "neighbour_accuracy": tsne.neighbour_accuracy,
                "trustworthiness": tsne.trustworthiness,
            },
            "pca": {
                "variance_shares": shares,
                "neighbour_accuracy": pca.neighbour_accuracy,
                "trustworthiness": pca.trustworthiness,
            },
        }),
        None => Value::Null,
    };
    let facts = json!({
        "codes": labels.len(),
        "parts": names,
        "map_sha256": hash,
        "model_sha256": sha256(&read_whole(&run.path.join("model.safetensors"))?),
        "perplexity": tsne.perplexity,
        "iterations": map.iterations,
        "finished": map.iterations == tsne.iterations,
        "figures": figures,
    });
    write_whole(&folder.join("map.json"), format!("{facts:#}\n").as_bytes())?;
    output::json(|| facts);
    say!("\nIn {}:", folder.display());
    say!("  {:<26}index of the code, label, x and y", "map.csv, pca.csv");
    say!("  {:<26}the t-SNE map", "map.png, map.svg");
    say!("  {:<26}the same codes along their first two principal components", "pca.png, pca.svg");
    say!("  {:<26}the figures above", "map.json");
    if map.iterations < tsne.iterations {
        note(&format!(
            "interrupted after {} of {} iterations: the map is that of then, and was not measured",
            map.iterations, tsne.iterations
        ));
        return Err(CliError::Interrupted);
    }
    Ok(())
}

fn fit(tsne: &Tsne, context: Context, codes: ArrayView2<'_, f32>) -> Result<TsneMap, CliError> {
    let bar = Bar::new();
    let mut progress = |done, _: [&[f32]; 2]| {
        bar.count("t-SNE", done, tsne.iterations);
        if interrupt::is_asked() { Flow::Interrupt } else { Flow::Continue }
    };
    Ok(tsne.fit(context, codes, &mut progress)?)
}

fn show(k: usize, divergence: f64, [code, tsne, pca]: &[Figures; 3], shares: &[f64]) {
    let row = |name: &str, figures: &Figures, divergence: Option<f64>| {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| significant(value, 4));
        let accuracy = format!("{:.2} %", 100.0 * figures.neighbour_accuracy);
        vec![name.to_owned(), accuracy, number(figures.trustworthiness), number(divergence)]
    };
    let accuracy = format!("accuracy of {k} neighbours");
    let percent: Vec<String> = shares.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
    let rows = [
        row("code", code, None),
        row("t-SNE map", tsne, Some(divergence)),
        row(&format!("PCA map ({} of the variance)", percent.join(" and ")), pca, None),
    ];
    table(&["", &accuracy, "trustworthiness", "KL divergence"], &rows);
}

/// A row for each code: its number among those that are mapped, its label and its place.
fn csv<T: std::fmt::Display>(points: ArrayView2<'_, T>, labels: &[u8]) -> String {
    let mut text = "index,label,x,y\n".to_owned();
    for (index, (at, label)) in points.rows().into_iter().zip(labels).enumerate() {
        text += &format!("{index},{label},{},{}\n", at[0], at[1]);
    }
    text
}

fn write_map(folder: &Path, name: &str, csv: &str, chart: &Scatter) -> Result<(), CliError> {
    write_whole(&folder.join(format!("{name}.csv")), csv.as_bytes())?;
    write_whole(&folder.join(format!("{name}.svg")), chart.to_svg().as_bytes())?;
    write_whole(&folder.join(format!("{name}.png")), &chart.to_png(PICTURE.0, PICTURE.1)?)?;
    Ok(())
}
