import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DecideSelection, SelectionDecision } from '@portcullis/contracts/api/drift';
import type { Transaction } from '@portcullis/database';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { notFound, ProblemError } from '../http/problem.js';
import { approveDefinitions, lockDefinitions, rejectDefinitions } from './definitions.repository.js';
import { isDecided, NAMES_MAX, type Verdict } from './definitions.service.js';
import { findSelected, type SelectedRow } from './selection.repository.js';
import { findServer } from './servers.repository.js';
import { serverBucket } from './servers.service.js';

/** More than this is decided on in several revisions. */
const SELECTED_MAX = 10_000;

/** Decides on what many servers offer at once. */
@Injectable()
export class SelectionService {
  constructor(@Inject(PolicyChanges) private readonly changes: PolicyChanges) {}

  /** All or nothing, in one revision. Refuses (409) a selection that is not, definition by definition, the one that was looked at. */
  async decide(author: Author, verdict: Verdict, body: DecideSelection): Promise<Changed<SelectionDecision>> {
    if (verdict === 'approve' && body.select.states.includes('removed'))
      throw new ProblemError('validation', undefined, [{ pointer: '/select/states', detail: 'what is no longer offered cannot be approved' }]);
    const action = verdict === 'approve' ? 'definitions.approved' : 'definitions.rejected';
    const reason = 'reason' in body ? body.reason : undefined;
    return this.changes.apply(author, action, reason, async (tx) => {
      const rows = await selected(tx, body.select);
      const hash = hashOf(rows);
      const open = rows.filter((row) => !isDecided(row, verdict));
      if ('dryRun' in body) return { result: resultOf(rows, hash, 0), unchanged: true };
      if (body.hash !== hash)
        throw new ProblemError('conflict', 'The selection is not what it was when it was looked at. Do a dry run and look again.');
      if (open.length === 0) return { result: resultOf(rows, hash, 0), unchanged: true };
      const ids = open.map(({ id }) => id);
      await (verdict === 'approve' ? approveDefinitions : rejectDefinitions)(tx, ids, { by: author.name, reason });
      const definitions = open.slice(0, NAMES_MAX).map(({ slug, kind, name, hash: approved }) => ({ ref: `${slug}:${name}`, kind, hash: approved }));
      const change = { select: body.select, count: open.length, definitions };
      const dirty = [...new Set(open.map(({ serverId }) => serverId))].map(serverBucket);
      return { result: resultOf(rows, hash, open.length), subject: subjectOf(open, hash), change, dirty };
    });
  }
}

/** Locked, so that nobody changes what is decided on before it is done. */
async function selected(tx: Transaction, select: DecideSelection['select']): Promise<SelectedRow[]> {
  if (select.server !== undefined && (await findServer(tx, select.server)) === null) throw notFound('server');
  const before = await findSelected(tx, select, SELECTED_MAX);
  if (before.length > SELECTED_MAX)
    throw new ProblemError('unprocessable', `More than ${String(SELECTED_MAX)} definitions are selected. Decide on some of them at a time.`);
  await lockDefinitions(tx, [...new Set(before.map(({ serverId }) => serverId))]);
  return findSelected(tx, select, SELECTED_MAX);
}

function hashOf(rows: readonly SelectedRow[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${row.id} ${row.hash}\n`);
  return hash.digest('hex');
}

function subjectOf(rows: readonly SelectedRow[], hash: string): Subject {
  const [first] = rows;
  if (first !== undefined && rows.every(({ serverId }) => serverId === first.serverId))
    return { kind: 'server', id: first.serverId, slug: first.slug };
  return { kind: 'definitions', id: hash };
}

function resultOf(rows: readonly SelectedRow[], hash: string, decided: number): SelectionDecision {
  const definitions = rows
    .slice(0, NAMES_MAX)
    .map(({ id, slug, kind, name, state, hash: own, approvedHash }) => ({ id, ref: `${slug}:${name}`, kind, name, state, hash: own, approvedHash }));
  return { selected: rows.length, decided, hash, definitions };
}
