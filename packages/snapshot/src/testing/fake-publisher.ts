import { generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import {
  bucketOf,
  SNAPSHOT_SCHEMA_VERSION,
  type AgentEntry,
  type ChunkKind,
  type Digest,
  type GrantEntry,
  type ServerEntry,
  type SettingsEntry,
  type SignedHead,
  type SnapshotHead,
} from '@portcullis/contracts/snapshot';
import { assembleRoot } from '../assemble-root.js';
import type { Encoded } from '../content.js';
import { bucketIdOf, encodeChunk, encodeSettings, type BucketContent } from '../encode-chunk.js';
import { HEAD_LIFETIME_MS } from '../limits.js';
import { signHead, type VerifyBody } from '../signed-head.js';

/** What a test publishes. */
export interface FakePolicy {
  readonly servers?: readonly ServerEntry[];
  readonly agents?: readonly AgentEntry[];
  readonly grants?: readonly GrantEntry[];
  readonly settings?: Partial<SettingsEntry>;
}

export interface Published {
  readonly chunks: ReadonlyMap<Digest, Uint8Array>;
  readonly rootDigest: Digest;
}

/** Compiles whole policies and signs heads with a key of its own, for tests: no rows, no outbox, no rest. */
export class FakePublisher {
  readonly keyId: string;
  readonly #publicKey: KeyObject;
  readonly #privateKey: KeyObject;

  constructor(keyId = 'key-1') {
    this.keyId = keyId;
    ({ publicKey: this.#publicKey, privateKey: this.#privateKey } = generateKeyPairSync('ed25519'));
  }

  readonly verify: VerifyBody = (keyId, body, signature) =>
    keyId === this.keyId ? verify(null, body, this.#publicKey, Buffer.from(signature, 'base64url')) : undefined;

  readonly sign = (body: Uint8Array): string => sign(null, body, this.#privateKey).toString('base64url');

  head(head: Pick<SnapshotHead, 'revision' | 'rootDigest' | 'issuedAt'> & Partial<SnapshotHead>): SignedHead {
    const whole = { epoch: 1, schema: SNAPSHOT_SCHEMA_VERSION, notAfter: head.issuedAt + HEAD_LIFETIME_MS, keyId: this.keyId, ...head };
    return signHead(whole, this.sign);
  }

  compile(policy: FakePolicy, revision: number): Published {
    const encoded: Encoded[] = [];
    const bucketsOf = (kind: ChunkKind, items: readonly (ServerEntry | AgentEntry | GrantEntry)[]): ReadonlyMap<number, Digest> => {
      const digests = new Map<number, Digest>();
      const byBucket = new Map<number, (ServerEntry | AgentEntry | GrantEntry)[]>();
      for (const item of items) {
        const bucket = bucketOf(bucketIdOf(kind, item));
        byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), item]);
      }
      for (const [bucket, within] of byBucket) {
        const chunk = encodeChunk({ kind, bucket, items: within } as BucketContent);
        encoded.push(chunk);
        digests.set(bucket, chunk.digest);
      }
      return digests;
    };
    const buckets = {
      servers: bucketsOf('servers', policy.servers ?? []),
      agents: bucketsOf('agents', policy.agents ?? []),
      grants: bucketsOf('grants', policy.grants ?? []),
    };
    const settings = encodeSettings({ ...defaultSettings, ...policy.settings });
    const { root, indexes } = assembleRoot(buckets, settings.digest, revision);
    return { chunks: new Map([...encoded, settings, ...indexes, root].map(({ digest, bytes }) => [digest, bytes])), rootDigest: root.digest };
  }
}

const defaultSettings: SettingsEntry = { staleAfterMs: 3_600_000, auditRelease: 'queue', auditLists: true, auditArgumentBytesMax: 16_384 };

/** The same small number gives the same id, and neighbours lie in different buckets. */
export const fakeId = (family: string, n: number): string => `${family.repeat(8)}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export const fakeServer = (n: number, over: Partial<ServerEntry> = {}): ServerEntry => ({
  id: fakeId('a', n),
  slug: `server-${n}`,
  url: 'http://127.0.0.1:1/mcp',
  enabled: true,
  era: 'modern',
  tags: [],
  environment: null,
  instructions: null,
  capabilitiesJson: '{}',
  limits: { concurrency: 1, firstByteTimeoutMs: 1, totalTimeoutMs: 1, resultBytesMax: 1 },
  definitions: [{ kind: 'tool', name: 'query', hash: '0'.repeat(64), json: '{"name":"query"}' }],
  ...over,
});

export const fakeAgent = (n: number, over: Partial<AgentEntry> = {}): AgentEntry => ({
  id: fakeId('b', n),
  slug: `agent-${n}`,
  enabled: true,
  toolNameStyle: 'double-underscore',
  groupIds: [],
  keys: [{ id: `key-of-${n}`, hash: 'h', pepperId: 'p', expiresAt: null }],
  ...over,
});

export const fakeGrant = (n: number, agentN: number, over: Partial<GrantEntry> = {}): GrantEntry => ({
  id: fakeId('c', n),
  subject: { agentId: fakeId('b', agentN) },
  target: { serverId: fakeId('a', 1) },
  kind: 'tools',
  names: ['query'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
  ...over,
});
