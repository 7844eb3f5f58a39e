import { PreviewRequest } from '@portcullis/contracts/api/drafts';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliError, messageOf } from '../cli-error.js';
import type { Connection } from '../connection.js';
import { describePreview } from './describe-result.js';
import { readInput } from './read-input.js';

/** Prints who would gain and lose what by the changes that a file lists. */
export async function preview({ file, days }: { file: string; days: number }, { api }: Connection, print: (text: string) => void): Promise<void> {
  const draft = PreviewRequest.safeParse({ days, ...parsed(await readInput(file), file) });
  if (!draft.success) throw new CliError(`${file} is no draft of changes:\n${z.prettifyError(draft.error)}`);
  const told = await api.policy.preview(draft.data);
  print(`${[...describePreview(told), `As of revision ${told.revision}.`].join('\n')}\n`);
}

/** A draft, or the list of its changes alone. */
function parsed(text: string, file: string): object {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    if (Array.isArray(value)) return { changes: value };
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    throw new CliError(`${file} is no YAML: ${messageOf(error)}`);
  }
}
