// What the page asks its worker, so that it stays alive while numbers are computed: messages { id, call, … }, answered by
// { id, result } or { id, error }.

/** Names → arrays of the payload: gzip of sections one after the other; f32 lie in planes of bytes, the highest first. */
async function unpack(text, sections) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const all = new Uint8Array(await new Response(stream).arrayBuffer());
  const arrays = {};
  let at = 0;
  for (const { name, length, planes } of sections) {
    if (planes === 0) {
      arrays[name] = all.slice(at, at + length);
      at += length;
      continue;
    }
    const words = new Uint32Array(length);
    for (let plane = 0; plane < planes; plane++, at += length) {
      for (let i = 0; i < length; i++) words[i] |= all[at + i] << (24 - 8 * plane);
    }
    arrays[name] = new Float32Array(words.buffer);
  }
  return arrays;
}

/** SHA-256 of the bytes of an array, in hexadecimal; null where the browser has none for pages that were opened from a file. */
async function sha256(array) {
  if (!globalThis.crypto || !crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", array));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let model = null;

/** What is drawn of a value: 0 is black, 255 white. NaN is black. */
const grey = (value) => (value > 0 ? Math.floor(Math.min(value, 1) * 255 + 0.5) : 0);

const CALLS = {
  async open({ payload, facts }) {
    const arrays = await unpack(payload, facts.sections);
    // A page of training images holds them once.
    arrays.training ??= arrays.images;
    arrays.training_labels ??= arrays.labels;
    const found = await sha256(arrays.decoder);
    const decode = sequence(facts.decoder, arrays.decoder, facts.decoder_start);
    const encode = arrays.encoder && sequence(facts.encoder, arrays.encoder, 0);
    model = { facts, decode, encode, training: arrays.training };
    delete arrays.decoder;
    delete arrays.encoder;
    return { arrays, found };
  },

  /** Codes [n · code] → images [n · pixels]. */
  decode({ codes }) {
    const { facts, decode } = model, images = new Float32Array(codes.length / facts.code * facts.pixels);
    for (let i = 0; i * facts.code < codes.length; i++) {
      images.set(decode(codes.subarray(i * facts.code, (i + 1) * facts.code)), i * facts.pixels);
    }
    return images;
  },

  /** Images [n · pixels] → codes [n · code]. */
  encode({ images }) {
    const { facts, encode } = model, codes = new Float32Array(images.length / facts.pixels * facts.code);
    for (let i = 0; i * facts.pixels < images.length; i++) {
      codes.set(encode(images.subarray(i * facts.pixels, (i + 1) * facts.pixels)), i * facts.code);
    }
    return codes;
  },

  /** The image of a code, the milliseconds that took, and the training images nearest to it by the mean squared difference. */
  show({ code }) {
    const began = performance.now();
    const image = model.decode(code);
    const milliseconds = performance.now() - began;
    return { image, milliseconds, near: nearest(image) };
  },
};

function nearest(image) {
  const { facts: { shape: [height, width, channels], shown }, training } = model;
  const size = height * width * shown, seen = new Uint8Array(size);
  for (let pixel = 0, to = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < shown; c++) seen[to++] = grey(image[pixel * channels + c]);
  }
  const near = [];
  for (let i = 0; i * size < training.length; i++) {
    let sum = 0;
    for (let k = 0; k < size; k++) {
      const difference = seen[k] - training[i * size + k];
      sum += difference * difference;
    }
    near.push({ index: i, error: sum / size / 255 / 255 });
  }
  return near.sort((a, b) => a.error - b.error || a.index - b.index).slice(0, 5);
}

onmessage = async ({ data }) => {
  try {
    postMessage({ id: data.id, result: await CALLS[data.call](data) });
  } catch (error) {
    postMessage({ id: data.id, error: String(error) });
  }
};
