import type { Transaction } from '@portcullis/database';
import type { Dirty, PolicyChange } from '../changes/policy-changes.js';
import { ProblemError } from '../http/problem.js';
import { forgetSightings } from '../servers/definitions.repository.js';
import { findConflicts, isSighting, rowConflict, type CurrentRows } from './find-conflicts.js';
import { currentRows, netChanges, type NetChange } from './net-changes.js';
import type { Row } from './policy-entities.js';
import { undoChanges } from './undo-changes.js';

const FAULTS_MAX = 50;

/** Servers that are to be asked again what they offer. */
export type Reverted = { readonly discover: readonly string[] };

/**
 * Undoes all that a revision did, in the caller's transaction. Refuses (409) what cannot be undone, naming each row that is in the way.
 * Keys of an agent that comes back stay gone: nobody can bring back a secret.
 */
export async function revertRevision(tx: Transaction, revision: number, action: string): Promise<PolicyChange<Reverted>> {
  const all = await netChanges(tx, revision);
  refuseIrrevertible(all, revision, action);
  const changes = all.filter(({ entity }) => entity.isSecret !== true);
  const current = await readCurrent(tx, changes);
  const now = ({ entity, key }: NetChange): Row | undefined => current.get(entity)?.get(key);
  const overtaken = changes.filter((change) => isSighting(change, { changes }) && rowConflict(change, now(change)) !== undefined);
  const undone = changes.filter((change) => !overtaken.includes(change));
  const faults = await findConflicts(tx, { revision, changes: undone, current });
  if (faults.length > 0) {
    throw new ProblemError('conflict', `Later changes are in the way of reverting revision ${revision}.`, faults.slice(0, FAULTS_MAX));
  }
  for (const serverId of new Set(overtaken.map((change) => String(now(change)?.['server_id'])))) await forgetSightings(tx, serverId);
  await undoChanges(tx, undone);
  const discover = await askAgain(tx, undone);
  return {
    result: { discover },
    subject: { kind: 'revision', id: String(revision) },
    change: { revertOf: revision, action, rows: undone.length, keysNotRestored: all.length - changes.length },
    dirty: [...undone, ...overtaken].flatMap((change) => dirtyOf(change, now(change))),
  };
}

function refuseIrrevertible(changes: readonly NetChange[], revision: number, action: string): void {
  const refuse = (why: string): never => {
    throw new ProblemError('not_revertible', `Revision ${revision} (${action}) ${why}`);
  };
  if (action === 'server.discovered') refuse('noted what a server offers, which is a fact; approve or reject its definitions instead.');
  // What it undoes of rows is only that nothing is served before somebody has seen what runs now.
  if (action === 'profile.approved') refuse('says what runs, which no revert takes back; reject that version, or approve another one.');
  if (changes.length === 0) refuse('changed nothing that is kept row by row.');
  // A key that went with its agent is no reason to keep the agent away.
  if (changes.some(({ entity, before, after }) => entity.isSecret === true && (before === null || after !== null)))
    refuse('issued or revoked a key; keys are issued once and never come back.');
}

async function readCurrent(tx: Transaction, changes: readonly NetChange[]): Promise<CurrentRows> {
  const current = new Map<NetChange['entity'], ReadonlyMap<string, Row>>();
  for (const [entity, alike] of Map.groupBy(changes, (change) => change.entity)) {
    current.set(
      entity,
      await currentRows(
        tx,
        entity,
        alike.map(({ key }) => key),
      ),
    );
  }
  return current;
}

/** The buckets that a change of this row concerns, whichever of its states says so. */
export function dirtyOf({ entity, before, after }: NetChange, now: Row | undefined): readonly Dirty[] {
  const whole = [now, before, after].filter((row) => row !== null && row !== undefined);
  const complete = { ...Object.assign({}, ...whole.toReversed()) } as Row;
  const moved = { ...complete, ...before };
  return [...entity.dirty(complete), ...entity.dirty(moved)];
}

/** Columns that say where and how a server is asked. */
const askedDifferently = ['url', 'protocol', 'transport_pin'];

/** A server that comes back, moves back or is switched on again is discovered at once. */
async function askAgain(tx: Transaction, changes: readonly NetChange[]): Promise<string[]> {
  const servers = changes.filter(({ entity, before }) => entity.name === 'server' && before !== null);
  const moved = servers
    .filter(({ before, after }) => after !== null && askedDifferently.some((column) => before?.[column] !== undefined))
    .map(({ key }) => key);
  const returned = servers.filter(({ after }) => after === null).map(({ key }) => key);
  const switched = servers.filter(({ before, after }) => after !== null && before?.['enabled'] !== undefined);
  await tx.server.updateMany({ where: { id: { in: moved } }, data: { era: null, bothEras: false, eraSeenAt: null, transport: 'streamable-http' } });
  const asked = [...moved, ...returned, ...switched.filter(({ before }) => before?.['enabled'] === true).map(({ key }) => key)];
  const left = switched.filter(({ before }) => before?.['enabled'] === false).map(({ key }) => key);
  await tx.server.updateMany({ where: { id: { in: asked }, enabled: true }, data: { nextDiscoveryAt: new Date() } });
  await tx.server.updateMany({ where: { id: { in: left } }, data: { nextDiscoveryAt: null } });
  return [...moved, ...returned];
}
