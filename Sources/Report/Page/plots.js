// Numbers of all slices as small plots; a click goes to the slice. Drawn once a width, else only the marker moves.

const NS = 'http://www.w3.org/2000/svg';
let WIDTH = 440;  // as wide as the page gives it
const HEIGHT = 150, LEFT = 38, RIGHT = 8, TOP = 10, BOTTOM = 18;

function shape(name, attributes, parent, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

/// A round number not below the greatest value.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map(step => step * power).find(step => step >= value * 0.999);
}

function placeOf(at) { return LEFT + (count > 1 ? at / (count - 1) : 0.5) * (WIDTH - LEFT - RIGHT); }

function curve(svg, values, top, colour) {
  let path = '', pen = 'M';
  values.forEach((value, at) => {
    if (value === null || value === undefined) { pen = 'M'; return; }
    path += `${pen}${placeOf(at).toFixed(1)} ${(TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1)}`;
    pen = 'L';
  });
  shape('path', { d: path, fill: 'none', stroke: colour, 'stroke-width': 1.7, 'stroke-linejoin': 'round' }, svg);
}

function plot(title, unit, curves, go) {
  const values = curves.flatMap(one => one.values).filter(value => value !== null && value !== undefined);
  if (!values.length) return null;
  const top = ceiling(Math.max(...values));
  const figure = document.createElement('figure');
  figure.className = 'plot';
  const caption = document.createElement('figcaption');
  caption.textContent = unit ? `${title}, ${unit}` : title;
  const key = document.createElement('span');
  key.className = 'key';
  for (const one of curves.filter(one => one.name)) {
    const mark = document.createElement('i');
    mark.style.background = one.colour;
    key.append(mark, one.name);
  }
  caption.append(key);
  const svg = document.createElementNS(NS, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('width', WIDTH);
  svg.setAttribute('height', HEIGHT);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${title}: ${Math.min(...values).toPrecision(3)} to ${Math.max(...values).toPrecision(3)} ${unit}. ` +
    'All values are in the table of numbers.');
  const bottom = HEIGHT - BOTTOM;
  data.slices.forEach((slice, at) => {
    if (!slice.ok) shape('rect', { x: placeOf(at) - Math.max(1, (WIDTH - LEFT) / count / 2), y: TOP, height: bottom - TOP,
      width: Math.max(2, (WIDTH - LEFT) / count), fill: '#ffc069', opacity: 0.16 }, svg);
  });
  for (const part of [0, 0.5, 1]) {
    const y = TOP + (1 - part) * (bottom - TOP);
    shape('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }, svg);
    shape('text', { x: LEFT - 5, y: y + 4, 'text-anchor': 'end' }, svg, String(+(part * top).toPrecision(3)));
  }
  [0, count - 1].forEach((at, i) => shape('text', { x: placeOf(at), y: HEIGHT - 3, 'text-anchor': i ? 'end' : 'start' }, svg, String(at + 1)));
  for (const one of curves) curve(svg, one.values, top, one.colour);
  // A layer of its own over the curves: moving it repaints none of them.
  const here = document.createElement('i'), stack = document.createElement('div');
  here.className = 'here';
  stack.className = 'stack';
  stack.append(svg, here);
  const at = event => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * WIDTH;
    return Math.round((x - LEFT) / (WIDTH - LEFT - RIGHT) * (count - 1));
  };
  svg.addEventListener('pointerdown', event => { go(at(event)); svg.setPointerCapture(event.pointerId); });
  svg.addEventListener('pointermove', event => { if (event.buttons) go(at(event)); });
  figure.append(caption, stack);
  return { figure, move: slice => { here.style.transform = `translateX(${placeOf(slice).toFixed(1)}px)`; } };
}

function column(name, factor = 1) {
  return data.slices.map(slice => slice[name] === null || slice[name] === undefined ? null : slice[name] * factor);
}

/// All plots of the page; returns what moves their markers.
function makePlots(go) {
  const place = document.getElementById('plots');
  if (!place) return () => {};
  const [, measure, unit] = /^(.*?)(?:, (\w+))?$/.exec(data.measure);
  const described = [
    ['Predicted deformation', 'mm', [
      { name: 'largest', values: column('max'), colour: '#ffc069' },
      { name: 'mean', values: column('mean'), colour: '#6cc4ff' }]],
    [measure[0].toUpperCase() + measure.slice(1), unit ?? '', [
      { name: 'deformed', values: column('after'), colour: '#6fdc9a' },
      { name: 'not', values: column('before'), colour: '#a3b1c2' }]],
    ['Folding', '%', [{ values: column('folding', 100), colour: '#ff8f87' }]],
    ['Covered by the moving series', '%', [{ values: column('inside', 100), colour: '#c3a6ff' }]],
  ];
  let plots = [], at = 0;
  new ResizeObserver(() => {
    const columns = Math.max(1, Math.floor((place.clientWidth + 14) / 314));
    const width = Math.round(place.clientWidth / Math.min(columns, described.length)) - 46;
    if (width === WIDTH && plots.length) return;
    WIDTH = Math.max(200, width);
    plots = described.map(one => plot(...one, go)).filter(Boolean);
    place.replaceChildren(...plots.map(one => one.figure));
    plots.forEach(one => one.move(at));
  }).observe(place);
  return slice => {
    at = slice;
    plots.forEach(one => one.move(at));
  };
}
