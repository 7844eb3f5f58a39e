import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CliError, messageOf } from '../cli-error.js';

/** The text of a file, or of standard input where it is `-`. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${messageOf(error)}`);
  }
}
