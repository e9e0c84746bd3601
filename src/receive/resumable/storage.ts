// What a place for resumable uploads must do. The rules in MUST words are in docs/resumable-uploads.md, the suite in
// testing/upload-storage-contract.ts.

/** An upload as it is created. */
export interface NewUpload {
  /** Made by `newUploadId`: 32 hexadecimal digits. */
  readonly id: string;
  /** The size of the whole, in bytes; undefined while the sender does not know it. */
  readonly lengthBytes?: number | undefined;
  /** What the sender said about it (`filename`, `filetype` and so on), as text. Untrusted. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the protocol handlers keep for themselves. */
  readonly notes: Readonly<Record<string, string>>;
  /** One of several parts that are to be concatenated: never delivered by itself. */
  readonly isPartial: boolean;
  readonly createdAtMs: number;
  /** When an upload that is not complete may be removed, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * `receiving`: more bytes may come. `completing`: all bytes are there and are being delivered; after a crash the delivery is made again.
 * `complete`: delivered.
 */
export type UploadPhase = "receiving" | "completing" | "complete";

/** An upload as it stands. */
export interface UploadInfo extends NewUpload {
  /** How many bytes have been stored, without a hole. */
  readonly offset: number;
  /** False once they were taken away or dropped after all had come: then `offset` stays what it was. */
  readonly hasBytes: boolean;
  readonly phase: UploadPhase;
  /** Header fields that the delivery gave, told again to a sender that missed the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface AppendOptions {
  /** Called with the new offset whenever bytes have been stored. Must not throw. */
  readonly onStored?: ((offset: number) => void) | undefined;
  /**
   * Called once all chunks have come. Given, the append is all or nothing: when the check throws or the chunks break off, none of them is
   * kept.
   */
  readonly check?: (() => void | Promise<void>) | undefined;
}

/**
 * A place for uploads. Calls that change one upload are made one after another by the handlers in one process; `head` and `sweep` may
 * come at any time, and so may calls from another process.
 *
 * Every call on an upload that is not there fails with `not_found`, except where told otherwise.
 */
export interface UploadStorage {
  /** The same for all objects over the same place in one process, as in `disk:/var/uploads`: requests for one upload meet by it. */
  readonly place: string;

  /** Makes an empty upload. Once it resolves, the upload survives the end of the process. */
  create(upload: NewUpload): Promise<void>;

  /** The upload as it stands; undefined if it is not there. */
  head(id: string): Promise<UploadInfo | undefined>;

  /**
   * Stores `chunks` from `offset` on and gives the new offset. When the chunks throw, what came before is kept (unless there is a
   * `check`) and the error is thrown on, after the last write has settled.
   *
   * @throws {TailraceError} `conflict` with `details.offset` if `offset` is not where the upload ends.
   */
  append(id: string, offset: number, chunks: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<number>;

  /** Says how long the whole is. @throws {TailraceError} `conflict` if another length is known. */
  setLength(id: string, lengthBytes: number): Promise<void>;

  /** Moves to `phase`, from which nothing can be appended; `headers` are kept for later `head`s. */
  finish(
    id: string,
    phase: Exclude<UploadPhase, "receiving">,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void>;

  /** Makes `upload` out of the bytes of others, in their order. The others stay as they are. Gives its length. */
  concat(upload: NewUpload, partIds: readonly string[]): Promise<number>;

  /** The bytes that are stored, in order, from `offset` (default 0) on. */
  read(id: string, offset?: number): AsyncIterable<Uint8Array<ArrayBuffer>>;

  /** Removes the bytes of an upload that is `completing` or `complete`, and keeps what is known of it. */
  dropBytes(id: string): Promise<void>;

  /** Removes the upload and its bytes. Gives whether it was there. */
  remove(id: string): Promise<boolean>;

  /**
   * Removes the uploads for which {@link isSweepable} holds, and gives them. What a crash left half made is removed too, and what is known of
   * complete uploads without bytes that are past their time. The bytes of a complete upload are never touched.
   */
  sweep(nowMs: number): Promise<readonly UploadInfo[]>;
}

/**
 * Whether a sweep at `nowMs` removes `upload`. One that is being delivered is given as long again as it had to arrive: its delivery may
 * have failed for now, and its bytes are all there.
 */
export function isSweepable(upload: Pick<UploadInfo, "phase" | "createdAtMs" | "expiresAtMs">, nowMs: number): boolean {
  if (upload.phase === "complete") return false;
  if (upload.phase === "receiving") return upload.expiresAtMs <= nowMs;
  return 2 * upload.expiresAtMs - upload.createdAtMs <= nowMs;
}
