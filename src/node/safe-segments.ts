// Which names of a path may be looked up at all, before the file system is asked.

/** The longest name of one file, in bytes of UTF-8: what file systems take. */
export const MAX_NAME_BYTES = 255;

/** The deepest path, in names. */
export const MAX_SEGMENTS = 64;

// Windows takes these for devices, whatever the extension and whatever spaces stand before it. Refused everywhere, so that a
// folder does not change its meaning when it moves.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(?:\.|$)/i;

// Control characters; separators; a colon (a drive, or an alternate data stream as in "a.txt::$DATA"); what no Windows name
// holds; and separators that are still encoded, which something behind us might decode once more.
// oxlint-disable-next-line no-control-regex -- these are the characters to be found
const FORBIDDEN = /[\u0000-\u001f\u007f\\/:*?"<>|]|%(?:2f|5c)/i;

/** The names in `path`, or undefined if it may not be looked up. No name at all is the folder itself. */
export function safeSegments(path: string | readonly string[], allowDotfiles: boolean): readonly string[] | undefined {
  const segments = typeof path === "string" ? (path === "" ? [] : path.split("/")) : path;
  if (segments.length > MAX_SEGMENTS) return undefined;
  return segments.every((name) => isSafe(name, allowDotfiles)) ? segments : undefined;
}

function isSafe(name: string, allowDotfiles: boolean): boolean {
  if (name === "" || name === "." || name === "..") return false;
  if (name.startsWith(".") && !allowDotfiles) return false;
  if (name.endsWith(".") || name.endsWith(" ") || name.startsWith(" ")) return false; // Windows drops them: another name
  if (FORBIDDEN.test(name) || DEVICE.test(name) || !name.isWellFormed()) return false;
  return name.length <= MAX_NAME_BYTES && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** Whether a path that the file system gave, relative to the folder, stays in it and shows nothing hidden. */
export function isInside(relativePath: string, allowDotfiles: boolean): boolean {
  const names = relativePath.split(/[\\/]/);
  if (names[0] === ".." || /^[a-z]:/i.test(relativePath) || relativePath.startsWith("/")) return false;
  return allowDotfiles || !names.some((name) => name.startsWith("."));
}
