const DEADLINE_MS = 5000;

/**
 * What was asked of the queue, or a failure after five seconds: a Redis that freezes, or dies and comes back, may leave a question open for ever. What is
 * applied late all the same doubles nothing.
 */
export function withDeadline<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The queue did not answer within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
