// Cuts the documents into passages: what one heading covers, in pieces short enough to be quoted.

import type { DocsFile } from "./docs-files.ts";
import { HeadingAnchors, plainHeading } from "./heading-anchors.ts";

/** A piece of a document that can be found and quoted. */
export interface Passage {
  /** The heading that it stands under. */
  readonly title: string;
  /** The headings above that one, outermost first. */
  readonly path: readonly string[];
  readonly file: string;
  /** The heading's anchor; empty above the first heading. */
  readonly anchor: string;
  /** Markdown. */
  readonly text: string;
}

/** A passage goes on until it is this long; then the next paragraph begins a new one. */
const MAX_PASSAGE_CHARS = 900;

interface OpenHeading {
  readonly level: number;
  readonly title: string;
}

/** Cuts one document at its headings, and long sections between two paragraphs. Headings inside code are code. */
export function splitPassages({ file, text }: DocsFile): Passage[] {
  const passages: Passage[] = [];
  const anchors = new HeadingAnchors();
  let above: readonly OpenHeading[] = [];
  let heading: OpenHeading = { level: 0, title: file };
  let anchor = "";
  let lines: string[] = [];
  const closeSection = (): void => {
    for (const piece of pieces(lines)) {
      passages.push({ title: heading.title, path: above.map(({ title }) => title), file, anchor, text: piece });
    }
    lines = [];
  };
  let fence = "";
  for (const line of text.split(/\r\n|\r|\n/)) {
    fence = fenceAfter(fence, line);
    const match = fence === "" ? /^(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line) : null;
    if (match === null) {
      lines.push(line);
      continue;
    }
    closeSection();
    const level = (match[1] ?? "#").length;
    const written = match[2] ?? "";
    above = [...above, heading].filter((open) => open.level > 0 && open.level < level);
    heading = { level, title: plainHeading(written) };
    anchor = anchors.next(written);
  }
  closeSection();
  return passages;
}

/** The fence that is open after `line`, empty for none. */
function fenceAfter(open: string, line: string): string {
  const marks = /^\s*(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
  if (open === "") return marks;
  return marks.startsWith(open) && line.trim() === marks ? "" : open;
}

function pieces(lines: readonly string[]): string[] {
  const found: string[] = [];
  let piece: string[] = [];
  let length = 0;
  const close = (): void => {
    const text = piece.join("\n").trim();
    if (text !== "") found.push(text);
    piece = [];
    length = 0;
  };
  for (const paragraph of paragraphs(lines)) {
    if (length > 0 && length + paragraph.length > MAX_PASSAGE_CHARS) close();
    piece.push(paragraph, "");
    length += paragraph.length;
  }
  close();
  return found;
}

/** Runs of lines between blank ones; a code block is one run, whatever stands in it. */
function* paragraphs(lines: readonly string[]): Generator<string, void, undefined> {
  let run: string[] = [];
  let fence = "";
  for (const line of lines) {
    fence = fenceAfter(fence, line);
    if (fence === "" && line.trim() === "") {
      if (run.length > 0) yield run.join("\n");
      run = [];
    } else run.push(line);
  }
  if (run.length > 0) yield run.join("\n");
}

/** The first heading of a document; its file's name if it has none. */
export function documentTitle({ file, text }: DocsFile): string {
  const heading = /^#[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$/m.exec(text)?.[1];
  return heading === undefined ? file : plainHeading(heading);
}
