// The links of the documents, which are written for the repository, as they lead here.

import path from "node:path";
import type { DocsFile } from "./docs-files.ts";

/** Code is left as it is; a link is its label and its target, without a title. */
const CODE_OR_LINK = /(^ {0,3}(`{3,}|~{3,})[\s\S]*?^ {0,3}\2[`~]*[ \t]*$|`[^`\n]+`)|\[([^[\]]*)\]\(([^()\s]+)\)/gm;

/**
 * The text of a document with its relative links made links to `/docs/…`. What is no document here (a folder, a source
 * file) keeps its label only.
 */
export function linkDocs({ file, text }: DocsFile, known: ReadonlySet<string>): string {
  return text.replaceAll(CODE_OR_LINK, (all: string, code: unknown, _fence: unknown, label: string, href: string) => {
    if (typeof code === "string" || /^(?:[a-z][a-z\d+.-]*:|\/)/i.test(href)) return all;
    const [target = "", anchor] = href.split("#", 2);
    const place = target === "" ? file : path.posix.join(path.posix.dirname(file), target).replace(/\/$/, "");
    const found = [place, `${place}/README.md`].find((name) => known.has(name));
    if (found === undefined) return label;
    return `[${label}](/docs/${found}${anchor === undefined ? "" : `#${anchor}`})`;
  });
}
