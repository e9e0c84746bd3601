// Where an upload goes: the contract between receiving and storing.

/** What a sink is told before the first byte. */
export interface SinkFileInfo {
  /** Made by the server; letters, digits, `-` and `_`. */
  readonly id: string;
  /** The sender's name for the file, made safe to be one name in a folder; absent if it gave none. */
  readonly name?: string | undefined;
  /** The media type, judged by the first bytes and not by what the sender says. */
  readonly type: string;
  /** The size, where it is known before. */
  readonly expectedBytes?: number | undefined;
}

/** What a sink is told at the end. */
export interface CommitInfo {
  readonly bytes: number;
  /** SHA-256 in hexadecimal; absent where it was not asked for. */
  readonly sha256?: string | undefined;
}

/** Where the file is kept now. */
export interface Stored {
  /** What the sink finds it by: the file's name in the folder, the key of the object. */
  readonly key: string;
  /** The file's path, where it is a file. */
  readonly path?: string | undefined;
}

/**
 * One file being stored. `write` comes any number of times, then `end` if there is one, then `commit`, each after the one before it has
 * settled. `abort` may come at any moment, also while one of them is under way, whose result is then not looked at any more.
 */
export interface SinkFile {
  /** Takes a chunk, which is the sink's from now on. A promise holds the sender back until it resolves. */
  write(chunk: Uint8Array): Promise<void> | void;
  /** All bytes have come: what is only needed for writing can be let go. Files of one form are ended one by one and committed together. */
  end?(): Promise<void>;
  /** Makes the file appear under its name, whole. */
  commit(info: CommitInfo): Promise<Stored>;
  /** Removes what was written. Comes after `commit` too, where another file of the same form failed. Must not leave anything behind. */
  abort(): Promise<void>;
}

/** Where uploads go. `diskSink`, `streamSink` and `memorySink` are some; any object with `open` is one. */
export interface Sink {
  open(file: SinkFileInfo): Promise<SinkFile>;
}
