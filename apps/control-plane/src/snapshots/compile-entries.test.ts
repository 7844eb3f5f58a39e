import type { Settings } from '@portcullis/contracts/api/policy';
import { TokenIssuer } from '@portcullis/contracts/token-issuers';
import { USUAL_CAPTURE } from '@portcullis/contracts/capture';
import { encodeChunk, encodeSettings } from '@portcullis/snapshot';
import { expect, test } from 'vitest';
import { agentEntry, askingEntry, COMPILE_VERSION, grantEntry, serverEntry, settingsEntry } from './compile-entries.js';
import type { AgentRow, GrantRow, ServerRow } from './snapshot-rows.js';

const now = new Date('2026-01-01T00:00:00Z');
const idOf = (letter: string, number: number): string => `${letter.repeat(8)}-0000-4000-8000-${String(number).padStart(12, '0')}`;

const server: ServerRow = {
  id: idOf('a', 1),
  slug: 'github',
  url: 'https://github.example/mcp',
  protocol: 'auto',
  era: 'legacy',
  bothEras: true,
  transport: 'sse',
  transportPin: 'auto',
  tags: ['code', 'Audited'],
  environment: 'production',
  enabled: true,
  suspendedAt: null,
  keepServing: 'descriptions-only',
  capabilitiesJson: '{"tools":{}}',
  auditCapture: { tools: [{ names: ['query'], arguments: { paths: ['/sql'], mode: 'hashed' } }], results: { mode: 'none' } },
  answerRules: null,
  definitions: [
    ...['b', 'a', 'c'].map((name, at) => ({
      kind: 'tool' as const,
      name,
      state: at === 0 ? ('changed' as const) : ('approved' as const),
      descriptionsOnly: at === 0,
      approvedJson: Buffer.from(`{"name":"${name}"}`),
      approvedHash: String(at).repeat(64),
    })),
    { kind: 'tool', name: 'd', state: 'changed', descriptionsOnly: false, approvedJson: Buffer.from('{"name":"d"}'), approvedHash: '4'.repeat(64) },
    {
      kind: 'instructions',
      name: 'instructions',
      state: 'changed',
      descriptionsOnly: false,
      approvedJson: Buffer.from('{"instructions":"Ask first."}'),
      approvedHash: '3'.repeat(64),
    },
  ],
};
const answerRules = { rules: [{ names: ['a'], action: 'redact', secrets: true, texts: ['ACME-*'], paths: ['/_meta'] }], bytesMax: 2048 };
const hosted: ServerRow = {
  ...server,
  url: 'stdio:github',
  transportPin: 'stdio',
  hosting: { placeAddress: 'http://runner:9300', place: { id: idOf('e', 1), accessVersion: 1, accessTokenForNodes: 'v1.key.sealed' } },
};
const agent: AgentRow = {
  id: idOf('b', 1),
  slug: 'caller',
  enabled: true,
  toolNameStyle: 'double_underscore',
  identities: [
    { issuer: 'https://idp.example', subject: 'b' },
    { issuer: 'https://idp.example', subject: 'a' },
  ],
  memberships: [{ groupId: idOf('c', 2) }, { groupId: idOf('c', 1) }],
  keys: [{ id: 'key', hash: 'hash', pepperId: 'pepper', expiresAt: new Date(now.getTime() + 1), revokedAt: null }],
};
const grant: GrantRow = {
  id: idOf('d', 1),
  agentId: agent.id,
  groupId: null,
  serverId: server.id,
  selector: null,
  kind: 'tools',
  names: ['b', 'a*'],
  effect: 'allow',
  condition: null,
  pinned: null,
  rateLimit: null,
  mode: 'enforce',
  notBefore: null,
  expiresAt: null,
};
const terms: GrantRow = {
  ...grant,
  id: idOf('d', 2),
  serverId: null,
  selector: { tags: { allOf: ['code'] }, annotations: { readOnlyHint: true } },
  effect: 'deny',
  condition: 'args.repo == "a"',
  mode: 'shadow',
  notBefore: now,
  expiresAt: new Date(now.getTime() + 1),
};

const settings: Settings = {
  staleAfterSeconds: 60,
  auditRelease: 'queue',
  auditLists: true,
  auditArgumentBytesMax: 100,
  publicUrl: 'https://gateway.example',
  tokenIssuers: [TokenIssuer.parse({ issuer: 'https://idp.example' })],
  auditCapture: { ...USUAL_CAPTURE, arguments: { mode: 'none', paths: [] } },
};

test('what changed since it was approved is named as withheld, with nothing that it says, unless it is served all the same', () => {
  const { definitions, withheld } = serverEntry(server);
  expect(definitions.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(withheld).toEqual([{ kind: 'tool', name: 'd' }]);
  expect(serverEntry({ ...server, keepServing: 'none' }).withheld?.map(({ name }) => name)).toEqual(['b', 'd']);
  expect(serverEntry({ ...server, definitions: [] })).not.toHaveProperty('withheld');
});

// Fails here? Raise COMPILE_VERSION, then note the new bytes: without it, control planes of two releases would publish two policies under one revision.
test('the same rows give other bytes only under another COMPILE_VERSION', () => {
  const bucket = 1;
  const asking = askingEntry({ id: idOf('d', 3), agentId: agent.id, groupId: null });
  const contents = {
    servers: encodeChunk({ kind: 'servers', bucket, items: [serverEntry(server)] }),
    watched: encodeChunk({ kind: 'servers', bucket, items: [serverEntry({ ...server, answerRules })] }),
    hosted: encodeChunk({ kind: 'servers', bucket, items: [serverEntry(hosted), serverEntry({ ...hosted, id: idOf('a', 1001), hosting: null })] }),
    agents: encodeChunk({ kind: 'agents', bucket, items: [agentEntry(agent, now)] }),
    grants: encodeChunk({ kind: 'grants', bucket, items: [grantEntry(grant), grantEntry(terms), asking] }),
    settings: encodeSettings(settingsEntry(settings)),
    usual: encodeSettings(settingsEntry({ ...settings, auditCapture: USUAL_CAPTURE })),
  };
  const digests = Object.fromEntries(Object.entries(contents).map(([name, { digest }]) => [name, digest]));
  expect({ version: COMPILE_VERSION, ...digests }).toEqual({
    version: 16,
    hosted: 'd17fdf2b80b0a800b7b77ec0152d019f3eeabeac0f608b3cff5e22c29b87306f',
    servers: '546a2f5170ba85dee9dcd685a280f97bb433757456460490996b7d44cf685fec',
    watched: 'bd7a8dbf9ff8df32ebf7ec68e3aa5a7277492ab6c89eecd82a818c2aff13c6e0',
    agents: '9c862b32bca5af91a22a10d8718e87599d9c7055b92fb65bf7e00eb85c54ef3e',
    grants: '34793739d9e1ec86e32117a40381dea0af64d3e1e8e58377770a52f7f256d881',
    settings: '36c93e2af381b07633b9d59918feb0395c0aedcc0006662b723173f78a2bc9b4',
    usual: '0a3c23e174ca24808d08cf81c4b98f56ada03f2464062e36e282185992390ba5',
  });
});
