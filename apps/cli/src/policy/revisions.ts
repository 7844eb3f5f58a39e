import type { Revision } from '@portcullis/contracts/api/policy';
import { z } from 'zod';
import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';

/** Prints the newest revisions of policy, a line each. */
export async function revisions(limit: number, { api }: Pick<Connection, 'api'>, print: (text: string) => void): Promise<void> {
  const { items } = await api.revisions.list.page({ limit });
  print(`${items.map(line).join('\n') || 'Nothing was changed yet.'}\n`);
}

const Named = z.object({ subject: z.object({ kind: z.string(), id: z.string().optional(), slug: z.string().optional() }) });

function line({ revision, createdAt, author, action, reason, change }: Revision): string {
  const { subject } = Named.safeParse(change).data ?? {};
  const name = subject?.slug ?? subject?.id;
  const what = subject === undefined || name === subject.kind ? '' : ` ${plainText(subject.kind, 40)} ${plainText(name, 80)}`;
  const why = reason === null ? '' : `: ${plainText(reason)}`;
  return `${String(revision).padStart(6)}  ${createdAt.slice(0, 16).replace('T', ' ')}  ${plainText(author, 80)}  ${plainText(action, 80)}${what}${why}`;
}
