// The worker, what is known of the run, and the code that the whole page is about.
"use strict";

const element = (id) => document.getElementById(id);
const facts = JSON.parse(element("facts").textContent);
const [height, width, channels] = facts.shape;

/** Asks the worker; a promise of its answer. */
const ask = (() => {
  const source = ["bits", "layers", "worker"].map((name) => element(name).textContent);
  const worker = new Worker(URL.createObjectURL(new Blob(['"use strict";\n', ...source], { type: "text/javascript" })));
  const waiting = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, result, error } }) => {
    const { done, failed } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) done(result); else failed(new Error(error));
  };
  // What the worker catches is answered above: this is one that did not start.
  worker.onerror = ({ message }) => {
    for (const { failed } of waiting.values()) failed(new Error(message ?? "its worker does not start"));
    waiting.clear();
  };
  return (call, what) => new Promise((done, failed) => {
    waiting.set(++last, { done, failed });
    worker.postMessage({ id: last, call, ...what });
  });
})();

/** A function that is called with the newest argument only, once the call before has ended. */
function latest(run) {
  let busy = false, next = null;
  return async function again(argument) {
    next = { argument };
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await run(now.argument);
      }
    } finally {
      busy = false;
    }
  };
}

/** Draws an image of values [pixels · channels], or of bytes [pixels · shown], on a canvas of its size. */
function paint(canvas, image) {
  canvas.width = width;
  canvas.height = height;
  const bytes = image instanceof Uint8Array, step = bytes ? facts.shown : channels;
  const picture = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      const value = image[pixel * step + (facts.shown === 3 ? c : 0)];
      picture.data[4 * pixel + c] = bytes ? value : Math.floor(Math.min(Math.max(value, 0), 1) * 255 + 0.5);
    }
    picture.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** A number as it is read, not as it is computed with. */
const shortened = (value) => value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-", "−");
const nameOf = (label) => facts.classes[label] ?? `class ${label}`;

const state = {
  /** Codes, images, labels and maps of the page: codes [n · code], images [n · pixels], labels [n], pca and tsne [n · 2]. */
  points: null,
  code: new Float32Array(facts.code),
  image: null,
  listeners: [],
  codeOf: (point) => state.points.codes.slice(point * facts.code, (point + 1) * facts.code),
  imageOf: (point) => {
    const size = width * height * facts.shown;
    return state.points.images.subarray(point * size, (point + 1) * size);
  },
  labelOf: (point) => (state.points.labels ? nameOf(state.points.labels[point]) : ""),
  trainingNameOf: (index) => (state.points.training_labels ? nameOf(state.points.training_labels[index]) : `image ${index}`),
};

const show = latest(async ({ code, from }) => {
  const shown = await ask("show", { code });
  state.image = shown.image;
  for (const listener of state.listeners) listener({ code, from, ...shown });
});

/** Makes this the code of the page; `from` names the part that chose it. */
function choose(code, from) {
  state.code = Float32Array.from(code);
  return show({ code: state.code, from });
}
