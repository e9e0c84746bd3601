// What the tests of exports ask of the demo, and what its rows have to look like.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createEventDecoder } from "tailrace/wire";
import { expect } from "vitest";
import {
  TABLES,
  type ColumnType,
  type SampleTable,
  type TableName,
  type Value,
} from "../../apps/demo/lib/sample/tables.ts";

export function tableOf(name: TableName): SampleTable {
  return TABLES.find((table) => table.name === name)!;
}

/** The row with that id as the demo's NDJSON has it. */
export function objectRow(table: SampleTable, id: number): Record<string, unknown> {
  const values = table.row(id);
  return Object.fromEntries(
    table.columns.map(({ name, type }, index) => [name, type === "flag" ? values[index] === 1 : values[index]]),
  );
}

/** The same row as texts. */
export function textRow(table: SampleTable, id: number): Record<string, string | null> {
  const values = table.row(id);
  const textOf = (value: Value | undefined, type: ColumnType): string | null =>
    value === undefined || value === null ? null : type === "flag" ? String(value === 1) : String(value);
  return Object.fromEntries(table.columns.map(({ name, type }, index) => [name, textOf(values[index], type)]));
}

/** The answer to a request of its own connection, of which nothing is read yet. */
export async function unread(url: string): Promise<IncomingMessage> {
  const asking = request(url, { agent: false });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}

/** Reads so many bytes, and goes. */
export async function leaveAfter(url: string, bytes: number): Promise<void> {
  const response = await unread(url);
  let read = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read >= bytes) break; // which destroys the connection
  }
  expect(read).toBeGreaterThanOrEqual(bytes);
}

/** The digest of what `url` answers, in hex. */
export async function sha256Of(url: string): Promise<string> {
  const response = await unread(url);
  expect(response.statusCode).toBe(200);
  const hash = createHash("sha256");
  for await (const chunk of response) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Starts a durable export. @returns its id */
export async function startExport(url: string, input: object): Promise<string> {
  const response = await fetch(`${url}/api/exports`, { method: "POST", body: JSON.stringify(input) });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { readonly id: string };
  expect(response.headers.get("location")).toBe(`/api/exports/${id}`);
  return id;
}

/** A kill that comes when the work is over proves nothing; after so many of them the machine is no place for this test. */
const MAX_KILLS = 10;

/**
 * Does something that a kill is to hit half-way, again and again until it has: the kill is sent as soon as the work is seen
 * to have begun, but a busy machine may be late with it. Whether it came in time is told by what the server has kept.
 */
export async function hitHalfWay<T>(attempt: () => Promise<T>, wasHit: (outcome: T) => boolean): Promise<T> {
  for (let kills = 1; ; kills++) {
    const outcome = await attempt();
    if (wasHit(outcome) || kills === MAX_KILLS) return outcome;
  }
}

export interface ReadEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** All events of an export, in their order, once it has ended. */
export async function followExport(url: string, id: string): Promise<readonly ReadEvent[]> {
  const found: ReadEvent[] = [];
  const onEvent = ({ event, data }: { readonly event: string; readonly data: string }): void => {
    found.push({ event, data: JSON.parse(data) as ReadEvent["data"] });
  };
  const decoder = createEventDecoder({ onEvent });
  decoder.push(new Uint8Array(await (await fetch(`${url}/api/exports/${id}`)).arrayBuffer()));
  decoder.end();
  return found;
}

/** The data of the last event of that name. */
export function lastOf(events: readonly ReadEvent[], name: string): ReadEvent["data"] | undefined {
  return events.findLast(({ event }) => event === name)?.data;
}
