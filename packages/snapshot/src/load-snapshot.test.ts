import { SNAPSHOT_SCHEMA_VERSION, SnapshotHead, type CarriedChanges, type SnapshotRoot } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeOfBucket, isCarried } from './carried-changes.js';
import type { ReadContents } from './chunk-reader.js';
import { digestOf, encodeContent } from './content.js';
import { encodeChunk } from './encode-chunk.js';
import { fakeAgent, fakeGrant, fakeId, FakePublisher, fakeServer, type FakePolicy, type Published } from './testing/fake-publisher.js';
import { loadSnapshot } from './load-snapshot.js';
import type { LoadedSnapshot } from './loaded-snapshot.js';
import { SharedMap } from './shared-map.js';

const publisher = new FakePublisher();
const headOf = ({ rootDigest }: Published, revision: number): SnapshotHead =>
  JSON.parse(publisher.head({ revision, rootDigest, issuedAt: 1 }).body) as SnapshotHead;

function reading({ chunks }: Published, asked: string[] = []): ReadContents {
  return async (digests) => {
    asked.push(...digests);
    return new Map(digests.map((digest) => [digest, chunks.get(digest) ?? new Uint8Array()]));
  };
}

async function load(policy: FakePolicy, revision: number, previous?: LoadedSnapshot, changes?: CarriedChanges) {
  const published = publisher.compile(policy, revision);
  const asked: string[] = [];
  const kept = new Map<string, string>();
  const loaded = await loadSnapshot({ ...headOf(published, revision), changes }, previous, reading(published, asked), (contents) => {
    for (const [digest, bytes] of contents) kept.set(digest, Buffer.from(bytes).toString());
  });
  return { ...loaded, asked, kept };
}

/** What a head of the policy after `one` would carry. */
function carried(one: LoadedSnapshot, [before, after]: readonly [FakePolicy, FakePolicy], revision: number): CarriedChanges {
  const [was, is] = [publisher.compile(before, one.snapshot.revision), publisher.compile(after, revision)];
  const buckets = (['agents', 'grants'] as const).flatMap((kind) => {
    const contentsOf = ({ chunks }: Published): Map<number, Uint8Array> =>
      new Map(
        [...chunks.values()].flatMap((bytes) => {
          const content = JSON.parse(Buffer.from(bytes).toString()) as { kind?: string; bucket?: number };
          return content.kind === kind && content.bucket !== undefined ? [[content.bucket, bytes]] : [];
        }),
      );
    const [old, fresh] = [contentsOf(was), contentsOf(is)];
    return [...new Set([...old.keys(), ...fresh.keys()])].map((bucket) =>
      changeOfBucket(kind, bucket, [old.get(bucket) ?? null, fresh.get(bucket) ?? null]),
    );
  });
  return { after: one.snapshot.revision, buckets };
}

/** Without the form in which definitions are held. */
const plain = <Value>(value: Value): unknown =>
  value instanceof SharedMap ? new Map([...value].map(([key, entry]) => [key, JSON.parse(JSON.stringify(entry))])) : value;

const base: FakePolicy = {
  servers: [fakeServer(1), fakeServer(2), fakeServer(1025)], // 1 and 1025 share a bucket
  agents: [fakeAgent(1), fakeAgent(2)],
  grants: [fakeGrant(1, 1), fakeGrant(2, 1), fakeGrant(3, 2)],
};

const mapped = (content: object): object => Object.fromEntries(Object.entries(content).map(([name, value]) => [name, plain(value)]));

