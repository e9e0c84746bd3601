// Uploads that this browser began and did not finish: what is left in its storage after a reload.

/** What the client's store of uploads puts before its keys. */
const PREFIX = "tailrace.upload:";
/** The newest of these are shown; the client itself keeps at most 100. */
export const MAX_REMEMBERED_COUNT = 10;

export interface RememberedUpload {
  /** The key in the storage. */
  readonly key: string;
  /** Where the server keeps what it has. */
  readonly url: string;
  /** The last step of that address, which also names the progress stream. */
  readonly id: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly savedAtMs: number;
}

/** The part of the browser's storage that is read. */
type Texts = Pick<Storage, "length" | "key" | "getItem">;

/** All entries as one text, so that two looks at a storage that did not change are equal. */
export function readRemembered(storage: Texts): string {
  const entries: [string, string][] = [];
  for (let index = 0; index < storage.length; index++) {
    const key = storage.key(index);
    if (key?.startsWith(PREFIX) === true) entries.push([key, storage.getItem(key) ?? ""]);
  }
  return JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The uploads to `target` in what {@link readRemembered} gave, newest first. Parts of a split file are left out. */
export function parseRemembered(text: string, target: string): readonly RememberedUpload[] {
  const entries = text === "" ? [] : (JSON.parse(text) as [string, string][]);
  return entries
    .flatMap(([key, value]) => parseEntry(key, value, target) ?? [])
    .toSorted((a, b) => b.savedAtMs - a.savedAtMs)
    .slice(0, MAX_REMEMBERED_COUNT);
}

/** Undefined for what somebody else wrote, or another version did. */
function parseEntry(key: string, value: string, target: string): RememberedUpload | undefined {
  const [address, name, totalBytes] = asArray(parse(key.slice(PREFIX.length)));
  const { url, savedAt } = asFields(parse(value));
  if (address !== target || typeof name !== "string" || typeof totalBytes !== "number") return undefined;
  if (typeof url !== "string") return undefined;
  const id = /\/([^/?#]+)$/.exec(url)?.[1];
  if (id === undefined) return undefined;
  return { key, url, id, name, totalBytes, savedAtMs: typeof savedAt === "number" ? savedAt : 0 };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
