import { Inject, Injectable } from '@nestjs/common';
import type { AgentKey, AgentKeyPage, CreateAgentKey, CreatedAgentKey } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type AgentKey as AgentKeyRow } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { futureTime } from '../http/future-time.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import { findAgentKey, insertAgentKey, listAgentKeys, revokeAgentKey } from './agents.repository.js';
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
    const { id, secret, token } = newBearer('agent');
    const pepper = this.keys.currentPepper();
    return this.changes.apply(author, 'agent-key.created', undefined, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const hash = hashBearer(pepper.key, secret);
      const row = await insertAgentKey(tx, { id, agentId: owner.id, name: name ?? null, hash, pepperId: pepper.id, expiresAt: end });
      const change = { keyId: id, name: row.name, expiresAt };
      return { result: { ...toAgentKey(row), key: token }, subject: agentSubject(owner), change, dirty: [agentBucket(owner.id)] };
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
}

function toAgentKey(row: AgentKeyRow): AgentKey {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
