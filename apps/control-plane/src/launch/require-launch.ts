import { createHash } from 'node:crypto';
import { launchProfileText, type LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import { ProblemError } from '../http/problem.js';
import { holdsSecretArgument, isSecretVariable } from '../servers/holds-secret.js';

/** SHA-256 of the profile's canonical text: what an approval is for. */
export const launchHash = (profile: LaunchProfile): string => createHash('sha256').update(launchProfileText(profile)).digest('hex');

/** Refuses (400) a profile with a key or token in it: profiles are kept for ever, and shown to whoever may read servers. */
export function requireNoSecret({ args, environment }: LaunchProfile): void {
  if (holdsSecretArgument(args)) throw refusal('/profile/args', 'seems to hold a key or token; give it to the program by a variable');
  const named = Object.entries(environment).find(([name, variable]) => 'value' in variable && isSecretVariable(name, variable.value));
  if (named === undefined) return;
  throw refusal(
    `/profile/environment/${named[0]}`,
    'seems to hold a key or token; put it into a credential of the kind environment, and refer to it',
  );
}

const refusal = (pointer: string, detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer, detail }]);
