// The map: points of the codes, and what a place between them stands for.

const map = (() => {
  const canvas = element("map"), tip = element("tip"), kind = element("map-kind"), meaning = element("meaning");
  const hidden = new Set();
  let cursor = [0, 0], frame = null, colours = [], isHeld = false;

  /** The maps that this run has: coordinates of the points, and the code that a place stands for. */
  const kinds = {
    code: {
      name: "the code itself",
      place: (point) => [state.points.codes[2 * point], state.points.codes[2 * point + 1]],
      code: (at) => Float32Array.from(at),
      of: (code) => [code[0], code[1]],
      meaning: "The two numbers of the code are the two axes: every place is the code of its coordinates.",
    },
    tsne: {
      name: "t-SNE",
      place: (point) => [state.points.tsne[2 * point], state.points.tsne[2 * point + 1]],
      code(at) {
        const near = byDistance(at).slice(0, 4), code = new Float64Array(facts.code);
        if (near.length === 0) return state.code;
        let total = 0;
        for (const { point, distance } of near) {
          const weight = 1 / (distance + 1e-9);
          total += weight;
          state.codeOf(point).forEach((z, i) => { code[i] += weight * z; });
        }
        return Float32Array.from(code, (z) => z / total);
      },
      of: () => null,
      meaning: "t-SNE has no way back. A place stands for the mean of the codes of its four nearest points, weighted by one over their "
        + "squared distance on the map; distances between groups mean little.",
    },
    pca: {
      name: "principal components",
      place: (point) => [state.points.pca[2 * point], state.points.pca[2 * point + 1]],
      code(at) {
        const { mean, components } = state.points, size = facts.code;
        return Float32Array.from(mean, (m, i) => m + at[0] * components[i] + at[1] * components[size + i]);
      },
      of(code) {
        const { mean, components } = state.points, size = facts.code;
        return [0, 1].map((axis) => code.reduce((sum, z, i) => sum + (z - mean[i]) * components[axis * size + i], 0));
      },
      meaning: facts.code === 1
        ? "The code is one number, which changes from left to right; up and down nothing changes."
        : `A place stands for the mean code moved so far along the two directions of largest variance, which hold ${facts.shares} of it; `
          + "what the codes of images have beside them is left out there.",
    },
  };

  function byDistance(at) {
    const place = kinds[kind.value].place, found = [];
    for (let point = 0; point < facts.points; point++) {
      if (state.points.labels && hidden.has(state.points.labels[point])) continue;
      const [x, y] = place(point);
      found.push({ point, distance: (x - at[0]) ** 2 + (y - at[1]) ** 2 });
    }
    return found.sort((a, b) => a.distance - b.distance);
  }

  /** Coordinates ↔ pixels of the canvas: all points, with a twentieth more on each side. */
  function measure() {
    const box = canvas.getBoundingClientRect(), place = kinds[kind.value].place;
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let point = 0; point < facts.points; point++) {
      const [x, y] = place(point);
      [left, right, bottom, top] = [Math.min(left, x), Math.max(right, x), Math.min(bottom, y), Math.max(top, y)];
    }
    const [dx, dy] = [(right - left || 1) * 0.05, (top - bottom || 1) * 0.05];
    frame = { left: left - dx, right: right + dx, bottom: bottom - dy, top: top + dy, width: box.width, height: box.height };
  }
  const toPixels = ([x, y]) => [
    (x - frame.left) / (frame.right - frame.left) * frame.width,
    (frame.top - y) / (frame.top - frame.bottom) * frame.height,
  ];
  const toPlace = (x, y) => [
    frame.left + x / frame.width * (frame.right - frame.left),
    frame.top - y / frame.height * (frame.top - frame.bottom),
  ];

  function readColours() {
    colours = [...document.querySelectorAll("#classes i")].map((swatch) => getComputedStyle(swatch).color);
    if (colours.length === 0) colours = [getComputedStyle(canvas).color];
  }

  function draw() {
    measure();
    const ratio = devicePixelRatio || 1, context = canvas.getContext("2d");
    canvas.width = Math.round(frame.width * ratio);
    canvas.height = Math.round(frame.height * ratio);
    context.scale(ratio, ratio);
    for (let point = 0; point < facts.points; point++) {
      const label = state.points.labels ? state.points.labels[point] : 0;
      if (hidden.has(label)) continue;
      const [x, y] = toPixels(kinds[kind.value].place(point));
      context.fillStyle = colours[label % colours.length];
      context.globalAlpha = 0.75;
      // Classes beyond the tenth repeat the colours as squares, as in the charts of reports.
      if (label % 20 < 10) {
        context.beginPath();
        context.arc(x, y, 2.6, 0, 7);
        context.fill();
      } else {
        context.fillRect(x - 2.3, y - 2.3, 4.6, 4.6);
      }
    }
    if (!cursor) return;
    // A code beyond all points is shown at the edge.
    const [x, y] = toPixels(cursor).map((at, axis) => Math.min(Math.max(at, 0), [frame.width, frame.height][axis]));
    context.globalAlpha = 1;
    for (const [colour, line] of [[getComputedStyle(document.body).backgroundColor, 5], [getComputedStyle(canvas).color, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.beginPath();
      context.arc(x, y, 8, 0, 7);
      context.moveTo(x - 13, y);
      context.lineTo(x + 13, y);
      context.moveTo(x, y - 13);
      context.lineTo(x, y + 13);
      context.stroke();
    }
  }

  /** Goes to a place: the code that it stands for, or that of the nearest point. */
  function go(at, nearest) {
    const near = nearest && byDistance(at)[0];
    cursor = near ? kinds[kind.value].place(near.point) : at;
    draw();
    return choose(near ? state.codeOf(near.point) : kinds[kind.value].code(cursor), "map");
  }
  const snaps = () => element("snap").checked;

  /** An image beside a place. */
  function note([x, y], image, text) {
    tip.hidden = false;
    paint(tip.querySelector("canvas"), image);
    tip.querySelector("span").textContent = text;
    tip.style.left = `${x + 130 > frame.width ? x - 120 : x + 16}px`;
    tip.style.top = `${Math.max(y - 100, 0)}px`;
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    isHeld = true;
    go(toPlace(event.offsetX, event.offsetY), snaps());
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = toPlace(event.offsetX, event.offsetY);
    if (isHeld) return go(at, snaps());
    const near = byDistance(at)[0], place = near && toPixels(kinds[kind.value].place(near.point));
    tip.hidden = !near || Math.hypot(place[0] - event.offsetX, place[1] - event.offsetY) > 12;
    if (!tip.hidden) note(place, state.imageOf(near.point), `${state.labelOf(near.point)} ${facts.part} ${near.point}`);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    canvas.addEventListener(end, () => {
      isHeld = false;
      tip.hidden = true;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[event.key], share = event.shiftKey ? 0.1 : 0.02;
    const from = cursor ?? toPlace(frame.width / 2, frame.height / 2);
    if (step) {
      const size = [frame.right - frame.left, frame.top - frame.bottom], low = [frame.left, frame.bottom], high = [frame.right, frame.top];
      go(from.map((x, axis) => Math.min(Math.max(x + step[axis] * share * size[axis], low[axis]), high[axis])), false);
    } else if (event.key === "Enter") {
      go(from, true);
    } else {
      return;
    }
    event.preventDefault();
  });
  kind.addEventListener("change", () => {
    meaning.textContent = kinds[kind.value].meaning;
    cursor = kinds[kind.value].of(state.code);
    draw();
  });
  element("classes").addEventListener("change", (event) => {
    const label = Number(event.target.value);
    if (event.target.checked) hidden.delete(label); else hidden.add(label);
    draw();
  });
  state.listeners.push(({ code, from, image }) => {
    // While a finger is on the map, the image goes with it: on a phone the large one is below.
    if (isHeld) note(toPixels(cursor), image, "decoded");
    if (from === "map" || code !== state.code) return;
    cursor = kinds[kind.value].of(code);
    draw();
  });

  return {
    open() {
      for (const name of facts.maps) kind.add(new Option(kinds[name].name, name));
      meaning.textContent = kinds[kind.value].meaning;
      readColours();
      draw();
      new ResizeObserver(draw).observe(canvas);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
    },
    /** Goes to the place of an image of the page. */
    toPoint(point) {
      return go(kinds[kind.value].place(point), true);
    },
  };
})();
