// The page of a job at work: which slice and view, keys, pointer, texts beside the picture, printing.

const find = id => document.getElementById(id);
const slider = find('slider'), facts = find('facts');
let direction = 1, playing = 0, asked = false, listing = 0;

function number(value, digits, unit = '') {
  return value === null || value === undefined ? '–' : value.toFixed(digits) + (unit && ' ' + unit);
}

function item(parent, ...parts) {
  const node = document.createElement('li');
  node.append(...parts);
  parent.append(node);
}

function tell(slice) {
  set(find('which'), `Slice ${state.at + 1} of ${count}`);
  slider.value = state.at + 1;
  slider.setAttribute('aria-valuetext', `Slice ${state.at + 1} of ${count}, ${slice.ok ? 'deformed' : 'not deformed'}`);
  const verdict = find('verdict');
  set(verdict, slice.ok ? 'The deformation was used.' : `Fused undeformed: ${slice.why}.`);
  verdict.className = 'verdict ' + (slice.ok ? 'good' : 'warn');
  const rows = [
    ['Mean deformation', number(slice.mean, 2, 'mm')], ['Largest', number(slice.max, 2, 'mm')],
    ['Folding', number(slice.folding === null ? null : slice.folding * 100, 2, '%')],
    ['Similarity', `${number(slice.before, 3)} → ${number(slice.after, 3)}`],
    ['Covered', number(slice.inside === null ? null : slice.inside * 100, 0, '%')],
    ['Time taken', number(slice.seconds, 2, 's')],
    ['Position', slice.position.map(value => value.toFixed(1)).join(', ') + ' mm'],
  ];
  if (slice.same !== null && slice.same !== undefined) rows.push(['Made again', slice.same ? 'same bytes' : 'other bytes']);
  rows.forEach(([name, value], i) => {
    const row = facts.children[i] ?? facts.appendChild(pair());
    set(row.firstChild, name);
    set(row.lastChild, value);
  });
  clearTimeout(listing);
  listing = setTimeout(list, 120, slice);
}

function pair() {
  const row = document.createElement('div');
  row.append(document.createElement('dt'), document.createElement('dd'));
  return row;
}

/// Leaves what already says so alone: nothing is laid out again for it.
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/// Identifiers wait until somebody rests on a slice; nobody reads them in passing.
function list(slice) {
  const made = find('made'), published = find('published');
  made.replaceChildren();
  for (const input of slice.made.map(i => data.inputs[i])) {
    const role = document.createElement('b');
    role.textContent = input.role;
    item(made, role, input.sop);
  }
  published.replaceChildren();
  item(published, slice.sop);
}

/// Draws the current slice, or, while it is being decoded, leaves the last one with its own number on it.
function frame() {
  asked = false;
  const at = state.at, names = needed();
  if (store.has(at, names)) paint(at);
  else store.load(at, names).then(() => { if (state.at === at) request(); });
  for (let step = 1; step <= AHEAD; step++) {
    const next = at + direction * step;
    if (next >= 0 && next < count && !store.has(next, names)) store.load(next, names);
  }
}

function request() {
  if (!asked) requestAnimationFrame(frame);
  asked = true;
}

const movePlots = makePlots(go);

function go(at) {
  at = Math.min(Math.max(at, 0), count - 1);
  if (at !== state.at) direction = at > state.at ? 1 : -1;
  state.at = at;
  tell(data.slices[at]);
  movePlots(at);
  markGlance();
  request();
}

function show(view) {
  if (!document.querySelector(`[data-view="${view}"]`)) return;
  state.view = view;
  for (const button of document.querySelectorAll('[data-view]'))
    button.setAttribute('aria-pressed', button.dataset.view === view);
  canvas.setAttribute('aria-label', `${document.querySelector(`[data-view="${view}"]`).firstChild.textContent.trim()} picture`);
  request();
}

function toggle(name) {
  const box = find(name);
  if (!box) return;
  state[name] = box.checked = !state[name];
  find('legend').hidden = !state.map;
  request();
}

function play() {
  clearInterval(playing);
  playing = playing ? 0 : setInterval(() => go((state.at + 1) % count), 80);
}

function tune(step) {
  if (state.view === 'curtain') state.curtain = Math.min(Math.max(state.curtain + step * 0.04, 0), 1);
  else state.tiles = Math.min(Math.max(state.tiles + 2 * step, 2), 32);
  request();
}

const views = [...document.querySelectorAll('[data-view]')].map(button => button.dataset.view);
const keys = {
  ArrowLeft: () => go(state.at - 1), ArrowUp: () => go(state.at - 1), ArrowRight: () => go(state.at + 1),
  ArrowDown: () => go(state.at + 1), PageUp: () => go(state.at - 10), PageDown: () => go(state.at + 10),
  Home: () => go(0), End: () => go(count - 1), g: () => toggle('grid'), m: () => toggle('map'),
  x: () => toggle('strong'), a: () => toggle('before'), ',': () => tune(-1), '.': () => tune(1),
  ' ': play, '?': () => find('keys').showModal(),
};

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || find('keys').open) return;
  const target = event.target, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // What scrolls a table, opens a heading or presses a button keeps doing so.
  if (target.closest('.scroll, summary, .uids') || (key === ' ' && target.closest('button, input, a'))) return;
  const digit = Number(key);
  const action = digit >= 1 && digit <= views.length ? () => show(views[digit - 1]) : keys[key];
  if (!action) return;
  event.preventDefault();
  action();
});

