import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { hashStored, linkDigest, linkText, NO_LINK } from '@portcullis/audit';
import { TrailVerifier, TrustedKeys } from '@portcullis/audit/verify';
import type { AuditAnchorHead, AuditProofLine, AuditVerification } from '@portcullis/contracts/api/audit-proof';
import type { AuditEvent, AuditLink } from '@portcullis/contracts/audit';
import type { PrismaClient } from '@portcullis/database';
import { hashBearer, newBearer, newNodeKeyPair, newSigningKey, signBytes, verifyBytes, type KeyPair } from '@portcullis/secrets';
import { v7 } from 'uuid';
import { expect, vi } from 'vitest';
import { AuditSealer } from '../audit-proof/audit-sealer.js';
import { ProofLines } from '../audit-proof/proof-lines.js';
import { readSealing } from '../audit-proof/sealing-state.js';
import { KeyRing } from '../keys/key-ring.js';
import type { TestApp } from './start-test-app.js';

/** A node with a certified key, and one boot of it. */
export interface RecordingNode {
  readonly name: string;
  readonly boot: string;
  readonly key: KeyPair;
  readonly bearer: string;
}

/** Enrols a node and registers its key over REST, as a node does. */
export async function newRecordingNode(own: TestApp, name: string): Promise<RecordingNode> {
  const { id: keyId, secret, token } = newBearer('node');
  const pepper = own.app.get(KeyRing).currentPepper();
  const data = { name, keyId, keyHash: hashBearer(pepper.key, secret), pepperId: pepper.id, sealingPublicKey: newNodeKeyPair().publicKey };
  await own.database.node.create({ data });
  const key = newSigningKey();
  const answer = await own.call('POST', '/v1/node/audit-key', { publicKey: key.publicKey }, token);
  if (answer.status !== 200) throw new Error(`The key was not taken: ${answer.text}`);
  return { name, boot: v7(), key, bearer: token };
}

const NOTHING = {
  agentId: null,
  keyId: null,
  operator: null,
  serverId: null,
  definitionHash: null,
  reason: null,
  grantId: null,
  epoch: 1,
  revision: 3,
  durationUs: 1200,
  upstreamUs: 900,
  era: 'modern' as const,
  traceId: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
};

