import type { Server, Transaction } from '@portcullis/database';
import type { JsonObject } from '@portcullis/policy';
import { parseJson } from '@portcullis/mcp';
import { findCall } from '../audit/audit.repository.js';
import { rowsOf } from '../audit/call-story.repository.js';
import { wholeArguments } from '../drafts/recorded-calls.js';
import { notFound, ProblemError } from '../http/problem.js';
import { isServed } from '../snapshots/is-served.js';
import type { RecordedResult } from './compare-results.js';

/** A recorded call as it can be made again. */
export interface ReplayableCall {
  readonly callId: string;
  readonly serverId: string;
  readonly server: string;
  readonly tool: string;
  readonly args: JsonObject;
  readonly result: RecordedResult;
}

/** Refuses (409) what was no allowed call of a tool, and what was not kept whole: another call than the recorded one would prove nothing. */
export async function readReplayable(tx: Transaction, callId: string): Promise<ReplayableCall> {
  const found = await findCall(tx, callId);
  const [first] = await rowsOf(tx, callId);
  if (found === undefined || first === undefined) throw notFound('call');
  const { server, tool } = found;
  if (first.method !== 'tools/call') throw refused('it was no call of a tool');
  if (found.decision !== 'allow' || first.serverId === null || server === null || tool === null) throw refused('it was refused, and never made');
  const args = wholeArguments(first.arguments, first.argumentsHash);
  if (args === undefined) throw refused('its arguments were not kept whole');
  const { result_bytes: bytes, result_summary: kept } = found;
  // What is on record otherwise than it was sent has no digest to compare with.
  const hash = found.result_capture === null ? found.result_hash : null;
  return { callId, serverId: first.serverId, server, tool, args, result: { hash, bytes: bytes === null ? null : Number(bytes), kept } };
}

/** Refuses (409) a server that is not in use, and a tool that is not approved there, or does not say that it only reads where it has to. */
export async function requireCallable(tx: Transaction, target: Server, tool: string, allowWrites: boolean): Promise<void> {
  if (!target.enabled || target.suspendedAt !== null) throw refused(`server ${target.slug} is not in use`);
  const definition = await tx.definition.findUnique({ where: { serverId_kind_name: { serverId: target.id, kind: 'tool', name: tool } } });
  if (definition === null || definition.approvedJson === null || !isServed(definition, target))
    throw refused(`server ${target.slug} has no such approved tool`);
  if (!allowWrites && !onlyReads(definition.approvedJson))
    throw refused('the tool does not say that it only reads; an administrator may send allowWrites');
}

function onlyReads(json: Uint8Array): boolean {
  const { annotations } = parseJson(Buffer.from(json).toString('utf8')) as { annotations?: { readOnlyHint?: unknown } | null };
  return annotations?.readOnlyHint === true;
}

const refused = (why: string): ProblemError => new ProblemError('not_replayable', `The call is not made again: ${why}.`);
