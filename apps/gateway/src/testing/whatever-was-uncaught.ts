/** What nobody caught while `action` ran, which else would end a process of ours. */
export async function whateverWasUncaught(action: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.prependListener('uncaughtException', note).prependListener('unhandledRejection', note);
  try {
    await action();
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note);
  }
  return uncaught;
}
