// A file on disk as a source: one descriptor, opened once and asked for everything, so that what is announced and what is
// sent are the same file whatever happens to its name.

import { type BigIntStats, closeSync, constants, fstatSync, open, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { type BytePull, type Chunk, once } from "../bytes/byte-pull.ts";
import { TailraceError } from "../errors.ts";
import { mediaTypeOf } from "../http/media-types.ts";
import type { FileSource } from "../reply/file-source.ts";
import { report } from "../trace.ts";
import { closedFile, type Descriptor, DescriptorPull } from "./descriptor-pull.ts";
import { isRecentFile, onMainThread, rememberFile, SMALL_FILE_BYTES } from "./recent-files.ts";

/** A file on disk, open until the reply that it is given to has ended. */
export interface DiskFile extends FileSource {
  readonly type: string;
  readonly name: string;
  /** Strong: made of device, inode, size and the times of change in nanoseconds. */
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export interface DiskFileOptions {
  /** The media type. Default: by the name. */
  readonly type?: string | undefined;
  /** The name to save it under. Default: the last part of the path. */
  readonly name?: string | undefined;
}

/** Without O_NONBLOCK a named pipe would hold a thread until somebody writes to it. Windows has neither. */
const FLAGS = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/** What the file system says of a name that cannot be served. To tell them apart would tell what is there. */
const NOT_FOUND = new Set([
  "EACCES",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
  "ERR_INVALID_ARG_VALUE", // a NUL in the name
]);

/**
 * Opens a file and looks at what was opened. Give it to `file`, which closes it; one that is given to nobody has to be
 * closed by `close()`. A file of at most 64 KiB on a local disk that was opened within the last 10 s is opened and read on the main
 * thread, any other in the thread pool.
 *
 * @throws {TailraceError} `not_found` if there is no regular file of that name that can be read; `store_unavailable` (503) if
 *   the process or the disk cannot open one now.
 */
export async function diskFile(path: string, options: DiskFileOptions = {}): Promise<DiskFile> {
  const opening = openDescriptor(path);
  const opened = opening instanceof Promise ? await opening : opening;
  // fstat of an open file asks the kernel's memory and not the disk: a trip to the thread pool would cost more than the call.
  const stat = fstatSync(opened.fd, { bigint: true });
  return sourceOf(opened, stat, tagOf(stat), options.name ?? basename(path), options.type);
}

/** A name that was opened. */
export interface Opened {
  readonly fd: number;
  readonly path: string;
  /** Opened on the main thread: see `recent-files.ts`. */
  readonly isRecent: boolean;
}

/** @throws {TailraceError} as {@link diskFile} */
export function openDescriptor(path: string): Opened | Promise<Opened> {
  if (isRecentFile(path)) {
    try {
      return { fd: onMainThread(() => openSync(path, FLAGS)), path, isRecent: true };
    } catch (error) {
      throw faultOf(error as NodeJS.ErrnoException);
    }
  }
  return new Promise((resolve, reject) => {
    const done = (error: NodeJS.ErrnoException | null, fd: number): void => {
      if (error === null) resolve({ fd, path, isRecent: false });
      else reject(faultOf(error));
    };
    try {
      open(path, FLAGS, done);
    } catch (error) {
      reject(faultOf(error as NodeJS.ErrnoException));
    }
  });
}

function faultOf(error: NodeJS.ErrnoException): Error {
  if (NOT_FOUND.has(error.code ?? "")) return notFound(error);
  if (error.code === undefined || error.code === "ERR_INVALID_ARG_TYPE") return error;
  return new TailraceError("store_unavailable", `The file cannot be opened now (${error.code}); try again later.`, {
    cause: error,
  });
}

/** The one answer for what is missing and what is refused. */
export function notFound(cause?: unknown): TailraceError {
  return new TailraceError("not_found", "There is no such file.", cause === undefined ? {} : { cause });
}

/**
 * The source over what was opened, which is closed here if it is no regular file.
 *
 * @throws {TailraceError} `not_found` for what is no regular file
 */
export function sourceOf(
  opened: Opened,
  stat: BigIntStats,
  tag: string,
  name: string,
  type: string | undefined,
): DiskFile {
  const { fd } = opened;
  if (!stat.isFile()) {
    closeNow(fd);
    throw notFound();
  }
  const size = Number(stat.size);
  rememberFile(opened.path, stat.dev, size);
  const described = {
    size,
    type: type ?? mediaTypeOf(name),
    name,
    etag: tag,
    lastModifiedMs: Number(stat.mtimeNs / 1_000_000n),
  };
  if (opened.isRecent && size <= SMALL_FILE_BYTES) return { ...described, ...readNow(fd, size) };
  const descriptor = own(fd);
  const source: DiskFile = {
    ...described,
    read: (start, end): BytePull => new DescriptorPull(source, descriptor, start, end),
    close: () => descriptor.close(),
  };
  forgotten.register(source, descriptor, descriptor);
  return source;
}

/** The strong entity tag of an open file. */
export function tagOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `"${dev.toString(36)}-${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}-${ctimeNs.toString(36)}"`;
}

/** The whole of a small file, whose descriptor is closed at once. */
function readNow(fd: number, size: number): Pick<DiskFile, "read" | "close"> {
  let bytes: Chunk | undefined;
  try {
    bytes = onMainThread(() => readWhole(fd, size));
  } catch (error) {
    throw faultOf(error as NodeJS.ErrnoException);
  } finally {
    closeNow(fd);
  }
  return {
    read(start, end) {
      if (bytes === undefined) throw closedFile();
      // A copy for a part: whoever reads it through a web stream may transfer its buffer, and with it the other parts.
      return once(start === 0 && end >= bytes.byteLength ? bytes : bytes.slice(start, end));
    },
    close() {
      bytes = undefined;
    },
  };
}

/** Less than `size` if the file became shorter; whoever knows what was announced tells. */
function readWhole(fd: number, size: number): Chunk {
  // Not out of Node's own pool: see above.
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const count = readSync(fd, bytes, at, size - at, at);
    if (count === 0) break;
    at += count;
  }
  return at === size ? bytes : bytes.subarray(0, at);
}

/** The last resort for a source that nobody reads and nobody closes, such as that of a Response that was thrown away. */
const forgotten = new FinalizationRegistry<Descriptor>((descriptor) => descriptor.close());

/** A descriptor that is closed once, and never while a read is under way: the kernel would give its number to another file. */
function own(fd: number): Descriptor {
  let readCount = 0;
  let isClosing = false;
  const descriptor: Descriptor = {
    fd,
    get isClosed() {
      return isClosing;
    },
    begin() {
      readCount++;
    },
    end() {
      readCount--;
      if (isClosing && readCount === 0) closeNow(fd);
    },
    close() {
      if (isClosing) return;
      isClosing = true;
      forgotten.unregister(descriptor);
      if (readCount === 0) closeNow(fd);
    },
  };
  return descriptor;
}

/** To close what was only read writes nothing and waits for nothing, so it needs no trip to the thread pool either. */
export function closeNow(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    report("disk-file", error);
  }
}
