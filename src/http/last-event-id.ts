// The Last-Event-ID of a reader that comes back.

/** The longest Last-Event-ID that is looked at, in bytes. */
export const MAX_LAST_EVENT_ID_BYTES = 1_024;

/** What the header holds: nothing, text that may be an id, or bytes that no server ever gave out as one. */
export type LastEventId =
  | { readonly kind: "none" }
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "malformed" };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the `Last-Event-ID` header (HTML section 9.2.3: the id as UTF-8). An empty one counts as none. */
export function readLastEventId(headers: Headers): LastEventId {
  const raw = headers.get("last-event-id");
  if (raw === null || raw === "") return { kind: "none" };
  if (raw.length > MAX_LAST_EVENT_ID_BYTES) return { kind: "malformed" };
  const bytes = new Uint8Array(raw.length);
  for (let index = 0; index < raw.length; index++) {
    const byte = raw.charCodeAt(index);
    if (byte === 0 || byte === 10 || byte === 13 || byte > 255) return { kind: "malformed" };
    bytes[index] = byte; // a header value is a byte string: each character is one byte of the UTF-8
  }
  try {
    return { kind: "id", id: decoder.decode(bytes) };
  } catch {
    return { kind: "malformed" };
  }
}
