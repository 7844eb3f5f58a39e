/** What the person at the terminal must know, in one clear message: what was found, and what to do about it. Shown without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** The words of any error, without its stack. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
