// The pictures in docs/: `cargo xtask screenshots`.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { page as file, topology } from "./companies.mjs";

const MOST = 200 * 1024;
const directory = process.argv[2];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const address = await file(await topology("html"));
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ viewport: { width: 1600, height: 820 }, colorScheme });
  await page.goto(`${address}#PaymentCaptured`);
  await page.keyboard.press("0");
  await page.evaluate(() => document.fonts.ready);
  const path = join(directory, `topology-${colorScheme}.png`);
  await page.screenshot({ path, animations: "disabled" });
  const { size } = await stat(path);
  if (size > MOST) throw new Error(`${path} has ${size} bytes, more than ${MOST}`);
  console.log(`${path}: ${size} bytes`);
}
await browser.close();
