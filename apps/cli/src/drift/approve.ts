import type { ApiClient } from '@portcullis/api-client';
import type { SelectionDecision } from '@portcullis/contracts/api/drift';
import { CliError } from '../cli-error.js';
import { plainText } from '../plain-text.js';
import { describeMarks } from './describe-drift.js';

export interface ApproveOptions {
  readonly server: string;
  /** Exact or globs; none: everything that waits. */
  readonly names: readonly string[];
  readonly reason: string;
  /** Whether to go on with what was shown. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** How many differences are fetched to show what in them deserves a second look. */
const LOOKED_AT_MAX = 50;

/** Shows what waits, asks, and approves exactly what was shown: what changes meanwhile is refused. */
export async function approve(
  { server, names, reason, confirm }: ApproveOptions,
  api: Pick<ApiClient, 'definitions' | 'servers'>,
  print: (text: string) => void,
): Promise<void> {
  const select = { server, ...(names.length === 0 ? {} : { names: [...names] }) };
  const { value: looked } = await api.definitions.approve({ select, dryRun: true });
  if (looked.selected === 0) return print(`Nothing of ${server} waits for approval${names.length === 0 ? '' : ' under such a name'}.`);
  print(await describeSelection(server, looked, api));
  const what = looked.selected === 1 ? 'it' : `these ${String(looked.selected)}`;
  if (!(await confirm(`Approve ${what}?`))) throw new CliError('Nothing was changed.');
  const { value, revision } = await api.definitions.approve({ select, hash: looked.hash, reason }, { wait: 'all' });
  print(`Approved ${String(value.decided)} of ${server}, in revision ${String(revision)}.`);
}

async function describeSelection(server: string, { selected, definitions }: SelectionDecision, api: Pick<ApiClient, 'servers'>): Promise<string> {
  const lines: string[] = [];
  for (const [at, { id, name, kind, state }] of definitions.entries()) {
    lines.push(`  ${plainText(name, 128)} (${kind}, ${state === 'pending' ? 'new' : state})`);
    if (at < LOOKED_AT_MAX) lines.push(...describeMarks((await api.servers.diff(server, id)).marks));
  }
  if (selected > definitions.length) lines.push(`  and ${String(selected - definitions.length)} more`);
  return [`What waits at ${server}:`, ...lines].join('\n');
}
