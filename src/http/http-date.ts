// HTTP dates (RFC 9110 section 5.6.7): the three formats that are read, and the one that is written.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const SHORT_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";

/** Names of days and months are case-sensitive (section 5.6.7), and nothing may stand around the date. */
const FORMATS: readonly RegExp[] = [
  new RegExp(String.raw`^${SHORT_DAY}, (?<day>\d{2}) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`), // IMF-fixdate
  new RegExp(String.raw`^${LONG_DAY}, (?<day>\d{2})-${MONTH}-(?<year>\d{2}) ${TIME} GMT$`), // rfc850-date
  new RegExp(String.raw`^${SHORT_DAY} ${MONTH} (?<day>\d{2}| \d) ${TIME} (?<year>\d{4})$`), // asctime-date
];

/** A two-digit year that seems more than this far ahead is of the last century (RFC 9110 section 5.6.7). */
const AHEAD_YEARS = 50;

/**
 * The whole seconds since the epoch that `value` names, or undefined if it is no HTTP date. A day of the week that does
 * not fit the date is let pass: it carries nothing.
 *
 * @param nowMs what a two-digit year is measured against, in milliseconds since the epoch
 */
export function parseHttpDate(value: string, nowMs: number = Date.now()): number | undefined {
  for (const format of FORMATS) {
    const groups = format.exec(value)?.groups;
    if (groups !== undefined) return secondsOf(groups, nowMs);
  }
  return undefined;
}

function secondsOf(groups: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const { year = "", month = "", day = "", hour = "", minute = "", second = "" } = groups;
  const full = year.length === 2 ? fullYear(Number(year), nowMs) : Number(year);
  const date = new Date(0);
  date.setUTCFullYear(full, MONTHS.indexOf(month), Number(day));
  if (date.getUTCDate() !== Number(day)) return undefined; // as in "31 Feb"
  // 60 is a leap second, which the grammar allows.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  return date.setUTCHours(Number(hour), Number(minute), Number(second)) / 1_000;
}

function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + AHEAD_YEARS ? year - 100 : year;
}

let formatted: { readonly seconds: number; readonly text: string } | undefined;

/** The time as an IMF-fixdate, for whole seconds since the epoch. The last one is remembered: files are asked for in a row. */
export function formatHttpDate(seconds: number): string {
  if (formatted?.seconds !== seconds) formatted = { seconds, text: new Date(seconds * 1_000).toUTCString() };
  return formatted.text;
}
