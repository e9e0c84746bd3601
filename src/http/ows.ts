// Optional whitespace around the elements of a list (RFC 9110 section 5.6.3).

const SPACE = 0x20;
const TAB = 0x09;

/**
 * `text` without the spaces and tabs around it. `trim` would take more than these away, and a regular expression takes
 * quadratic time for a field that is made of spaces.
 */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === SPACE || code === TAB;
}
