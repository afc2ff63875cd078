// Buttons, keys, colours; then the first view.

const count = (kind) => Object.values(data.nodes).filter((node) => (node.kind === "handler") === (kind === "handler")).length;
byId("counts").textContent = `${plural(count("event"), "event")}, ${plural(count("handler"), "handler")}`;
byId("legend-command").hidden = !picture.querySelector(".node.command");
byId("legend-failure").hidden = !picture.querySelector(".node.failure");

const system = matchMedia("(prefers-color-scheme: dark)");
const theme = byId("theme");
// Where the page may keep nothing, it forgets.
const kept = {
  read: () => { try { return localStorage.getItem("events-theme"); } catch { return null; } },
  write: (value) => { try { localStorage.setItem("events-theme", value); } catch {} },
};
const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
const given = kept.read();
if (given === "dark" || given === "light") document.documentElement.dataset.theme = given;
system.addEventListener("change", showTheme);
showTheme();

function changeTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  kept.write(document.documentElement.dataset.theme);
  showTheme();
}

const STEP = 1.25;
const commands = {
  "+": () => zoom(STEP),
  "=": () => zoom(STEP),
  "-": () => zoom(1 / STEP),
  0: () => fit(),
  1: () => zoom(1 / view.scale),
  t: changeTheme,
  "/": () => input.focus(),
  Escape: () => choose(null),
};
byId("zoom-in").addEventListener("click", commands["+"]);
byId("zoom-out").addEventListener("click", commands["-"]);
byId("zoom").addEventListener("click", commands[1]);
byId("fit").addEventListener("click", commands[0]);
theme.addEventListener("click", changeTheme);

const PAN = 60;
const pans = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, pre")) return;
  const command = own(commands, event.key);
  const way = own(pans, event.key);
  // Without Shift the arrows belong to what has the focus, such as the panel, which scrolls.
  if (way && (event.shiftKey || event.target === document.body)) pan(...way);
  else if (command) command();
  else return;
  event.preventDefault();
});

// A window that changes its size keeps the whole in view if it was.
let whole = true;
for (const kind of ["wheel", "pointerdown", "keydown"]) canvas.addEventListener(kind, () => { whole = false; });
new ResizeObserver(() => { if (whole) fit(); }).observe(canvas);
window.addEventListener("hashchange", chooseAddress);

if (nodes.length) rove(nodes[0]);
chooseAddress();
if (chosen === null) fit();
