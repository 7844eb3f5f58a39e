import type { Problem } from '@portcullis/contracts/api/conventions';

/** A refusal by the control plane (RFC 9457), or an answer that is none of its own. `status` is 0 when nothing answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** The revision that holds the change, where it was made and only the wait for the nodes failed. */
    readonly revision?: number,
    options?: ErrorOptions & { request?: string },
  ) {
    // A fault of the server says little by itself: what was asked helps to find it in the log.
    super(
      status >= 500 && options?.request !== undefined ? `${wordsOf(problem)} (${options.request} answered ${status})` : wordsOf(problem),
      options,
    );
  }
}

function wordsOf({ title, detail, errors = [] }: Problem): string {
  const faults = errors.map((fault) => (fault.pointer === '' ? fault.detail : `${fault.pointer} ${fault.detail}`));
  const words = detail ?? title;
  return faults.length === 0 ? words : `${words.replace(/[.:]$/, '')}: ${faults.join('; ')}`;
}
