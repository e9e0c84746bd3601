// Sizes, rates, times and states of files that move, in words.

const UNITS = ["kB", "MB", "GB", "TB"] as const;

const MINUTE_S = 60;
const HOUR_S = 3_600;
/** A longer estimate than this is no estimate: four days. */
const MAX_ESTIMATE_S = 345_600;

/** 1,000 bytes are a kB. One decimal below 100, so that a bar of a large file moves in words too. */
export function sizeWords(bytes: number): string {
  if (bytes < 1_000) return bytes === 1 ? "1 byte" : `${Math.max(0, Math.round(bytes))} bytes`;
  let value = bytes;
  let unit = "";
  for (unit of UNITS) {
    value /= 1_000;
    // What would be written as 1000 is 1.0 of the next unit.
    if (value < 999.5) break;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Empty while nothing moves. */
export function rateWords(bytesPerSecond: number): string {
  return bytesPerSecond > 0 ? `${sizeWords(bytesPerSecond)}/s` : "";
}

/** Rounded up, so that it never promises too much. Empty while it cannot be told. */
export function remainingWords(remainingMs: number | null | undefined): string {
  if (remainingMs === null || remainingMs === undefined || !Number.isFinite(remainingMs)) return "";
  const seconds = Math.ceil(remainingMs / 1_000);
  if (seconds <= 3) return "a few seconds left";
  if (seconds > MAX_ESTIMATE_S) return "more than 4 days left";
  if (seconds < MINUTE_S) return `${seconds} s left`;
  if (seconds < 10 * MINUTE_S) return `${pair(seconds, MINUTE_S, "min", 1, "s")} left`;
  // From here on seconds are noise.
  if (seconds <= 59 * MINUTE_S) return `${Math.ceil(seconds / MINUTE_S)} min left`;
  return `${pair(seconds, HOUR_S, "h", MINUTE_S, "min")} left`;
}

function pair(seconds: number, bigS: number, bigUnit: string, smallS: number, smallUnit: string): string {
  const smalls = Math.ceil(seconds / smallS);
  const perBig = bigS / smallS;
  const rest = smalls % perBig;
  const big = `${Math.floor(smalls / perBig)} ${bigUnit}`;
  return rest === 0 ? big : `${big} ${rest} ${smallUnit}`;
}

/** How much of how much; of an unknown whole only how much. */
export function amountWords(bytes: number, totalBytes: number | null | undefined): string {
  if (totalBytes === null || totalBytes === undefined) return sizeWords(bytes);
  return `${sizeWords(Math.min(bytes, totalBytes))} of ${sizeWords(totalBytes)}`;
}

/** A position in a film: `0:07`, `12:40`, `1:02:03`. */
export function positionWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR_S);
  const minutes = Math.floor((whole % HOUR_S) / MINUTE_S);
  const tail = String(whole % MINUTE_S).padStart(2, "0");
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
}

/** What joins the parts of a line; those that have nothing to say are left out. */
export function lineWords(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}

/** The state of an upload as the server tells it (`GET /api/uploads/{id}/progress`). */
export function progressWords(state: string, code: string | null | undefined): string {
  switch (state) {
    case "created":
      return "About to begin";
    case "receiving":
      return "Arriving";
    case "stalled":
      return "Nothing arrives now";
    case "verifying":
      return "Being checked";
    case "complete":
      return "Complete";
    case "expired":
      return "Given up: nothing came for too long";
    case "failed":
      return `Failed: ${codeWords(code)}`;
    default:
      return state;
  }
}

/** Why an upload failed on the server; that of the file's owner comes with more words. */
function codeWords(code: string | null | undefined): string {
  switch (code) {
    case "limit_exceeded":
      return "it is larger than this server takes";
    case "decode_failed":
      return "it is damaged or was cut short";
    case "aborted":
    case "closed":
      return "the sender left";
    case "input_invalid":
      return "this server does not take it";
    case null:
    case undefined:
      return "the server did not say why";
    default:
      return code.replaceAll("_", " ");
  }
}
