// Which files are opened and read on the main thread: small ones on a local disk that were opened a moment ago, so that the
// kernel has them in memory. A trip to the thread pool costs ten times what such a file does. decisions/019.

import { statfs } from "node:fs";

/** The largest file that is read on the main thread, in bytes. */
export const SMALL_FILE_BYTES = 65_536;

/** How long after it was opened the kernel is believed to have a file in memory, in milliseconds. */
export const RECENT_MS = 10_000;

/** How many paths are remembered. */
export const MAX_RECENT_FILES = 4_096;

/** How many devices are remembered. */
export const MAX_DEVICES = 64;

/** A call that takes longer was held up, in milliseconds: by a disk, or by a busy processor. */
export const SLOW_MS = 5;

/** So much may be lost to slow calls in one second, in milliseconds; then nothing is called here for {@link DISTRUST_MS}. */
export const MAX_LOST_MS = 250;

/** In milliseconds. */
export const DISTRUST_MS = 10_000;

/**
 * `f_type` of file systems that answer from this machine's memory what they answered before: ext2 to ext4, XFS, Btrfs, ZFS, F2FS, overlayfs,
 * tmpfs, ramfs, EROFS, SquashFS. None behind a network or another process (NFS, CIFS, 9P, FUSE), which may ask again, or hang.
 */
const LOCAL_TYPES = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x794c7630, 0x01021994, 0x858458f6, 0xe0f5e1e2, 0x73717368,
]);

const recent = new Map<string, { untilMs: number }>();
const devices = new Map<bigint, boolean>();
let distrustedUntilMs = 0;
let windowEndMs = 0;
let lostMs = 0;

/** Whether `path` may be opened, and what is small there be read, on the main thread. */
export function isRecentFile(path: string): boolean {
  const found = recent.get(path);
  if (found === undefined) return false;
  const nowMs = performance.now();
  return nowMs < found.untilMs && nowMs >= distrustedUntilMs;
}

/** A regular file was opened at `path`, and is on the device `dev`. */
export function rememberFile(path: string, dev: bigint, bytes: number): void {
  if (bytes > SMALL_FILE_BYTES) {
    recent.delete(path);
    return;
  }
  const isLocal = devices.get(dev);
  if (isLocal === undefined) askDevice(path, dev);
  if (isLocal !== true) return;
  const untilMs = performance.now() + RECENT_MS;
  const found = recent.get(path);
  if (found !== undefined) {
    found.untilMs = untilMs;
    return;
  }
  if (recent.size >= MAX_RECENT_FILES) {
    for (const oldest of recent.keys()) {
      recent.delete(oldest);
      break;
    }
  }
  recent.set(path, { untilMs });
}

/** Makes `calls` to the file system, and learns from how long they take. */
export function onMainThread<T>(calls: () => T): T {
  const begunMs = performance.now();
  try {
    return calls();
  } finally {
    const nowMs = performance.now();
    if (nowMs - begunMs > SLOW_MS) lose(nowMs - begunMs, nowMs);
  }
}

function lose(ms: number, nowMs: number): void {
  if (nowMs > windowEndMs) {
    windowEndMs = nowMs + 1_000;
    lostMs = 0;
  }
  lostMs += ms;
  if (lostMs > MAX_LOST_MS) distrustedUntilMs = nowMs + DISTRUST_MS;
}

/** Believes nothing any more. */
export function forgetFiles(): void {
  recent.clear();
  devices.clear();
  distrustedUntilMs = windowEndMs = lostMs = 0;
}

/** Once per device, and without waiting: until the answer is there its files go through the thread pool. */
function askDevice(path: string, dev: bigint): void {
  if (devices.size >= MAX_DEVICES) devices.clear();
  devices.set(dev, false);
  // The numbers are those of Linux; elsewhere nothing says whether a file system is local.
  if (process.platform !== "linux") return;
  statfs(path, (error, found) => {
    if (error === null) devices.set(dev, LOCAL_TYPES.has(found.type));
    else devices.delete(dev);
  });
}
