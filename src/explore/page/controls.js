// What is decoded, its nearest training images, the sliders, the strip from A to B, and the sheet to draw on.

state.listeners.push(({ code, image, milliseconds, near }) => {
  paint(element("image"), image);
  element("time").textContent = `decoded in ${milliseconds.toFixed(1)} ms`;
  const list = element("near");
  list.replaceChildren(...near.map(({ index, error }) => {
    const item = document.createElement("li"), canvas = document.createElement("canvas"), text = document.createElement("span");
    const size = width * height * facts.shown;
    paint(canvas, state.points.training.subarray(index * size, (index + 1) * size));
    canvas.setAttribute("aria-hidden", "true");
    text.textContent = `${state.trainingNameOf(index)} ${Math.sqrt(error).toFixed(3)}`;
    item.append(canvas, text);
    return item;
  }));
  announce(code, near);
});

/** Tells who listens rather than looks, when things have come to rest. */
const announce = (() => {
  let timer = 0;
  return (code, near) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const names = near.map(({ index }) => state.trainingNameOf(index));
      const numbers = facts.active.slice(0, 4).map(({ unit }) => `z${unit + 1} ${shortened(code[unit])}`);
      element("said").textContent = `Decoded the code ${numbers.join(", ")}. Nearest training images: ${names.join(", ")}.`;
    }, 500);
  };
})();

(() => {
  const rows = facts.active.map(({ unit, low, high }) => {
    const label = document.createElement("label"), name = document.createElement("span");
    const input = document.createElement("input"), value = document.createElement("output");
    name.innerHTML = `z<sub>${unit + 1}</sub>`;
    Object.assign(input, { type: "range", min: low, max: high, step: "any", value: 0 });
    input.dataset.unit = unit;
    input.setAttribute("aria-label", `z${unit + 1}, number ${unit + 1} of the code`);
    input.addEventListener("input", () => {
      const code = Float32Array.from(state.code);
      code[unit] = input.valueAsNumber;
      value.textContent = shortened(code[unit]);
      choose(code, input);
    });
    label.append(name, input, value);
    return { label, input, value, unit };
  });
  element("sliders").append(...rows.map(({ label }) => label));
  state.listeners.push(({ code, from }) => {
    for (const { input, value, unit } of rows) {
      if (input === from) continue;
      input.value = code[unit];
      value.textContent = shortened(code[unit]);
    }
  });
})();

const strip = (() => {
  const STEPS = 9, ends = [null, null], list = element("strip");
  const cells = Array.from({ length: STEPS }, (_, step) => {
    const item = document.createElement("li"), button = document.createElement("button"), canvas = document.createElement("canvas");
    const name = document.createElement("span");
    name.textContent = step === 0 ? "A" : step === STEPS - 1 ? "B" : `${Math.round(100 * step / (STEPS - 1))} %`;
    canvas.setAttribute("aria-hidden", "true");
    button.addEventListener("click", () => choose(between(step / (STEPS - 1)), "strip"));
    button.append(canvas, name);
    item.append(button);
    return { item, canvas };
  });
  list.append(...cells.map(({ item }) => item));
  const between = (share) => Float32Array.from(ends[0], (a, i) => a + share * (ends[1][i] - a));
  const draw = latest(async () => {
    if (!ends[0] || !ends[1]) return;
    const codes = new Float32Array(STEPS * facts.code);
    for (let step = 0; step < STEPS; step++) codes.set(between(step / (STEPS - 1)), step * facts.code);
    const images = await ask("decode", { codes });
    cells.forEach(({ canvas }, step) => paint(canvas, images.subarray(step * facts.pixels, (step + 1) * facts.pixels)));
  });
  const keep = (end, code) => {
    ends[end] = Float32Array.from(code);
    return draw();
  };
  element("keep-a").addEventListener("click", () => keep(0, state.code));
  element("keep-b").addEventListener("click", () => keep(1, state.code));
  return { keep };
})();

(() => {
  const canvas = element("sheet"), ink = new Float32Array(width * height);
  let pen = [width / 2, height / 2], last = null;
  function drawing() {
    const values = new Float32Array(facts.pixels);
    ink.forEach((value, pixel) => values.fill(value, pixel * channels, (pixel + 1) * channels));
    return values;
  }
  const encode = latest(async () => choose(await ask("encode", { images: drawing() }), "sheet"));
  state.listeners.push(({ image, from }) => {
    if (from === "sheet") paint(element("redrawn"), image);
  });

  function draw() {
    paint(canvas, drawing());
    if (document.activeElement !== canvas) return;
    const context = canvas.getContext("2d");
    context.fillStyle = "#e36209";
    context.fillRect(Math.floor(pen[0]), Math.floor(pen[1]), 1, 1);
  }

  /** A stroke as wide as 1/12 of the sheet, with a soft rim of a pixel. */
  function stroke(from, to) {
    const radius = Math.max(width, height) / 24;
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]), steps = Math.ceil(2 * length) || 1;
    for (let step = 0; step <= steps; step++) {
      const [x, y] = [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * step / steps);
      for (let row = 0; row < height; row++) for (let col = 0; col < width; col++) {
        const inside = radius + 0.5 - Math.hypot(col + 0.5 - x, row + 0.5 - y);
        const at = row * width + col;
        ink[at] = Math.max(ink[at], Math.min(Math.max(inside, 0), 1));
      }
    }
    draw();
    return encode();
  }
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen = last = at(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    pen = at(event);
    stroke(last, pen);
    last = pen;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (steps[event.key]) {
      const limits = [width, height], from = pen;
      pen = pen.map((x, axis) => Math.min(Math.max(x + steps[event.key][axis], 0.5), limits[axis] - 0.5));
      if (event.shiftKey) stroke(from, pen); else draw();
    } else if (event.key === " ") {
      stroke(pen, pen);
    } else {
      return;
    }
    event.preventDefault();
  });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);
  element("clear").addEventListener("click", () => {
    ink.fill(0);
    draw();
    encode();
  });
  draw();
  paint(element("redrawn"), new Float32Array(facts.pixels));
  element("drawing").hidden = !facts.encoder;
})();
