import type { Limit } from '@portcullis/contracts/api/limits';
import type { CallLimitTerms } from '@portcullis/contracts/limits';
import { plainText } from '../plain-text.js';

/** Whose calls a limit is about. */
export function limitedCalls(subject: Limit['subject']): string {
  if ('agent' in subject) return `agent ${subject.agent}`;
  if ('group' in subject) return `group ${subject.group}`;
  return subject.tools === null ? `server ${subject.server}` : `each of ${subject.server}:${plainText(subject.tools.join(','), 200)}`;
}

/** How often they may be called. */
export function limitTerms(terms: CallLimitTerms): string {
  switch (terms.kind) {
    case 'rate':
      return `${String(terms.calls)} calls in ${String(terms.perSeconds)} s`;
    case 'quota':
      return `${String(terms.calls)} calls a ${terms.per}`;
    case 'concurrency':
      return `${String(terms.calls)} calls at once on each node`;
  }
}
