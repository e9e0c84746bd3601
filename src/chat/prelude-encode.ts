// Writes what a late reader has missed as a prelude, and what happens then as it is (PROTOCOL.md, section 7).

import { isTailraceError } from "../errors.ts";
import { readLastEventId } from "../http/last-event-id.ts";
import type { NamedSource } from "../log/named.ts";
import { fromPayload } from "../log/payload.ts";
import type { StoredItem } from "../log/store.ts";
import { encodeEvent } from "../wire/sse-encode.ts";
import type { MessageChunk } from "../wire/ui-message.ts";
import { Prelude, type PreludeOptions } from "./prelude.ts";

/** How the items of a reply are written. */
export interface ItemEncoder {
  item(item: StoredItem): string;
  /** What is still held back. */
  rest(): string;
}

/** Whether the request asks for a prelude. */
export function wantsPrelude(request: Request): boolean {
  if (request.headers.get("tailrace-prelude") === "1") return true;
  const query = request.url.indexOf("?");
  return query >= 0 && new URLSearchParams(request.url.slice(query)).get("prelude") === "1";
}

/**
 * An encoder that merges what `source` holds now; undefined for a reply that begins behind the stream's start. What a reader has got of
 * a merged history that was cut could not be told from the rest, so it is merged only where a new `start` takes its place.
 */
export async function preludeEncoder(
  request: Request,
  source: NamedSource<unknown>,
  options?: PreludeOptions,
): Promise<ItemEncoder | undefined> {
  const asked = readLastEventId(request.headers);
  try {
    const { start, head } = await source.open(asked.kind === "id" ? { after: asked.id, last: undefined } : undefined);
    return start === head.start ? new PreludeEncoder(head.tail, options) : undefined;
  } catch (error) {
    if (isTailraceError(error)) return undefined; // the reply itself tells of it
    throw error;
  }
}

/** Merges the items up to `tail`, and passes on those behind it. */
class PreludeEncoder implements ItemEncoder {
  readonly #tail: string;
  readonly #prelude: Prelude;
  #isOver = false;
  #offset: string | undefined;

  constructor(tail: string, options: PreludeOptions | undefined) {
    this.#tail = tail;
    this.#prelude = new Prelude(options);
  }

  item({ offset, payload }: StoredItem): string {
    if (this.#isOver || offset > this.#tail) return this.rest() + encodeEvent({ id: offset, data: payload });
    this.#prelude.add(fromPayload(payload) as MessageChunk, payload.length);
    this.#offset = offset;
    if (offset === this.#tail) return this.rest();
    return this.#prelude.isFull ? show(this.#prelude.take()) : "";
  }

  /** What is held back, and at its end the only id: a reader that is cut before it begins anew. */
  rest(): string {
    this.#isOver = true;
    const id = this.#offset;
    if (id === undefined) return "";
    this.#offset = undefined;
    const chunks = this.#prelude.take();
    const last = chunks.at(-1);
    return show(chunks.slice(0, -1)) + (last === undefined ? encodeEvent({ id }) : encodeEvent({ id, data: last }));
  }
}

function show(chunks: readonly MessageChunk[]): string {
  return chunks.map((data) => encodeEvent({ data })).join("");
}
