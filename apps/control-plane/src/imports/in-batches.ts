/**
 * Items in groups of at most `size`, and at least every `everyMs` whatever there is by then: an empty group where nothing came. Where the items end
 * with an error, those before it are given first.
 */
export async function* inBatches<T>(items: AsyncIterable<T>, size: number, everyMs: number): AsyncGenerator<T[], void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  // Whoever stops reading here does not wait for it.
  next.catch(() => undefined);
  let batch: T[] = [];
  for (let due = performance.now() + everyMs; ;) {
    const result = await within(next, due - performance.now()).catch((error: unknown) => ({ error }));
    if (result !== undefined && 'error' in result) {
      if (batch.length > 0) yield batch;
      throw result.error;
    }
    if (result === undefined || result.done === true) {
      yield batch;
      if (result !== undefined) return;
    } else {
      batch.push(result.value);
      next = iterator.next();
      next.catch(() => undefined);
      if (batch.length < size && performance.now() < due) continue;
      yield batch;
    }
    batch = [];
    due = performance.now() + everyMs;
  }
}

/** What the promise gives, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, Math.max(0, ms), undefined)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
