import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { Author } from '../changes/author.js';
import { ProblemError } from '../http/problem.js';
import { isDoneTogether, makeTogether } from './changes-together.js';
import type { DraftServices } from './draft-services.js';

/** Changes of one sort that follow one another, and where in the draft they begin. */
export interface Run {
  readonly place: number;
  readonly changes: readonly DraftChange[];
}

/** Changes in their order, those in one run that can be made together. */
export function runsOf(changes: readonly DraftChange[]): Run[] {
  const runs: { place: number; changes: DraftChange[] }[] = [];
  for (const [place, change] of changes.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && isDoneTogether(change.do) && last.changes[0]?.do === change.do) last.changes.push(change);
    else runs.push({ place, changes: [change] });
  }
  return runs;
}

/** Makes a run of changes by the rules of REST. What is refused is looked for by halves, so that the refusal names the change that it is about. */
export async function makeRun(services: DraftServices, author: Author, { place, changes }: Run): Promise<void> {
  const [first] = changes;
  if (first === undefined) return;
  try {
    await (isDoneTogether(first.do) ? makeTogether(services, author, first.do, changes) : makeAlone(services, author, first));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (changes.length === 1) throw placed(error, `/changes/${place}`);
    const middle = Math.ceil(changes.length / 2);
    await makeRun(services, author, { place, changes: changes.slice(0, middle) });
    await makeRun(services, author, { place: place + middle, changes: changes.slice(middle) });
  }
}

async function makeAlone(services: DraftServices, author: Author, change: DraftChange): Promise<unknown> {
  const { groups, requestable, limits, definitions, settings } = services;
  switch (change.do) {
    case 'requestable.update':
      return requestable.update(author, change.id, change.change);
    case 'requestable.delete':
      return requestable.delete(author, change.id);
    case 'limit.update':
      return limits.update(author, change.id, change.change);
    case 'limit.delete':
      return limits.delete(author, change.id);
    case 'group.delete':
      return groups.delete(author, change.group);
    case 'definitions.approve':
      return definitions.decide(author, change.server, 'approve', change.definitions);
    case 'definitions.reject':
      return definitions.decide(author, change.server, 'reject', change.definitions);
    case 'settings.update':
      return settings.update(author, change.change);
    default:
      throw new Error(`Nobody makes ${change.do} alone`);
  }
}

function placed(error: ProblemError, place: string): ProblemError {
  const faults = error.faults.length === 0 ? [{ pointer: place, detail: error.detail ?? error.message }] : error.faults;
  const moved = faults.map(({ pointer, detail }) => ({ pointer: pointer === place ? place : place + pointer, detail }));
  return new ProblemError(error.key, error.detail, moved, { cause: error });
}
