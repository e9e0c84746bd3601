// Reads the imports out of TypeScript source, without a compiler: TypeScript 7 has no stable API for that yet.

/** One specifier of a file. */
export interface Import {
  readonly specifier: string;
  /** Erased by the compiler: `import type`, `export type … from`, `import("…")` in a type, or only `type` names. */
  readonly typeOnly: boolean;
}

/**
 * Finds every `import … from`, `export … from`, `import "…"` and `import("…")`.
 *
 * Comments, strings, template literals and regular expressions are blanked out first, so that their text is not taken for
 * code; the strings are then read from the original at the same offsets.
 */
export function importsOf(source: string): Import[] {
  const code = blank(source);
  const imports: Import[] = [];
  const add = (quoteAt: number, typeOnly: boolean): void => {
    const quote = source[quoteAt] ?? "";
    const end = source.indexOf(quote, quoteAt + 1);
    imports.push({ specifier: source.slice(quoteAt + 1, end), typeOnly });
  };
  // The clause between the keyword and `from` holds names, braces, commas, `*` and `as`: no other punctuation.
  const statement = /(?<![\w$.])(import|export)\b(?!\s*[(.=])([\w$\s{},*]*?)(?<![\w$])from\s*(["'])/g;
  for (const found of code.matchAll(statement)) add(found.index + found[0].length - 1, isTypeClause(found[2] ?? ""));
  for (const found of code.matchAll(/(?<![\w$.])import\s*(["'])/g)) add(found.index + found[0].length - 1, false);
  for (const found of code.matchAll(/(?<![\w$.])import\s*\(\s*(["'])/g)) {
    add(found.index + found[0].length - 1, isTypePosition(code, found.index));
  }
  return imports;
}

/**
 * What stands in a file beside comments, directives and `export … from "…"`: empty for a file that only re-exports.
 */
export function beyondReexports(source: string): string {
  return blank(source)
    .replace(/(?<![\w$.])export\b[\w$\s{},*]*?(?<![\w$])from\s*(["'])[^"']*\1\s*;?/g, "")
    .replace(/^\s*(["'])[^"']*\1\s*;?/, "")
    .trim();
}

function isTypeClause(clause: string): boolean {
  // `import type X`, but not the default import of something called type: `import type from "…"`.
  if (/^\s+type\s+(?!from\b|,)/.test(` ${clause.trimStart()}`) && clause.trim() !== "type") return true;
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
  if (names === undefined) return false;
  const parts = names.split(",").map((name) => name.trim());
  return (
    parts.some(Boolean) &&
    parts.filter(Boolean).every((name) => /^type\s+\w/.test(name) && !/^type\s+as\s+\w+$/.test(name))
  );
}

/** Whether `import("…")` at this offset names a type, as in `typeof import("…")` or `let x: import("…").X`. */
function isTypePosition(code: string, offset: number): boolean {
  return /(?:\btypeof\s+|[:<|&]\s*)$/.test(code.slice(Math.max(0, offset - 40), offset));
}

/** The same text at the same offsets, with the insides of comments and literals replaced by spaces; quotes stay. */
function blank(source: string): string {
  const out: string[] = [];
  /** Depth of braces inside each `${` that is open, innermost last. */
  const holes: number[] = [];
  let at = 0;
  let lastToken = "";
  const keep = (count: number): void => {
    out.push(source.slice(at, at + count));
    at += count;
  };
  const hide = (end: number): void => {
    out.push(source.slice(at, end).replace(/[^\n]/g, " "));
    at = end;
  };
  const template = (): void => {
    const end = templatePartEnd(source, at);
    hide(end);
    if (source.startsWith("${", end)) {
      holes.push(0);
      keep(2);
    } else {
      keep(1);
    }
  };
  while (at < source.length) {
    const char = source[at] ?? "";
    if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      hide(end < 0 ? source.length : end);
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      hide(end < 0 ? source.length : end + 2);
    } else if (char === '"' || char === "'") {
      keep(1);
      hide(stringEnd(source, at, char));
      keep(1);
      lastToken = char;
    } else if (char === "`") {
      keep(1);
      template();
      lastToken = char;
    } else if (char === "/" && startsRegex(lastToken)) {
      hide(regexEnd(source, at));
      lastToken = "/";
    } else if (char === "{" && holes.length > 0) {
      holes.push((holes.pop() ?? 0) + 1);
      keep(1);
      lastToken = char;
    } else if (char === "}" && holes.length > 0) {
      const depth = holes.pop() ?? 0;
      keep(1);
      lastToken = char;
      if (depth === 0) template();
      else holes.push(depth - 1);
    } else {
      const word = /^[\w$]+/.exec(source.slice(at, at + 200))?.[0] ?? char;
      keep(word.length);
      if (word.trim() !== "") lastToken = word;
    }
  }
  return out.join("");
}

/** Whether a slash after this token begins a regular expression and is no division. JSX text counts as neither. */
function startsRegex(lastToken: string): boolean {
  if (/^[\w$]/.test(lastToken))
    return /^(return|typeof|case|in|of|delete|void|throw|new|do|else|await|yield)$/.test(lastToken);
  // `</tag>` and `/>`: a slash right after an angle bracket of JSX.
  return !/^[)\]}"'`<]$/.test(lastToken);
}

function stringEnd(source: string, from: number, quote: string): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === "\\") at++;
    // A newline ends it too: an apostrophe in the text of JSX is no string.
    else if (source[at] === quote || source[at] === "\n") return at;
  }
  return source.length;
}

function templatePartEnd(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "`" || source.startsWith("${", at)) return at;
  }
  return source.length;
}

function regexEnd(source: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < source.length; at++) {
    const char = source[at];
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "\n") return at;
    else if (char === "/" && !inClass) return at + 1;
  }
  return source.length;
}
