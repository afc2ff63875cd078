// The page, as somebody sees it who opens it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

import { EVIL, graph, hostile, large, mixed, page as file, topology } from "./companies.mjs";

let browser;
before(async () => {
  // Root may not use the sandbox; what is opened is our own.
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser?.close());

// Opens a page; at the end nothing may have been asked of the network or said on the console.
async function open(text, options, look) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  const address = await file(text, options?.name);
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) said.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  await look(page);
  assert.deepEqual(said, []);
  await context.close();
}

const colour = (page, selector) => page.locator(selector).first().evaluate((at) => getComputedStyle(at).backgroundColor);
const names = (page, kind) => page.locator(`.node.${kind} title`).allTextContents();

test("the graph has its nodes and its lines", async () => {
  await open(await topology("html"), {}, async (page) => {
    assert.deepEqual((await names(page, "event")).sort(), [
      "OrderPlaced", "OrderShipped", "PaymentCaptured", "PaymentDeclined", "PaymentRefunded", "StockRefused", "StockReserved",
    ]);
    assert.deepEqual((await names(page, "handler")).sort(), ["capture", "observe", "refund", "remember", "reserve", "ship"]);
    assert.equal(await page.locator(".link").count(), 18);
    assert.deepEqual((await page.locator("#rail button").allTextContents()).sort(), ["audit", "customers", "inventory", "orders", "payments", "shipping"]);
  });
});

test("a click shows the schema, the readers and the publisher", async () => {
  await open(await topology("html"), {}, async (page) => {
    await page.locator(".node", { has: page.locator("title", { hasText: /^OrderPlaced$/ }) }).click();
    const panel = page.locator("#panel");
    assert.equal(await panel.locator("h2").textContent(), "OrderPlaced");
    const fields = await panel.locator(".fields .name").allTextContents();
    assert.deepEqual(fields.sort(), ["amount_cents", "cds", "customer_id", "order_id", "placed_on"]);
    const text = await panel.innerText();
    for (const part of ["orders", "at its edge", "remember", "observe", "capture", "customer_id", "integer · uint64"]) assert.ok(text.includes(part), `${part}: ${text}`);
    assert.ok(!text.includes("[object"), text);
    await panel.getByRole("button", { name: "capture" }).click();
    assert.equal(await panel.locator("h2").textContent(), "capture");
    const handler = await panel.innerText();
    for (const part of ["payments.rs:", "PaymentDeclined", "5, waiting 50 ms to 1 s", "64 keys of a partition"]) assert.ok(handler.includes(part), `${part}: ${handler}`);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".node.chosen").count(), 0);
  });
});

test("search finds names, topics and fields", async () => {
  await open(await topology("html"), {}, async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("refun");
    assert.equal(await page.locator("#found [role=option]").first().locator("span").nth(1).textContent(), "refund");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#panel h2").textContent(), "PaymentRefunded");
    await page.fill("#search", "left");
    const row = page.locator("#found [role=option]").first();
    assert.match(await row.textContent(), /left.*field of StockRefused/);
    await row.click();
    assert.equal(await page.locator("#panel h2").textContent(), "StockRefused");
    await page.fill("#search", "no such thing");
    assert.match(await page.locator("#found").textContent(), /Nothing has that name/);
  });
});

test("light and dark follow the system, and the button", async () => {
  const text = await topology("html");
  const seen = {};
  for (const colorScheme of ["light", "dark"]) {
    await open(text, { colorScheme }, async (page) => {
      seen[colorScheme] = await colour(page, "body");
      await page.click("#theme");
      seen[`${colorScheme} turned`] = await colour(page, "body");
      await page.reload();
      assert.equal(await colour(page, "body"), seen[`${colorScheme} turned`], "it is kept");
    });
  }
  assert.notEqual(seen.light, seen.dark);
  assert.equal(seen["light turned"], seen.dark);
  assert.equal(seen["dark turned"], seen.light);
});

