"use strict";
const run = JSON.parse(document.getElementById("data").textContent);
const end = run.t.length ? run.t[run.t.length - 1] : 1;
let view = [0, Math.max(end, 1e-3)];
let cursor = null;
const charts = [];
const COLOURS = { commanded: "#0969da", measured: "#1f2328", seam: "#8250df" };
const PHASES = { settling: "#eaeef2", waiting: "#fff8c5", ramping: "#ddf4ff", running: "#effbf1", easing: "#fff1e5", holding: "#f6f8fa",
  parking: "#ddf4ff", stopped: "#ffebe9", disconnected: "#ffd8d3", ended: "#eaeef2" };
const CAMERAS = ["#1a7f37", "#bc4c00", "#8250df", "#bf3989"];
const STAGES = [["preprocess", "#afb8c1"], ["vision", "#0969da"], ["prefix", "#54aeff"], ["flow", "#8250df"], ["denormalise", "#bf3989"]];
/* |z| below 1, below 2, above. */
const zColour = z => Math.abs(z) < 1 ? "#2da44e" : Math.abs(z) < 2 ? "#d4a72c" : "#cf222e";

function element(kind, parent, text, className) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  parent.appendChild(made);
  return made;
}

/* The steps of an axis: 1, 2 or 5 times a power of ten. */
function ticks(from, to, count) {
  const rough = (to - from) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough);
  const made = [];
  for (let value = Math.ceil(from / step - 1e-9) * step; value <= to + step * 1e-9; value += step) made.push(Math.abs(value) < step / 2 ? 0 : value);
  return made;
}

function label(value) { return String(Math.round(value * 1000) / 1000); }

/* The place of the last tick up to `time`. */
function tickAt(time) {
  let low = 0, high = run.t.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (run.t[middle] <= time) low = middle; else high = middle - 1; }
  return low;
}

/* `draw` paints the content, `read` tells the value at a time, `range` gives lower and upper end of the vertical axis in the view. */
function chart(parent, title, height, { draw, read, range }) {
  const figure = element("figure", parent), caption = element("figcaption", figure, title);
  const value = element("span", caption), canvas = element("canvas", figure);
  canvas.style.height = height + "px";
  const own = { canvas, value, height, draw, read, range };
  charts.push(own);
  let from = null;
  const time = event => { const box = canvas.getBoundingClientRect(), share = (event.clientX - box.left - 42) / (box.width - 50);
    return view[0] + Math.min(1, Math.max(0, share)) * (view[1] - view[0]); };
  canvas.addEventListener("mousemove", event => { cursor = { time: time(event), from }; paint(); });
  canvas.addEventListener("mouseleave", () => { if (from === null) { cursor = null; paint(); } });
  canvas.addEventListener("mousedown", event => { from = time(event); });
  window.addEventListener("mouseup", event => {
    if (from === null) return;
    const to = time(event), sorted = [Math.min(from, to), Math.max(from, to)];
    from = null;
    if (sorted[1] - sorted[0] > (view[1] - view[0]) / 100) view = sorted;
    cursor = null; paint();
  });
  canvas.addEventListener("dblclick", () => { view = [0, Math.max(end, 1e-3)]; paint(); });
}

function paintOne(own) {
  const ratio = window.devicePixelRatio || 1, width = own.canvas.clientWidth, height = own.height;
  own.canvas.width = width * ratio; own.canvas.height = height * ratio;
  const pen = own.canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const left = 42, right = width - 8, top = 4, bottom = height - 18;
  let [low, high] = own.range();
  if (!(high > low)) { low -= 1; high += 1; }
  const x = time => left + (time - view[0]) / (view[1] - view[0]) * (right - left);
  const y = value => bottom - (value - low) / (high - low) * (bottom - top);
  pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  pen.save();
  pen.beginPath(); pen.rect(left, top, right - left, bottom - top); pen.clip();
  for (const band of run.phases) { pen.fillStyle = PHASES[band.name] || "#eee"; pen.fillRect(x(band.from), top, Math.max(1, x(band.to) - x(band.from)), bottom - top); }
  pen.restore();
  pen.lineWidth = 1; pen.textAlign = "right"; pen.textBaseline = "middle";
  for (const value of ticks(low, high, Math.max(3, (bottom - top) / 18))) {
    pen.strokeStyle = "rgba(31,35,40,.10)"; pen.beginPath(); pen.moveTo(left, y(value)); pen.lineTo(right, y(value)); pen.stroke();
    pen.fillStyle = "#656d76"; pen.fillText(label(value), left - 6, y(value));
  }
  pen.textAlign = "center"; pen.textBaseline = "top";
  for (const time of ticks(view[0], view[1], Math.max(2, (right - left) / 70))) {
    pen.strokeStyle = "rgba(31,35,40,.10)"; pen.beginPath(); pen.moveTo(x(time), top); pen.lineTo(x(time), bottom); pen.stroke();
    pen.fillStyle = "#656d76"; pen.fillText(label(time) + " s", x(time), bottom + 4);
  }
  pen.save();
  pen.beginPath(); pen.rect(left, top, right - left, bottom - top); pen.clip();
  own.draw(pen, x, y, { left, right, top, bottom });
  if (cursor) {
    if (cursor.from !== null) { pen.fillStyle = "rgba(9,105,218,.15)"; pen.fillRect(x(cursor.from), top, x(cursor.time) - x(cursor.from), bottom - top); }
    pen.strokeStyle = "#656d76"; pen.beginPath(); pen.moveTo(x(cursor.time), top); pen.lineTo(x(cursor.time), bottom); pen.stroke();
  }
  pen.restore();
  pen.strokeStyle = "#afb8c1"; pen.strokeRect(left + .5, top + .5, right - left - 1, bottom - top - 1);
  own.value.textContent = cursor && own.read ? own.read(cursor.time) : "";
}

