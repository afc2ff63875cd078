// AsyncAPI documents before the official parser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

import { graph, hostile, large, mixed, topology } from "./companies.mjs";

// The parsed document, and what is wrong with it.
async function judge(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  const wrong = diagnostics.filter(({ severity }) => severity === DiagnosticSeverity.Error);
  return { document, wrong: wrong.map(({ message, path }) => `${path.join("/")}: ${message}`) };
}

test("documents of services and of companies are valid", async () => {
  const texts = [await topology("asyncapi"), ...(await Promise.all([mixed, hostile, large(40)].map((company) => graph(company, "asyncapi"))))];
  for (const text of texts) {
    const { document, wrong } = await judge(text);
    assert.deepEqual(wrong, []);
    assert.ok(document);
  }
});

test("the parser reads what the services do", async () => {
  const { document } = await judge(await topology("asyncapi"));
  assert.equal(document.version(), "3.0.0");
  const ids = (all) => all.all().map((one) => one.id()).sort();
  assert.deepEqual(ids(document.channels()), ["inventory", "orders", "payments", "shipping"]);
  const orders = document.channels().get("orders");
  assert.deepEqual(orders.bindings().get("kafka").value(), { topic: "orders" });
  const capture = document.operations().get("payments.capture.receive.orders");
  assert.equal(capture.action(), "receive");
  assert.deepEqual(capture.bindings().get("kafka").json().groupId.enum, ["payments"]);
  assert.equal(document.operations().get("orders.publish.orders").action(), "send");
  const sent = document.operations().get("payments.capture.send.payments");
  assert.deepEqual(sent.messages().all().map((message) => message.name()).sort(), ["PaymentCaptured", "PaymentDeclined"]);
  const placed = capture.messages().all()[0];
  assert.equal(placed.correlationId().location(), "$message.header#/ce_correlationid");
  assert.equal(placed.headers().json().properties.ce_type.const, "OrderPlaced");
  assert.ok(placed.headers().json().allOf[0].properties.ce_id);
  assert.ok(placed.payload().json().required.includes("order_id"));
  assert.equal(placed.bindings().get("kafka").json().key.type, "string");
});

test("a broken document is refused", async () => {
  const whole = JSON.parse(await topology("asyncapi"));
  const breaks = {
    "a message that is not there": (document) => { document.operations["payments.capture.receive.orders"].messages[0].$ref = "#/channels/orders/messages/Nobody"; },
    "an action of its own": (document) => { document.operations["payments.capture.receive.orders"].action = "handle"; },
    "no channel": (document) => { delete document.operations["payments.capture.receive.orders"].channel; },
    "a schema that is none": (document) => { document.components.messages.OrderPlaced.payload.type = "text"; },
    "no version": (document) => { delete document.info.version; },
  };
  for (const [what, destroy] of Object.entries(breaks)) {
    const document = structuredClone(whole);
    destroy(document);
    assert.notDeepEqual((await judge(JSON.stringify(document))).wrong, [], what);
  }
});
