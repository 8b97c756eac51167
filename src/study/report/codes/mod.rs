//! What the codes are worth: classes, smoothness, what lies between them.

mod peers;

use serde_json::Value;

use crate::analysis::ALPHAS;
use crate::config::RunConfig;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::number::significant;
use crate::figures::page::{Align, Page};
use crate::files::read_whole;
use crate::study::{Codes, Study, StudyRun};
use crate::tasks::AutoencoderSpec;

/// Writes the section.
pub(super) fn write(page: &mut Page, study: &Study, codes: &[Codes]) {
    page.section("Codes");
    page.list(&kinds(study, codes));
    page.paragraph(
        "Accuracy is that of a multinomial logistic regression, trained to convergence on the codes of all training images \
         (standardised, penalty as scikit-learn’s C = 1). ‖J‖ is the Frobenius norm of ∂code/∂input, its mean over up to 2,000 test \
         images: how far the code moves when the image does.",
    );
    measures(page, study, codes);
    contractions(page, study, codes);
    beside(page, study, codes);
    interpolation(page, codes);
    for one in codes {
        let Some(run) = study.runs.iter().find(|run| run.name == one.run) else { continue };
        page.subsection(&one.run);
        course(page, run);
        if let Some(svg) = &one.scatter {
            page.svg(
                &format!("{}: codes of the test images along the principal components of the training codes.", one.run),
                svg,
            );
        }
        let caption = format!(
            "{}: from one test image (left) to another (right); between them, what is decoded at {} of the way.",
            one.run,
            ALPHAS.map(|alpha| alpha.to_string()).join(", ")
        );
        page.picture(&caption, &caption, &one.strips);
        if let Some([samples, traversals]) = &one.drawn {
            let caption = format!("{}: images of codes drawn from N(0, I).", one.run);
            page.picture(&caption, &caption, samples);
            let caption = format!(
                "{}: one number of the code after the other goes from −2 to 2, the others being zero; the number of largest \
                 divergence first.",
                one.run
            );
            page.picture(&caption, &caption, traversals);
        }
    }
}

/// What sets each kind of model apart, where there is one.
fn kinds(study: &Study, codes: &[Codes]) -> Vec<String> {
    let any = |is: fn(&AutoencoderSpec) -> bool| {
        let mut runs = study.runs.iter().filter(|run| codes.iter().any(|one| one.run == run.name));
        runs.any(|run| is(&run.config.model))
    };
    let told = [
        (
            any(|model| model.code_penalty.sparsity().is_some()),
            "A sparse code: the mean of each unit over a batch is drawn to ρ by Σ KL(ρ ‖ mean). For a sigmoid unit the mean is the \
             share of time that it is on; for a ReLU unit, which has no upper end, it is a size, and a mean beyond 1 costs what 1 costs.",
        ),
        (
            any(|model| model.contractive.is_some()),
            "A contractive code: λ‖∂code/∂input‖²_F is added to the loss, so that the code keeps still where the images do not ask for \
             movement. A saturated sigmoid gets there too, without the penalty.",
        ),
        (
            any(|model| model.corruption.is_some()),
            "A denoising autoencoder sees noisy images and is judged by the clean ones: its code must hold what noise does not reach.",
        ),
        (
            any(|model| model.variational.is_some()),
            "A variational code is a normal distribution for each image, drawn towards N(0, I) by its divergence: codes drawn from \
             N(0, I) then decode to images, and a number that is not worth its divergence falls silent.",
        ),
    ];
    told.iter().filter(|(there, _)| *there).map(|(_, words)| (*words).into()).collect()
}

fn measures(page: &mut Page, study: &Study, codes: &[Codes]) {
    let header = [
        "run",
        "test MSE",
        "training accuracy (%)",
        "test accuracy (%)",
        "mean ‖J‖",
        "noisy input (dB)",
        "restored (dB)",
    ];
    let mut rows = Vec::new();
    for one in codes {
        let Some(run) = study.runs.iter().find(|run| run.name == one.run) else { continue };
        let percent = |part: usize| one.accuracy.map_or("–".into(), |both| format!("{:.2}", 100.0 * both[part]));
        let denoising = further(run, "denoising");
        let decibel = |key: &str| denoising[key].as_f64().map_or("–".into(), |value| format!("{value:.1}"));
        rows.push(vec![
            one.run.clone(),
            run.executed.evaluation("test").map_or("–".into(), |test| significant(test.mse, 4)),
            percent(0),
            percent(1),
            significant(one.jacobian, 3),
            decibel("noisy_psnr"),
            decibel("psnr"),
        ]);
    }
    let mut align = vec![Align::Number; header.len()];
    align[0] = Align::Text;
    page.table("Measures of the codes; PSNR, for runs that learn to undo noise, of the noisy test images and of what is made of them.", &header, &rows, &align);
}

/// What each contractive penalty did, beside the same model without it.
fn contractions(page: &mut Page, study: &Study, codes: &[Codes]) {
    let mut items = Vec::new();
    for one in codes {
        let Some(run) = study.runs.iter().find(|run| run.name == one.run) else { continue };
        if run.config.model.contractive.is_none() {
            continue;
        }
        let mut without = run.config.clone();
        without.model.contractive = None;
        let same = |other: &&StudyRun| other.config == RunConfig { name: other.config.name.clone(), ..without.clone() };
        let Some(plain) = study.runs.iter().find(same) else { continue };
        let Some(other) = codes.iter().find(|other| other.run == plain.name) else { continue };
        items.push(format!(
            "The penalty of {} leaves mean ‖J‖ at {} of that of {}, the same model without it.",
            run.name,
            significant(one.jacobian / other.jacobian, 2),
            plain.name
        ));
    }
    page.list(&items);
}

