import {
  agentSchemaOf,
  bucketOf,
  grantSchemaOf,
  serverSchemaOf,
  type AgentEntry,
  type ChunkKind,
  type GrantEntry,
  type ServerEntry,
} from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { encodeChunk, SnapshotRefusal, type BucketContent, type Encoded } from '@portcullis/snapshot';
import { agentEntry, askingEntry, grantEntry, serverEntry } from './compile-entries.js';
import { readAgents, readGrants, readRequestable, readServers } from './snapshot-rows.js';

/** The chunk of one bucket; null for a bucket in which nothing lies. */
export interface CompiledBucket {
  readonly bucket: number;
  readonly content: Encoded | null;
  /** The oldest schema in which what lies in it is understood as it is meant. */
  readonly schema: number;
  /** Servers whose definitions were left out because the bucket would be too large to distribute. */
  readonly silenced: readonly string[];
}

/** Compiles these buckets from the rows as the transaction sees them. The same rows always give the same bytes. */
export async function compileBuckets(tx: Transaction, kind: ChunkKind, buckets: readonly number[], now: Date): Promise<CompiledBucket[]> {
  switch (kind) {
    case 'servers':
      return spread(buckets, (await readServers(tx, buckets)).map(serverEntry), ({ id }) => id, encodeServers);
    case 'agents': {
      const entries = (await readAgents(tx, buckets)).map((row) => agentEntry(row, now));
      return spread(
        buckets,
        entries,
        ({ id }) => id,
        (bucket, items: AgentEntry[]) => ({ ...encoded({ kind, bucket, items }), schema: Math.max(...items.map(agentSchemaOf)) }),
      );
    }
    case 'grants':
      return spread(buckets, await grantEntries(tx, buckets), subjectOf, (bucket, items) => ({
        ...encoded({ kind, bucket, items }),
        schema: Math.max(...items.map(grantSchemaOf)),
      }));
  }
}

async function grantEntries(tx: Transaction, buckets: readonly number[]): Promise<GrantEntry[]> {
  return [...(await readGrants(tx, buckets)).map(grantEntry), ...(await readRequestable(tx, buckets)).map(askingEntry)];
}

type Compiled = Pick<CompiledBucket, 'content' | 'schema' | 'silenced'>;

function spread<Entry>(
  buckets: readonly number[],
  entries: readonly Entry[],
  idOf: (entry: Entry) => string,
  encode: (bucket: number, items: Entry[]) => Compiled,
): CompiledBucket[] {
  const byBucket = Map.groupBy(entries, (entry) => bucketOf(idOf(entry)));
  return buckets.map((bucket) => {
    const items = byBucket.get(bucket);
    return { bucket, ...(items === undefined ? { content: null, schema: 1, silenced: [] } : encode(bucket, items)) };
  });
}

const encoded = (content: BucketContent): Compiled => ({ content: encodeChunk(content), schema: 1, silenced: [] });

const subjectOf = ({ subject }: GrantEntry): string => ('agentId' in subject ? subject.agentId : subject.groupId);

/** One server must not stop everybody's policy: when a bucket is too large its largest server offers nothing, since silence is deny. */
function encodeServers(bucket: number, items: ServerEntry[]): Compiled {
  let fitting = items;
  const silenced: string[] = [];
  for (;;) {
    try {
      return { content: encodeChunk({ kind: 'servers', bucket, items: fitting }), schema: Math.max(...items.map(serverSchemaOf)), silenced };
    } catch (error) {
      const largest = fitting.reduce((a, b) => (definitionBytes(b) > definitionBytes(a) ? b : a));
      if (!(error instanceof SnapshotRefusal) || error.reason !== 'chunk_too_large' || largest.definitions.length === 0) throw error;
      silenced.push(largest.slug);
      fitting = fitting.map((entry) => (entry === largest ? { ...entry, definitions: [] } : entry));
    }
  }
}

const definitionBytes = ({ definitions }: ServerEntry): number => definitions.reduce((sum, { json }) => sum + json.length, 0);
