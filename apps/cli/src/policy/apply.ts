import { ApplyRequest } from '@portcullis/contracts/api/drafts';
import type { Connection } from '../connection.js';
import { describeDiff } from './describe-result.js';
import { readDraft } from './read-draft.js';

/** Makes the changes that a file lists, as one revision, and prints what that changed. */
export async function apply(
  { file, reason }: { file: string; reason: string },
  { api }: Pick<Connection, 'api'>,
  print: (text: string) => void,
): Promise<void> {
  const { value } = await api.policy.apply({ ...(await readDraft(file, ApplyRequest, { reason })), reason });
  const title = value.changed === 0 ? `Policy says so already, as of revision ${value.revision}.` : `Changed in revision ${value.revision}:`;
  print(`${[title, ...describeDiff(value)].join('\n')}\n`);
}