let due = false;
function paint() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; charts.forEach(paintOne); });
}

/* A line over ticks; it breaks where there is no value. */
function line(pen, x, y, values, colour, width, dash) {
  pen.strokeStyle = colour; pen.lineWidth = width; pen.setLineDash(dash || []);
  pen.beginPath();
  let on = false;
  const first = Math.max(0, tickAt(view[0]) - 1), last = Math.min(run.t.length - 1, tickAt(view[1]) + 1);
  for (let place = first; place <= last; place++) {
    if (values[place] === null) { on = false; continue; }
    if (on) pen.lineTo(x(run.t[place]), y(values[place])); else pen.moveTo(x(run.t[place]), y(values[place]));
    on = true;
  }
  pen.stroke(); pen.setLineDash([]);
}

/* Where a chunk takes over from the one before it. */
function seams(pen, x, area) {
  pen.strokeStyle = COLOURS.seam; pen.lineWidth = 1; pen.setLineDash([2, 3]);
  for (const chunk of run.chunks) {
    if (chunk.arrived === null) continue;
    pen.beginPath(); pen.moveTo(x(chunk.arrived), area.top); pen.lineTo(x(chunk.arrived), area.bottom); pen.stroke();
  }
  pen.setLineDash([]);
}

function rangeOf(lists, least, zero) {
  let low = Infinity, high = -Infinity;
  const first = tickAt(view[0]), last = tickAt(view[1]);
  for (const list of lists) for (let place = first; place <= last; place++) {
    const value = list[place];
    if (value === null || value === undefined) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (zero) low = Math.min(low, 0);
  const middle = (low + high) / 2, half = Math.max((high - low) / 2 * 1.08, least / 2);
  return zero ? [0, Math.max(high * 1.08, least)] : [middle - half, middle + half];
}

const shown = value => value === null || value === undefined ? "–" : value.toFixed(1);

/* The chunk that plays at a time, and the action of it. */
const arrived = run.chunks.filter(chunk => chunk.arrived !== null).sort((one, other) => one.arrived - other.arrived);
function playing(time) {
  let found = null;
  for (const chunk of arrived) { if (chunk.arrived > time) break; found = chunk; }
  return found;
}

const main = document.getElementById("charts");
const pairs = element("div", main, undefined, "pair");
run.joints.forEach((joint, place) => {
  const commanded = run.commanded_deg[place], measured = run.measured_deg[place];
  chart(pairs, joint + ", degrees", 150, {
    range: () => rangeOf([commanded, measured], 4),
    draw: (pen, x, y, area) => { seams(pen, x, area); line(pen, x, y, measured, COLOURS.measured, 1.4); line(pen, x, y, commanded, COLOURS.commanded, 1.4, [5, 3]); },
    read: time => { const at = tickAt(time); return `${time.toFixed(2)} s: commanded ${shown(commanded[at])}°, measured ${shown(measured[at])}°`; },
  });
});
const zs = element("div", main, undefined, "pair");
run.joints.forEach((joint, place) => {
  let most = 2.4;
  for (const chunk of run.chunks) for (const row of chunk.z) if (Math.abs(row[place]) > most) most = Math.abs(row[place]);
  chart(zs, joint + ", z-scores of the chunks", 90, {
    range: () => [-most * 1.12, most * 1.12],
    draw: (pen, x, y, area) => {
      seams(pen, x, area);
      arrived.forEach((chunk, number) => {
        const next = number + 1 < arrived.length ? arrived[number + 1].arrived : Infinity;
        chunk.z.forEach((row, action) => {
          const time = chunk.arrived + action * run.action_period_s;
          if (time < view[0] - 1 || time > view[1] + 1) return;
          /* What another chunk replaced was never played. */
          pen.globalAlpha = time < next ? 1 : .18;
          pen.fillStyle = zColour(row[place]);
          pen.fillRect(x(time), y(row[place]) - 1.5, Math.max(2, x(time + run.action_period_s) - x(time) - .5), 3);
        });
      });
      pen.globalAlpha = 1;
    },
    read: time => { const chunk = playing(time); if (!chunk) return "";
      const row = chunk.z[Math.floor((time - chunk.arrived) / run.action_period_s)];
      return `${time.toFixed(2)} s: chunk ${chunk.id}` + (row ? `, z ${row[place].toFixed(2)}` : ", played out"); },
  });
});
const ages = run.cameras.map(camera => camera.frame_age_ms);
chart(main, "ages, milliseconds: feedback, newest picture of each camera, and the observation when its chunk was finished", 130, {
  range: () => { const [low, high] = rangeOf([run.feedback_age_ms, ...ages], 20, true);
    return [low, Math.max(high, ...run.chunks.filter(c => c.finished >= view[0] && c.finished <= view[1]).map(c => c.age_end_ms * 1.08))]; },
  draw: (pen, x, y) => {
    line(pen, x, y, run.feedback_age_ms, COLOURS.measured, 1);
    ages.forEach((age, slot) => line(pen, x, y, age, CAMERAS[slot % CAMERAS.length], 1));
    pen.fillStyle = COLOURS.seam;
    for (const chunk of run.chunks) { pen.beginPath(); pen.arc(x(chunk.finished), y(chunk.age_end_ms), 3, 0, 7); pen.fill(); }
  },
  read: time => { const at = tickAt(time);
    return `${time.toFixed(2)} s: feedback ${shown(run.feedback_age_ms[at])}` + run.cameras.map(camera => `, ${camera.name} ${shown(camera.frame_age_ms[at])}`).join(""); },
});
chart(main, "inference, milliseconds a chunk", 110, {
  range: () => [0, Math.max(1, ...run.chunks.map(chunk => chunk.stages_ms.reduce((sum, stage) => sum + stage, 0))) * 1.08],
  draw: (pen, x, y) => {
    for (const chunk of run.chunks) {
      let base = 0;
      const total = chunk.stages_ms.reduce((sum, stage) => sum + stage, 0), right = x(chunk.finished);
      const wide = Math.max(4, right - x(chunk.finished - total / 1000));
      chunk.stages_ms.forEach((stage, place) => {
        pen.fillStyle = STAGES[place][1];
        pen.fillRect(right - wide, y(base + stage), wide, y(base) - y(base + stage));
        base += stage;
      });
    }
  },
  read: time => { const chunk = playing(time); return chunk ? `chunk ${chunk.id}: ` + chunk.stages_ms.map((stage, place) => `${STAGES[place][0]} ${stage.toFixed(1)}`).join(", ") : ""; },
});

document.getElementById("task").textContent = run.task || "a run";
const facts = document.getElementById("facts");
for (const [name, text] of run.facts) { element("dt", facts, name); element("dd", facts, text); }
for (const problem of run.problems) element("li", document.getElementById("problems"), problem);
const legend = document.getElementById("legend");
function sample(colour, text, box) { const pair = element("span", legend), mark = element("b", pair); mark.style.background = colour; if (box) mark.className = "box"; pair.append(text); }
sample(COLOURS.commanded, "commanded"); sample(COLOURS.measured, "measured"); sample(COLOURS.seam, "seam of chunks");
sample("#2da44e", "|z| < 1", true); sample("#d4a72c", "< 2", true); sample("#cf222e", "above", true);
run.cameras.forEach((camera, slot) => sample(CAMERAS[slot % CAMERAS.length], camera.name));
STAGES.forEach(([name, colour]) => sample(colour, name, true));
for (const name of new Set(run.phases.map(band => band.name))) sample(PHASES[name] || "#eee", name, true);
const events = document.getElementById("events");
for (const event of run.events) { const row = element("tr", events, undefined, event.level); element("td", row, event.t.toFixed(2) + " s"); element("td", row, event.text); }
document.getElementById("gate").textContent = run.gate.length ? run.gate.map(([rule, count]) => `${rule} ${count}`).join(", ") : "It never had to act.";
window.addEventListener("resize", paint);
paint();
