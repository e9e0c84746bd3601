// What a writer says on its standard output, one JSON text per line: what it is about to send, and what the store has
// answered. A line that is written stays readable when its writer is killed.

/** What one item of the crash test holds. */
export interface Body {
  /** Names the append: no two appends have one key, unless the second repeats the first as its producer. */
  readonly key: string;
  /** Which item of the append this is, and how many it has. */
  readonly index: number;
  readonly count: number;
  /** The epoch of the run that wrote it. */
  readonly epoch?: number | undefined;
  readonly padding: string;
}

/** A producer's place, as in the options of an append. */
export interface Place {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

export interface Sent {
  readonly is: "sent";
  readonly key: string;
  readonly stream: string;
  readonly count: number;
  readonly end?: string | undefined;
  readonly expect?: string | undefined;
  readonly epoch?: number | undefined;
  readonly release?: boolean | undefined;
  readonly producer?: Place | undefined;
}

export type Line =
  | Sent
  /** The store has answered: the append is kept. `before` is the tail that it found. */
  | {
      readonly is: "kept";
      readonly key: string;
      readonly stream: string;
      readonly before: string;
      readonly tail: string;
      readonly isDuplicate: boolean;
    }
  | { readonly is: "refused"; readonly key: string; readonly stream: string; readonly code: string }
  /** A run is the writer's now. */
  | { readonly is: "owns"; readonly stream: string; readonly epoch: number }
  /** A wish to stop was taken. */
  | { readonly is: "stop"; readonly stream: string }
  /** What a beat has told: every run of `held` must be in `owned`. */
  | { readonly is: "beat"; readonly held: readonly string[]; readonly owned: readonly string[] }
  /** A follower in the writer's process was given an item. */
  | {
      readonly is: "seen";
      readonly stream: string;
      readonly offset: string;
      readonly key: string;
      readonly index: number;
    }
  | { readonly is: "seen gap"; readonly stream: string }
  | { readonly is: "seen end"; readonly stream: string; readonly reason: string }
  | { readonly is: "fault"; readonly message: string }
  | { readonly is: "ready" | "over" };

/** The payloads of an append: the same for the same key. */
export function payloadsOf({ key, count, epoch }: Pick<Sent, "key" | "count" | "epoch">): string[] {
  let sum = 0;
  for (let index = 0; index < key.length; index++) sum = (sum * 31 + key.charCodeAt(index)) % 1_000_003;
  // Mostly short, at times longer than a page of the file, so that checkpoints come about.
  const length = sum % 7 === 0 ? (sum % 9) * 700 : sum % 90;
  const padding = String.fromCharCode(97 + (sum % 26)).repeat(length);
  return Array.from({ length: count }, (_, index) => JSON.stringify({ key, index, count, epoch, padding }));
}

/** How many items the append of a producer has: its key alone decides, so that a repetition has as many. */
export function countOf({ id, epoch, seq }: Place): number {
  return 1 + ((id.length + epoch * 7 + seq * 5) % 4);
}

export function keyOf({ id, epoch, seq }: Place): string {
  return `${id}/${epoch}/${seq}`;
}
