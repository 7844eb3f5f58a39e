import { ProblemError } from './problem.js';

/** The moment a text names, which must lie ahead; null stays null. */
export function futureTime(text: string | null, pointer: string): Date | null {
  if (text === null) return null;
  const time = new Date(text);
  if (!(time.getTime() > Date.now())) throw new ProblemError('validation', undefined, [{ pointer, detail: 'must lie in the future' }]);
  return time;
}
