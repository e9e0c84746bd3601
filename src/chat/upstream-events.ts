// The events of a model's stream, from the objects of its client or from the raw bytes, and the loop that all codecs share.

import { openSource, type Pull } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { createEventDecoder, type EventDecoder } from "../wire/sse-decode.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { modelError } from "./model-errors.ts";

/** A JSON object whose fields nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** A provider's stream as raw bytes: a `Response`, or its body in any split. */
export type UpstreamBytes = Response | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A provider's stream: the objects that its client gives, or the raw bytes. */
export type Upstream<E> = AsyncIterable<E> | ReadableStream<E> | UpstreamBytes;

/** Turns events into chunks; what it has to say goes to the array that it was made with. */
export interface EventCodec {
  /** Takes the next event. True: the answer is complete and nothing more is read. Throws what the stream says went wrong. */
  take(event: Fields): boolean;
  /** The stream is over. Throws if it should not be. */
  end(): void;
}

/** The largest event of a provider: 16 MiB, since images come inline. */
const MAX_EVENT_BYTES = 16_777_216;
/** How much of a refused response's body is read, to find out why. */
const MAX_ERROR_BYTES = 65_536;

/** Makes the generator of a codec. Its `return` releases the upstream at once, even while a read is under way. */
export function decodeUpstream(
  source: Upstream<unknown>,
  makeCodec: (out: UiChunk[]) => EventCodec,
): AsyncGenerator<UiChunk, void, undefined> {
  const out: UiChunk[] = [];
  const codec = makeCodec(out);
  return decodeItems(source, out, { take: createItemReader(codec), end: () => codec.end() });
}

/** What {@link decodeItems} feeds. */
export interface ItemReader {
  /** Takes one item of the source. True: the answer is complete. */
  take(item: unknown): boolean;
  end(): void;
}

/** The loop: pulls items, lets `reader` turn them into chunks in `out`, and gives those one by one. */
export function decodeItems(
  source: Upstream<unknown>,
  out: UiChunk[],
  reader: ItemReader,
): AsyncGenerator<UiChunk, void, undefined> {
  let pull: Pull<unknown> | undefined;
  let at = 0;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;
  let running: Promise<unknown> | undefined;

  function finish(): void {
    isOver = true;
    pull?.close();
  }

  async function read(): Promise<IteratorResult<UiChunk, void>> {
    out.length = 0;
    at = 0;
    try {
      pull ??= openSource(source instanceof Response ? await bodyOf(source) : source);
      // What the stream said before it broke is still told: the same for every split of its bytes.
      while (out.length === 0 && !isOver) {
        const result = await pull.next();
        if (isOver) break;
        if (result.done === true) {
          isOver = true;
          reader.end();
        } else if (reader.take(result.value)) finish();
      }
    } catch (error) {
      finish();
      failure = { error: isAbort(error) || isTailraceError(error) ? error : modelError(error) };
    }
    return give();
  }

  function give(): IteratorResult<UiChunk, void> {
    const chunk = out[at];
    if (chunk !== undefined) {
      at++;
      return { done: false, value: chunk };
    }
    if (failure === undefined) return { done: true, value: undefined };
    const { error } = failure;
    failure = undefined;
    throw error;
  }

  const generator: AsyncGenerator<UiChunk, void, undefined> = {
    async next() {
      if (running !== undefined) await running.catch(() => undefined);
      if (at < out.length || isOver) return give();
      const reading = read();
      running = reading;
      try {
        return await reading;
      } finally {
        running = undefined;
      }
    },
    async return() {
      out.length = 0;
      failure = undefined;
      finish();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await generator.return();
      throw error;
    },
    [Symbol.asyncIterator]: () => generator,
    async [Symbol.asyncDispose]() {
      await generator.return();
    },
  };
  return generator;
}

/** Items are bytes of server-sent events, or events already. */
function createItemReader(codec: EventCodec): (item: unknown) => boolean {
  let decoder: EventDecoder | undefined;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;

  function take(event: Fields): void {
    if (isOver || failure !== undefined) return;
    try {
      isOver = codec.take(event);
    } catch (error) {
      failure = { error };
    }
  }

  return (item) => {
    if (!(item instanceof Uint8Array)) return codec.take(asFields(item));
    decoder ??= createEventDecoder({
      maxEventBytes: MAX_EVENT_BYTES,
      onEvent({ event, data }) {
        if (isOver || failure !== undefined || data === "" || event === "ping") return;
        // The end of OpenAI's streams. Whether the answer was complete is seen by what came before.
        if (data === "[DONE]") {
          try {
            codec.end();
            isOver = true;
          } catch (error) {
            failure = { error };
          }
          return;
        }
        const fields = parseEvent(data);
        if (fields === undefined)
          failure = {
            error: new TailraceError("source_failed", "The model's stream holds an event that is no JSON object."),
          };
        else take(isBareError(event, fields) ? { type: "error", error: fields } : fields);
      },
    });
    decoder.push(item);
    if (failure !== undefined) throw failure.error;
    return isOver;
  };
}

/** An error that only the event's name tells. */
function isBareError(event: string, fields: Fields): boolean {
  return event === "error" && fields["error"] === undefined && fields["type"] !== "error";
}

function parseEvent(data: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** The body of a response that was accepted. */
async function bodyOf(response: Response): Promise<ReadableStream<Uint8Array>> {
  const { body, status, headers } = response;
  if (!response.ok) throw modelError({ status, headers, error: await readError(body) });
  if (body === null) throw new TailraceError("source_failed", `The model's response (status ${status}) has no body.`);
  return body;
}

async function readError(body: ReadableStream<Uint8Array> | null): Promise<unknown> {
  if (body === null) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  const reader = body.getReader();
  try {
    while (sizeBytes < MAX_ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      sizeBytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined; // the status says enough
  } finally {
    void reader.cancel().catch(() => undefined);
  }
  return parseEvent(text) ?? text;
}

/** Whether somebody stopped it: that is told as it is. */
export function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || error.constructor.name === "APIUserAbortError";
}

/** `value` if it is an object, else an empty one. */
export function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** `value` if it is a string, else an empty one. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `value` if it is a number, else undefined. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** `value` if it is a list, else an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
