// Search over names, topics, services and fields.

const input = byId("search");
const found = byId("found");
const MOST = 40;
let results = [];
let active = 0;

const fieldsOf = (schema) => {
  const parts = [schema, ...Object.values({ ...own(schema, "definitions"), ...own(schema, "$defs") })];
  return parts.flatMap((part) => Object.keys(part?.properties ?? {}));
};

const entries = [
  ...Object.entries(data.nodes).map(([id, node]) => ({ id, text: node.name, where: whereOf(id), kind: kindOf(id), nodes: [id] })),
  ...data.services.map((service) => ({ id: `service:${service.name}`, text: service.name, where: "service", kind: "service", nodes: [...service.handlers, ...service.events] })),
];
for (const [id, node] of Object.entries(data.nodes)) {
  if (node.kind === "handler") continue;
  entries.push({ id, text: node.topic, where: `topic of ${node.name}`, kind: "topic", nodes: [id] });
  const fields = new Set(node.versions.flatMap((version) => fieldsOf(version.schema)));
  for (const field of fields) entries.push({ id, text: field, where: `field of ${node.name}`, kind: "field", nodes: [id] });
}

// Names before topics and fields; a beginning before a place within.
function rank(entry, words) {
  const text = entry.text.toLowerCase();
  const where = entry.where.toLowerCase();
  if (!words.every((word) => text.includes(word) || where.includes(word))) return null;
  const place = text.indexOf(words[0]);
  if (place < 0) return null;
  return ["topic", "field"].indexOf(entry.kind) * 10 + (text === words[0] ? 0 : place === 0 ? 1 : 2) + text.length / 1000;
}

function marked(text, word) {
  const at = text.toLowerCase().indexOf(word);
  if (at < 0 || !word) return [text];
  return [text.slice(0, at), element("mark", {}, text.slice(at, at + word.length)), text.slice(at + word.length)];
}

function search() {
  const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    close();
    lightChosen();
    return;
  }
  const ranked = entries.map((entry) => ({ entry, rank: rank(entry, words) })).filter(({ rank }) => rank !== null);
  ranked.sort((one, other) => one.rank - other.rank);
  results = ranked.map(({ entry }) => entry);
  const lit = new Set(results.flatMap((entry) => entry.nodes));
  light(lit, (link) => lit.has(link.dataset.from) && lit.has(link.dataset.to));
  world.classList.add("dimmed");
  results = results.slice(0, MOST);
  active = 0;
  const rows = results.map((entry, index) =>
    element("li", { role: "option", id: `found-${index}`, "aria-selected": String(index === 0), onclick: () => take(index) },
      element("span", { class: `dot ${entry.kind}`, "aria-hidden": "true" }),
      element("span", {}, marked(entry.text, words[0])),
      element("span", { class: "where" }, entry.where)));
  found.replaceChildren(...(rows.length ? rows : [element("li", { class: "none", role: "option", "aria-disabled": "true" }, "Nothing has that name.")]));
  found.hidden = false;
  input.setAttribute("aria-expanded", "true");
  point();
}

function point() {
  for (const [index, row] of [...found.children].entries()) row.setAttribute("aria-selected", String(index === active && results.length > 0));
  if (results.length) {
    input.setAttribute("aria-activedescendant", `found-${active}`);
    found.children[active].scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

function close() {
  found.hidden = true;
  results = [];
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function take(index) {
  const entry = results[index];
  if (!entry) return;
  input.value = "";
  close();
  choose(entry.id, { reveal: true, focus: true });
}

input.addEventListener("input", search);
input.addEventListener("focus", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const count = results.length || 1;
    active = (active + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
    point();
  } else if (event.key === "Enter") take(active);
  else if (event.key === "Escape") {
    input.value = "";
    search();
    input.blur();
  } else return;
  event.preventDefault();
  event.stopPropagation();
});
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".search")) close();
});
