// Zoom and pan: the picture in #world, and the names of services beside it.

const canvas = byId("canvas");
const picture = byId("picture");
const world = byId("world");
const rail = byId("rail");
const size = { width: Number(picture.dataset.width), height: Number(picture.dataset.height) };
const view = { x: 0, y: 0, scale: 1 };
const SMALLEST = 0.04;
const LARGEST = 4;
const FAR = 0.3;
const EDGE = 20;
// Names of services below this height of a lane, in pixels, are smaller or left out.
const SMALL = 22;
const TINY = 12;

picture.removeAttribute("viewBox");
picture.classList.add("ready");

const lanes = data.lanes.map((lane) => {
  const button = element("button", { type: "button", class: lane.outside ? "outside" : null, title: lane.name }, element("span", {}, lane.name));
  rail.append(button);
  return { ...lane, button };
});

function show() {
  const { x, y, scale } = view;
  world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  for (const lane of lanes) {
    const height = lane.height * scale;
    lane.button.style.transform = `translateY(${y + lane.y * scale}px)`;
    lane.button.style.height = `${height}px`;
    lane.button.classList.toggle("small", height < SMALL);
    lane.button.classList.toggle("tiny", height < TINY);
  }
  // Too far away to be read, names are noise.
  world.classList.toggle("far", scale < FAR);
  byId("zoom").textContent = `${Math.round(scale * 100)} %`;
}

// Some of the picture always stays in sight.
function keepInSight() {
  const { width, height } = canvas.getBoundingClientRect();
  const [wide, high] = [size.width * view.scale, size.height * view.scale];
  view.x = Math.min(Math.max(view.x, 80 - wide), width - 80);
  view.y = Math.min(Math.max(view.y, 80 - high), height - 80);
}

function pan(x, y) {
  view.x += x;
  view.y += y;
  keepInSight();
  show();
}

// Around a point of the canvas, its middle if none is given.
function zoom(factor, at) {
  const { width, height } = canvas.getBoundingClientRect();
  const { x, y } = at ?? { x: width / 2, y: height / 2 };
  const scale = Math.min(Math.max(view.scale * factor, SMALLEST), LARGEST);
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  keepInSight();
  show();
}

function fit(area = { x: 0, y: 0, ...size }, largest = 1.2) {
  const { width, height } = canvas.getBoundingClientRect();
  const room = Math.min((width - 2 * EDGE) / area.width, (height - 2 * EDGE) / area.height);
  view.scale = Math.min(Math.max(room, SMALLEST), largest);
  view.x = (width - area.width * view.scale) / 2 - area.x * view.scale;
  view.y = (height - area.height * view.scale) / 2 - area.y * view.scale;
  show();
}

// Moves a node into sight, no further than needed; also near enough to be read, if that is asked for.
function reveal(node, near = true) {
  if (near && view.scale < 0.5) {
    zoom(0.9 / view.scale);
    const box = node.getBoundingClientRect();
    const frame = canvas.getBoundingClientRect();
    pan(frame.left + frame.width / 2 - box.left - box.width / 2, frame.top + frame.height / 2 - box.top - box.height / 2);
    return;
  }
  const box = node.getBoundingClientRect();
  const frame = canvas.getBoundingClientRect();
  const into = (start, end, from, to) => (start < from + EDGE ? from + EDGE - start : Math.min(to - EDGE - end, 0));
  pan(into(box.left, box.right, frame.left, frame.right), into(box.top, box.bottom, frame.top, frame.bottom));
}

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  if (event.shiftKey) {
    pan(-(event.deltaX || event.deltaY) * unit, 0);
    return;
  }
  const frame = canvas.getBoundingClientRect();
  // Pinching comes as a wheel with Ctrl, in smaller steps.
  const speed = event.ctrlKey ? 0.01 : 0.0016;
  const step = Math.min(Math.max(-event.deltaY * unit * speed, -0.6), 0.6);
  zoom(Math.exp(step), { x: event.clientX - frame.left, y: event.clientY - frame.top });
}, { passive: false });

rail.addEventListener("wheel", (event) => {
  event.preventDefault();
  pan(0, -event.deltaY);
}, { passive: false });

// One pointer moves the picture, two also zoom it.
const pointers = new Map();
let moved = false;
const middle = () => {
  const all = [...pointers.values()];
  const mean = (of) => all.reduce((sum, pointer) => sum + of(pointer), 0) / all.length;
  const [x, y] = [mean((pointer) => pointer.x), mean((pointer) => pointer.y)];
  return { x, y, spread: mean((pointer) => Math.hypot(pointer.x - x, pointer.y - y)) };
};
canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (pointers.size === 0) moved = false;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
window.addEventListener("pointermove", (event) => {
  const pointer = pointers.get(event.pointerId);
  if (!pointer) return;
  if (!moved && Math.hypot(event.clientX - pointer.x, event.clientY - pointer.y) < 4) return;
  moved = true;
  canvas.classList.add("moving");
  const before = middle();
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  const after = middle();
  const frame = canvas.getBoundingClientRect();
  if (before.spread > 0) zoom(after.spread / before.spread, { x: after.x - frame.left, y: after.y - frame.top });
  pan(after.x - before.x, after.y - before.y);
});
for (const end of ["pointerup", "pointercancel"]) {
  window.addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    if (pointers.size === 0) canvas.classList.remove("moving");
  });
}
