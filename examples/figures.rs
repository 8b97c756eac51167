//! Draws one figure of each kind, as PNG, as SVG and on a page with all of them.
//!
//! ```sh
//! cargo run --example figures -- FOLDER
//! ```

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;

use narrows::figures::Chart;
use narrows::figures::bars::BarChart;
use narrows::figures::curves::{Curve, LineChart, Panels};
use narrows::figures::grid::{GridRow, ImageGrid};
use narrows::figures::matrix::MatrixChart;
use narrows::figures::number::subscript;
use narrows::figures::parallel::Parallel;
use narrows::figures::png::to_byte;
use narrows::figures::scatter::Scatter;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "figures".into()));
    fs::create_dir_all(&folder)?;
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Figures</title>\n\
         <style>{}</style>\n<main>\n<h1>One figure of each kind</h1>\n",
        include_str!("../src/study/templates/page.css")
    );
    let mut show = |name: &str, svg: String, png: Vec<u8>| -> io::Result<()> {
        page += &format!(
            "<figure>\n<div class=\"scroll chart\">\n{svg}</div>\n<figcaption>{name}</figcaption>\n</figure>\n"
        );
        fs::write(folder.join(format!("{name}.png")), png)?;
        fs::write(folder.join(format!("{name}.svg")), svg)
    };
    let loss = |group: usize, shift: f64| -> Vec<f64> {
        let wobble = |e: usize| ((e * 7919 + group * 104729) % 13) as f64 / 13.0 - 0.5;
        (1..=16 + group).map(|e| 0.26 + shift + 0.16 / (e as f64).sqrt() + 0.003 * wobble(e)).collect()
    };
    let names = ["regular, batch 128", "regular, batch 1024", "sparse, batch 128", "sparse, batch 1024"];
    let of_run = |group: usize| {
        let curve = |dashed| {
            let shift = 0.002 * group as f64 + if dashed { 0.004 } else { 0.0 };
            Curve::per_epoch(names[group], loss(group, shift), dashed, group)
        };
        vec![curve(false), curve(true)]
    };
    let label = "binary cross-entropy (nats per pixel)";
    let all = LineChart::losses("Losses of four runs", label, (0..4).flat_map(of_run).collect());
    show("curves", all.to_svg(), all.to_png(1200, 750)?)?;
    let charts = (0..4).map(|group| LineChart::losses(names[group], label, of_run(group))).collect();
    let panels = Panels { title: "Losses of four runs, apart".into(), charts };
    show("panels", panels.to_svg(), panels.to_png(1200, 900)?)?;
    let error = [0.1, 7e-3, 5e-3, 3e-4, 3e-5, f64::NAN, 2e-6];
    let errors = |group: usize| Curve {
        at: Some(vec![2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0]),
        ..Curve::per_epoch(
            ["decoded", "optimal"][group],
            error.map(|error| error / (1.0 + group as f64)).into(),
            false,
            group,
        )
    };
    let sizes = LineChart {
        x_label: "code size (numbers)".into(),
        logarithmic: true,
        y_label: "root mean square error".into(),
        curves: vec![errors(0), errors(1)],
        ..LineChart::default()
    };
    show("logarithmic", sizes.to_svg(), sizes.to_png(1200, 750)?)?;
    let one = |i: usize| Curve::per_epoch(format!("run {}", i / 2), vec![0.1 + 0.01 * i as f64], i % 2 == 1, i / 2);
    let single = LineChart::losses("Runs of one epoch", "mean squared error", (0..24).map(one).collect());
    show("points", single.to_svg(), single.to_png(1200, 750)?)?;
    let classes = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];
    let group = |(i, name): (usize, &&str)| (name.to_string(), vec![5400.0 + (i * 37 % 90) as f64, 600.0, f64::NAN]);
    let bars = BarChart {
        title: "Images of each class".into(),
        value_label: "images".into(),
        series: vec!["training".into(), "validation".into(), "test".into()],
        groups: classes.iter().enumerate().map(group).collect(),
    };
    show("bars", bars.to_svg(), bars.to_png(900, 700)?)?;
    let noise = |seed: u64| {
        let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 24)
    };
    let sum = |seed: u64| (0..6).map(|k| noise(6 * seed + k)).sum::<f64>();
    let scatter = Scatter {
        title: "Codes of the test images".into(),
        x_label: "first principal component (42.1 % of the variance)".into(),
        y_label: "second principal component (9.3 %)".into(),
        groups: classes.map(String::from).into(),
        points: (0..10_000).map(|i| (sum(i) + (i % 10) as f64 * 0.4, sum(i + 77_777), (i % 10) as usize)).collect(),
        ..Scatter::default()
    };
    show("scatter", scatter.to_svg(), scatter.to_png(1200, 1100)?)?;
    let count =
        |class: usize, other: usize| if class == other { 850 + 13 * class } else { (class * 7 + other * 5) % 17 };
    let matrix = MatrixChart {
        title: "Classes of the test images".into(),
        classes: classes.map(String::from).into(),
        counts: (0..10).map(|class| (0..10).map(|other| count(class, other)).collect()).collect(),
    };
    show("matrix", matrix.to_svg(), matrix.to_png(900, 800)?)?;
    let axis = |texts: [&str; 3]| texts.map(String::from);
    let line = |i: u64| (usize::from(i < 20), (0..3).map(|k| noise(3 * i + k)).collect());
    let parallel = Parallel {
        axes: [["learning rate", "10⁻⁴", "10⁻²"], ["code size", "2", "64"], ["error", "0.03", "0.01"]].map(axis).into(),
        groups: vec!["the best trials".into(), "the others".into()],
        lines: (0..24).map(line).collect(),
    };
    show("parallel", parallel.to_svg(), parallel.to_png(1200, 700)?)?;

    let blob = |image: usize, blur: f32| -> Vec<u8> {
        let grey = |i: usize| {
            let (x, y) = ((i % 28) as f32 - 13.5, (i / 28) as f32 - 13.5);
            to_byte(1.0 - ((x * x + y * y * image as f32 / 3.0).sqrt() - 6.0) / blur)
        };
        (0..784).map(grey).collect()
    };
    let row = |n: usize| GridRow {
        label: format!("z{} (0.5 nats)", subscript(&n.to_string())),
        images: (1..9).map(|i| blob(i, n as f32)).collect(),
    };
    let grid = ImageGrid {
        title: "From one image to another".into(),
        columns: (0..8).map(|step| format!("α = {}", f64::from(step) / 10.0)).collect(),
        ..ImageGrid::new([28, 28, 1], (9..13).map(row).collect())
    };
    fs::write(folder.join("grid.png"), grid.to_png()?)?;
    page += "<figure>\n<div class=\"scroll picture\">\n<img class=\"wide\" src=\"grid.png\" alt=\"rows of images\">\n</div>\n</figure>\n";
    let row = format!(
        "<tr><th scope=\"row\">{}</th>{}</tr>\n",
        names[0],
        "<td class=\"number\">10⁻³ nats per pixel</td>".repeat(7)
    );
    page += &format!(
        "<figure>\n<div class=\"scroll\">\n<table>\n<tbody>\n{}</tbody>\n</table>\n</div>\n</figure>\n",
        row.repeat(3)
    );
    fs::write(folder.join("page.html"), page + "</main>\n</html>\n")?;
    Ok(())
}
