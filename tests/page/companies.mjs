// Manifests to draw: one that is hostile, one that is large, one with a bit of everything.

import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = (variable) => {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set: run this by \`cargo xtask test --only page\``);
  return path;
};

// Standard output, whatever the checks found.
function output(path, words) {
  return new Promise((resolve, reject) => {
    execFile(path, words, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (stdout || !error) resolve(stdout);
      else reject(new Error(`${path} ${words.join(" ")}: ${stderr}`));
    });
  });
}

export const graph = async (manifests, format, ...more) => {
  const directory = await mkdtemp(join(tmpdir(), "page-"));
  const file = join(directory, "manifests.json");
  await writeFile(file, JSON.stringify(manifests));
  return output(program("CARGO_EVENTS"), ["graph", "--format", format, ...more, file]);
};

export const topology = (format) => output(program("ORDER_CHOREOGRAPHY"), ["topology", "--format", format]);

// A page where a browser finds it.
export async function page(text, name = "page.html") {
  const file = join(await mkdtemp(join(tmpdir(), "page-")), name);
  await writeFile(file, text);
  return `file://${file}`;
}

const event = (name, more = {}) => ({
  name,
  version: 1,
  topic: "facts",
  key: ["id"],
  content_type: "application/json",
  schema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  ...more,
});
const service = (name, more) => ({ manifest: 1, service: name, publishes: [], handlers: [], events: [], ...more });

// Names, topics and texts that are markup wherever they are not escaped.
export const EVIL = "</script><img src=x onerror=\"window.broken=1\">";
export const hostile = [
  service(EVIL, {
    publishes: [EVIL],
    handlers: [{ handler: `'"><svg onload=window.broken=2>`, group: EVIL, takes: [EVIL], emits: ["]]>{{data}}&amp;\u0000\u2028"], doc: EVIL, location: `${EVIL}:1` }],
    events: [
      event(EVIL, { topic: `" onmouseover="window.broken=3`, doc: EVIL, deprecated: EVIL, key: [EVIL], schema: { type: "object", properties: { [EVIL]: { type: "string", description: EVIL }, __proto__2: {}, constructor: { $ref: "#/$defs/toString" } }, $defs: { toString: { type: "string" } } } }),
      event("]]>{{data}}&amp;\u0000\u2028"),
    ],
  }),
];

// Every kind of node, of finding and of schema; names of every width.
export const mixed = [
  service("shop", {
    publishes: ["WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "注文が確定しました注文が確定しました", "Reserve"],
    events: [
      event("WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", { topic: "M".repeat(60) }),
      event("注文が確定しました注文が確定しました"),
      event("Reserve", { owner: "stock", topic: "commands", deprecated: "use ReserveAll" }),
    ],
  }),
  service("stock", {
    handlers: [
      { handler: "reserve", group: "stock", takes: ["Reserve"], emits: ["Reserved", "Refused"], failures: ["Refused"], location: "src/stock.rs:7", policy: { attempts: 5, shortest_wait_ms: 50, longest_wait_ms: 1000, exhausted: "dead_letter", ordering: "key", timeout_ms: 30000, concurrency: 64, dedupe: true, start: "earliest", blocking: false, park: null } },
      { handler: "again", group: "stock", takes: ["Reserved"], emits: ["Reserve"] },
      { handler: "lost", group: "stock", takes: ["NeverPublished"], emits: [] },
    ],
    events: [
      event("Reserve", { owner: "stock", topic: "commands", deprecated: "use ReserveAll" }),
      event("NeverPublished"),
      event("Refused"),
      event("Reserved", {
        version: 2,
        oldest: 1,
        schema: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          required: ["id", "lines"],
          properties: {
            id: { type: "string" },
            lines: { type: "array", items: { $ref: "#/$defs/Line" } },
            note: { type: ["string", "null"], description: "Since version 2." },
          },
          $defs: { Line: { type: "object", properties: { sku: { type: "string" }, parts: { type: "array", items: { $ref: "#/$defs/Line" } }, size: { prefixItems: [{ type: "integer" }, { type: "integer" }] } } } },
        },
        versions: { 1: { type: "object", properties: { id: { type: "string" }, onlyInTheFirst: { type: "string" } } } },
      }),
    ],
  }),
];

// `events` events in as many services as such a company has, each emitted by a handler and read by some.
export function large(events) {
  const names = [...Array(events).keys()].map((index) => `Fact${index}HasHappened`);
  const services = Array.from({ length: Math.ceil(events / 8) }, (_, index) => service(`service-${index}`, {}));
  const known = (owner, name) => owner.events.some((other) => other.name === name) || owner.events.push(event(name, { topic: `topic-${names.indexOf(name) >> 3}` }));
  names.forEach((name, index) => {
    const owner = services[index >> 3];
    known(owner, name);
    if (index % 8 === 0) {
      owner.publishes.push(name);
      return;
    }
    const cause = names[index % 3 === 0 ? Math.max(0, index - 9) : index - 1];
    known(owner, cause);
    owner.handlers.push({ handler: `handle_fact_${index}`, group: owner.service, takes: [cause], emits: [name], location: `src/handlers.rs:${index}` });
    const reader = services[(index * 7) % services.length];
    known(reader, name);
    reader.handlers.push({ handler: `project_fact_${index}`, group: reader.service, takes: [name], emits: [] });
  });
  return services;
}
