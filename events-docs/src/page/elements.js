// What the page is made of. Text becomes text, never markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "onclick") made.addEventListener("click", value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

// What stands between backticks is code.
const prose = (text) => text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? element("code", {}, part) : part));

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const own = (object, key) => (object && Object.hasOwn(object, key) ? object[key] : undefined);

// Names of events and handlers to their ids; a handler's is `service/handler`.
const titleOf = (id) => {
  const node = data.nodes[id];
  return node.kind === "handler" ? `${node.service}/${node.name}` : node.name;
};
