// The rule that makes a sender's file name safe to be one name in a folder, on every system.

/** What stays free under the usual 255 bytes of a name: for a counter, and for the suffix of a temporary name. */
const MAX_NAME_BYTES = 240;
/** An extension longer than this is no extension. */
const MAX_EXTENSION_BYTES = 32;

// Controls (C0, DEL, C1), what Windows forbids, and what turns text round or hides it: `exe.txt` must not be shown as `txt.exe`.
const FORBIDDEN =
  // oxlint-disable-next-line no-control-regex -- they are what is to be replaced
  /[\u0000-\u001F\u007F-\u009F<>:"|?*\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF0-\uFFFF]/g;

/** Names of devices, whatever their extension: Windows opens the printer for `lpt1.txt`. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)(?=[ .]*(?:\.|$))/i;

/**
 * A name that cannot be a path, hide or clash with the system: what stands behind the last `/` or `\`, in Unicode's composed form, with
 * controls, `< > : " | ? *`, text-direction and invisible characters replaced by `_`, without dots and spaces at its ends (a dot in front
 * becomes `_`), device names marked with `_`, at most 240 bytes of UTF-8 with its extension kept. What nothing is left of is `file`.
 * Applied twice it gives the same.
 */
export function safeName(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  let safe = trimEnds(base.toWellFormed().normalize("NFC").replace(FORBIDDEN, "_").replaceAll("\uFFFD", "_"));
  if (safe.startsWith(".")) safe = `_${safe.replace(/^[. ]+/, "")}`;
  if (safe === "" || /^_+$/.test(safe)) return "file";
  if (DEVICE.test(safe)) safe = `_${safe}`;
  return shorten(safe);
}

/** The name with a number in it, for when it is taken: `report (2).pdf`. */
export function numberedName(name: string, count: number): string {
  const [stem, extension] = splitName(name);
  return `${stem} (${count})${extension}`;
}

/** Windows drops dots and spaces at the end of a name; spaces in front only mislead. */
function trimEnds(name: string): string {
  const trimmed = name.trim();
  let end = trimmed.length;
  // A regular expression would take quadratic time for a name that is made of dots.
  while (end > 0 && (trimmed[end - 1] === "." || trimmed[end - 1]?.trim() === "")) end--;
  return trimmed.slice(0, end);
}

function splitName(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  return byteLength(extension) > MAX_EXTENSION_BYTES
    ? [name, ""]
    : [name.slice(0, name.length - extension.length), extension];
}

function shorten(name: string): string {
  if (byteLength(name) <= MAX_NAME_BYTES) return name;
  const [stem, extension] = splitName(name);
  const room = MAX_NAME_BYTES - byteLength(extension);
  const bytes = new TextEncoder().encode(stem);
  let end = room;
  // 10xxxxxx continues a character: cut before it begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return trimEnds(new TextDecoder().decode(bytes.subarray(0, end))) + extension;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
