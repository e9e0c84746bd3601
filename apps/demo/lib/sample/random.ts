// Numbers that look random and are the same on every machine: a small generator, seeded anew for each row.

/** A generator of numbers from 0 to below 1, seeded by a table and a row: any row can be made without those before it. */
export function randomOf(table: number, row: number): () => number {
  let state = Math.imul(table + 1, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A whole number from `min` to `max`, both included. */
export function wholeOf(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

export function oneOf<T>(random: () => number, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}