/// The same measures, by others.
fn beside(page: &mut Page, study: &Study, codes: &[Codes]) {
    let header = ["run", "whose", "test MSE", "test accuracy (%)", "mean ‖J‖"];
    let mut rows = Vec::new();
    for one in codes {
        let Some(run) = study.runs.iter().find(|run| run.name == one.run) else { continue };
        let others = peers::of(run);
        if others.is_empty() {
            continue;
        }
        let own = run.executed.evaluation("test").map_or("–".into(), |test| significant(test.mse, 3));
        let accuracy = one.accuracy.map_or("–".into(), |both| format!("{:.1}", 100.0 * both[1]));
        rows.push(vec![one.run.clone(), "this run".into(), own, accuracy, significant(one.jacobian, 2)]);
        rows.extend(others.iter().map(|peer| {
            let jacobian = peer.jacobian.map_or("–".into(), |value| significant(value, 2));
            vec!["".into(), peer.who.into(), significant(peer.mse, 3), format!("{:.1}", peer.accuracy), jacobian]
        }));
    }
    if rows.is_empty() {
        return;
    }
    let align = [Align::Text, Align::Text, Align::Number, Align::Number, Align::Number];
    page.table(
        "Beside others. PyTorch 2.15 has the same model, data and steps, its accuracy from scikit-learn’s regression on every third \
         code; the published models are convolutional.",
        &header,
        &rows,
        &align,
    );
}

fn interpolation(page: &mut Page, codes: &[Codes]) {
    let mut header = vec!["run".to_owned(), "".to_owned()];
    header.extend(ALPHAS.map(|alpha| format!("α = {alpha}")));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for one in codes {
        let number = |value: f64| if value.is_finite() { significant(value, 3) } else { "∞".to_owned() };
        let mut row = vec![one.run.clone(), "PSNR (dB)".to_owned()];
        row.extend(one.interpolation.iter().map(|compared| number(compared.psnr)));
        rows.push(row);
        let mut row = vec![one.run.clone(), "L2 / √pixels".to_owned()];
        row.extend(one.interpolation.iter().map(|compared| number(compared.distance)));
        rows.push(row);
    }
    let mut align = vec![Align::Number; header.len()];
    align[..2].fill(Align::Text);
    page.table(
        "Between 20 pairs of test images: codes interpolated linearly and decoded, against the blend of the decoded ends, means. At the \
         ends both are the same image by definition: PSNR ∞, distance 0.",
        &header,
        &rows,
        &align,
    );
    page.paragraph(
        "An infinite PSNR means that two images are equal, so that their distance is zero; in between, images in [0, 1] are at most 1 apart \
         by this distance. Infinite PSNR together with distances above 100, as have been published for such interpolations, compare \
         different things with each other.",
    );
}

/// What `metrics.json` says of the test images under this key.
fn further(run: &StudyRun, key: &str) -> Value {
    let bytes = read_whole(&run.folder.join("metrics.json")).unwrap_or_default();
    let metrics: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    metrics["evaluation"]["test"][key].clone()
}

/// How the code developed, where the history knows.
fn course(page: &mut Page, run: &StudyRun) {
    let history = &run.executed.outcome.history;
    let column = |name: &str| history.scalar(name).map(Iterator::collect::<Vec<f64>>);
    if let (Some(means), Some(shares)) = (column("mean_activation"), column("active_share"))
        && let ([first, .., last], Some(share)) = (&means[..], shares.last())
    {
        page.paragraph(&format!(
            "The mean activation of the code went from {} to {}; {} % of its units were active in the last epoch.",
            significant(*first, 3),
            significant(*last, 3),
            significant(100.0 * share, 3)
        ));
    }
    let (Some(kl), Some(active)) = (column("kl"), column("active_dimensions")) else { return };
    let elbo = further(run, "elbo");
    let figure = |key: &str| elbo[key].as_f64().map_or("–".into(), |value| significant(value, 4));
    page.paragraph(&format!(
        "Negative ELBO of a test image {}: reconstruction {} and divergence {} nats. {} of {} numbers of the code are active (a mean \
         divergence above 0.01 nat); the others carry nothing, and the decoder has learnt to ignore them.",
        figure("negative_elbo"),
        figure("reconstruction"),
        figure("kl"),
        active.last().copied().unwrap_or_default(),
        run.prepared.model().code_size()
    ));
    if peers::is_of_the_faces(run) {
        let [negative_elbo, mse] = peers::FACES;
        page.paragraph(&format!(
            "PyTorch 2.15 at the same setting: negative ELBO {negative_elbo} nats, MSE of the decoded mean {mse}. The entropy of the \
             pixels, which no cross-entropy can undercut, is {} nats.",
            peers::FACES_FLOOR
        ));
    }
    let curves =
        vec![Curve::per_epoch("divergence (nats)", kl, false, 0), Curve::per_epoch("active numbers", active, false, 1)];
    let mut chart = LineChart::losses("", "nats; count", curves);
    chart.solid = String::new();
    page.svg(
        &format!("{}: divergence from N(0, I) and active numbers of the code in each epoch.", run.name),
        &chart.to_svg(),
    );
}
