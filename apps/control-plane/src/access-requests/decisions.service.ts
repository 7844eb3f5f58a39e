import { Inject, Injectable } from '@nestjs/common';
import type { AccessRequest, ApproveAccessRequest, DenyAccessRequest } from '@portcullis/contracts/api/access-requests';
import type { AccessRequest as Row, Transaction } from '@portcullis/database';
import { globCovers } from '@portcullis/policy';
import { namesOf, type Author } from '../changes/author.js';
import { ownedAgents } from '../changes/owned-agents.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { GrantsService } from '../grants/grants.service.js';
import { ProblemError, type Fault } from '../http/problem.js';
import { updateRequest } from './access-requests.repository.js';
import { openRequest, requestSubject } from './access-requests.service.js';
import { toAccessRequest } from './to-access-request.js';

/** Somebody else says yes or no. */
@Injectable()
export class DecisionsService {
  constructor(
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(RecordedChanges) private readonly recorded: RecordedChanges,
    @Inject(GrantsService) private readonly grants: GrantsService,
  ) {}

  /** Makes an ordinary grant that ends by itself: what was asked for or less. */
  async approve(author: Author, id: string, decision: ApproveAccessRequest): Promise<Changed<AccessRequest>> {
    return this.changes.apply(author, 'access-request.approved', decision.reason, async (tx) => {
      const row = await openRequest(tx, id);
      await refuseOwn(tx, author, row);
      const { names, durationSeconds } = within(row, decision);
      const now = new Date();
      const granted = await this.grants.createIn(tx, author, {
        agent: row.agentId,
        server: row.serverId,
        kind: row.kind,
        names,
        effect: 'allow',
        condition: decision.condition ?? null,
        pinned: null,
        rateLimit: null,
        mode: 'enforce',
        notBefore: null,
        expiresAt: new Date(now.getTime() + durationSeconds * 1000).toISOString(),
        reason: `access request ${id}`,
      });
      const decided = { status: 'approved', decidedBy: author.name, decidedAt: now, decisionReason: decision.reason } as const;
      const updated = await updateRequest(tx, id, { ...decided, grantId: granted.result.id });
      return {
        result: toAccessRequest(updated),
        subject: requestSubject(row),
        change: { grantId: granted.result.id, names, durationSeconds },
        dirty: granted.dirty,
        also: [{ action: 'grant.created', detail: { subject: granted.subject, change: granted.change } }],
        requestId: id,
      };
    });
  }

  async deny(author: Author, id: string, { reason }: DenyAccessRequest): Promise<AccessRequest> {
    return this.recorded.apply(author, 'access-request.denied', async (tx) => {
      const row = await openRequest(tx, id);
      await refuseOwn(tx, author, row);
      const updated = await updateRequest(tx, id, { status: 'denied', decidedBy: author.name, decidedAt: new Date(), decisionReason: reason });
      return { result: toAccessRequest(updated), subject: requestSubject(row), change: { reason }, requestId: id };
    });
  }
}

const SOMEBODY_ELSE = 'Somebody else decides it, or you send X-Break-Glass with a reason if you may.';

/** Whoever breaks the glass decides for themselves too: an installation may have one operator alone. */
async function refuseOwn(tx: Transaction, author: Author, row: Row): Promise<void> {
  if (author.breakGlass !== undefined) return;
  const names = namesOf(author);
  if (row.filedBy !== null && names.includes(row.filedBy)) throw new ProblemError('own_decision', `You filed this request. ${SOMEBODY_ELSE}`);
  if ((await ownedAgents(tx, names)).some(({ id }) => id === row.agentId))
    throw new ProblemError('own_decision', `You own ${row.agent}, or owned it in the last 30 days. ${SOMEBODY_ELSE}`);
}

function within(
  row: Row,
  { names = row.names, durationSeconds = row.durationSeconds }: ApproveAccessRequest,
): Pick<Row, 'names' | 'durationSeconds'> {
  const faults: Fault[] = names
    .filter((name) => !row.names.some((asked) => globCovers(asked, name)))
    .map((name) => ({ pointer: '/names', detail: `${name} was not asked for` }));
  if (durationSeconds > row.durationSeconds)
    faults.push({ pointer: '/durationSeconds', detail: `no more than ${row.durationSeconds} were asked for` });
  if (faults.length > 0) throw new ProblemError('validation', undefined, faults);
  return { names: [...names], durationSeconds };
}
