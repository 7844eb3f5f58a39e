import { isUniqueViolation } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';

/** The work, with a broken unique index told as a conflict (409) in the given words. */
export async function orConflict<T>(work: Promise<T>, detail: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isUniqueViolation(error)) throw new ProblemError('conflict', detail, [], { cause: error });
    throw error;
  }
}
