import { GatewayError } from '@portcullis/contracts/errors';
import type { AgentEntry, AgentKeyEntry } from '@portcullis/contracts/snapshot';
import { TASK_KEY_PREFIX } from '@portcullis/contracts/task-keys';
import { ACCESS_TOKEN_CHARS_MAX, BearerMemory, looksLikeJwt, parseBearer } from '@portcullis/secrets';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { endpointPath } from '../edge/endpoint-path.js';
import type { AccessTokens } from './access-tokens.js';
import type { Task, TaskKeys } from './task-keys.js';
import { isIssuerTrusted } from './trusted-issuer.js';

/** Who calls, and with which of its keys. */
export interface Caller {
  readonly agent: AgentEntry;
  readonly keyId: string;
  /** Where it calls with the key of a task; `keyId` is then that of the key it was made with. */
  readonly task?: Task | undefined;
  /** The subject of its access token, where it speaks for somebody. */
  readonly onBehalfOf?: string | undefined;
  /** What tells it apart from the agent itself: the task it works on, or whom it speaks for. Sessions belong to one. */
  readonly principal?: string | undefined;
  /** When its access token ends; epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** That token and its issuer, to whom alone it may be shown again. */
  readonly accessToken?: { readonly token: string; readonly issuer: string } | undefined;
}

/** Tells an agent's tasks and subjects apart from itself and from one another. */
export const callerName = ({ agent, principal }: Caller): string => (principal === undefined ? agent.id : `${agent.id}#${principal}`);

/** Finds the pepper a key was hashed under; undefined for one this node does not hold. */
export type PepperOf = (pepperId: string) => Uint8Array | undefined;

/** What keys are checked with; `now` in epoch milliseconds. */
interface Check {
  readonly pepperOf: PepperOf;
  readonly taskKeys: Pick<TaskKeys, 'open'>;
  readonly accessTokens: Pick<AccessTokens, 'open'>;
  /** The server of a per-server endpoint; null for all. */
  readonly slug: string | null;
  readonly now: number;
}

const SCHEME = /^bearer /i;
const BEARER_CHARS = 'Bearer '.length;
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
  const token = accessTokenIn(header);
  if (token !== undefined) return authenticateToken(token, live, check);
  const parts = scheme === undefined || header.length > TOKEN_CHARS_MAX ? undefined : parseBearer('agent', header.slice(scheme.length));
  if (parts === undefined) throw refused('not_an_agent_key');
  const found = live.agentByKeyId.get(parts.id);
  // A key that is good no more costs what one costs that never was: what is known again is quicker.
  const usable = found !== undefined && isUsable(found, check.now) ? found.key : undefined;
  const pepper = usable === undefined ? undefined : check.pepperOf(usable.pepperId);
  const { secret } = parts;
  const matches = memory.matches(usable ?? NOBODY, pepper ?? NOBODY.pepper, { secret, storedHash: usable?.hash ?? NOBODY.hash });
  if (found === undefined) throw refused('unknown_key', parts.id);
  if (usable === undefined) throw refused(found.agent.enabled ? 'expired' : 'agent_disabled', parts.id);
  if (pepper === undefined) throw refused('unknown_pepper', parts.id);
  if (!matches) throw refused('wrong_secret', parts.id);
  return { agent: found.agent, keyId: parts.id };
}

const isUsable = ({ agent, key }: { readonly agent: AgentEntry; readonly key: AgentKeyEntry }, now: number): boolean =>
  agent.enabled && (key.expiresAt === null || now < key.expiresAt);

/** The access token of an `Authorization` header; undefined where it holds something else. */
export function accessTokenIn(header: string | undefined): string | undefined {
  if (header === undefined || !looksLikeJwt(header, BEARER_CHARS) || header.length > ACCESS_TOKEN_CHARS_MAX) return undefined;
  return SCHEME.test(header) ? header.slice(BEARER_CHARS) : undefined;
}

/** The agent that a trusted issuer's token is of, if one is called so. */
function authenticateToken(token: string, live: PolicySnapshot, { accessTokens, slug }: Check): Caller {
  const { keyId, issuer, lacksScope, onBehalfOf, principal, expiresAt } = accessTokens.open(token, live, endpointPath(slug));
  const found = live.agentByKeyId.get(keyId);
  const reason = found === undefined ? 'unknown_identity' : found.agent.enabled ? undefined : 'agent_disabled';
  if (found === undefined || reason !== undefined) throw new GatewayError('auth.required', { reason, keyId, isToken: true });
  // All of them at once: a client that asks for what it lacks one by one would never come to an end.
  if (lacksScope) throw new GatewayError('auth.insufficient_scope', { reason: 'insufficient_scope', keyId, scopes: issuer.requiredScopes });
  return { agent: found.agent, keyId, onBehalfOf, principal, expiresAt, accessToken: { token, issuer: issuer.issuer } };
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
  if (!isIssuerTrusted(parentKeyId, live.settings)) throw refused('unknown_issuer', parentKeyId);
  return { agent: found.agent, keyId: parentKeyId, task, onBehalfOf: task.onBehalfOf, principal: task.id };
}

function refused(reason: string, keyId: string | null = null): GatewayError {
  return new GatewayError('auth.required', { reason, keyId });
}
