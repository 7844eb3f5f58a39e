import { Inject, Injectable } from '@nestjs/common';
import type { AgentKey, AgentKeyPage, CreateAgentKey, CreatedAgentKey, RotateAgentKey, RotatedAgentKey } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { futureTime } from '../http/future-time.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import { endAgentKey, findAgentKey, insertAgentKey, listAgentKeys, revokeAgentKey, type UsedKey } from './agents.repository.js';
import { agentBucket, agentSubject, AgentsService } from './agents.service.js';

/** Keys by which agents are known. The secret is shown once; its keyed hash is kept. */
@Injectable()
export class AgentKeysService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async list(agent: string, { cursor, limit }: PageQuery): Promise<z.infer<typeof AgentKeyPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    const { id } = await this.agents.find(this.database, agent);
    return pageFrom(await listAgentKeys(this.database, id, { after, limit }), limit, toAgentKey, (row) => [row.id]);
  }

  async create(author: Author, agent: string, { name, expiresAt }: CreateAgentKey): Promise<Changed<CreatedAgentKey>> {
    const end = futureTime(expiresAt, '/expiresAt');
    return this.changes.apply(author, 'agent-key.created', undefined, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const result = await this.issue(tx, owner.id, { name: name ?? null, expiresAt: end });
      const change = { keyId: result.id, name: result.name, expiresAt };
      return { result, subject: agentSubject(owner), change, dirty: [agentBucket(owner.id)] };
    });
  }

  /** Another key in the place of this one, which goes on for the overlap, but never longer than it was good. Refuses one that is good no more. */
  async rotate(author: Author, agent: string, { keyId, ...asked }: RotateAgentKey & { keyId: string }): Promise<Changed<RotatedAgentKey>> {
    const { overlapSeconds, reason } = asked;
    const wanted = asked.expiresAt === undefined ? undefined : futureTime(asked.expiresAt, '/expiresAt');
    return this.changes.apply(author, 'agent-key.rotated', reason, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const row = await findAgentKey(tx, owner.id, keyId);
      if (row === null) throw notFound('key of this agent');
      const now = Date.now();
      if (row.revokedAt !== null || (row.expiresAt?.getTime() ?? Infinity) <= now)
        throw new ProblemError('conflict', 'This key is good no more. Create another: POST /v1/agents/{agent}/keys.');
      const lifetimeMs = row.expiresAt === null ? null : row.expiresAt.getTime() - row.createdAt.getTime();
      const inherited = lifetimeMs === null ? null : new Date(now + lifetimeMs);
      const expiresAt = wanted === undefined ? inherited : wanted;
      const created = await this.issue(tx, owner.id, { name: asked.name ?? row.name, expiresAt });
      const end = new Date(Math.min(row.expiresAt?.getTime() ?? Infinity, now + overlapSeconds * 1000));
      const replaced = toAgentKey(await endAgentKey(tx, keyId, end));
      const change = { keyId: created.id, replacedKeyId: keyId, replacedUntil: replaced.expiresAt, expiresAt: created.expiresAt };
      return { result: { ...created, replaced }, subject: agentSubject(owner), change, dirty: [agentBucket(owner.id)] };
    });
  }

  /** A key that is revoked already stays as it is. */
  async revoke(author: Author, agent: string, keyId: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'agent-key.revoked', undefined, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const row = await findAgentKey(tx, owner.id, keyId);
      if (row === null) throw notFound('key of this agent');
      if (row.revokedAt !== null) return { result: undefined, unchanged: true };
      await revokeAgentKey(tx, keyId, new Date());
      return { result: undefined, subject: agentSubject(owner), change: { keyId, revoked: true }, dirty: [agentBucket(owner.id)] };
    });
  }

  private async issue(
    tx: Transaction,
    agentId: string,
    { name, expiresAt }: { name: string | null; expiresAt: Date | null },
  ): Promise<CreatedAgentKey> {
    const { id, secret, token } = newBearer('agent');
    const pepper = this.keys.currentPepper();
    const row = await insertAgentKey(tx, { id, agentId, name, hash: hashBearer(pepper.key, secret), pepperId: pepper.id, expiresAt });
    return { ...toAgentKey({ ...row, use: null }), key: token };
  }
}

function toAgentKey(row: UsedKey): AgentKey {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.use?.lastUsedAt.toISOString() ?? null,
  };
}
