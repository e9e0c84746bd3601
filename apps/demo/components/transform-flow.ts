// A text on its way through a transform, on the server or in this browser: how much has gone in, and what has come back.

import { transformFile } from "tailrace/client";
import { countLines, textPieces } from "../lib/text-pieces.ts";
import { OPERATIONS, type Operation, type OperationName, type WordTotal } from "../lib/transforms.ts";

/**
 * A browser sends the whole of a request before it reads the answer, so a file goes in pieces of this size, each a request of
 * its own. Other clients send it as one.
 */
const PIECE_BYTES = 524_288;
/** What is shown of the result; the rest is only counted and kept for saving. */
export const SHOWN_CHARS = 100_000;

export type Place = "server" | "browser";

export interface FlowReport {
  readonly inBytes: number;
  readonly outBytes: number;
  /** The beginning of the result, at most {@link SHOWN_CHARS} characters. */
  readonly text: string;
}

export interface FlowResult extends FlowReport {
  /** All of it. */
  readonly result: Blob;
}

/** Sends `file` through `name`. `onReport` is called with each piece that has come back. */
export async function flow(
  file: Blob,
  name: OperationName,
  place: Place,
  signal: AbortSignal,
  onReport: (report: FlowReport) => void,
): Promise<FlowResult> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const decoder = new TextDecoder();
  let report: FlowReport = { inBytes: 0, outBytes: 0, text: "" };
  const took = (bytes: number): void => {
    report = { ...report, inBytes: report.inBytes + bytes };
    onReport(report);
  };
  const gave = (chunk: Uint8Array<ArrayBuffer>): void => {
    parts.push(chunk);
    const more = report.text.length < SHOWN_CHARS ? decoder.decode(chunk, { stream: true }) : "";
    report = { ...report, outBytes: report.outBytes + chunk.length, text: (report.text + more).slice(0, SHOWN_CHARS) };
    onReport(report);
  };
  if (place === "browser") await inBrowser(file, OPERATIONS[name], signal, took, gave);
  else if (name === "words") await countOnServer(file, signal, took, gave);
  else await onServer(file, name, signal, took, gave);
  return { ...report, result: new Blob(parts) };
}

type OnBytes = (bytes: number) => void;
type OnChunk = (chunk: Uint8Array<ArrayBuffer>) => void;

async function inBrowser(file: Blob, operation: Operation, signal: AbortSignal, took: OnBytes, gave: OnChunk) {
  const counted = file.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        took(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
  const { change, end } = operation.make(0);
  const reader = transformFile(counted, change, { as: operation.as, end, signal }).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    gave(value);
  }
}

async function onServer(file: Blob, name: OperationName, signal: AbortSignal, took: OnBytes, gave: OnChunk) {
  let lines = 0;
  for await (const piece of textPieces(file, PIECE_BYTES)) {
    const body = await send(piece, name, lines, signal);
    took(piece.length);
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      gave(value);
    }
    lines += countLines(piece);
  }
}

/** Each piece is counted by itself, and the counts are added here. */
async function countOnServer(file: Blob, signal: AbortSignal, took: OnBytes, gave: OnChunk) {
  const total = { characters: 0, words: 0, lines: 0 };
  for await (const piece of textPieces(file, PIECE_BYTES)) {
    const counted = (await new Response(await send(piece, "words", 0, signal)).json()) as WordTotal;
    took(piece.length);
    for (const key of ["characters", "words", "lines"] as const) total[key] += counted[key];
  }
  gave(new TextEncoder().encode(`${JSON.stringify(total)}\n`));
}

async function send(
  piece: Uint8Array<ArrayBuffer>,
  name: OperationName,
  from: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(`/api/transform?op=${name}&from=${from}`, { method: "POST", body: piece, signal });
  if (response.ok && response.body !== null) return response.body;
  const { detail } = (await response.json().catch(() => ({}))) as { readonly detail?: unknown };
  throw new Error(typeof detail === "string" ? detail : `The server answered ${response.status}.`);
}
