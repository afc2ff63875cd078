// What the panel says of an event, a handler, a service, and of all of them.

const kindOf = (id) => {
  const node = data.nodes[id];
  return node.failure && node.kind === "event" ? "failure" : node.kind;
};

const whereOf = (id) => {
  const node = data.nodes[id];
  return node.kind === "handler" ? node.service : node.topic;
};

const nodeButton = (id, where = whereOf(id)) =>
  element("button", { type: "button", "data-go": id, onclick: () => choose(id, { reveal: true }) },
    element("span", { class: `dot ${kindOf(id)}`, "aria-hidden": "true" }),
    element("span", {}, data.nodes[id].name),
    element("span", { class: "where" }, where));

const serviceButton = (name, where = "") =>
  element("button", { type: "button", onclick: () => choose(`service:${name}`, { reveal: true }) }, element("span", {}, name), element("span", { class: "where" }, where));

const nodeList = (ids, none) => (ids.length ? element("div", { class: "list" }, ids.map((id) => nodeButton(id))) : element("p", { class: "quiet" }, none));

const section = (title, ...content) => [element("h3", {}, title), ...content];

const facts = (pairs) => element("dl", { class: "facts" }, pairs
  .filter(([, value]) => value !== null && value !== undefined && value !== "" && value.length !== 0)
  .map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));

const code = (text) => (text ? element("code", {}, text) : null);

function findingsView(findings, withNodes) {
  return element("ul", { class: "findings" }, findings.map((finding) =>
    element("li", { class: `finding ${finding.severity}` }, element("div", {},
      element("p", {}, element("span", { class: "unseen" }, `${finding.severity}: `), prose(finding.message)),
      element("p", { class: "remedy" }, prose(finding.remedy)),
      element("p", { class: "code" }, [finding.severity, finding.code, finding.location].filter(Boolean).join(" · ")),
      withNodes && finding.nodes.length ? element("div", { class: "list" }, finding.nodes.map((id) => nodeButton(id))) : null))));
}

const findingsOf = (id) => {
  const found = data.findings.filter((finding) => finding.nodes.includes(id));
  return found.length ? section("Findings", findingsView(found, false)) : [];
};

function eventView(id) {
  const event = data.nodes[id];
  const shown = element("div");
  const show = (version) => {
    shown.replaceChildren(...schemaView(event.versions.find((known) => known.version === version).schema));
    for (const button of chooser.children) button.setAttribute("aria-pressed", String(button.dataset.version === String(version)));
  };
  const chooser = element("div", { class: "versions", role: "group", "aria-label": "Versions" }, event.versions.map(({ version }) =>
    element("button", { type: "button", "data-version": version, "aria-pressed": "false", onclick: () => show(version) }, `version ${version}`)));
  show(event.version);
  const emitting = new Set(event.emitters.map((emitter) => data.nodes[emitter].service));
  const edges = event.publishers.filter((service) => !emitting.has(service) || data.services.find((known) => known.name === service)?.edge.includes(id));
  const others = event.seen.filter((seen) => seen.version !== event.version);
  return [
    element("h2", {}, event.name),
    event.doc && element("p", { class: "doc" }, prose(event.doc)),
    event.deprecated && element("p", { class: "notice" }, `Deprecated: ${event.deprecated}`),
    facts([
      ["Topic", code(event.topic)],
      ["Key", event.key.length ? code(event.key.join(", ")) : "none: its records have no order"],
      ["Tells of", event.failure ? "a failure that somebody has to make good" : null],
      ["Version", event.oldest ? `${event.version}, records from ${event.oldest} on` : String(event.version)],
      ["Owner", event.owner && element("span", {}, event.owner)],
      ["Content type", event.contentType && event.contentType !== "application/json" ? code(event.contentType) : null],
      ["Built with", others.map((seen) => `${seen.service}: version ${seen.version}`).join(", ")],
    ]),
    findingsOf(id),
    section("Published by",
      event.publishers.length
        ? element("div", { class: "list" }, event.emitters.map((emitter) => nodeButton(emitter)), edges.map((service) => serviceButton(service, "at its edge")))
        : element("p", { class: "quiet" }, "Nobody here: it comes from outside.")),
    section("Read by", nodeList(event.readers, "Nobody here.")),
    section("Schema", event.versions.length > 1 ? chooser : null, shown),
  ].flat();
}

