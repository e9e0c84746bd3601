// The replies that are being read now, so that a shutdown can end them instead of hanging on them.

/** A reply that a shutdown can end. */
export interface OpenReply {
  /** Ends it in good order where its format lets the reader come back; otherwise leaves it running. */
  wind(): void;
  /** Cuts it. */
  cut(): void;
}

const KEY: unique symbol = Symbol.for("tailrace.open-replies.1");

/** On `globalThis`, since a bundler may load this module several times in one process (Next.js does). */
export function openReplies(): Set<OpenReply> {
  const home = globalThis as { [KEY]?: Set<OpenReply> };
  return (home[KEY] ??= new Set());
}
