import { PolicyFile } from '@portcullis/contracts/api/policy-file';
import { findFault, unsafeKeys } from '../http/plain-json.js';
import { ProblemError, type Fault } from '../http/problem.js';
import { redactReasons } from '../http/redact-reasons.js';
import { readYamlApart } from './read-yaml-apart.js';

const FAULTS_MAX = 50;

/** What a policy file says. Refuses (400) with line and column whatever is no plain YAML, is unknown, or is no policy. */
export async function parsePolicyFile(text: string): Promise<PolicyFile> {
  const request = { yaml: text, unsafeKeys: [...unsafeKeys], faultsMax: FAULTS_MAX };
  const { faults, value } = await readYamlApart({ ...request, paths: [] });
  requireNone(faults.map((detail) => ({ pointer: '', detail })));
  const fault = findFault(value);
  requireNone(fault === undefined ? [] : [fault]);
  const file = PolicyFile.safeParse(value);
  if (file.success) return redactReasons(file.data);
  const wrong = file.error.issues.flatMap(wrongPlaces).slice(0, FAULTS_MAX);
  const { places } = await readYamlApart({ ...request, paths: wrong.map(({ path }) => path) });
  throw refusal(wrong.map(({ path, detail }, at) => ({ pointer: pointerOf(path), detail: `${detail}${places[at] ?? ''}` })));
}

const refusal = (faults: readonly Fault[]): ProblemError => new ProblemError('validation', undefined, faults.slice(0, FAULTS_MAX));

function requireNone(faults: readonly Fault[]): void {
  if (faults.length > 0) throw refusal(faults);
}

interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

interface WrongPlace {
  readonly path: readonly string[];
  readonly detail: string;
}

/** A schema names unknown members at their parent; each is told where it stands. */
function wrongPlaces({ message, path: where, keys }: Issue): WrongPlace[] {
  const path = where.map(String);
  return keys === undefined ? [{ path, detail: message }] : keys.map((key) => ({ path: [...path, key], detail: 'is unknown' }));
}

const pointerOf = (path: readonly string[]): string => path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
