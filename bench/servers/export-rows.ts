// The rows of the export benchmark: eight columns, some 106 bytes as CSV, made as they are asked for and the same for everybody.

export const COLUMNS = ["id", "name", "email", "city", "amount", "active", "joined", "note"] as const;

const NAMES = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov"] as const;
const CITIES = ["Berlin", "São Paulo", "Tokyo, Japan", "Nairobi", "Montréal"] as const;
const NOTES = ["a note of a few words", 'he said "well"', "nothing to say", "one; two; three", "the end"] as const;

export function* arrays(count: number): Generator<readonly unknown[]> {
  for (let id = 1; id <= count; id++) {
    yield [
      id,
      NAMES[id % 5],
      `user${id}@example.com`,
      CITIES[id % 5],
      (id % 100_000) / 100,
      id % 3 === 0,
      `2026-11-${(id % 20) + 10}T12:00:00.000Z`,
      NOTES[id % 5],
    ];
  }
}

export function* objects(count: number): Generator<Readonly<Record<string, unknown>>> {
  for (let id = 1; id <= count; id++) {
    yield {
      id,
      name: NAMES[id % 5],
      email: `user${id}@example.com`,
      city: CITIES[id % 5],
      amount: (id % 100_000) / 100,
      active: id % 3 === 0,
      joined: `2026-11-${(id % 20) + 10}T12:00:00.000Z`,
      note: NOTES[id % 5],
    };
  }
}

export function* batches<T>(rows: Iterable<T>, batchRows: number): Generator<T[]> {
  let batch: T[] = [];
  for (const row of rows) {
    if (batch.push(row) < batchRows) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
