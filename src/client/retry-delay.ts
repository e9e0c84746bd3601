// How long to wait before the next attempt: exponential back-off with jitter, and the server's Retry-After.

/** The longest `Retry-After` that is obeyed: 10 minutes. A longer one is taken as this. */
export const MAX_RETRY_AFTER_MS: number = 600_000;

/** Limits of the back-off. */
export interface DelayLimits {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * The delay before the attempt that follows `attempt` lost ones (1 or more): evenly spread between `minDelayMs` and
 * `baseMs` doubled `attempt` times, at most `maxDelayMs`. Spread, so that a thousand readers of a server that restarts
 * do not come back in one instant.
 */
export function retryDelayMs(attempt: number, baseMs: number, limits: DelayLimits, random: number): number {
  const { minDelayMs, maxDelayMs } = limits;
  // 2 ** 31 times any base is past every sensible maximum; the cap keeps the product finite.
  const ceiling = Math.min(maxDelayMs, Math.max(baseMs, minDelayMs) * 2 ** Math.min(attempt, 31));
  return Math.round(minDelayMs + random * Math.max(0, ceiling - minDelayMs));
}

const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;
const WITH_ZONE = /^[A-Z][a-z]+, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2}(?:\d{2})? \d{2}:\d{2}:\d{2} GMT$/;

/** Milliseconds since 1970 of an HTTP-date in any of its three forms (RFC 9110, section 5.6.7), or undefined. */
function parseHttpDate(value: string): number | undefined {
  const text = ASCTIME.test(value) ? `${value} GMT` : WITH_ZONE.test(value) ? value : undefined;
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Milliseconds that a `Retry-After` asks for (RFC 9110, section 10.2.3: seconds, or an HTTP-date), between 0 and
 * {@link MAX_RETRY_AFTER_MS}; undefined when there is none or it is malformed. A date is measured against the response's
 * own `Date` where that is readable, as the two clocks may differ.
 */
export function parseRetryAfterMs(value: string | null, date: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  const due = parseHttpDate(text);
  if (due === undefined) return undefined;
  const from = (date === null ? undefined : parseHttpDate(date.trim())) ?? now;
  return Math.min(Math.max(0, due - from), MAX_RETRY_AFTER_MS);
}
