/**
 * Gives up waiting after `limitMs`; the signal tells the work to stop too. Rejects with what the work rejects with, or a timeout. What came while this
 * process stood still is an answer in time: it is read first.
 */
export async function within<Result>(limitMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let late: NodeJS.Immediate | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      const error = new Error(`no answer within ${limitMs} ms`);
      controller.abort(error);
      reject(error);
    };
    timer = setTimeout(() => (late = setImmediate(giveUp)), limitMs);
  });
  try {
    return await Promise.race([work(controller.signal), timeout]);
  } finally {
    clearTimeout(timer);
    clearImmediate(late);
  }
}
