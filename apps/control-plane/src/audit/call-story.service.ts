import { Inject, Injectable } from '@nestjs/common';
import { AuditPhase } from '@portcullis/contracts/audit';
import type { AuditCall } from '@portcullis/contracts/api/audit-calls';
import type { AuditRecord } from '@portcullis/contracts/api/operations';
import type { AuditEvent, Transaction } from '@portcullis/database';
import { toAccessRequest } from '../access-requests/to-access-request.js';
import type { Author } from '../changes/author.js';
import { findGrants } from '../grants/grants.repository.js';
import { toGrant } from '../grants/to-grant.js';
import { notFound } from '../http/problem.js';
import { replaysOf } from '../replay/replays.repository.js';
import { AuditReading } from './audit-reading.js';
import { findCall } from './audit.repository.js';
import { definitionOf, grantAt, questionsOf, rowsOf } from './call-story.repository.js';
import { toRecord } from './to-record.js';

/** One call's whole story, put together from the trail and from what policy and definitions were then. */
@Injectable()
export class CallStoryService {
  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  async read(author: Author, callId: string): Promise<AuditCall> {
    return this.audit.reading(author, { callId, story: true }, async (tx) => {
      const found = await findCall(tx, callId);
      const events = await rowsOf(tx, callId);
      const [first] = events;
      if (found === undefined || first === undefined) throw notFound('call');
      const call = toRecord(found);
      const { grantId, definitionHash: hash } = call;
      const request = grantId === null ? null : await tx.accessRequest.findUnique({ where: { grantId } });
      return {
        call,
        events: events.map(toEvent),
        timings: timingsOf(call),
        retries: found.retries ?? 0,
        arguments: argumentsOf(call, first),
        grant: grantId === null ? null : await grantOf(tx, grantId, call.revision),
        definition: hash === null ? null : { hash, ...(await definitionOf(tx, first.serverId, hash)) },
        accessRequest: request === null ? null : toAccessRequest(request),
        replays: await replaysOf(tx, callId),
        questions: (await questionsOf(tx, first)).map(({ at, ...question }) => ({ ...question, at: at.toISOString() })),
      };
    });
  }
}

const toEvent = ({ phase, at, status, reason, node, boot, seq }: AuditEvent): AuditCall['events'][number] => ({
  phase: AuditPhase.parse(phase),
  at: at.toISOString(),
  status,
  reason,
  node,
  boot,
  seq: Number(seq),
});

function timingsOf({ durationMs: totalMs, upstreamMs }: AuditRecord): AuditCall['timings'] {
  // Both are taken apart and rounded to microseconds: the gateway never takes less than nothing.
  const gatewayMs = totalMs === null ? null : Math.max(0, Math.round((totalMs - (upstreamMs ?? 0)) * 1000) / 1000);
  return { totalMs, upstreamMs, gatewayMs };
}

function argumentsOf(
  { args, argsTruncated, argsCapture }: AuditRecord,
  { arguments: kept, argumentsHash: hash, argumentsBytes: bytes }: AuditEvent,
): AuditCall['arguments'] {
  const whole = kept === null ? 'none' : argsTruncated ? 'part' : 'whole';
  return { value: args, hash, bytes, kept: argsCapture === 'full' ? whole : argsCapture };
}

async function grantOf(tx: Transaction, id: string, revision: number | null): Promise<AuditCall['grant']> {
  const [now] = await findGrants(tx, [id]);
  return { id, atCall: revision === null ? null : await grantAt(tx, id, revision), now: now === undefined ? null : toGrant(now) };
}