slider.max = count;
slider.addEventListener('input', () => go(Number(slider.value) - 1));
for (const button of document.querySelectorAll('[data-view]')) button.addEventListener('click', () => show(button.dataset.view));
for (const name of ['grid', 'map', 'strong', 'before']) find(name)?.addEventListener('change', () => toggle(name));
find('help').addEventListener('click', () => find('keys').showModal());

let turned = 0;
canvas.addEventListener('wheel', event => {
  event.preventDefault();
  turned += event.deltaMode === 0 ? event.deltaY / 40 : event.deltaY;
  const steps = Math.trunc(turned);
  turned -= steps;
  if (steps) go(state.at + steps);
}, { passive: false });

function point(event) {
  const box = canvas.getBoundingClientRect();
  const u = (event.clientX - box.left) / box.width, v = (event.clientY - box.top) / box.height;
  if (event.buttons && state.view === 'curtain') {
    state.curtain = Math.min(Math.max(u, 0), 1);
    request();
  }
  const origin = data.origins[state.at];
  if (!origin?.length || state.view === 'four') return;
  const x = (u * data.side - 0.5) * data.pixel, y = (v * data.side - 0.5) * data.pixel;
  const place = origin.map((value, i) => (value + x * data.row[i] + y * data.column[i]).toFixed(1)).join(', ');
  const [dx, dy] = displacement(state.at, u, v).map(value => value * data.pixel);
  find('pointer').textContent = `At ${place} mm: ${data.slices[state.at].ok ? 'moved' : 'would have moved'} ` +
    `${Math.hypot(dx, dy).toFixed(2)} mm (${dx.toFixed(2)} across, ${dy.toFixed(2)} down).`;
}
canvas.addEventListener('pointermove', point);
canvas.addEventListener('pointerdown', event => { canvas.setPointerCapture(event.pointerId); canvas.focus({ preventScroll: true }); point(event); });

/// A dozen fused slices from one end to the other.
const glance = [];
function makeGlance() {
  const shown = Math.min(12, count);
  for (let i = 0; i < shown; i++) {
    const at = shown > 1 ? Math.round(i * (count - 1) / (shown - 1)) : 0;
    const button = document.createElement('button'), image = document.createElement('img'), name = document.createElement('span');
    const line = store.lines(at)[3];
    button.type = 'button';
    if (line) image.src = `data:${data.type};base64,${line}`;
    image.alt = '';
    name.textContent = at + 1;
    button.setAttribute('aria-label', `Fused slice ${at + 1}`);
    button.append(image, name);
    button.addEventListener('click', () => go(at));
    glance.push([at, button]);
  }
  find('glance').append(...glance.map(([, button]) => button));
}

function markGlance() {
  let nearest = null;
  for (const [at] of glance) if (nearest === null || Math.abs(at - state.at) < Math.abs(nearest - state.at)) nearest = at;
  for (const [at, button] of glance)
    if ((button.getAttribute('aria-current') === 'true') !== (at === nearest)) button.setAttribute('aria-current', at === nearest);
}

/// Green where deformed, amber where not, one tick a slice.
function makeTicks() {
  const ticks = find('ticks'), brush = ticks.getContext('2d'), width = Math.max(1, ticks.clientWidth) * ratio();
  ticks.width = width;
  ticks.height = 8 * ratio();
  data.slices.forEach((slice, at) => {
    brush.fillStyle = slice.ok ? '#2f8f5b' : '#ffc069';
    const from = Math.floor(at * width / count), to = Math.floor((at + 1) * width / count);
    brush.fillRect(from, 0, Math.max(1, to - from - (width / count > 4 ? 1 : 0)), ticks.height);
  });
}

function fit() {
  const size = Math.round(canvas.clientWidth * ratio()) || 512;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  makeTicks();
  request();
}

function legend() {
  const bar = find('legend-bar').getContext('2d');
  for (let x = 0; x < 160; x++) {
    bar.fillStyle = `rgb(${heat(x / 159).map(Math.round).join()})`;
    bar.fillRect(x, 0, 1, 10);
  }
  find('legend-high').textContent = largest.toFixed(1) + ' mm';
}

function start() {
  const wanted = /slice=(\d+)/.exec(location.hash);
  go(wanted ? Number(wanted[1]) - 1 : Math.floor(count / 2));
}

window.addEventListener('hashchange', () => { start(); find('viewer').scrollIntoView(); });
window.addEventListener('beforeprint', () => { for (const more of document.querySelectorAll('details')) more.open = true; });
new ResizeObserver(fit).observe(canvas);
if (count && find('picture')) {
  makeGlance();
  legend();
  show(state.view);
  start();
}
