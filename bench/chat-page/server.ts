// The two pages and the model behind them, on one port: an answer as a UI message stream, at a steady pace.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { historyOf, tokensOf } from "./answer.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STYLES = ["tokens", "base", "parts", "chat", "chat-message"].map((name) =>
  join(ROOT, `apps/demo/styles/${name}.css`),
);
/** How often tokens are written. */
const TICK_MS = 5;

export interface Pace {
  readonly tokenCount: number;
  readonly tokensPerSecond: number;
  readonly messageCount: number;
}

/** One page as one script, made for production. The pages are no TypeScript: the demo's components have a tsconfig of their own. */
async function bundle(name: string): Promise<string> {
  const bundled = await rolldown({
    input: join(import.meta.dirname, `${name}.jsx`),
    cwd: ROOT,
    platform: "browser",
    transform: { define: { "process.env.NODE_ENV": '"production"' }, jsx: { runtime: "automatic" } },
    logLevel: "silent",
  });
  const { output } = await bundled.generate({ format: "esm", minify: true, codeSplitting: false });
  await bundled.close();
  return output[0].code;
}

async function stream(response: ServerResponse, { tokenCount, tokensPerSecond }: Pace): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "x-vercel-ai-ui-message-stream": "v1" });
  const write = (chunk: object): boolean => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  write({ type: "start", messageId: "answer" });
  write({ type: "text-start", id: "t" });
  const tokens = tokensOf(tokenCount);
  const from = performance.now();
  for (let sent = 0; sent < tokens.length && !response.destroyed;) {
    await new Promise((go) => setTimeout(go, TICK_MS));
    const due = Math.min(tokens.length, Math.floor(((performance.now() - from) / 1_000) * tokensPerSecond));
    for (; sent < due; sent++) write({ type: "text-delta", id: "t", delta: tokens[sent] });
  }
  write({ type: "text-end", id: "t" });
  write({ type: "finish" });
  response.end("data: [DONE]\n\n");
}

/** Serves `/tailrace` and `/stock` on a free port. */
export async function serve(pace: Pace): Promise<{ readonly url: string; readonly server: Server }> {
  const scripts = { tailrace: await bundle("page-tailrace"), stock: await bundle("page-stock") };
  const css = STYLES.map((path) => readFileSync(path, "utf8")).join("\n");
  const history = JSON.stringify(historyOf(pace.messageCount));
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const name = path.slice(1);
    if (request.method === "POST") return void stream(response, pace);
    if (name === "tailrace" || name === "stock") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      return response.end(
        `<!doctype html><html lang="en"><title>${name}</title><link rel="icon" href="data:,"><style>${css}</style>` +
          // next/link looks for it.
          `<div id="root"></div><script>window.process = { env: {} }; window.history0 = ${history.replaceAll("<", "\\u003c")}</script>` +
          `<script type="module">${scripts[name].replaceAll("</script", "<\\/script")}</script></html>`,
      );
    }
    response.statusCode = path.endsWith("/stream") ? 204 : 404;
    return response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