/** Stores events of a node as the audit worker does. Returns the hashes of their rows, in their order. */
export async function storeEvents(
  database: PrismaClient,
  { name: node, boot }: RecordingNode,
  [firstSeq, lastSeq]: [number, number],
  at = Date.now(),
): Promise<string[]> {
  await database.$executeRawUnsafe(`SELECT audit_ensure_day('${dayOf(at)}'::date)`);
  const rows = Array.from({ length: lastSeq - firstSeq + 1 }, (_, place) => {
    const id = v7({ msecs: at });
    const args = Buffer.from(JSON.stringify({ title: `issue ${firstSeq + place}` }));
    const about = {
      method: 'tools/call',
      agent: 'code-review-agent',
      server: 'github',
      tool: 'create_issue',
      argumentsHash: randomUUID(),
      argumentsBytes: args.length,
      ...(place % 2 === 0 && { units: { '/usage/tokens': 12_000_000, '/calls': place } }),
    };
    const how = { phase: 'single', decision: 'allow', status: 'success', truncated: false } as const;
    const event: AuditEvent = { ...NOTHING, ...about, ...how, id, callId: id, seq: firstSeq + place, at, arguments: args.toString('base64') };
    const hash = hashStored({ event, requestId: null, frame: null }) ?? '';
    const row = {
      ...event,
      units: event.units ?? undefined,
      day: new Date(dayOf(at)),
      node,
      boot,
      at: new Date(at),
      arguments: Uint8Array.from(args),
      resultSummary: null,
    };
    return { row: { ...row, hash: Uint8Array.from(Buffer.from(hash, 'latin1')) }, hash };
  });
  await database.auditEvent.createMany({ data: rows.map(({ row }) => row) });
  await database.auditRange.create({ data: { node, boot, firstSeq, lastSeq } });
  return rows.map(({ hash }) => hash);
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A link as the node signs it. */
export function signLink(
  { name, boot, key }: RecordingNode,
  [firstSeq, lastSeq]: [number, number],
  hashes: readonly string[],
  prev = NO_LINK,
): AuditLink {
  const unsigned = { boot, firstSeq, lastSeq, prev, digest: linkDigest(prev, hashes.join('')) };
  return { ...unsigned, keyId: key.keyId, signature: signBytes(key.privateKey, linkText(name, unsigned)) };
}

/** Reports to the control plane as the node does every two seconds. */
export async function report(own: TestApp, { bearer, boot }: RecordingNode, lastSeq: number, auditLinks: AuditLink[]): Promise<void> {
  const status = {
    boot,
    version: '0',
    url: null,
    epoch: 0,
    appliedRevision: 0,
    policyAgeMs: null,
    refused: null,
    audit: [{ boot, lastSeq }],
    auditLinks,
  };
  const answer = await own.call('POST', '/v1/node/status', status, bearer);
  if (answer.status !== 200) throw new Error(`The report was not taken: ${answer.text}`);
}

const patiently = { timeout: 30_000, interval: 50 };

/** Seals all that is stored, into one block. What other tests of this Postgres are storing at the same moment may put it off. */
export async function sealAll(own: TestApp): Promise<void> {
  await vi.waitFor(async () => {
    const [is] = await own.database.$queryRaw<[{ over: boolean }]>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >
      greatest((SELECT max(stored_tx) FROM audit_event), (SELECT max(stored_tx) FROM audit_link), 0) AS over`;
    expect(is.over).toBe(true);
  }, patiently);
  await vi.waitFor(async () => {
    await own.app.get(AuditSealer).seal();
    const { backlogEvents, block, anchors } = await readSealing(own.database);
    expect([backlogEvents, anchors.map((anchor) => anchor.block)]).toEqual([0, anchors.map(() => block)]);
  }, patiently);
}

/** What a verification says of a database, given heads from elsewhere. */
async function verifyTrail(database: PrismaClient, keys: KeyRing, anchors: readonly AuditAnchorHead[]): Promise<AuditVerification> {
  const verifier = new TrailVerifier(new TrustedKeys(await keys.signingKeysEver(), verifyBytes));
  for await (const lines of new ProofLines(database, keys).read({})) {
    const result = verifyLines(verifier, lines, anchors);
    if (result !== undefined) return result;
  }
  throw new Error('The proof has no end');
}

/** What a verification says at the end of a proof; undefined before. */
export function verifyLines(
  verifier: TrailVerifier,
  lines: readonly AuditProofLine[],
  anchors: readonly AuditAnchorHead[],
): AuditVerification | undefined {
  for (const line of lines) {
    if (line.type !== 'end') verifier.take(line);
    else {
      for (const head of anchors) verifier.takeHead(head);
      return verifier.end(line);
    }
  }
  return undefined;
}

class TakenBack extends Error {}

/** The same after a superuser has done this to the database. It is taken back afterwards. */
export async function verifyAfter(
  own: TestApp,
  { anchors, done }: { anchors: readonly AuditAnchorHead[]; done: readonly string[] },
): Promise<AuditVerification> {
  let result: AuditVerification | undefined;
  const drill = own.database.$transaction(
    async (tx) => {
      await tx.$executeRawUnsafe('SET LOCAL session_replication_role = replica');
      for (const statement of done) await tx.$executeRawUnsafe(statement);
      result = await verifyTrail(tx as PrismaClient, own.app.get(KeyRing), anchors);
      throw new TakenBack();
    },
    { timeout: 30_000 },
  );
  await drill.catch((error: unknown) => {
    if (!(error instanceof TakenBack)) throw error;
  });
  if (result === undefined) throw new Error('Nothing was verified');
  return result;
}

/** A key that nobody made here. */
export function foreignSigningKey(): { keyId: string; sign: (bytes: Uint8Array) => string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const der = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url');
  return { keyId: 'foreign', sign: (bytes) => signBytes(der, bytes) };
}
