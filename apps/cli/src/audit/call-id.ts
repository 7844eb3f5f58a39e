import { Id } from '@portcullis/contracts/names';
import { InvalidArgumentError } from 'commander';

/** Reads the id of a call. */
export function callId(text: string): string {
  if (Id.safeParse(text).success) return text;
  throw new InvalidArgumentError('It must be the id of a call.');
}
