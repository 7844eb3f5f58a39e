import { createHash, randomUUID } from 'node:crypto';
import type { DefinitionKind, Era } from '@portcullis/contracts/names';
import type { AgentEntry, DefinitionEntry, GrantEntry, ServerEntry, SettingsEntry } from '@portcullis/contracts/snapshot';
import { hashBearer, newBearer } from '@portcullis/secrets';

export const pepper = { keyId: 'pepper-1', key: Buffer.alloc(32, 7) };

export const settings: SettingsEntry = { staleAfterMs: 60_000, auditRelease: 'queue', auditLists: true, auditArgumentBytesMax: 1024 };

export function aDefinition(kind: DefinitionKind, name: string, rest: object = {}): DefinitionEntry {
  const own = kind === 'tool' ? { name, inputSchema: { type: 'object' }, ...rest } : { name, ...rest };
  const json = JSON.stringify(own);
  return { kind, name, hash: createHash('sha256').update(json).digest('hex'), json };
}

export const aTool = (name: string, rest: object = {}): DefinitionEntry => aDefinition('tool', name, rest);

export function aServer(slug: string, definitions: readonly DefinitionEntry[], rest: Partial<ServerEntry> & { era?: Era | null } = {}): ServerEntry {
  return {
    id: randomUUID(),
    slug,
    url: 'http://127.0.0.1:9/mcp',
    enabled: true,
    era: 'legacy',
    tags: [],
    environment: null,
    instructions: null,
    capabilitiesJson: '{}',
    limits: { concurrency: 64, firstByteTimeoutMs: 20_000, totalTimeoutMs: 30_000, resultBytesMax: 4 * 1024 * 1024 },
    definitions: [...definitions],
    ...rest,
  };
}

/** An agent with one key, and the token that goes with it. */
export function anAgent(slug: string, rest: Partial<AgentEntry> = {}): AgentEntry & { readonly token: string } {
  const { token, id, secret } = newBearer('agent');
  const key = { id, hash: hashBearer(pepper.key, secret), pepperId: pepper.keyId, expiresAt: null };
  return { id: randomUUID(), slug, enabled: true, toolNameStyle: 'double-underscore', groupIds: [], keys: [key], token, ...rest };
}

export function aGrant(agent: Pick<AgentEntry, 'id'>, server: Pick<ServerEntry, 'id'>, rest: Partial<GrantEntry> = {}): GrantEntry {
  return {
    id: randomUUID(),
    subject: { agentId: agent.id },
    target: { serverId: server.id },
    kind: 'tools',
    names: ['*'],
    effect: 'allow',
    notBefore: null,
    expiresAt: null,
    ...rest,
  };
}
