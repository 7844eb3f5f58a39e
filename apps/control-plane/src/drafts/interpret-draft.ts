import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import type { PolicyChange } from '../changes/policy-changes.js';
import { draftServices } from './draft-services.js';
import { makeRun, runsOf } from './make-run.js';

/** What a draft did: how many of its changes changed something, and which servers are to be asked again. */
export interface Interpreted {
  readonly changed: number;
  readonly discover: readonly string[];
}

/** Parts that a revision tells one by one; its diff has all of them. */
const PARTS_MAX = 100;

/** Makes all changes of a draft in the caller's transaction, by the rules of REST. A refusal names the change that it is about. */
export async function interpretDraft(tx: Transaction, author: Author, changes: readonly DraftChange[]): Promise<PolicyChange<Interpreted>> {
  const services = draftServices(tx);
  for (const run of runsOf(changes)) await makeRun(services, author, run);
  const { parts, dirty } = services.parts;
  const result = { changed: parts.length, discover: [...services.discover] };
  if (parts.length === 0) return { result, unchanged: true };
  return { result, subject: { kind: 'draft', id: 'draft' }, change: { changes: parts.length, parts: parts.slice(0, PARTS_MAX) }, dirty };
}
