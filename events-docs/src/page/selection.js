// What is chosen: lit in the picture, told in the panel, named in the address.

const panel = byId("panel");
const nodes = [...picture.querySelectorAll(".node")];
const links = [...picture.querySelectorAll(".link")];
let chosen = null;

function light(ids, lit) {
  const some = ids.size > 0;
  world.classList.toggle("dimmed", some);
  for (const node of nodes) node.classList.toggle("lit", ids.has(node.id));
  for (const link of links) link.classList.toggle("lit", some && lit(link));
}

function lightChosen() {
  if (chosen === null) {
    light(new Set(), () => false);
    return;
  }
  const of = chosen.startsWith("service:") ? serviceOf(chosen) : null;
  const at = new Set(of ? [...of.handlers, ...of.events] : [chosen]);
  const touches = (link) => at.has(link.dataset.from) || at.has(link.dataset.to);
  const ids = new Set(at);
  for (const link of links.filter(touches)) ids.add(link.dataset.from).add(link.dataset.to);
  light(ids, touches);
}

const serviceOf = (id) => data.services.find((service) => `service:${service.name}` === id);
const viewOf = (id) => {
  if (id === null) return ["Choreography", overview()];
  const service = serviceOf(id);
  if (service) return ["service", serviceView(service)];
  return [kindOf(id), data.nodes[id].kind === "handler" ? handlerView(id) : eventView(id)];
};

// An id of a node, `service:` and a name, or null.
function choose(id, { reveal: moves = false, focus = false } = {}) {
  chosen = id;
  for (const node of nodes) {
    node.classList.toggle("chosen", node.id === id);
    node.setAttribute("aria-pressed", String(node.id === id));
  }
  for (const lane of lanes) lane.button.setAttribute("aria-current", String(id === `service:${lane.name}` && !lane.outside));
  const [kind, content] = viewOf(id);
  const close = id === null ? null : element("button", { type: "button", class: "close", "aria-label": "Close details", title: "Close (Esc)", onclick: () => choose(null) }, "×");
  panel.replaceChildren(...(id === null ? [] : [element("div", { class: "head" }, element("span", { class: `tag ${kind}` }, kind), close)]), ...content.filter(Boolean));
  panel.scrollTop = 0;
  // With nothing to tell, the picture has the room.
  document.querySelector("main").classList.toggle("wide", id === null && !data.findings.length);
  lightChosen();
  const node = own(data.nodes, id ?? "") ? byId(id) : null;
  if (node) {
    rove(node);
    // The panel may have come over it.
    reveal(node, moves);
    if (focus) node.focus({ preventScroll: true });
  } else if (moves && id !== null) {
    const lane = lanes.find((lane) => id === `service:${lane.name}`);
    if (lane && view.scale < 0.6) fit({ x: 0, y: lane.y, width: size.width, height: lane.height }, 1);
  }
  const name = id === null ? "" : `#${encodeURIComponent(node ? titleOf(id) : id)}`;
  // A page opened from an archive or a frame may not be allowed to.
  try { history.replaceState(null, "", name || location.pathname + location.search); } catch {}
}

function chooseAddress() {
  let name;
  try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
  const id = Object.keys(data.nodes).find((known) => titleOf(known) === name) ?? (serviceOf(name) ? name : null);
  if (id !== null) fit();
  choose(id, { reveal: id !== null });
}

// One node is in the order of the tab key; the arrow keys go on from there.
function rove(node) {
  for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
}

const centre = (node) => {
  const [x, y] = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(node.getAttribute("transform")).slice(1).map(Number);
  return { x, y };
};

function neighbour(node, key) {
  const here = centre(node);
  const nearest = (among) => among.reduce((best, other) => {
    const far = Math.abs(centre(other).y - here.y) + Math.abs(centre(other).x - here.x) / 100;
    return !best || far < best.far ? { node: other, far } : best;
  }, null)?.node;
  if (key === "ArrowUp" || key === "ArrowDown") {
    const down = key === "ArrowDown";
    return nearest(nodes.filter((other) => centre(other).x === here.x && other !== node && centre(other).y > here.y === down));
  }
  const [end, other] = key === "ArrowRight" ? ["from", "to"] : ["to", "from"];
  const linked = new Set(links.filter((link) => link.dataset[end] === node.id).map((link) => link.dataset[other]));
  return nearest(nodes.filter((other) => linked.has(other.id)))
    ?? nearest(nodes.filter((other) => (key === "ArrowRight" ? centre(other).x > here.x : centre(other).x < here.x)));
}

for (const node of nodes) {
  node.setAttribute("role", "button");
  node.addEventListener("click", () => moved || choose(node.id));
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter" || event.key === " ") choose(node.id, { focus: true });
    else if (event.key.startsWith("Arrow")) {
      const next = neighbour(node, event.key);
      if (next) {
        rove(next);
        next.focus({ preventScroll: true });
        reveal(next);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
for (const lane of lanes) lane.button.addEventListener("click", () => (lane.outside ? choose(null) : choose(`service:${lane.name}`, { reveal: true })));
canvas.addEventListener("click", (event) => {
  if (!moved && !event.target.closest(".node")) choose(null);
});
