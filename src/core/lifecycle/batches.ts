/** Cuts a list into batches that weigh no more than so much together, in order; each has one item at least. */
export function* batchesOf<Item>(
  items: readonly Item[],
  weigh: (item: Item) => number,
  weightMax: number,
): Generator<Item[], void, undefined> {
  let batch: Item[] = [];
  let weight = 0;
  for (const item of items) {
    const more = weigh(item);
    if (batch.length > 0 && weight + more > weightMax) {
      yield batch;
      batch = [];
      weight = 0;
    }
    batch.push(item);
    weight += more;
  }
  if (batch.length > 0) yield batch;
}
