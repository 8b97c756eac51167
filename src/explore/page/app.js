// Opens the page: the worker unpacks and checks the weights, then the first image is shown.

const ready = (async () => {
  const { arrays, found } = await ask("open", { payload: element("payload").textContent, facts });
  element("payload").remove();
  state.points = arrays;
  const said = { [facts.sha256]: "checked: the weights in this page have this hash", null: "not checked: this browser offers no SHA-256 to pages that are opened from a file" };
  element("hash").textContent = said[found] ?? `WRONG: the weights in this page have the hash ${found}`;
  element("hash").className = found === facts.sha256 || found === null ? "" : "wrong";
  map.open();
  const other = arrays.labels ? arrays.labels.findIndex((label) => label !== arrays.labels[0]) : 1;
  await strip.keep(0, state.codeOf(0));
  await strip.keep(1, state.codeOf(other < 0 ? facts.points - 1 : other));
  await map.toPoint(0);
  document.body.dataset.ready = "true";
})().catch((error) => {
  element("failed").hidden = false;
  element("failed").textContent = `This page could not be opened: ${error.message}. A browser of 2023 or later may be needed.`;
});

/** For scripts and the console: `await explorer.decode(codes)`, codes and images one after the other as Float32Arrays. */
window.explorer = {
  facts, ready, choose,
  code: () => state.code,
  codeOf: (point) => state.codeOf(point),
  decode: (codes) => ask("decode", { codes: Float32Array.from(codes) }),
  encode: (images) => ask("encode", { images: Float32Array.from(images) }),
  show: (code) => ask("show", { code: Float32Array.from(code) }),
};