describe('loadSnapshot', () => {
  test('gives back what was published', async () => {
    const { snapshot } = await load(base, 7);
    expect(snapshot).toMatchObject({ epoch: 1, revision: 7, settings: { auditRelease: 'queue' } });
    expect(plain(snapshot.servers)).toEqual(new Map(base.servers?.map((server) => [server.id, server])));
    expect(new Set(snapshot.agents.values())).toEqual(new Set(base.agents));
    expect(snapshot.serversBySlug.get('server-2')).toBe(snapshot.servers.get(fakeId('a', 2)));
    expect(snapshot.agentsBySlug.get(fakeAgent(2).slug)).toBe(snapshot.agents.get(fakeAgent(2).id));
    expect(snapshot.agentByKeyId.get('key-of-1')).toEqual({ agent: fakeAgent(1), key: fakeAgent(1).keys[0] });
    expect(snapshot.grantsBySubject.get(fakeId('b', 1))).toEqual([fakeGrant(1, 1), fakeGrant(2, 1)]);
  });

  test('reads only what differs, and what says the same stays the same object', async () => {
    const one = await load(base, 1);
    const two = await load({ ...base, servers: [fakeServer(1), fakeServer(2), fakeServer(1025, { enabled: false })] }, 2, one);
    expect(two.asked).toHaveLength(3); // root, one index, one bucket
    expect(two.snapshot.servers.get(fakeId('a', 1))).toBe(one.snapshot.servers.get(fakeId('a', 1)));
    expect(two.snapshot.servers.get(fakeId('a', 1025))?.enabled).toBe(false);
    expect(two.snapshot.agents).toBe(one.snapshot.agents);
    expect(two.snapshot.grantsBySubject).toBe(one.snapshot.grantsBySubject);
    expect(two.snapshot.changed).toEqual({ settings: false, serverIds: new Set([fakeId('a', 1025)]), agentIds: new Set(), subjectIds: new Set() });
    expect(one.snapshot.servers.get(fakeId('a', 1025))?.enabled).toBe(true); // the snapshot before is not touched
  });

  test('what a head names as added is read with the root, and nothing twice', async () => {
    const one = await load(base, 1);
    const next = publisher.compile({ ...base, servers: [fakeServer(1), fakeServer(2, { enabled: false }), fakeServer(1025)] }, 2);
    const groups: string[][] = [];
    const read: ReadContents = (digests) => {
      groups.push([...digests]);
      return reading(next)(digests);
    };
    const added = [...next.chunks.keys()]; // more than is needed: what is known is not asked for
    const two = await loadSnapshot({ ...headOf(next, 2), added }, one, read);
    expect(groups.map(({ length }) => length)).toEqual([3]);
    expect(two.snapshot.servers.get(fakeId('a', 2))?.enabled).toBe(false);
    expect(new Set(two.sizes.keys())).toEqual(new Set(added));
  });

  test('any text of a definition comes back exactly, and a server that says the same stays the same object', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), async (texts) => {
        const definitions = texts.map((json, at) => ({ kind: 'tool' as const, name: `t${String(at)}`, hash: '0'.repeat(64), json }));
        const one = await load({ servers: [fakeServer(1, { definitions })] }, 1);
        expect(one.snapshot.servers.get(fakeId('a', 1))?.definitions.map(({ json }) => json)).toEqual(texts);
        const two = await load({ servers: [fakeServer(1, { definitions }), fakeServer(1025)] }, 2, one);
        expect(two.snapshot.servers.get(fakeId('a', 1))).toBe(one.snapshot.servers.get(fakeId('a', 1)));
        expect(two.snapshot.servers.get(fakeId('a', 1025))?.definitions.map(({ json }) => json)).toEqual(
          fakeServer(1025).definitions.map(({ json }) => json),
        );
        expect(two.snapshot.servers.get(fakeId('a', 1))?.definitions.map(({ json }) => json)).toEqual(texts);
      }),
      { numRuns: 200 },
    );
  });

  test('from any policy to any other, the difference leads where a load from nothing does', async () => {
    const numbers = fc.uniqueArray(fc.constantFrom(1, 2, 3, 1025, 1026), { maxLength: 5 });
    const policy = fc
      .record({ servers: numbers, agents: numbers, grants: numbers, enabled: fc.boolean(), staleAfterMs: fc.constantFrom(30_000, 60_000) })
      .map(({ servers, agents, grants, enabled, staleAfterMs }): FakePolicy => ({
        servers: servers.map((n) => fakeServer(n, { enabled })),
        agents: agents.map((n) => fakeAgent(n, { enabled, keys: enabled ? fakeAgent(n).keys : [] })),
        grants: grants.map((n) => fakeGrant(n, (n % 3) + 1, { effect: enabled ? 'allow' : 'deny' })),
        settings: { staleAfterMs },
      }));
    await fc.assert(
      fc.asyncProperty(fc.array(policy, { minLength: 2, maxLength: 4 }), async (policies) => {
        let previous: LoadedSnapshot | undefined;
        for (const [at, each] of policies.entries()) {
          const [step, whole] = [await load(each, at, previous), await load(each, at)];
          const { changed, ...content } = step.snapshot;
          const { changed: _all, ...expected } = whole.snapshot;
          expect(mapped(content)).toEqual(mapped(expected));
          for (const id of previous?.snapshot.servers.keys() ?? []) {
            expect(changed.serverIds.has(id)).toBe(previous?.snapshot.servers.get(id) !== step.snapshot.servers.get(id));
          }
          expect([plain(step.sizes), step.bytesTotal]).toEqual([plain(whole.sizes), whole.bytesTotal]);
          previous = step;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('from any agents and grants to any others, what a head carries leads where reading does, and nothing is read', async () => {
    const numbers = fc.uniqueArray(fc.constantFrom(1, 2, 3, 1025, 1026), { maxLength: 5 });
    const policy = fc.record({ agents: numbers, grants: numbers, enabled: fc.boolean() }).map(({ agents, grants, enabled }): FakePolicy => ({
      servers: base.servers ?? [],
      agents: agents.map((n) => fakeAgent(n, { enabled })),
      grants: grants.map((n) => fakeGrant(n, n % 2 === 0 ? 1 : 1025, { effect: enabled ? 'allow' : 'deny' })),
    }));
    await fc.assert(
      fc.asyncProperty(policy, policy, async (before, after) => {
        const one = await load(before, 1);
        const [grown, read] = [await load(after, 2, one, carried(one, [before, after], 2)), await load(after, 2, one)];
        expect(grown.asked).toEqual([]);
        expect(mapped(grown.snapshot)).toEqual(mapped(read.snapshot));
        expect([plain(grown.sizes), grown.bytesTotal, grown.gone]).toEqual([plain(read.sizes), read.bytesTotal, read.gone]);
        expect(grown.kept).toEqual(read.kept); // the copy on disk has the same contents
      }),
      { numRuns: 40 },
    );
  });

  test('what a head carries counts for nothing where it does not lead to the root that is named', async () => {
    const after = { ...base, agents: [fakeAgent(1, { enabled: false }), fakeAgent(2)] };
    const one = await load(base, 1);
    const changes = carried(one, [base, after], 2);
    const put = changes.buckets.flatMap((bucket) => (bucket.kind === 'agents' && bucket.put.length > 0 ? bucket : []));
    expect(put.map((bucket) => bucket.put)).toEqual([[fakeAgent(1, { enabled: false })]]);
    const wrong: Record<string, CarriedChanges> = {
      'another entry': { ...changes, buckets: put.map((bucket) => ({ ...bucket, put: [fakeAgent(1, { slug: 'root' })] })) },
      'an entry of another bucket': { ...changes, buckets: put.map((bucket) => ({ ...bucket, put: [fakeAgent(3)] })) },
      'an entry twice': { ...changes, buckets: put.map((bucket) => ({ ...bucket, put: [fakeAgent(1), fakeAgent(1)] })) },
      nothing: { ...changes, buckets: [] },
      'the revision before that': { ...changes, after: 0 },
    };
    for (const [what, lie] of Object.entries(wrong)) {
      const { snapshot, asked } = await load(after, 2, one, lie);
      expect(asked, what).toHaveLength(3); // root, one index, one bucket
      expect(snapshot.agents.get(fakeAgent(1).id), what).toEqual(fakeAgent(1, { enabled: false }));
    }
  });

  test('a head whose changes are of a later kind, or too many, is read without them', () => {
    const head = headOf(publisher.compile(base, 1), 1);
    const bucket = { kind: 'agents', bucket: 1, put: [], gone: [] };
    expect(SnapshotHead.parse({ ...head, changes: { after: 0, buckets: [bucket] } }).changes?.buckets).toHaveLength(1);
    for (const buckets of [[{ ...bucket, kind: 'servers' }], Array.from({ length: 5 }, () => bucket), 'all'])
      expect(SnapshotHead.parse({ ...head, changes: { after: 0, buckets } })).toEqual({ ...head, changes: undefined });
    const long = fakeGrant(1, 1, { condition: '"'.repeat(1_100) }); // text within text within text: each of these travels as four
    const changes = (grant: typeof long): CarriedChanges => ({ after: 0, buckets: [{ kind: 'grants', bucket: 1, put: [grant], gone: [] }] });
    expect([isCarried(changes(fakeGrant(1, 1))), isCarried(changes(long))]).toEqual([true, false]);
  });

  test('a renamed server gives its slug free for another in the same change', async () => {
    const one = await load({ servers: [fakeServer(1, { slug: 'x' }), fakeServer(2, { slug: 'y' })] }, 1);
    const two = await load({ servers: [fakeServer(1, { slug: 'y' }), fakeServer(2, { slug: 'x' })] }, 2, one);
    expect(two.snapshot.serversBySlug.get('x')?.id).toBe(fakeId('a', 2));
    expect(two.snapshot.serversBySlug.size).toBe(2);
  });

  test('a grant on a server that does not exist is kept and harmless', async () => {
    const { snapshot } = await load({ grants: [fakeGrant(1, 1)] }, 1);
    expect(snapshot.grantsBySubject.size).toBe(1);
  });

  test.each([
    ['two servers with one slug', { servers: [fakeServer(1, { slug: 'x' }), fakeServer(2, { slug: 'x' })] }],
    ['two agents with one key', { agents: [fakeAgent(1), fakeAgent(2, { keys: fakeAgent(1).keys })] }],
  ] satisfies [string, FakePolicy][])('%s are refused as duplicate', async (_what, policy) => {
    await expect(load(policy, 1)).rejects.toMatchObject({ reason: 'duplicate' });
  });

  test('a root of another revision, a newer schema and an index in the wrong place are refused', async () => {
    const published = publisher.compile(base, 1);
    await expect(loadSnapshot(headOf(published, 2), undefined, reading(published))).rejects.toMatchObject({ reason: 'chunk_misplaced' });
    const root = JSON.parse(new TextDecoder().decode(published.chunks.get(published.rootDigest))) as {
      schema: number;
      indexes: { servers: unknown[] };
    };
    for (const [changed, reason] of [
      [{ ...root, schema: SNAPSHOT_SCHEMA_VERSION + 1 }, 'schema_newer'],
      [{ ...root, indexes: { ...root.indexes, servers: root.indexes.servers.toReversed() } }, 'chunk_misplaced'],
      [{ ...root, revision: 'one' }, 'chunk_malformed'],
    ] as const) {
      const { digest, bytes } = encodeContent(changed);
      const forged = { rootDigest: digest, chunks: new Map([...published.chunks, [digest, bytes]]) };
      await expect(loadSnapshot(headOf(forged, 1), undefined, reading(forged))).rejects.toMatchObject({ reason });
    }
  });

  test('a snapshot of more than 512 MiB is refused before it is all there', async () => {
    const published = publisher.compile(base, 1);
    const root = JSON.parse(new TextDecoder().decode(published.chunks.get(published.rootDigest))) as SnapshotRoot;
    const [digest = ''] = root.indexes.servers.filter((each) => each !== null);
    const named = (index: number): string => `${index.toString(16).padStart(2, '0')}${digest.slice(2)}`;
    const huge = encodeContent({ ...root, indexes: { ...root.indexes, servers: root.indexes.servers.map((_, index) => named(index)) } });
    const padding = Buffer.alloc(40 * 1024 * 1024, ' ');
    let reads = 0;
    const read: ReadContents = async ([wanted = '']) => {
      if (wanted === huge.digest) return new Map([[wanted, huge.bytes]]);
      const index = { kind: 'servers', index: Number.parseInt(wanted.slice(0, 2), 16), chunks: Array.from({ length: 32 }, () => null) };
      reads += 1;
      return new Map([[wanted, Buffer.concat([Buffer.from(JSON.stringify(index)), padding])]]);
    };
    const head = headOf({ rootDigest: huge.digest, chunks: new Map() }, 1);
    await expect(loadSnapshot(head, undefined, read)).rejects.toMatchObject({ reason: 'snapshot_too_large' });
    expect(reads).toBe(13);
  });

  test('content that grows with unknown fields is read without them', async () => {
    const published = publisher.compile({}, 1);
    const root = JSON.parse(new TextDecoder().decode(published.chunks.get(published.rootDigest))) as object;
    const { digest, bytes } = encodeContent({ ...root, later: true });
    const grown = { rootDigest: digest, chunks: new Map([...published.chunks, [digest, bytes]]) };
    await expect(loadSnapshot(headOf(grown, 1), undefined, reading(grown))).resolves.toMatchObject({ snapshot: { revision: 1 } });
  });
});

describe('encodeChunk', () => {
  const bucket = 1;
  test('equal content in any order of rows and members gives equal bytes under their digest', () => {
    const [one, two] = [fakeServer(1), fakeServer(1025)];
    const reversed = Object.fromEntries(Object.entries(one).toReversed()) as typeof one;
    const encoded = encodeChunk({ kind: 'servers', bucket, items: [one, two] });
    expect(encodeChunk({ kind: 'servers', bucket, items: [two, reversed] })).toEqual(encoded);
    expect(digestOf(encoded.bytes)).toBe(encoded.digest);
  });

  test('refuses what a node would refuse', () => {
    const encode = (items: readonly ReturnType<typeof fakeServer>[]) => () => encodeChunk({ kind: 'servers', bucket, items });
    expect(encode([fakeServer(2)])).toThrow('chunk_misplaced');
    expect(encode([fakeServer(1), fakeServer(1)])).toThrow('duplicate');
    const malformed = fakeServer(1, { slug: 'Not A Slug' });
    // By name, since one such row holds up all of policy.
    expect(encode([fakeServer(1025), malformed])).toThrow(`chunk_malformed: servers bucket 1, ${malformed.id} at /slug: `);
    expect(encode([fakeServer(1, { instructions: 'x'.repeat(5 * 1024 * 1024) })])).toThrow('chunk_too_large');
  });
});
