// The sample database: what its tables hold. The rows are made by rule, so that every machine has the same ones.

import { oneOf, randomOf, wholeOf } from "./random.ts";

/** A value of the sample: what both SQLite and PostgreSQL have. */
export type Value = string | number | null;

/** How a column is declared; `time` is text in ISO 8601 in SQLite, and a timestamp in PostgreSQL. */
export type ColumnType = "whole" | "real" | "text" | "time" | "flag";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export interface SampleTable {
  readonly name: TableName;
  readonly rowCount: number;
  /** The first is `id`, the key: 1 to `rowCount`. */
  readonly columns: readonly Column[];
  /** What an export can be narrowed to: a column, and the values that it may have. */
  readonly filter: { readonly column: string; readonly values: readonly string[] };
  /** The values of the row with that id, in the order of the columns. */
  row(id: number): readonly Value[];
}

export type TableName = "users" | "orders" | "events";

const USERS = 50_000;
const ORDERS = 200_000;
const EVENTS = 1_000_000;
/** 1 January 2025, UTC, in milliseconds since 1970. */
const BEGIN_MS = 1_735_689_600_000;

const FIRST_NAMES = ["Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Farah", "Grace", "Hiro", "Inés", "Jürgen"] as const;
const LAST_NAMES = [
  "Adeyemi",
  "Brandt",
  "Castro",
  "Dupont",
  "O'Neill",
  "Fischer",
  "García",
  "Ito",
  "Kowalska",
] as const;
const COUNTRIES = ["AR", "BR", "CA", "DE", "ES", "FR", "GB", "IN", "JP", "KE", "NG", "PL", "SE", "US"] as const;
const PRODUCTS = ["Notebook, A5", 'Ruler 12"', "Desk lamp", "Chair; oak", "Mug (350 ml)", "Tasse «petite»"] as const;
const KINDS = ["view", "view", "view", "click", "search", "purchase", "error"] as const;
const PATHS = ["/", "/products", "/products/42", "/cart", "/search?q=lamp", "/account", "/help/returns"] as const;
/** Most events have no note; those that have one are what an export must not stumble over. */
const NOTES = [
  'said "it\'s fine", twice',
  "two\nlines",
  "=2+3",
  "+49 30 1234567",
  "naïve café — 東京",
  "a,b;c\td",
  " padded ",
  "",
] as const;

const users: SampleTable = {
  name: "users",
  rowCount: USERS,
  filter: { column: "plan", values: ["free", "plus", "team"] },
  columns: [
    { name: "id", type: "whole" },
    { name: "name", type: "text" },
    { name: "email", type: "text" },
    { name: "country", type: "text" },
    { name: "plan", type: "text" },
    { name: "credit", type: "real" },
    { name: "is_active", type: "flag" },
    { name: "joined_at", type: "time" },
  ],
  row(id) {
    const random = randomOf(1, id);
    const [first, last] = [oneOf(random, FIRST_NAMES), oneOf(random, LAST_NAMES)];
    return [
      id,
      `${first} ${last}`,
      `user${id}@example.com`,
      oneOf(random, COUNTRIES),
      oneOf(random, ["free", "free", "plus", "team"]),
      wholeOf(random, -5_000, 50_000) / 100,
      random() < 0.9 ? 1 : 0,
      timeOf(id * 600_000),
    ];
  },
};

const orders: SampleTable = {
  name: "orders",
  rowCount: ORDERS,
  filter: { column: "status", values: ["paid", "sent", "returned"] },
  columns: [
    { name: "id", type: "whole" },
    { name: "user_id", type: "whole" },
    { name: "product", type: "text" },
    { name: "quantity", type: "whole" },
    { name: "price", type: "real" },
    { name: "status", type: "text" },
    { name: "remark", type: "text" },
    { name: "ordered_at", type: "time" },
  ],
  row(id) {
    const random = randomOf(2, id);
    return [
      id,
      wholeOf(random, 1, USERS),
      oneOf(random, PRODUCTS),
      wholeOf(random, 1, 9),
      wholeOf(random, 100, 99_999) / 100,
      oneOf(random, ["paid", "paid", "sent", "returned"]),
      random() < 0.1 ? oneOf(random, NOTES) : null,
      timeOf(id * 150_000),
    ];
  },
};

const events: SampleTable = {
  name: "events",
  rowCount: EVENTS,
  filter: { column: "kind", values: ["view", "click", "search", "purchase", "error"] },
  columns: [
    { name: "id", type: "whole" },
    { name: "at", type: "time" },
    { name: "user_id", type: "whole" },
    { name: "kind", type: "text" },
    { name: "path", type: "text" },
    { name: "duration_ms", type: "real" },
    { name: "country", type: "text" },
    { name: "note", type: "text" },
  ],
  row(id) {
    const random = randomOf(3, id);
    return [
      id,
      timeOf(id * 30_000),
      wholeOf(random, 1, USERS),
      oneOf(random, KINDS),
      oneOf(random, PATHS),
      wholeOf(random, 1, 500_000) / 100,
      oneOf(random, COUNTRIES),
      random() < 0.05 ? oneOf(random, NOTES) : null,
    ];
  },
};

/** The tables, the smallest first. */
export const TABLES: readonly SampleTable[] = [users, orders, events];

/** The rows of all tables together. */
export const allRowCount: number = USERS + ORDERS + EVENTS;

function timeOf(sinceBeginMs: number): string {
  return new Date(BEGIN_MS + sinceBeginMs).toISOString();
}