function span(milliseconds) {
  const units = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]];
  for (const [unit, length] of units) if (milliseconds >= length && milliseconds % length === 0) return `${milliseconds / length} ${unit}`;
  return `${milliseconds} ms`;
}

function policyView(policy) {
  const waits = (of) => `${span(of.shortest_wait_ms)} to ${span(of.longest_wait_ms)}`;
  return facts([
    ["Attempts", policy.attempts > 1 ? `${policy.attempts}, waiting ${waits(policy)}` : String(policy.attempts)],
    ["Then", policy.park ? `its key is parked, for up to ${span(policy.park.max_age_ms)}, tried every ${waits(policy.park)}` : policy.exhausted === "block" ? "its key blocks" : "to the dead letters"],
    ["Time-out", span(policy.timeout_ms)],
    ["At once", policy.ordering === "key" ? `${plural(policy.concurrency, "key")} of a partition, each in order` : `${plural(policy.concurrency, "record")} of a partition, in no order`],
    ["Duplicates", policy.dedupe ? "skipped" : "handled again"],
    ["Starts", policy.start],
    ["Runs", policy.blocking ? "on the blocking pool" : null],
  ]);
}

function handlerView(id) {
  const handler = data.nodes[id];
  return [
    element("h2", {}, handler.name),
    handler.doc && element("p", { class: "doc" }, prose(handler.doc)),
    facts([
      ["Service", element("span", {}, handler.service)],
      ["Group", handler.group && handler.group !== handler.service ? handler.group : null],
      ["Location", code(handler.location)],
      ["Crate", code(handler.package)],
      ["Circles", handler.allowCycle.length ? `may close one over ${handler.allowCycle.join(", ")}` : null],
    ]),
    findingsOf(id),
    section("Takes", nodeList(handler.takes, "Nothing.")),
    section("Emits", handler.emits.length
      ? element("div", { class: "list" }, handler.emits.map((event) => nodeButton(event, handler.failures.includes(event) ? "its failure" : whereOf(event))))
      : element("p", { class: "quiet" }, "Nothing.")),
    handler.policy ? section("Policy", policyView(handler.policy)) : [],
  ].flat();
}

function serviceView(service) {
  const found = data.findings.filter((finding) => finding.service === service.name);
  return [
    element("h2", {}, service.name),
    facts([
      ["Groups", service.groups.join(", ")],
      ["Reads", service.topics.filter((topic) => topic.reads).map((topic) => topic.name).join(", ")],
      ["Writes", service.topics.filter((topic) => topic.writes).map((topic) => topic.name).join(", ")],
      ["Built with", service.framework],
    ]),
    found.length ? section("Findings", findingsView(found, true)) : [],
    section("Handlers", nodeList(service.handlers, "None.")),
    service.edge.length ? section("Publishes at its edge", nodeList(service.edge, "")) : [],
    section("Events in its lane", nodeList(service.events, "None.")),
  ].flat();
}

function overview() {
  const count = (severity) => data.findings.filter((finding) => finding.severity === severity).length;
  const said = ["error", "warning", "note"].filter(count).map((severity) => plural(count(severity), severity)).join(", ");
  const events = (service) => plural(service.handlers.length, "handler");
  return [
    element("h2", {}, "Overview"),
    element("p", { class: "doc" }, "Choose an event or a handler to see what it is, who publishes it and who reads it."),
    section(said ? `Findings: ${said}` : "Findings", data.findings.length ? findingsView(data.findings, true) : element("p", { class: "quiet" }, "Nothing was found wrong.")),
    section("Services", element("div", { class: "list" }, data.services.map((service) => serviceButton(service.name, events(service))))),
  ].flat();
}