test("the picture alone is well-formed and follows the system", async () => {
  const svg = await topology("svg");
  const seen = [];
  for (const colorScheme of ["light", "dark"]) {
    await open(svg, { colorScheme, name: "picture.svg" }, async (page) => {
      seen.push(await page.locator(".ground").evaluate((at) => getComputedStyle(at).fill));
      assert.equal(await page.locator(".node").count(), 13);
    });
  }
  assert.notEqual(seen[0], seen[1]);
});

test("it zooms and pans by wheel, mouse, buttons and keys", async () => {
  await open(await topology("html"), {}, async (page) => {
    const at = () => page.locator("#world").evaluate((world) => {
      const { a, e, f } = world.getCTM();
      return { scale: a, x: e, y: f };
    });
    const fitted = await at();
    await page.mouse.move(700, 500);
    await page.mouse.wheel(0, -300);
    await page.waitForFunction((scale) => document.querySelector("#world").getCTM().a > scale, fitted.scale);
    await page.click("#fit");
    assert.deepEqual(await at(), fitted);
    await page.click("#zoom-in");
    assert.ok((await at()).scale > fitted.scale);
    await page.keyboard.press("0");
    await page.mouse.move(700, 700);
    await page.mouse.down();
    await page.mouse.move(760, 650, { steps: 4 });
    await page.mouse.up();
    const dragged = await at();
    assert.deepEqual([Math.round(dragged.x - fitted.x), Math.round(dragged.y - fitted.y)], [60, -50]);
    await page.keyboard.press("Shift+ArrowRight");
    assert.equal(Math.round((await at()).x - dragged.x), -60);
    await page.keyboard.press("-");
    assert.ok((await at()).scale < fitted.scale);
  });
});

test("the keyboard walks along the lines, and everything has a name", async () => {
  await open(await topology("html"), {}, async (page) => {
    await page.locator(".node[tabindex='0']").focus();
    const focused = () => page.evaluate(() => document.activeElement.querySelector("title")?.textContent);
    assert.equal(await focused(), "OrderPlaced");
    await page.keyboard.press("ArrowRight");
    assert.ok(["capture", "remember"].includes(await focused()), await focused());
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focused(), "OrderPlaced");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#panel h2").textContent(), "OrderPlaced");
    assert.equal(await page.locator(".node[aria-pressed='true']").count(), 1);
    const nameless = await page.locator("button, input, [role]").evaluateAll((all) => all
      .filter((one) => one.role !== "listbox" && !(one.getAttribute("aria-label") || one.textContent.trim() || one.title))
      .map((one) => one.outerHTML.slice(0, 120)));
    assert.deepEqual(nameless, []);
    assert.equal(await page.locator(".node:not([aria-label])").count(), 0);
  });
});

test("findings are listed, and marked at their nodes", async () => {
  await open(await graph(mixed, "html"), {}, async (page) => {
    const overview = await page.locator("#panel").innerText();
    for (const part of ["unfed-handler", "unhandled-failure", "cycle"]) assert.ok(overview.includes(part), overview);
    const marked = await page.locator(".node:has(.mark.error) > title").allTextContents();
    for (const name of ["lost", "NeverPublished", "Refused", "Reserve", "again"]) assert.ok(marked.includes(name), `${name}: ${marked}`);
    assert.ok(await page.locator(".node.command.deprecated").count());
    assert.ok(await page.locator(".link.backward").count());
    const failing = page.locator(".node.failure");
    assert.equal(await failing.locator("title").textContent(), "Refused");
    assert.match(await failing.locator(".note").textContent(), /^failure · /);
    assert.notEqual(await page.locator(".link.failure").evaluate((line) => getComputedStyle(line).strokeDasharray), "none");
    await page.locator("#panel .finding button").first().click();
    assert.match(await page.locator("#panel").innerText(), /Findings/);
    await page.goto(`${page.url().split("#")[0]}#Refused`);
    assert.match(await page.locator("#panel").innerText(), /a failure that somebody has to make good/);
  });
});

