import { GatewayError } from '@portcullis/contracts/errors';
import type { AgentEntry } from '@portcullis/contracts/snapshot';
import { TASK_KEY_PREFIX } from '@portcullis/contracts/task-keys';
import { BearerMemory, parseBearer } from '@portcullis/secrets';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { Task, TaskKeys } from './task-keys/task-keys.js';

/** Who calls, and with which of its keys. */
export interface Caller {
  readonly agent: AgentEntry;
  readonly keyId: string;
  /** Where it calls with the key of a task; `keyId` is then that of the key it was made with. */
  readonly task?: Task | undefined;
}

/** Tells an agent's tasks apart from itself and from one another. */
export const callerName = ({ agent, task }: Caller): string => (task === undefined ? agent.id : `${agent.id}#${task.id}`);

/** Finds the pepper a key was hashed under; undefined for one this node does not hold. */
export type PepperOf = (pepperId: string) => Uint8Array | undefined;

/** What keys are checked with; `now` in epoch milliseconds. */
interface Check {
  readonly pepperOf: PepperOf;
  readonly taskKeys: Pick<TaskKeys, 'open'>;
  readonly now: number;
}

const SCHEME = /^bearer /i;
const TOKEN_CHARS_MAX = 256;
/** Compared with where there is nothing to compare with, so that an unknown key costs what a wrong one costs. */
const NOBODY = { pepper: new Uint8Array(32), hash: Buffer.alloc(32).toString('base64url') };

/** Bound to the entries of keys in the snapshot: a changed or revoked key is another entry, or none. */
const memory = new BearerMemory();

/**
 * The agent behind an `Authorization` header, by this snapshot and this moment (epoch milliseconds). Every reason to refuse is the same
 * `auth.required` outside; `detail` tells them apart for logs.
 */
export function authenticate(header: string | undefined, live: PolicySnapshot, check: Check): Caller {
  if (header === undefined) throw refused('no_credentials');
  const scheme = SCHEME.exec(header)?.[0];
  if (scheme !== undefined && header.startsWith(TASK_KEY_PREFIX, scheme.length)) return authenticateTask(header.slice(scheme.length), live, check);
  const parts = scheme === undefined || header.length > TOKEN_CHARS_MAX ? undefined : parseBearer('agent', header.slice(scheme.length));
  if (parts === undefined) throw refused('not_an_agent_key');
  const found = live.agentByKeyId.get(parts.id);
  const pepper = found === undefined ? undefined : check.pepperOf(found.key.pepperId);
  const { secret } = parts;
  const matches = memory.matches(found?.key ?? NOBODY, pepper ?? NOBODY.pepper, { secret, storedHash: found?.key.hash ?? NOBODY.hash });
  if (found === undefined) throw refused('unknown_key', parts.id);
  if (pepper === undefined) throw refused('unknown_pepper', parts.id);
  if (!matches) throw refused('wrong_secret', parts.id);
  if (found.key.expiresAt !== null && check.now >= found.key.expiresAt) throw refused('expired', parts.id);
  if (!found.agent.enabled) throw refused('agent_disabled', parts.id);
  return { agent: found.agent, keyId: parts.id };
}

/** The agent behind a task key: by this snapshot its parent key must still be good. */
function authenticateTask(key: string, live: PolicySnapshot, { taskKeys, now }: Check): Caller {
  const task = taskKeys.open(key);
  if (task === undefined) throw refused('not_a_task_key');
  const { parentKeyId } = task;
  const found = live.agentByKeyId.get(parentKeyId);
  if (found === undefined || found.agent.id !== task.agentId) throw refused('parent_key_gone', parentKeyId);
  if (now >= task.expiresAt || (found.key.expiresAt !== null && now >= found.key.expiresAt)) throw refused('expired', parentKeyId);
  if (!found.agent.enabled) throw refused('agent_disabled', parentKeyId);
  return { agent: found.agent, keyId: parentKeyId, task };
}

function refused(reason: string, keyId: string | null = null): GatewayError {
  return new GatewayError('auth.required', { reason, keyId });
}
