// Colours code line by line, for the handful of languages that answers are written in. A line is read once: what carries
// over to the next (a comment or a string of several lines) is one small state. No grammar, and never wrong text: at
// worst a word has no colour.

/** Beyond this a line is shown plainly. */
const MAX_LINE_CHARS = 2_000;

export type TokenKind = "plain" | "comment" | "string" | "number" | "keyword" | "name";
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}
export interface CodeLine {
  readonly tokens: readonly Token[];
}
/** What is open at the end of a line: the text that closes it; empty when nothing is. */
export type LineState = string;

interface Language {
  /** Pieces in the order in which they are tried; a group's name is the token's kind. */
  readonly pattern: RegExp;
  readonly keywords: ReadonlySet<string>;
  /** What runs over several lines: opening text, and what closes it. */
  readonly spans: Readonly<Record<string, readonly [close: string, kind: TokenKind]>>;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));
const STRINGS = `"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?`;
const NUMBER = `\\b0[xXbBoO][\\da-fA-F_]+n?\\b|\\b\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?n?\\b`;
const WORD = `[\\p{L}_$][\\p{L}\\p{N}_$]*`;

function language(parts: {
  readonly spans?: Language["spans"];
  readonly comment?: string;
  readonly string?: string;
  readonly name?: string;
  readonly keywords?: string;
}): Language {
  const spans = parts.spans ?? {};
  const openings = Object.keys(spans).map((opening) => opening.replaceAll("*", "\\*"));
  const pieces = [
    parts.comment === undefined ? "" : `(?<comment>${parts.comment})`,
    openings.length === 0 ? "" : `(?<span>${openings.join("|")})`,
    `(?<string>${parts.string ?? STRINGS})`,
    parts.name === undefined ? "" : `(?<name>${parts.name})`,
    `(?<number>${NUMBER})`,
    `(?<word>${WORD})`,
  ];
  const pattern = new RegExp(pieces.filter((piece) => piece !== "").join("|"), "gu");
  return { pattern, keywords: words(parts.keywords ?? ""), spans };
}

const SCRIPT = language({
  comment: "//.*",
  spans: { "/*": ["*/", "comment"], "`": ["`", "string"] },
  keywords:
    "abstract any as async await boolean break case catch class const continue debugger declare default delete do else enum export extends false finally for from function get if implements import in infer instanceof interface is keyof let namespace never new null number of override private protected public readonly return satisfies set static string super switch symbol this throw true try type typeof undefined unknown using var void while with yield",
});
const JSON_LIKE = language({ comment: "//.*", keywords: "true false null" });
const PYTHON = language({
  comment: "#.*",
  spans: { '"""': ['"""', "string"], "'''": ["'''", "string"] },
  name: "@[\\w.]+",
  keywords:
    "and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield",
});
const SHELL = language({
  comment: "(?<=^|\\s)#.*",
  name: "\\$\\{[^}]*\\}?|\\$[\\w?@#*!]+|(?<=\\s)--?[A-Za-z][\\w-]*",
  keywords:
    "case cd curl do docker done echo elif else esac exec exit export fi for function git if in local npm npx node return set source sudo then until while",
});
const STYLES = language({
  spans: { "/*": ["*/", "comment"] },
  name: "@[\\w-]+|--[\\w-]+|[\\w-]+(?=\\s*:)",
  keywords: "important",
});
const MARKUP = language({
  spans: { "<!--": ["-->", "comment"] },
  string: `"[^"]*"?`,
  name: "</?[A-Za-z][\\w:.-]*|/?>",
});
const SQL = language({
  comment: "--.*",
  spans: { "/*": ["*/", "comment"] },
  keywords:
    "select from where and or not insert into values update set delete create table index primary key references join left right inner outer on group by order limit offset as is null in exists unique default begin commit SELECT FROM WHERE AND OR NOT INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE INDEX PRIMARY KEY REFERENCES JOIN LEFT RIGHT INNER OUTER ON GROUP BY ORDER LIMIT OFFSET AS IS NULL IN EXISTS UNIQUE DEFAULT BEGIN COMMIT",
});

const LANGUAGES = new Map<string, Language>([
  ...["ts", "tsx", "js", "jsx", "mjs", "typescript", "javascript"].map((name) => [name, SCRIPT] as const),
  ...["json", "jsonc", "json5"].map((name) => [name, JSON_LIKE] as const),
  ...["py", "python"].map((name) => [name, PYTHON] as const),
  ...["sh", "bash", "shell", "zsh"].map((name) => [name, SHELL] as const),
  ...["css", "scss"].map((name) => [name, STYLES] as const),
  ...["html", "xml", "svg"].map((name) => [name, MARKUP] as const),
  ["sql", SQL],
]);

/** One line of code as it is, without colours. */
export function plainLine(text: string): CodeLine {
  return { tokens: text === "" ? [] : [{ kind: "plain", text }] };
}

/** One line in colours, and what is still open behind it. `state` is what the line before gave, at first empty. */
export function highlightLine(name: string, text: string, state: LineState): { line: CodeLine; state: LineState } {
  const known = LANGUAGES.get(name.toLowerCase());
  if (known === undefined || text.length > MAX_LINE_CHARS) return { line: plainLine(text), state: "" };
  const tokens: Token[] = [];
  const add = (kind: TokenKind, part: string): void => {
    const last = tokens.at(-1);
    if (part === "") return;
    if (last?.kind === kind) tokens[tokens.length - 1] = { kind, text: last.text + part };
    else tokens.push({ kind, text: part });
  };
  let at = 0;
  let open = state;
  while (at < text.length) {
    if (open !== "") {
      const [close, kind] = known.spans[open] ?? ["", "plain"];
      const found = closing(text, close, at);
      const end = found < 0 ? text.length : found + close.length;
      add(kind, text.slice(at, end));
      at = end;
      if (found >= 0) open = "";
      continue;
    }
    known.pattern.lastIndex = at;
    const match = known.pattern.exec(text);
    if (match === null) break;
    add("plain", text.slice(at, match.index));
    at = match.index + match[0].length;
    const groups = match.groups ?? {};
    if (groups["span"] !== undefined) {
      open = groups["span"];
      add(known.spans[open]?.[1] ?? "plain", open);
    } else add(kindOf(groups, known), match[0]);
  }
  add("plain", text.slice(at));
  return { line: { tokens }, state: open };
}

function kindOf(groups: Readonly<Record<string, string | undefined>>, { keywords }: Language): TokenKind {
  if (groups["word"] !== undefined) return keywords.has(groups["word"]) ? "keyword" : "plain";
  for (const kind of ["comment", "string", "name", "number"] as const) if (groups[kind] !== undefined) return kind;
  return "plain";
}

/** Where `close` stands without a backslash before it; -1 if nowhere. */
function closing(text: string, close: string, from: number): number {
  let at = text.indexOf(close, from);
  while (at > 0 && text.charAt(at - 1) === "\\") at = text.indexOf(close, at + 1);
  return at;
}