test("versions can be chosen, and nested types are told", async () => {
  await open(await graph(mixed, "html"), {}, async (page) => {
    await page.goto(`${page.url()}#Reserved`);
    const fields = () => page.locator("#panel .fields .name").allTextContents();
    assert.deepEqual(await fields(), ["id", "lines", "parts", "size", "sku", "note"]);
    await page.getByRole("button", { name: "version 1" }).click();
    assert.deepEqual(await fields(), ["id", "onlyInTheFirst"]);
  });
});

test("markup in names does nothing", async () => {
  await open(await graph(hostile, "html"), {}, async (page) => {
    assert.equal(await page.locator("img").count(), 0);
    for (const node of await page.locator(".node").all()) {
      await node.click();
      await page.locator("#panel h2").hover();
    }
    await page.fill("#search", "<img");
    assert.ok(await page.locator("#found [role=option]").count());
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#panel h2").textContent(), EVIL);
    assert.equal(await page.locator("img, #panel svg").count(), 0);
    assert.equal(await page.evaluate(() => window.broken), undefined);
  });
  await open(await graph(hostile, "svg"), { name: "picture.svg" }, async (page) => {
    assert.equal(await page.locator(".node").count(), 3);
  });
});

// Boxes that overlap, and texts that are wider than theirs.
const faults = (page) => page.evaluate(() => {
  const nodes = [...document.querySelectorAll(".node")];
  const boxes = nodes.map((node) => node.querySelector(".box").getBoundingClientRect());
  const found = [];
  boxes.forEach((one, index) => boxes.slice(index + 1).forEach((other, further) => {
    if (one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom) {
      found.push(`${nodes[index].id} overlaps ${nodes[index + 1 + further].id}`);
    }
  }));
  nodes.forEach((node, index) => node.querySelectorAll(".name, .note").forEach((text) => {
    const box = text.getBoundingClientRect();
    if (box.width && (box.left < boxes[index].left + 1 || box.right > boxes[index].right - 1)) found.push(`${text.textContent} leaves ${node.id}`);
  }));
  return found;
});

test("a company of 200 events fits, and nothing overlaps", async () => {
  await open(await graph(large(200), "html"), {}, async (page) => {
    assert.equal(await page.locator(".node.event").count(), 200);
    const inside = await page.evaluate(() => {
      const canvas = document.querySelector("#canvas").getBoundingClientRect();
      return [...document.querySelectorAll(".node")].every((node) => {
        const box = node.getBoundingClientRect();
        return box.left >= canvas.left && box.right <= canvas.right && box.top >= canvas.top && box.bottom <= canvas.bottom;
      });
    });
    assert.ok(inside, "all of it is in view");
    const rail = await page.locator("#rail button:not(.tiny)").count();
    assert.ok(rail >= 20, `${rail} services have their names`);
    await page.keyboard.press("1");
    assert.deepEqual(await faults(page), []);
  });
});

test("text stays in its box, in the usual fonts and in the widest", async () => {
  for (const font of ["Inter", "DejaVu Sans", "sans-serif"]) {
    for (const text of [await topology("html"), await graph(mixed, "html")]) {
      await open(text, {}, async (page) => {
        await page.addStyleTag({ content: `svg, svg text { font-family: "${font}" !important; }` });
        await page.keyboard.press("1");
        assert.deepEqual(await faults(page), [], font);
      });
    }
  }
});

test("a narrow window keeps everything in reach", async () => {
  await open(await topology("html"), { viewport: { width: 420, height: 800 } }, async (page) => {
    await page.locator(".node").first().click();
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector("#panel").scrollWidth]);
    assert.ok(wide.every((width) => width <= 420), String(wide));
    assert.ok(await page.locator("#panel h2").isVisible());
  });
});
