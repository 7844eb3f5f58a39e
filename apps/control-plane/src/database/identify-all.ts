import { Prisma, type Transaction } from '@portcullis/database';
import { notFound } from '../http/problem.js';

/** What REST refers to by UUID or slug. */
const referable = { agent: 'agent', agent_group: 'group', server: 'server' } as const;

export interface Named {
  readonly id: string;
  readonly slug: string;
}

export type FindNamed = (reference: string) => Named;

/** Finds what these UUIDs and slugs refer to by one statement. Whoever asks for one that refers to nothing is refused (404). */
export async function identifyAll(tx: Transaction, table: keyof typeof referable, references: readonly string[]): Promise<FindNamed> {
  const wanted = [...new Set(references)];
  const [ids, slugs] = [wanted.filter(isId), wanted.filter((reference) => !isId(reference))];
  const rows =
    wanted.length === 0
      ? []
      : await tx.$queryRaw<Named[]>`
          SELECT id::text AS id, slug FROM ${Prisma.raw(table)} WHERE id = ANY(${ids}::uuid[]) OR slug = ANY(${slugs}::text[])`;
  const found = new Map<string, Named>();
  for (const row of rows) found.set(row.id, row).set(row.slug, row);
  return (reference) => {
    const row = found.get(reference);
    if (row === undefined) throw notFound(referable[table]);
    return row;
  };
}

/** Those of these slugs that are taken already. */
export async function takenSlugs(tx: Transaction, table: keyof typeof referable, slugs: readonly string[]): Promise<Set<string>> {
  const rows = await tx.$queryRaw<{ slug: string }[]>`SELECT slug FROM ${Prisma.raw(table)} WHERE slug = ANY(${[...slugs]}::text[])`;
  return new Set(rows.map(({ slug }) => slug));
}

const isId = (reference: string): boolean => reference.length === 36;
