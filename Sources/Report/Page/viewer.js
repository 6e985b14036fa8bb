// Pictures of a job on one canvas: decoding on demand, views, deformation. What keys and texts do is in job.js.

const data = JSON.parse(document.getElementById('data').textContent);
const count = data.slices.length;
const PARTS = ['fixed', 'moving', 'aligned', 'fused'];
const KEPT = 120;      // slices whose decoded pictures stay in memory
const AHEAD = 12;      // slices decoded in the direction of travel before they are asked for

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/// Decoded pictures and fields by slice; the oldest are given up first.
class Store {
  constructor() { this.slices = new Map(); }

  entry(at) {
    let entry = this.slices.get(at);
    if (entry) this.slices.delete(at);
    else entry = { lines: null, pictures: {}, waiting: {} };
    this.slices.set(at, entry);
    if (this.slices.size > KEPT) {
      const [oldest, old] = this.slices.entries().next().value;
      this.slices.delete(oldest);
      for (const picture of Object.values(old.pictures)) picture.close();
    }
    return entry;
  }

  lines(at, entry = this.entry(at)) {
    const block = document.getElementById('slice-' + data.slices[at].index);
    return entry.lines ??= block ? block.textContent.split('\n') : ['', '', '', '', ''];
  }

  /// The part that stands for another: without a deformation the aligned picture is the moving one.
  part(at, name) { return name === 'aligned' && !this.lines(at)[2] ? 'moving' : name; }

  picture(at, name) { return this.entry(at).pictures[this.part(at, name)]; }

  /// Resolves once the named parts of a slice are decoded.
  load(at, names) {
    const entry = this.entry(at), lines = this.lines(at, entry);
    return Promise.all(names.map(name => {
      const part = this.part(at, name), line = lines[PARTS.indexOf(part)];
      if (!line || entry.pictures[part]) return null;
      return entry.waiting[part] ??= createImageBitmap(new Blob([bytesOf(line)], { type: data.type }))
        .then(picture => {
          if (this.slices.get(at) === entry) entry.pictures[part] = picture;
          delete entry.waiting[part];
        });
    }));
  }

  has(at, names) { return names.every(name => this.picture(at, name) || !this.lines(at)[PARTS.indexOf(this.part(at, name))]); }

  /// The predicted deformation in pixels of the slice: dx, then dy, at nodes × nodes places.
  field(at) {
    const entry = this.entry(at);
    if (entry.field) return entry.field;
    const line = this.lines(at, entry)[4], scale = data.slices[at].scale;
    const bytes = line ? new Int8Array(bytesOf(line).buffer) : new Int8Array(2 * data.nodes ** 2);
    return entry.field = Float32Array.from(bytes, value => value * scale);
  }
}

const store = new Store();
const state = { at: 0, view: data.full ? 'overlay' : 'fused', grid: false, map: false, strong: false, before: false, curtain: 0.5, tiles: 8 };
const canvas = document.getElementById('picture');
const pen = canvas.getContext('2d', { alpha: false });
const scratch = document.createElement('canvas');
const brush = scratch.getContext('2d');
const largest = Math.max(0.5, ...data.slices.map(slice => slice.max ?? 0));  // mm, of the whole job

