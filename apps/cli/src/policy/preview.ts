import { PreviewRequest } from '@portcullis/contracts/api/drafts';
import type { Connection } from '../connection.js';
import { describePreview } from './describe-result.js';
import { readDraft } from './read-draft.js';

/** Prints who would gain and lose what by the changes that a file lists. */
export async function preview({ file, days }: { file: string; days: number }, { api }: Connection, print: (text: string) => void): Promise<void> {
  const told = await api.policy.preview(await readDraft(file, PreviewRequest, { days }));
  print(`${[...describePreview(told), `As of revision ${told.revision}.`].join('\n')}\n`);
}
