// The grammar of JSON (RFC 8259) as numbers: states, phases of a number, escapes.

// Where in the grammar (RFC 8259, section 2) the next character stands. From STRING on it belongs to what is open.
export const VALUE = 0;
export const FIRST_ELEMENT = 1;
export const FIRST_KEY = 2;
export const NEXT_KEY = 3;
export const COLON = 4;
export const AFTER_VALUE = 5;
export const END = 6;
export const STRING = 7;
export const KEY = 8;
export const ESCAPE = 9;
export const HEX = 10;
export const NUMBER = 11;
export const LITERAL = 12;

export const EXPECTED: readonly string[] = [
  "a value",
  "a value or ]",
  "a key or }",
  "a key",
  "a colon",
  "a comma or the closing bracket",
  "the end",
  "a character of the string",
  "a character of the key",
  "an escape sequence",
  "four hexadecimal digits",
  "a digit",
  "true, false or null",
];

// Where in a number (RFC 8259, section 6) the next character stands. In the last four it may end.
export const START = 0;
export const FIRST_DIGIT = 1;
export const FIRST_FRACTION = 2;
export const EXPONENT = 3;
export const FIRST_EXPONENT = 4;
export const ZERO = 5;
export const INTEGER = 6;
export const FRACTION = 7;
export const EXPONENT_DIGITS = 8;

export const LITERALS: Readonly<Record<number, readonly [text: string, value: boolean | null]>> = {
  0x74: ["true", true],
  0x66: ["false", false],
  0x6e: ["null", null],
};
export const ESCAPES: Readonly<Record<number, string>> = {
  0x22: '"',
  0x5c: "\\",
  0x2f: "/",
  0x62: "\b",
  0x66: "\f",
  0x6e: "\n",
  0x72: "\r",
  0x74: "\t",
};

/** The phase of a number behind `code`; -1 when a number cannot go on with it. */
export function nextPhase(phase: number, code: number): number {
  if (code >= 0x30 && code <= 0x39) {
    if (phase >= INTEGER) return phase;
    if (phase <= FIRST_DIGIT) return code === 0x30 ? ZERO : INTEGER;
    if (phase === FIRST_FRACTION) return FRACTION;
    return phase === ZERO ? -1 : EXPONENT_DIGITS;
  }
  if (code === 0x2e) return phase === ZERO || phase === INTEGER ? FIRST_FRACTION : -1;
  if (code === 0x65 || code === 0x45) return phase >= ZERO && phase <= FRACTION ? EXPONENT : -1;
  if (code === 0x2d && phase === START) return FIRST_DIGIT;
  return (code === 0x2b || code === 0x2d) && phase === EXPONENT ? FIRST_EXPONENT : -1;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
