import { parse } from 'yaml';
import { z } from 'zod';
import { CliError, messageOf } from '../cli-error.js';
import { readInput } from './read-input.js';

/** A draft of changes in a file (`-`: standard input), or the list of its changes alone, with these members where it says nothing else of them. */
export async function readDraft<Shape extends z.ZodType>(file: string, shape: Shape, members: object): Promise<z.output<Shape>> {
  const draft = shape.safeParse({ ...members, ...parsed(await readInput(file), file) });
  if (draft.success) return draft.data;
  throw new CliError(`${file} is no draft of changes:\n${z.prettifyError(draft.error)}`);
}

function parsed(text: string, file: string): object {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    if (Array.isArray(value)) return { changes: value };
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    throw new CliError(`${file} is no YAML: ${messageOf(error)}`);
  }
}
