// How fast server-sent events are decoded, beside eventsource-parser and the floor that no decoder in JavaScript gets under in one
// pass: a TextDecoder that is called once for each chunk. Run: node bench/decode.ts [--json FILE]

import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createParser } from "eventsource-parser";
import { createEventDecoder } from "../src/wire/sse-decode.ts";
import { printResult, summarize, type BenchCell, type BenchResult } from "./result.ts";

const ROUNDS = 31;
const BODY_BYTES = 2_097_152;
/** Each round decodes the body until this much time is over, so that small figures are as steady as large ones. */
const ROUND_MS = 20;
const FLOOR = "TextDecoder";
const PEER = "eventsource-parser";
const OURS = "tailrace";

/** Decodes one body and returns a number that depends on it: events, or characters for the floor. */
type Contestant = (chunks: readonly Uint8Array[]) => number;

const contestants: Readonly<Record<string, Contestant>> = {
  [FLOOR]: (chunks) => {
    const decoder = new TextDecoder();
    let count = 0;
    for (const chunk of chunks) count += decoder.decode(chunk, { stream: true }).length;
    return count;
  },
  [PEER]: (chunks) => {
    const decoder = new TextDecoder();
    let count = 0;
    const parser = createParser({
      onEvent: (event) => {
        if (event.data.length > 0) count++;
      },
    });
    for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
    return count;
  },
  [OURS]: (chunks) => {
    let count = 0;
    const decoder = createEventDecoder({
      onEvent: (event) => {
        if (event.data.length > 0) count++;
      },
    });
    for (const chunk of chunks) decoder.push(chunk);
    decoder.end();
    return count;
  },
};

const bodies: Readonly<Record<string, (index: number) => string>> = {
  "delta 250 B": (index) =>
    delta(index, [" the", " stream", " of", " tokens", " and", " so", " on", "."][index % 8] ?? ""),
  "event 20 B": (index) => `data: ${String(index).padStart(12, "0")}\n\n`,
  "event 64 KiB": (index) => `data: ${JSON.stringify({ index, text: "lorem ipsum ".repeat(5_457) })}\n\n`,
  "Japanese 160 B": (index) => `data: {"index":${index % 10},"delta":"${JAPANESE[index % JAPANESE.length]}"}\n\n`,
};

const JAPANESE: readonly string[] = [
  "流れる水のように、言葉はひとつずつ届きます。画面はそれを待たずに描かれていく。",
  "途中で切れても、続きは同じ場所から始まる。読み手は何も失わないはずです。",
  "川の水は水車を回したあと、放水路を通ってまた川へと静かに戻っていきます。",
];

function delta(index: number, content: string): string {
  const chunk = {
    id: "chatcmpl-B1z8Qq0rVw3XyTnKcE5hJ7dLmPaSf",
    object: "chat.completion.chunk",
    created: 1_763_000_000 + (index % 100),
    model: "gpt-4.1-mini-2025-04-14",
    service_tier: "default",
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** About {@link BODY_BYTES} of events, cut into chunks without regard to their ends. */
function makeBody(event: (index: number) => string): { readonly bytes: Uint8Array; readonly eventCount: number } {
  const encoder = new TextEncoder();
  const parts: string[] = [];
  let size = 0;
  while (size < BODY_BYTES) {
    const text = event(parts.length);
    parts.push(text);
    size += encoder.encode(text).length;
  }
  return { bytes: encoder.encode(parts.join("")), eventCount: parts.length };
}

function cut(bytes: Uint8Array, chunkBytes: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.slice(at, at + chunkBytes));
  return chunks;
}

/** Megabytes a second over one round. */
function measure(contestant: Contestant, chunks: readonly Uint8Array[], bodyBytes: number): number {
  const start = performance.now();
  let passes = 0;
  let elapsed = 0;
  do {
    contestant(chunks);
    passes++;
    elapsed = performance.now() - start;
  } while (elapsed < ROUND_MS);
  return (bodyBytes * passes) / elapsed / 1_000;
}

/** Runs all rows. The contestants take turns within each round, so that a slow moment of the machine meets them all. */
export async function run(): Promise<BenchResult> {
  const rows: BenchResult["rows"][number][] = [];
  const names = Object.keys(contestants);
  const cases = Object.entries(bodies).flatMap(([name, event]) => {
    const { bytes, eventCount } = makeBody(event);
    return [16_384, 100].map((chunkBytes) => ({
      row: `${name}, ${chunkBytes === 100 ? "100 B" : "16 KiB"} chunks`,
      chunks: cut(bytes, chunkBytes),
      bytes,
      eventCount,
    }));
  });
  for (const { chunks, bytes, eventCount, row } of cases) {
    // Every shape of input is seen before the first figure, so that no contestant is judged on code compiled for one of them.
    for (const name of names) {
      const count = contestants[name]?.(chunks);
      if (name !== FLOOR && count !== eventCount)
        throw new Error(`${name} found ${count} of ${eventCount} events: ${row}`);
    }
    measure(contestants[FLOOR] as Contestant, chunks, bytes.length);
  }
  for (const { chunks, bytes, row } of cases) {
    const rounds = new Map<string, number[]>(names.map((name) => [name, []]));
    for (const name of names) measure(contestants[name] as Contestant, chunks, bytes.length);
    for (let round = 0; round < ROUNDS; round++) {
      const turn = round % names.length;
      for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
        rounds.get(name)?.push(measure(contestants[name] as Contestant, chunks, bytes.length));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const cells: Record<string, BenchCell> = {};
    for (const [name, figures] of rounds) cells[name] = summarize(figures);
    // Compared round by round: what disturbed one contestant of a round most likely disturbed the others too.
    const ratio = (other: string): number =>
      summarize((rounds.get(OURS) ?? []).map((ours, round) => ours / (rounds.get(other)?.[round] ?? Number.NaN)))
        .median;
    rows.push({ row, cells, ratios: { "ours/peer": ratio(PEER), "ours/floor": ratio(FLOOR) } });
  }
  return { name: "decode server-sent events", unit: "MB/s", rows };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: "string" } } });
  const result = await run();
  printResult(result);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}
