import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  TASK_KEY_AAD,
  TASK_KEY_CHARS_MAX,
  TASK_KEY_PREFIX,
  type CreatedTaskKey,
  type CreateTaskKey,
  type TaskKeyContent,
} from '@portcullis/contracts/task-keys';
import type { Transaction } from '@portcullis/database';
import { isOwnedBy } from '../changes/owned-agents.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { isPermitted } from '../http/permissions.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import type { Caller } from '../operators/operator-tokens.js';
import { findNewestLiveKey, type AgentRow } from './agents.repository.js';
import { agentSubject, AgentsService } from './agents.service.js';

/** Keys for tasks, as nodes make them for agents themselves; nothing of them is stored, and they end with the key they belong to. */
@Injectable()
export class TaskKeysService {
  constructor(
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async create(caller: Caller, reference: string, { task, servers, tools, ttlSeconds }: CreateTaskKey): Promise<CreatedTaskKey> {
    return this.changes.apply(caller, 'task-key.created', async (tx) => {
      const agent = await this.agents.find(tx, reference);
      await requireOwner(tx, caller, agent);
      const parentKeyId = await parentOf(tx, agent);
      const id = randomBytes(12).toString('base64url');
      const narrowing = { ...(servers !== undefined && { servers }), ...(tools !== undefined && { tools }) };
      const expiresAt = Date.now() + ttlSeconds * 1000;
      const key = this.seal({ id, agentId: agent.id, parentKeyId, task, expiresAt, within: [narrowing] });
      const until = new Date(expiresAt).toISOString();
      const result = { id, key, task, agent: agent.slug, parentKeyId, expiresAt: until };
      return { result, subject: agentSubject(agent), change: { id, parentKeyId, task, expiresAt: until, ...narrowing } };
    });
  }

  private seal(content: TaskKeyContent): string {
    const key = TASK_KEY_PREFIX + this.keys.taskKeySealer().seal(JSON.stringify(content), TASK_KEY_AAD);
    if (key.length > TASK_KEY_CHARS_MAX) throw new ProblemError('unprocessable', 'A key for so many names would be too long. Use fewer, or `*`.');
    return key;
  }
}

async function requireOwner(tx: Transaction, { name, role }: Caller, { slug }: AgentRow): Promise<void> {
  if (isPermitted(role, 'agents:write') || (await isOwnedBy(tx, slug, name))) return;
  throw new ProblemError('forbidden', `Only the owner of ${slug}, or who may change agents, makes keys for its tasks.`);
}

async function parentOf(tx: Transaction, { id, slug }: AgentRow): Promise<string> {
  const key = await findNewestLiveKey(tx, id, new Date());
  if (key === null) throw new ProblemError('unprocessable', `${slug} has no key that a task's could belong to. Create one.`);
  return key.id;
}
