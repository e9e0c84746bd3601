// The events that every server of the sending benchmark sends: the same 64 objects in turn, 230 bytes a block.

/** One event's data: what a model's answer looks like on the wire, more or less. */
export interface Payload {
  readonly index: number;
  readonly type: string;
  readonly stream: string;
  readonly text: string;
}

/** Bytes of one encoded block, `data: {json}` and two line ends. */
export const BLOCK_BYTES = 230;

/** How many different events there are; they are sent in turn, so that nobody gains by remembering one object. */
export const DISTINCT_COUNT = 64;

const WORDS = "the quick answer grows word by word until it is whole and then it ends as it should ";

function payload(index: number): Payload {
  const bare = { index: 1000 + index, type: "delta", stream: "bench-0001", text: "" };
  const room = BLOCK_BYTES - `data: ${JSON.stringify(bare)}\n\n`.length;
  return { ...bare, text: WORDS.repeat(5).slice(index % WORDS.length, (index % WORDS.length) + room) };
}

/** The objects, in the order in which they are sent. */
export const EVENTS: readonly Payload[] = Array.from({ length: DISTINCT_COUNT }, (_, index) =>
  // Through JSON once: a string that was cut out of another one is slower to stringify than one that came as data.
  JSON.parse(JSON.stringify(payload(index))),
);

/** The same events as JSON. */
export const JSONS: readonly string[] = EVENTS.map((event) => JSON.stringify(event));

/** The same events as ready blocks, for the rows that measure sending alone. */
export const BLOCKS: readonly Buffer[] = JSONS.map((json) => Buffer.from(`data: ${json}\n\n`));

/** The object to send as number `index`. */
export function eventAt(index: number): Payload {
  return EVENTS[index % DISTINCT_COUNT] as Payload;
}

/** Its JSON. */
export function jsonAt(index: number): string {
  return JSONS[index % DISTINCT_COUNT] as string;
}

/** The ready block to send as number `index`. */
export function blockAt(index: number): Buffer {
  return BLOCKS[index % DISTINCT_COUNT] as Buffer;
}

/** What a request asks for. */
export interface Wish {
  readonly count: number;
  /** Whether the events come one at a time. */
  readonly trickle: boolean;
  /** Whether the data of an event is an object that is still to be stringified, and not text that is ready. */
  readonly objects: boolean;
}

/** Reads `?count=N&kind=ready`, `objects` or `trickle`. */
export function asked(url: string): Wish {
  const { searchParams } = new URL(url, "http://127.0.0.1");
  const kind = searchParams.get("kind");
  return { count: Number(searchParams.get("count")), trickle: kind === "trickle", objects: kind === "objects" };
}

/** The data to send as number `index`: ready text, or an object. */
export function dataAt(index: number, objects: boolean): string | Payload {
  return objects ? eventAt(index) : jsonAt(index);
}

/** The same as text, for those who take nothing else: they stringify an object themselves. */
export function textAt(index: number, objects: boolean): string {
  return objects ? JSON.stringify(eventAt(index)) : jsonAt(index);
}

/** Resolves in the next turn of the event loop, which is what keeps trickling events apart. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
