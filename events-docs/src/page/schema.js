// A JSON Schema as a list of fields.

function schemaView(schema) {
  const definitions = { ...own(schema, "definitions"), ...own(schema, "$defs") };
  const seen = new Set();

  function resolve(part) {
    const name = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(part?.$ref ?? "")?.[1];
    return name ? { name, schema: own(definitions, name.replaceAll("~1", "/").replaceAll("~0", "~")) } : { schema: part };
  }

  function typeOf(part) {
    if (part === true || part === undefined) return "anything";
    if (part === false) return "nothing";
    if (part.$ref) return resolve(part).name ?? part.$ref;
    if ("const" in part) return JSON.stringify(part.const);
    if (part.enum) return part.enum.map((value) => JSON.stringify(value)).join(" | ");
    const choice = part.anyOf ?? part.oneOf;
    if (choice) return [...new Set(choice.map(typeOf))].join(" | ");
    if (part.allOf?.length === 1) return typeOf(part.allOf[0]);
    const one = (type) => {
      if (type === "array" && part.prefixItems) return `[${part.prefixItems.map(typeOf).join(", ")}]`;
      if (type === "array") return `list of ${typeOf(part.items)}`;
      if (type === "object" && typeof part.additionalProperties === "object") return `map of ${typeOf(part.additionalProperties)}`;
      return part.format && type !== "null" ? `${type} · ${part.format}` : type;
    };
    if (part.type) return [part.type].flat().map(one).join(" | ");
    return part.properties ? "object" : "anything";
  }

  // The object inside of a field, where it has one.
  function inside(part) {
    const found = resolve(part);
    const target = found.schema;
    if (!target || typeof target !== "object") return null;
    if (target.properties) return { ...found, schema: target };
    if (target.items && typeof target.items === "object") return inside(target.items);
    const choices = target.anyOf ?? target.oneOf ?? target.allOf ?? [];
    return choices.map(inside).find(Boolean) ?? null;
  }

  function fields(part) {
    const needed = new Set(part.required ?? []);
    return element("ul", { class: "fields" }, Object.entries(part.properties ?? {}).map(([name, field]) => {
      const inner = inside(field);
      // A type inside of itself is shown once.
      const nested = inner && inner.name && !seen.has(inner.name);
      if (nested) seen.add(inner.name);
      const list = nested || (inner && !inner.name) ? fields(inner.schema) : null;
      if (nested) seen.delete(inner.name);
      const standard = field && typeof field === "object" && "default" in field ? `, else ${JSON.stringify(field.default)}` : "";
      return element("li", {},
        element("div", { class: "field" },
          element("code", { class: "name" }, name),
          element("code", { class: "type" }, typeOf(field)),
          needed.has(name) ? null : element("span", { class: "needed" }, `optional${standard}`)),
        field?.description && element("p", {}, prose(String(field.description))),
        list);
    }));
  }

  const raw = element("details", {}, element("summary", {}, "JSON Schema"), element("pre", { tabindex: "0" }, JSON.stringify(schema, null, 2)));
  if (schema === null || schema === undefined) return [element("p", { class: "quiet" }, "No schema is known.")];
  const top = inside(schema);
  if (top) return [fields(top.schema), raw];
  return [element("p", {}, element("code", { class: "type" }, typeOf(schema))), raw];
}
