// `node bench/chat-page/main.ts [--tokens N] [--rate N] [--messages N] [--slow N] [--only NAME]`: the demo's chat page
// beside a stock one, each with the same history and the same answer.

import { parseArgs } from "node:util";
import { launch } from "../../test/e2e/browser.ts";
import { type PageFigures, runPage } from "./run-page.ts";
import { serve } from "./server.ts";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "10000" },
    rate: { type: "string", default: "200" },
    messages: { type: "string", default: "200" },
    slow: { type: "string", default: "1" },
    only: { type: "string" },
  },
});

const tokenCount = Number(values.tokens);
const tokensPerSecond = Number(values.rate);
const { url, server } = await serve({ tokenCount, tokensPerSecond, messageCount: Number(values.messages) });
const browser = await launch();
try {
  const timeoutMs = (tokenCount / tokensPerSecond) * 6_000 + 30_000;
  const table: Record<string, PageFigures> = {};
  for (const name of ["tailrace", "stock"]) {
    if (values.only !== undefined && values.only !== name) continue;
    table[name] = await runPage(browser, `${url}/${name}`, { tokenCount, slowDown: Number(values.slow), timeoutMs });
  }
  for (const row of Object.keys(Object.values(table)[0] ?? {}) as (keyof PageFigures)[]) {
    console.log(
      row.padEnd(18),
      ...Object.entries(table).map(([name, each]) => `${name} ${each[row].toFixed(3)}`.padEnd(22)),
    );
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