/// Dark violet over red to pale yellow, 0…1 → [r, g, b]: lighter is always more.
function heat(value) {
  const stops = [[20, 11, 52], [101, 21, 110], [180, 45, 87], [237, 105, 37], [251, 180, 61], [252, 255, 190]];
  const place = Math.min(Math.max(value, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2);
  return stops[low].map((from, i) => from + (stops[low + 1][i] - from) * (place - low));
}

function other() { return state.before ? 'moving' : 'aligned'; }

function needed(view = state.view) {
  if (view === 'four') return PARTS;
  if (['checker', 'curtain', 'overlay'].includes(view)) return ['fixed', other()];
  return [view];
}

function draw(picture, x, y, size) {
  if (picture) pen.drawImage(picture, x, y, size, size);
}

function label(text, x, y, align = 'left') {
  pen.textAlign = align;
  pen.lineWidth = 3 * ratio();
  pen.strokeStyle = 'rgba(0,0,0,.75)';
  pen.strokeText(text, x, y);
  pen.fillStyle = '#fff';
  pen.fillText(text, x, y);
}

function ratio() { return window.devicePixelRatio || 1; }

const painters = {
  checker(at, size) {
    const step = size / state.tiles;
    draw(store.picture(at, 'fixed'), 0, 0, size);
    pen.save();
    pen.beginPath();
    for (let row = 0; row < state.tiles; row++)
      for (let column = (row + 1) % 2; column < state.tiles; column += 2) pen.rect(column * step, row * step, step, step);
    pen.clip();
    draw(store.picture(at, other()), 0, 0, size);
    pen.restore();
  },
  curtain(at, size) {
    const x = Math.round(state.curtain * size);
    draw(store.picture(at, 'fixed'), 0, 0, size);
    pen.save();
    pen.beginPath();
    pen.rect(x, 0, size - x, size);
    pen.clip();
    draw(store.picture(at, other()), 0, 0, size);
    pen.restore();
    pen.fillStyle = '#6cc4ff';
    pen.fillRect(x - ratio(), 0, 2 * ratio(), size);
    label(data.fixed, x - 10 * ratio(), size - 14 * ratio(), 'right');
    label(data.moving, x + 10 * ratio(), size - 14 * ratio());
  },
  overlay(at, size) {
    const fixed = store.picture(at, 'fixed'), picture = store.picture(at, other());
    if (!fixed || !picture) return draw(fixed, 0, 0, size);
    // The moving picture as amber light over the fixed one, put together at their own size.
    const side = picture.width;
    if (scratch.width !== side) scratch.width = scratch.height = side;
    brush.globalCompositeOperation = 'copy';
    brush.drawImage(picture, 0, 0);
    brush.globalCompositeOperation = 'multiply';
    brush.fillStyle = '#d99134';
    brush.fillRect(0, 0, side, side);
    brush.globalCompositeOperation = 'screen';
    brush.drawImage(fixed, 0, 0);
    brush.globalCompositeOperation = 'source-over';
    draw(scratch, 0, 0, size);
  },
  four(at, size) {
    const half = size / 2, names = ['fixed', 'moving', 'aligned', 'fused'];
    names.forEach((name, i) => {
      const x = (i % 2) * half, y = Math.floor(i / 2) * half;
      draw(store.picture(at, name), x, y, half);
    });
    pen.fillStyle = '#2d3743';
    pen.fillRect(half - ratio() / 2, 0, ratio(), size);
    pen.fillRect(0, half - ratio() / 2, size, ratio());
  },
};

/// The length of the deformation as warm colours, the more the more opaque.
function paintMap(at, size) {
  const n = data.nodes, field = store.field(at), image = new ImageData(n, n);
  for (let i = 0; i < n * n; i++) {
    const length = Math.hypot(field[i], field[n * n + i]) * data.pixel / largest;
    image.data.set([...heat(length), 90 + 150 * Math.min(length, 1)], 4 * i);
  }
  if (scratch.width !== n) scratch.width = scratch.height = n;
  brush.putImageData(image, 0, 0);
  pen.drawImage(scratch, 0, 0, size, size);
}

/// dx and dy in pixels of the slice, between nodes, at 0…1 of the picture's edges.
function displacement(at, u, v) {
  const n = data.nodes, field = store.field(at);
  const x = Math.min(Math.max(u * n - 0.5, 0), n - 1), y = Math.min(Math.max(v * n - 0.5, 0), n - 1);
  const i = Math.min(Math.floor(x), n - 2), j = Math.min(Math.floor(y), n - 2), a = x - i, b = y - j;
  return [0, n * n].map(offset => {
    const value = (c, r) => field[offset + r * n + c];
    return (1 - b) * ((1 - a) * value(i, j) + a * value(i + 1, j)) + b * ((1 - a) * value(i, j + 1) + a * value(i + 1, j + 1));
  });
}

/// A straight grid where each point is drawn at the place its content was found at.
function paintGrid(at, size) {
  const lines = 24, steps = 48, scale = (state.strong ? 4 : 1) / data.side;
  pen.lineWidth = 1.1 * ratio();
  pen.strokeStyle = data.slices[at].ok ? 'rgba(120,220,255,.8)' : 'rgba(255,192,105,.85)';
  pen.beginPath();
  for (let line = 0; line <= lines; line++)
    for (const across of [false, true])
      for (let step = 0; step <= steps; step++) {
        const [u, v] = across ? [step / steps, line / lines] : [line / lines, step / steps];
        const [dx, dy] = displacement(at, u, v);
        pen[step ? 'lineTo' : 'moveTo']((u + dx * scale) * size, (v + dy * scale) * size);
      }
  pen.stroke();
}

/// What stands on the picture itself: it always belongs to the slice that is drawn.
function paintLabels(at, size) {
  const slice = data.slices[at], unit = ratio();
  pen.font = `600 ${13 * unit}px system-ui, sans-serif`;
  pen.textBaseline = 'middle';
  label(`${at + 1} / ${count}`, 12 * unit, 18 * unit);
  label(`${'xyz'[data.axis]} ${slice.position[data.axis].toFixed(1)} mm`, 12 * unit, 37 * unit);
  if (!slice.ok) label('not deformed', size - 12 * unit, 18 * unit, 'right');
  if (state.view === 'four') {
    const names = [`Fixed ${data.fixed}`, `Moving ${data.moving}`, 'Aligned', 'Fused'];
    names.forEach((name, i) => label(name, (i % 2) * size / 2 + 10 * unit, Math.floor(i / 2 + 1) * size / 2 - 12 * unit));
  } else if (data.edges.length) {
    label(data.edges[0], 12 * unit, size / 2);
    if (state.view !== 'curtain') label(data.edges[1], size / 2, 18 * unit, 'center');
    label(data.edges[2], size - 12 * unit, size / 2, 'right');
    if (state.view !== 'curtain') label(data.edges[3], size / 2, size - 18 * unit, 'center');
  }
}

function paint(at) {
  const size = canvas.width;
  pen.fillStyle = '#000';
  pen.fillRect(0, 0, size, size);
  // Only ever enlarged: more than bilinear costs time and shows nothing.
  pen.imageSmoothingQuality = 'low';
  if (painters[state.view]) painters[state.view](at, size);
  else draw(store.picture(at, state.view), 0, 0, size);
  if (data.full) {
    // Among the four it lies on the aligned one.
    const isFour = state.view === 'four', side = isFour ? size / 2 : size;
    pen.save();
    if (isFour) pen.translate(0, side);
    pen.beginPath();
    pen.rect(0, 0, side, side);
    pen.clip();
    if (state.map) paintMap(at, side);
    if (state.grid) paintGrid(at, side);
    pen.restore();
  }
  pen.font = `600 ${13 * ratio()}px system-ui, sans-serif`;
  pen.textBaseline = 'middle';
  paintLabels(at, size);
  document.body.dataset.shown = at + 1;
  document.body.dataset.drawn = state.view;
}
