// Where unfinished uploads are remembered, so that the same file goes on after a reload.

/** A place for short texts by key. One that throws or rejects counts as empty. */
export interface UploadStore {
  get(key: string): string | null | Promise<string | null>;
  set(key: string, value: string): void | Promise<void>;
  remove(key: string): void | Promise<void>;
}

const PREFIX = "tailrace.upload:";
/** How many unfinished uploads `localStorage` keeps; the oldest go first. 100. */
export const MAX_STORED_UPLOADS: number = 100;

/** The page's `localStorage`; null where there is none or it is shut. */
function pageStorage(): Storage | null {
  try {
    return (globalThis as { readonly localStorage?: Storage }).localStorage ?? null;
  } catch {
    // A page without access to its storage throws on the mere look.
    return null;
  }
}

/** The store over `localStorage`; null where there is none. */
export function localUploadStore(storage: Storage | null = pageStorage()): UploadStore | null {
  if (storage === null) return null;
  return {
    get: (key) => storage.getItem(PREFIX + key),
    set(key, value) {
      storage.removeItem(PREFIX + key);
      prune(storage, MAX_STORED_UPLOADS - 1);
      storage.setItem(PREFIX + key, value);
    },
    remove: (key) => storage.removeItem(PREFIX + key),
  };
}

/** Removes the oldest beyond `maxCount`. */
function prune(storage: Storage, maxCount: number): void {
  const kept: { readonly key: string; readonly savedAt: number }[] = [];
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index);
    if (key?.startsWith(PREFIX) === true) kept.push({ key, savedAt: savedAtOf(storage.getItem(key)) });
  }
  kept.sort((a, b) => b.savedAt - a.savedAt);
  for (const { key } of kept.slice(maxCount)) storage.removeItem(key);
}

function savedAtOf(value: string | null): number {
  return readEntry(value)?.savedAt ?? 0;
}

interface Entry {
  readonly url: string;
  readonly savedAt: number;
}

function readEntry(value: string | null): Entry | undefined {
  try {
    const entry = JSON.parse(value ?? "null") as Partial<Entry> | null;
    if (typeof entry?.url === "string") return { url: entry.url, savedAt: Number(entry.savedAt) || 0 };
  } catch {
    // Not ours, or damaged: as if it were not there.
  }
  return undefined;
}

/** The fingerprints that uploads of this page hold: the same file, added twice, must not send into one upload. */
const claimed = new Set<string>();

/** One upload's memory of its address. Without a store or a fingerprint it remembers nothing. */
export class UploadMemory {
  readonly #store: UploadStore | null;
  readonly #key: string | null;
  #isClaimed = false;
  #wasClaimed = false;

  constructor(store: UploadStore | null, key: string | null) {
    this.#store = store;
    this.#key = store === null ? null : key;
  }

  /** The address of the unfinished upload, which is now this upload's to go on with. */
  async claim(): Promise<string | undefined> {
    const key = this.#key;
    if (key === null || this.#isClaimed || claimed.has(key)) return undefined;
    claimed.add(key);
    this.#isClaimed = this.#wasClaimed = true;
    return readEntry(await this.#quietly(async (store) => store.get(key)))?.url;
  }

  async save(url: string): Promise<void> {
    const value = JSON.stringify({ url, savedAt: Date.now() } satisfies Entry);
    if (this.#isClaimed) await this.#quietly(async (store, key) => store.set(key, value));
  }

  async forget(): Promise<void> {
    // Once it is let go it may belong to another upload by now.
    const isOurs = this.#isClaimed || (this.#wasClaimed && !claimed.has(this.#key ?? ""));
    if (isOurs) await this.#quietly(async (store, key) => store.remove(key));
  }

  /** Lets another upload go on. */
  release(): void {
    if (this.#isClaimed && this.#key !== null) claimed.delete(this.#key);
    this.#isClaimed = false;
  }

  /** A store that is full or shut costs the resume after a reload, not the upload. */
  async #quietly<R>(ask: (store: UploadStore, key: string) => Promise<R>): Promise<R | null> {
    if (this.#store === null || this.#key === null) return null;
    try {
      return await ask(this.#store, this.#key);
    } catch {
      return null;
    }
  }
}

/** What a File is remembered by; null for a Blob, which has no name to be found again by. */
export function fingerprintOf(url: string, file: Blob): string | null {
  if (typeof File === "undefined" || !(file instanceof File)) return null;
  return JSON.stringify([url, file.name, file.size, file.lastModified]);
}
