// Batches whose rows are changed on their way.

import type { Source } from "tailrace";

/** `source` with `change` done to each row; what is ready stays ready, without a promise. */
export function mapBatches<Row, Changed>(
  source: Source<readonly Row[]>,
  change: (row: Row) => Changed,
): Source<readonly Changed[]> {
  return async (context) => {
    const batches = typeof source === "function" ? await source(context) : source;
    if (Symbol.iterator in batches) return mapIterable(batches, change);
    return mapAsync(batches as AsyncIterable<readonly Row[]>, change);
  };
}

function* mapIterable<Row, Changed>(batches: Iterable<readonly Row[]>, change: (row: Row) => Changed) {
  for (const batch of batches) yield batch.map((row) => change(row));
}

async function* mapAsync<Row, Changed>(batches: AsyncIterable<readonly Row[]>, change: (row: Row) => Changed) {
  for await (const batch of batches) yield batch.map((row) => change(row));
}
