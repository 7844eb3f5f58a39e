import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blockText } from '@portcullis/audit';
import { TrailVerifier, TrustedKeys } from '@portcullis/audit/verify';
import { AuditAnchorHead, AuditProofLine, AuditVerifyLine, type AuditSigningKey } from '@portcullis/contracts/api/audit-proof';
import { verifyBytes } from '@portcullis/secrets';
import {
  foreignSigningKey,
  newRecordingNode,
  report,
  sealAll,
  signLink,
  storeEvents,
  verifyAfter,
  verifyLines,
  type RecordingNode,
} from '../testing/proven-trail.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { stopLoop } from '../testing/stop-loop.js';
import { AuditSealer } from './audit-sealer.js';

let own: TestApp;
let node: RecordingNode;
let directory: string;
let anchors: AuditAnchorHead[];

/** Three blocks over three hundred calls, linked by their node and anchored. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-anchor-'));
  const file = join(directory, 'anchor.ndjson');
  own = await startTestApp({ auditAnchors: { file } });
  await stopLoop(own, AuditSealer);
  node = await newRecordingNode(own, 'node-1');
  let prev: string | undefined;
  for (const [firstSeq, lastSeq] of [
    [1, 100],
    [101, 200],
    [201, 300],
  ] as const) {
    const hashes = await storeEvents(own.database, node, [firstSeq, lastSeq]);
    const link = signLink(node, [firstSeq, lastSeq], hashes, prev);
    prev = link.digest;
    await report(own, node, lastSeq, [link]);
    await sealAll(own);
  }
  anchors = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => AuditAnchorHead.parse(JSON.parse(line)));
});
afterAll(async () => {
  await own.close();
  await rm(directory, { recursive: true });
});

const after = async (...done: string[]) => verifyAfter(own, { anchors, done });
const ofNode = (seq: number | string) => `node = 'node-1' AND seq = ${seq}`;
const byHand = { block: expect.any(Number), node: 'node-1' };

test('a trail that nobody touched is verified, links and anchors included', async () => {
  const result = await after();
  expect(result).toMatchObject({ verdict: 'verified', from: 1, findings: [], unhashedEvents: 0, droppedEvents: 0, links: { checked: 3, open: 0 } });
  expect(result.anchoredThrough).toBe(result.through);
  expect(result.events).toBeGreaterThan(300);
});

describe('a superuser who', () => {
  test('edits one byte is shown the row', async () => {
    const { verdict, findings } = await after(`UPDATE audit_event SET arguments = set_byte(arguments, 3, 33) WHERE ${ofNode(150)}`);
    expect([verdict, findings.length]).toEqual(['failed', 1]);
    expect(findings[0]).toMatchObject({ ...byHand, kind: 'row_altered', firstSeq: 150, lastSeq: 150 });
  });

  test.each([
    "agent = 'other'",
    "at = at + interval '1 ms'",
    "decision = 'deny'",
    'truncated = true',
    "task = 't'",
    "on_behalf_of = 't'",
    "claimed_agent = 'c'",
    `units = '{"/usage/tokens": 13000000}'`,
    'revision = 4',
    "frame = '\\x00'",
  ])('changes a column is shown the row: %s', async (change) => {
    expect((await after(`UPDATE audit_event SET ${change} WHERE ${ofNode(7)}`)).findings).toMatchObject([{ kind: 'row_altered', firstSeq: 7 }]);
  });

  test('edits a row and its hash is shown the rows it is among, and that their node signed others', async () => {
    const { findings } = await after(`UPDATE audit_event SET agent = 'other', hash = sha256('x') WHERE ${ofNode(150)}`);
    expect(findings.map(({ kind }) => kind)).toEqual(['row_altered', 'rows_altered', 'rows_not_as_signed']);
    expect(findings[2]).toMatchObject({ firstSeq: 101, lastSeq: 200 });
  });

  test('takes a hash away is shown the rows', async () => {
    const { findings } = await after(`UPDATE audit_event SET agent = 'other', hash = NULL WHERE ${ofNode(150)}`);
    expect(findings[0]).toMatchObject({ kind: 'rows_altered', firstSeq: 101, lastSeq: 200 });
  });

  test('deletes a row is shown which', async () => {
    const { findings } = await after(`DELETE FROM audit_event WHERE ${ofNode(42)}`);
    expect(findings[0]).toMatchObject({ ...byHand, kind: 'row_missing', firstSeq: 42, lastSeq: 42 });
  });

  test('deletes the last hundred rows is shown which', async () => {
    const { findings } = await after("DELETE FROM audit_event WHERE node = 'node-1' AND seq > 200");
    expect(findings[0]).toMatchObject({ ...byHand, kind: 'row_missing', firstSeq: 201, lastSeq: 300 });
  });

  test('deletes the last rows with their block and link is shown by the anchor what was there', async () => {
    const { verdict, findings } = await after(
      "DELETE FROM audit_event WHERE node = 'node-1' AND seq > 200",
      'DELETE FROM audit_link WHERE last_seq = 300',
      'DELETE FROM audit_block WHERE n = (SELECT max(n) FROM audit_block)',
    );
    expect(verdict).toBe('failed');
    expect(findings).toMatchObject([{ kind: 'head_rolled_back', block: anchors.at(-1)?.n }]);
  });

  test('inserts a row is shown which, in a sealed place as in a new one', async () => {
    const columns = 'day, node, boot, id, call_id, phase, at, method, decision, status, truncated, hash, stored_tx';
    const copy = (seq: number, tx: string) =>
      `INSERT INTO audit_event (seq, ${columns}) SELECT ${seq}, ${columns.replace('stored_tx', tx)} FROM audit_event WHERE ${ofNode(150)}`;
    expect((await after(copy(9000, 'stored_tx'))).findings[0]).toMatchObject({ ...byHand, kind: 'row_inserted', firstSeq: 9000 });
    expect(await after(copy(9000, '9000000000'))).toMatchObject({ unsealedEvents: 1 });
  });

  test('swaps two rows is shown both', async () => {
    const { findings } = await after(
      `UPDATE audit_event SET seq = -1 WHERE ${ofNode(20)}`,
      `UPDATE audit_event SET seq = 20 WHERE ${ofNode(21)}`,
      `UPDATE audit_event SET seq = 21 WHERE ${ofNode(-1)}`,
    );
    expect(findings.slice(0, 2)).toMatchObject([
      { kind: 'row_altered', firstSeq: 20 },
      { kind: 'row_altered', firstSeq: 21 },
    ]);
  });

  test('drops a partition is shown everything that was in it', async () => {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const { verdict, findings } = await after(`DROP TABLE audit_days.day_${day}`);
    expect(verdict).toBe('failed');
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'row_missing', node: 'node-1', firstSeq: 1, lastSeq: 100 }));
  });

  test('rewrites a block and signs it with another key is shown the block', async () => {
    const { n, content } = await own.database.auditBlock.findFirstOrThrow({ orderBy: { n: 'asc' }, skip: 1 });
    const rewritten = content.replace(/"sealedAt":"[^"]*"/, '"sealedAt":"2020-01-01T00:00:00.000Z"');
    const { keyId, sign } = foreignSigningKey();
    const change = `UPDATE audit_block SET content = '${rewritten}', key_id = '${keyId}', signature = '${sign(blockText(rewritten))}' WHERE n = ${n}`;
    const { findings } = await after(change);
    expect(findings[0]).toMatchObject({ kind: 'block_forged', block: Number(n) });
    expect(findings.map(({ kind }) => kind)).toContain('chain_broken');
  });

  test('rewrites what a block covers is shown the block', async () => {
    const { findings } = await after('UPDATE audit_block SET segments = replace(segments, \'"node-1"\', \'"node-2"\') WHERE n = 2');
    expect(findings[0]).toMatchObject({ kind: 'block_altered', block: 2 });
  });

  test('takes a block out of the middle is shown that it is missing', async () => {
    const { findings } = await after('DELETE FROM audit_block WHERE n = 2');
    expect(findings.map(({ kind, block }) => [kind, block])).toContainEqual(['block_missing', 2]);
  });

  test("changes an operator's action is shown the row and where the chain breaks", async () => {
    const { _max } = await own.database.auditEvent.aggregate({ _max: { seq: true }, where: { node: 'control-plane' } });
    const { findings } = await after(
      `UPDATE audit_event SET operator = 'nobody', hash = sha256('x') WHERE node = 'control-plane' AND seq = ${String(_max.seq)}`,
    );
    expect(findings.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['row_altered', 'rows_altered', 'operators_broken']));
  });

  test('takes a link away is shown that it is missing', async () => {
    const { findings } = await after('DELETE FROM audit_link WHERE last_seq = 200');
    expect(findings.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['link_missing']));
  });

  test('puts a key of their own beside the others has not made it one of ours', async () => {
    const known = await own.database.keyRingEntry.findFirstOrThrow({ where: { purpose: 'signing' } });
    const data = {
      keyId: 'foreign',
      purpose: 'signing' as const,
      secret: known.secret,
      publicKey: 'AAAA',
      createdAt: new Date(0),
      retiredAt: new Date(),
    };
    await own.database.keyRingEntry.create({ data });
    const { body } = await own.call('GET', '/v1/audit/keys', undefined, own.auditor);
    expect(body.items.map(({ keyId }: { keyId: string }) => keyId)).toEqual([known.keyId]);
    await own.database.keyRingEntry.delete({ where: { keyId: 'foreign' } });
  });
});

test('without an anchor, or with one of before, it says up to where the trail is vouched for and never simply that it is well', async () => {
  const [first] = anchors;
  const through = anchors.at(-1)?.n;
  expect(await verifyAfter(own, { anchors: [], done: [] })).toMatchObject({ verdict: 'unanchored', anchoredThrough: null, through });
  expect(await verifyAfter(own, { anchors: first ? [first] : [], done: [] })).toMatchObject({
    verdict: 'unanchored',
    anchoredThrough: first?.n,
    through,
  });
});

test.each(['audit_event', 'audit_link', 'audit_block'])(
  'the application itself can neither change nor delete what is on record: %s',
  async (table) => {
    const unchanged = { audit_event: 'agent = agent', audit_link: 'prev = prev', audit_block: 'content = content' }[table] ?? '';
    for (const statement of [`UPDATE ${table} SET ${unchanged}`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
      await expect(own.database.$executeRawUnsafe(statement), statement).rejects.toThrow(/permission denied/);
    }
    const [{ partition } = { partition: '' }] = await own.database.$queryRaw<
      { partition: string }[]
    >`SELECT inhrelid::regclass::text AS partition FROM pg_inherits`;
    await expect(own.database.$executeRawUnsafe(`TRUNCATE ${partition}`)).rejects.toThrow(/permission denied/);
  },
);

const proofLines = async (query = ''): Promise<AuditProofLine[]> => {
  const { text } = await own.call('GET', `/v1/audit/proof${query}`, undefined, own.auditor);
  const lines = text.trim().split('\n');
  return lines.map((line) => AuditProofLine.parse(JSON.parse(line)));
};

test('a proof is verified without the database, by keys that its reader had before', async () => {
  const lines = await proofLines();
  const read = (keys: readonly AuditSigningKey[], changed: readonly AuditProofLine[]) => {
    const verifier = new TrailVerifier(new TrustedKeys(keys, verifyBytes));
    return verifyLines(verifier, changed, anchors)?.findings.map(({ kind }) => kind);
  };
  expect(read(anchors, lines)).toEqual([]);
  expect(read([], lines)?.[0]).toBe('block_forged');
  const without = lines.filter((line) => line.type !== 'row' || line.row.event.seq !== 42 || line.row.node !== 'node-1');
  expect(read(anchors, without)?.[0]).toBe('row_missing');
});

test('a proof from before the last anchors is not said to be cut off, nor simply well; one that hides what it had is', async () => {
  const older = (await proofLines('?throughBlock=2')).map((line) => (line.type === 'end' ? { ...line, isNewest: true } : line));
  const sealedAt = (n: number): number => Date.parse(anchors.find((head) => head.n === n)?.sealedAt ?? '');
  const read = (madeAt: number, isFile: boolean) => {
    const verifier = new TrailVerifier(new TrustedKeys(anchors, verifyBytes), isFile);
    const lines = older.map((line) => (line.type === 'proof' ? { ...line, madeAt: new Date(madeAt).toISOString() } : line));
    return verifyLines(verifier, lines, anchors);
  };
  const newest = anchors.at(-1)?.n ?? 0;
  const before = sealedAt(3) - 1;
  expect(read(before, true)).toMatchObject({
    verdict: 'unanchored',
    findings: [],
    through: 2,
    anchoredThrough: 2,
    anchoredLater: newest,
    madeAt: new Date(before).toISOString(),
  });
  expect(read(before, false)).toMatchObject({ verdict: 'failed', findings: [{ kind: 'head_rolled_back', block: newest }] });
  expect(read(sealedAt(3), true)).toMatchObject({ verdict: 'failed', findings: [{ kind: 'head_rolled_back', block: 3 }] });
});

test('over REST it is verified whole and in part, for whoever may read the trail', async () => {
  const answer = await own.call('GET', '/v1/audit/verify', undefined, own.auditor);
  const lines = answer.text
    .trim()
    .split('\n')
    .map((line) => AuditVerifyLine.parse(JSON.parse(line)));
  expect(lines.at(-1)).toMatchObject({ type: 'result', result: { verdict: 'verified', through: anchors.at(-1)?.n } });
  const part = await own.call('GET', '/v1/audit/verify?fromBlock=2&throughBlock=2', undefined, own.auditor);
  expect(JSON.parse(part.text)).toMatchObject({ result: { verdict: 'verified', from: 2, through: 2 } });
  expect((await own.call('GET', '/v1/audit/verify?fromBlock=0', undefined, own.auditor)).status).toBe(400);
});

test('of blocks that are not there yet nothing is said to be gone', async () => {
  for (const range of ['from=2099-01-01T00:00:00Z', 'fromBlock=1000000']) {
    const { text } = await own.call('GET', `/v1/audit/verify?${range}`, undefined, own.auditor);
    expect(JSON.parse(text.trim().split('\n').at(-1) ?? ''), range).toMatchObject({ result: { verdict: 'unanchored', through: null, findings: [] } });
  }
});

test('a head that was torn as the machine died costs no other', async () => {
  const file = join(directory, 'anchor.ndjson');
  await appendFile(file, '{"n":4,"ha');
  await storeEvents(own.database, node, [301, 310]);
  await sealAll(own);
  const told = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(AuditAnchorHead.parse(JSON.parse(told.at(-1) ?? '')).n).toBeGreaterThan(anchors.at(-1)?.n ?? 0);
});
