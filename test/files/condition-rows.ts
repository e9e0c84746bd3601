// What the preconditions come to, row by row. The file has the strong tag "v1", or another where the row says so, and was
// modified at MODIFIED.

/** Sun, 06 Nov 1994 08:49:37 GMT, the date of the RFC's own examples; 700 ms past it on disk. */
export const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";
export const MODIFIED_MS = 784_111_777_700;

const RFC850 = "Sunday, 06-Nov-94 08:49:37 GMT";
const ASCTIME = "Sun Nov  6 08:49:37 1994";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";

/** What a row's file has. */
export type FileState = "strong" | "weak" | "date only" | "nothing";

export interface ConditionRow {
  readonly section: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  /** Default GET. */
  readonly method?: "HEAD" | "POST" | "PUT" | undefined;
  /** Default `strong`: a tag and a date. */
  readonly state?: FileState | undefined;
}

const row = (
  section: string,
  headers: Readonly<Record<string, string>>,
  status: number,
  more: Partial<ConditionRow> = {},
): ConditionRow => ({
  section,
  headers,
  status,
  ...more,
});

/** The same row for GET and for HEAD. */
const both = (
  section: string,
  headers: Readonly<Record<string, string>>,
  status: number,
  more: Partial<ConditionRow> = {},
): ConditionRow[] => [row(section, headers, status, more), row(section, headers, status, { ...more, method: "HEAD" })];

const INVALID_DATES = [
  "yesterday",
  "0",
  "784111777",
  "1994-11-06T08:49:37Z",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 94 08:49:37 GMT",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "Sun, 06 Nov 1994 08:49:37 +0000",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:00 GMT",
  "Sun, 31 Feb 1999 08:49:37 GMT",
  "Sun, 00 Nov 1994 08:49:37 GMT",
  "06 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37",
  "Sunday, 06-Nov-1994 08:49:37 GMT",
  "Sun Nov 6 08:49:37 1994",
  `${MODIFIED}, ${MODIFIED}`,
];

