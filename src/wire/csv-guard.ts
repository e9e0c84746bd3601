// The guard against formulas (CSV injection): which texts get a `'`, and how it is taken off again.

const APOSTROPHE = 0x27;
const MINUS = 0x2d;
const FULL_WIDTH_PLUS = 0xff0b;
const FULL_WIDTH_MINUS = 0xff0d;
const FULL_WIDTH_EQUALS = 0xff1d;
const FULL_WIDTH_AT = 0xff20;
/** A negative number in digits: some drivers hand decimals over as text, and no such text can call anything. */
const NEGATIVE_NUMBER = /^-\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Which texts are guarded: none, all that may be formulas, or those but for negative numbers. */
export type FormulaGuard = boolean | "keep-numbers";

/**
 * Whether `value` gets a `'` put before it: a spreadsheet would take it for a formula, or it is such a text with `'` before it already.
 * Without the latter the guard could not be undone.
 */
export function isGuarded(value: string, guard: FormulaGuard = true): boolean {
  if (guard === false) return false;
  const first = value.charCodeAt(0);
  if (first !== APOSTROPHE) {
    return startsFormula(first) && !(guard === "keep-numbers" && first === MINUS && NEGATIVE_NUMBER.test(value));
  }
  let at = 1;
  while (value.charCodeAt(at) === APOSTROPHE) at++;
  return startsFormula(value.charCodeAt(at));
}

/** The text that the guard has put a `'` before; any other text as it is. */
export function unguarded(value: string): string {
  if (value.charCodeAt(0) !== APOSTROPHE) return value;
  const inner = value.slice(1);
  return isGuarded(inner) ? inner : value;
}

/**
 * Whether a text that starts with the character `first` may be taken for a formula. The list is OWASP's (CSV Injection), with LF, with
 * NUL (ASVS 5, 1.2.10), and with the full-width forms that some spreadsheets read as the plain ones.
 */
function startsFormula(first: number): boolean {
  switch (first) {
    case 0x00: // NUL
    case 0x09: // TAB
    case 0x0a: // LF
    case 0x0d: // CR
    case 0x2b: // +
    case MINUS:
    case 0x3d: // =
    case 0x40: // @
    case FULL_WIDTH_PLUS:
    case FULL_WIDTH_MINUS:
    case FULL_WIDTH_EQUALS:
    case FULL_WIDTH_AT:
      return true;
    default:
      return false;
  }
}
