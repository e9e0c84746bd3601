// What one line of Markdown can be: the patterns that open, carry on and close blocks.

export const BLANK: RegExp = /^\s*$/;
export const HEADING: RegExp = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
export const FENCE: RegExp = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$/;
export const QUOTE: RegExp = /^ {0,3}> ?/;
export const RULE: RegExp = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
export const LIST_ITEM: RegExp = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
/** Ends a paragraph too (GFM, section 4.6, start condition 2), and goes on to the line with `-->`. */
export const COMMENT: RegExp = /^ {0,3}<!--/;
export const TABLE_DIVIDER: RegExp = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** A line that is still being written and may become a mark of several kinds: not shown until that is known. */
const UNDECIDED = /^ {0,3}(?:[-*+_#>~`=]+|\d{1,9}[.)]?|<(?:!-?)?)[ \t]*$/;

/** Whether a line that is still being written is better held back for a moment. */
export function isUndecided(partial: string): boolean {
  return UNDECIDED.test(partial);
}

/** Whether a line that is still being written could become the divider of a table. */
export function couldDivide(partial: string): boolean {
  return /^[ \t|:-]*$/.test(partial);
}

export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Whether the line ends a paragraph by beginning something else. */
export function interruptsParagraph(line: string): boolean {
  return (
    HEADING.test(line) ||
    FENCE.test(line) ||
    QUOTE.test(line) ||
    RULE.test(line) ||
    LIST_ITEM.test(line) ||
    COMMENT.test(line)
  );
}

/** The pattern of the line that closes a code block which `marker` has opened. */
export function closingFence(marker: string): RegExp {
  return new RegExp(`^ {0,3}\\${marker.charAt(0)}{${marker.length},}[ \\t]*$`);
}

/** A bar inside a cell is written as `\|`, also within code. */
export function tableCells(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