export const CONDITION_ROWS: readonly ConditionRow[] = [
  // 13.1.2 If-None-Match, weak comparison
  ...both("13.1.2", { "if-none-match": '"v1"' }, 304),
  ...both("13.1.2", { "if-none-match": 'W/"v1"' }, 304),
  ...both("13.1.2", { "if-none-match": "*" }, 304),
  ...both("13.1.2", { "if-none-match": '"v2"' }, 200),
  ...both("13.1.2", { "if-none-match": '"v2", "v1"' }, 304),
  ...both("13.1.2", { "if-none-match": '"v2","v1"' }, 304),
  ...both("13.1.2", { "if-none-match": '"v2" , W/"v1" , "v3"' }, 304),
  ...both("13.1.2", { "if-none-match": ',, "v1",' }, 304),
  row("13.1.2", { "if-none-match": '"V1"' }, 200),
  row("13.1.2", { "if-none-match": "v1" }, 200),
  row("13.1.2", { "if-none-match": 'w/"v1"' }, 200),
  row("13.1.2", { "if-none-match": 'W/ "v1"' }, 200),
  row("13.1.2", { "if-none-match": '"v1' }, 200),
  row("13.1.2", { "if-none-match": 'v1"' }, 200),
  row("13.1.2", { "if-none-match": '"v 1"' }, 200),
  row("13.1.2", { "if-none-match": '"v2" "v1"' }, 200),
  row("13.1.2", { "if-none-match": '"v2, v1"' }, 200),
  row("13.1.2", { "if-none-match": '"v2,", "v1"' }, 304),
  row("13.1.2", { "if-none-match": '*, "v2"' }, 200),
  row("13.1.2", { "if-none-match": "" }, 200),
  row("13.1.2", { "if-none-match": `"v1"${" ".repeat(8_000)}x` }, 200),
  row("13.1.2", { "if-none-match": `${'"x",'.repeat(1_000)}"v1"` }, 304),
  ...both("13.1.2", { "if-none-match": '"v1"' }, 304, { state: "weak" }),
  ...both("13.1.2", { "if-none-match": 'W/"v1"' }, 304, { state: "weak" }),
  row("13.1.2", { "if-none-match": '"v1"' }, 200, { state: "date only" }),
  row("13.1.2", { "if-none-match": "*" }, 304, { state: "nothing" }),
  row("13.1.2", { "if-none-match": '"v1"' }, 412, { method: "POST" }),
  row("13.1.2", { "if-none-match": "*" }, 412, { method: "PUT" }),
  row("13.1.2", { "if-none-match": '"v2"' }, 200, { method: "POST" }),
  // 13.1.1 If-Match, strong comparison
  ...both("13.1.1", { "if-match": '"v1"' }, 200),
  ...both("13.1.1", { "if-match": "*" }, 200),
  ...both("13.1.1", { "if-match": '"v2", "v1"' }, 200),
  ...both("13.1.1", { "if-match": '"v2"' }, 412),
  ...both("13.1.1", { "if-match": 'W/"v1"' }, 412),
  row("13.1.1", { "if-match": "v1" }, 412),
  row("13.1.1", { "if-match": '"V1"' }, 412),
  row("13.1.1", { "if-match": "" }, 412),
  row("13.1.1", { "if-match": '"v1"' }, 412, { state: "weak" }),
  row("13.1.1", { "if-match": 'W/"v1"' }, 412, { state: "weak" }),
  row("13.1.1", { "if-match": "*" }, 200, { state: "weak" }),
  row("13.1.1", { "if-match": '"v1"' }, 412, { state: "date only" }),
  row("13.1.1", { "if-match": "*" }, 200, { state: "nothing" }),
  row("13.1.1", { "if-match": '"v2"' }, 412, { method: "POST" }),
  row("13.1.1", { "if-match": '"v1"' }, 200, { method: "POST" }),
  // 13.1.3 If-Modified-Since
  ...both("13.1.3", { "if-modified-since": MODIFIED }, 304),
  ...both("13.1.3", { "if-modified-since": AFTER }, 304),
  ...both("13.1.3", { "if-modified-since": BEFORE }, 200),
  row("13.1.3", { "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" }, 304),
  row("13.1.3", { "if-modified-since": MODIFIED }, 304, { state: "date only" }),
  row("13.1.3", { "if-modified-since": MODIFIED }, 200, { state: "nothing" }),
  row("13.1.3", { "if-modified-since": MODIFIED }, 200, { method: "POST" }),
  row("13.1.3", { "if-modified-since": MODIFIED }, 200, { method: "PUT" }),
  ...INVALID_DATES.map((date) => row("13.1.3", { "if-modified-since": date }, 200)),
  row("5.6.7", { "if-modified-since": RFC850 }, 304),
  row("5.6.7", { "if-modified-since": ASCTIME }, 304),
  row("5.6.7", { "if-modified-since": "Sunday, 06-Nov-94 08:49:36 GMT" }, 200),
  row("5.6.7", { "if-modified-since": "Sun Nov  6 08:49:36 1994" }, 200),
  row("5.6.7", { "if-modified-since": "Sun Nov 16 08:49:36 1994" }, 304),
  row("5.6.7", { "if-modified-since": "Mon, 06 Nov 1994 08:49:37 GMT" }, 304), // the day of the week carries nothing
  // 13.1.4 If-Unmodified-Since
  ...both("13.1.4", { "if-unmodified-since": MODIFIED }, 200),
  ...both("13.1.4", { "if-unmodified-since": AFTER }, 200),
  ...both("13.1.4", { "if-unmodified-since": BEFORE }, 412),
  row("13.1.4", { "if-unmodified-since": BEFORE }, 412, { method: "POST" }),
  row("13.1.4", { "if-unmodified-since": BEFORE }, 200, { state: "nothing" }),
  row("13.1.4", { "if-unmodified-since": "Sunday, 06-Nov-94 08:49:36 GMT" }, 412),
  row("13.1.4", { "if-unmodified-since": "Sun Nov  6 08:49:36 1994" }, 412),
  ...INVALID_DATES.map((date) => row("13.1.4", { "if-unmodified-since": date }, 200)),
  // 13.2.2 the order
  row("13.2.2", { "if-match": '"v1"', "if-unmodified-since": BEFORE }, 200),
  row("13.2.2", { "if-match": '"v2"', "if-unmodified-since": AFTER }, 412),
  row("13.2.2", { "if-match": '"v1"', "if-none-match": '"v1"' }, 304),
  row("13.2.2", { "if-match": '"v2"', "if-none-match": '"v1"' }, 412),
  row("13.2.2", { "if-match": '"v1"', "if-modified-since": MODIFIED }, 304),
  row("13.2.2", { "if-unmodified-since": BEFORE, "if-none-match": '"v1"' }, 412),
  row("13.2.2", { "if-unmodified-since": AFTER, "if-none-match": '"v1"' }, 304),
  row("13.2.2", { "if-none-match": '"v2"', "if-modified-since": MODIFIED }, 200),
  row("13.2.2", { "if-none-match": '"v1"', "if-modified-since": BEFORE }, 304),
  row("13.2.2", { "if-none-match": "v1", "if-modified-since": MODIFIED }, 200),
  row("13.2.2", { "if-unmodified-since": BEFORE, "if-modified-since": MODIFIED }, 412),
  row("13.2.2", { "if-unmodified-since": MODIFIED, "if-modified-since": MODIFIED }, 304),
  // before the range
  row("13.2.2", { "if-none-match": '"v1"', range: "bytes=0-1" }, 304),
  row("13.2.2", { "if-none-match": '"v1"', range: "bytes=1000-" }, 304),
  row("13.2.2", { "if-match": '"v2"', range: "bytes=0-1" }, 412),
  row("13.2.2", { "if-match": '"v2"', range: "bytes=1000-" }, 412),
  row("13.2.2", { "if-match": '"v1"', range: "bytes=0-1" }, 206),
  row("13.2.2", { "if-match": '"v1"', range: "bytes=1000-" }, 416),
  row("13.2.2", { "if-none-match": '"v2"', range: "bytes=0-1" }, 206),
  row("13.2.2", { "if-modified-since": MODIFIED, range: "bytes=0-1" }, 304),
  row("13.2.2", { "if-modified-since": BEFORE, range: "bytes=0-1" }, 206),
  row("13.2.2", { "if-unmodified-since": BEFORE, range: "bytes=0-1" }, 412),
  row("13.2.2", { "if-match": '"v1"', "if-range": '"v2"', range: "bytes=0-1" }, 200),
  row("13.2.2", { "if-match": '"v2"', "if-range": '"v1"', range: "bytes=0-1" }, 412),
  // 13.1.5 If-Range
  row("13.1.5", { "if-range": '"v1"', range: "bytes=0-1" }, 206),
  row("13.1.5", { "if-range": '"v2"', range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": 'W/"v1"', range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": '"V1"', range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": "v1", range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": "*", range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": '"v2", "v1"', range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": "", range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": '"v1"', range: "bytes=0-1" }, 200, { state: "weak" }),
  row("13.1.5", { "if-range": 'W/"v1"', range: "bytes=0-1" }, 200, { state: "weak" }),
  row("13.1.5", { "if-range": '"v1"', range: "bytes=0-1" }, 200, { state: "date only" }),
  row("13.1.5", { "if-range": MODIFIED, range: "bytes=0-1" }, 206),
  row("13.1.5", { "if-range": RFC850, range: "bytes=0-1" }, 206),
  row("13.1.5", { "if-range": ASCTIME, range: "bytes=0-1" }, 206),
  row("13.1.5", { "if-range": BEFORE, range: "bytes=0-1" }, 200),
  row("13.1.5", { "if-range": AFTER, range: "bytes=0-1" }, 200), // exactly, and not merely not older
  row("13.1.5", { "if-range": MODIFIED, range: "bytes=0-1" }, 206, { state: "date only" }),
  row("13.1.5", { "if-range": MODIFIED, range: "bytes=0-1" }, 200, { state: "nothing" }),
  ...INVALID_DATES.map((date) => row("13.1.5", { "if-range": date, range: "bytes=0-1" }, 200)),
  row("13.1.5", { "if-range": '"v2"', range: "bytes=1000-" }, 200), // no 416 for a range that does not count
  row("13.1.5", { "if-range": '"v1"', range: "bytes=1000-" }, 416),
  row("13.1.5", { "if-range": '"v1"', range: "items=0-1" }, 200),
  row("13.1.5", { "if-range": '"v2"' }, 200), // without Range it is ignored
  row("13.1.5", { "if-range": '"v1"' }, 200),
  // 14.2: Range is for GET
  row("14.2", { range: "bytes=0-1" }, 200, { method: "HEAD" }),
  row("14.2", { range: "bytes=1000-" }, 200, { method: "HEAD" }),
  row("14.2", { range: "bytes=0-1", "if-range": '"v1"' }, 200, { method: "HEAD" }),
  row("14.2", { range: "bytes=0-1" }, 200, { method: "POST" }),
  row("14.2", { range: "bytes=1000-" }, 200, { method: "PUT" }),
];
