import { problemTable, type ProblemKey } from '@portcullis/contracts/errors';
import type { Problem } from '@portcullis/contracts/api/conventions';

/** One fault of a request: where it is, and what is wrong there. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

/** A refusal of a REST request. `detail` and `faults` are shown to the operator, so they hold no secret. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly key: ProblemKey,
    readonly detail?: string,
    readonly faults: readonly Fault[] = [],
    options?: ErrorOptions,
  ) {
    super(detail ?? problemTable[key].title, options);
  }
}

export const notFound = (what: string): ProblemError => new ProblemError('not_found', `There is no such ${what}.`);

export function problemDocument(error: ProblemError): Problem {
  const { status, title } = problemTable[error.key];
  return {
    type: `urn:portcullis:problem:${error.key}`,
    title,
    status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.faults.length === 0 ? {} : { errors: [...error.faults] }),
  };
}
