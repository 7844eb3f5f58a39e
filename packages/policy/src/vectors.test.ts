import { readdirSync, readFileSync } from 'node:fs';
import { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { describe, expect, test } from 'vitest';
import { compileTable, decide, type JsonObject, type Target } from './index.js';

interface Vectors {
  readonly description: string;
  readonly agent: unknown;
  readonly grants: readonly unknown[];
  readonly cases: readonly {
    readonly description: string;
    readonly target: Omit<Target, 'server'> & { readonly serverId: string; readonly tags?: readonly string[]; readonly environment?: string };
    readonly arguments?: JsonObject;
    readonly now: number;
    readonly expected: { readonly effect: string; readonly reason: string; readonly grantId: string | null };
  }[];
}

const directory = new URL('../../../test/vectors/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.json'));

describe.each(files)('%s', (file) => {
  const vectors = JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Vectors;
  const table = compileTable({ agent: AgentEntry.parse(vectors.agent), grants: vectors.grants.map((grant) => GrantEntry.parse(grant)) });

  test.each(vectors.cases.map((one) => [one.description, one] as const))('%s', (_description, { target, arguments: args, now, expected }) => {
    const { serverId: id, tags = [], environment = null, ...named } = target;
    const decision = decide(table, { ...named, server: { id, slug: 'server', tags: [...tags], environment } }, args, now);
    expect({ effect: decision.effect, reason: decision.reasons[0]?.code, grantId: decision.grantId }).toEqual(expected);
  });
});
