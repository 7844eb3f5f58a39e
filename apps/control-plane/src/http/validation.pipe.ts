import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { findFault, isUnsafeKey } from './plain-json.js';
import { ProblemError, type Fault } from './problem.js';
import { redactReasons } from './redact-reasons.js';

const FAULTS_MAX = 50;

type Schema = NonNullable<ArgumentMetadata['schema']>;
type Issue = { readonly message: string; readonly path?: readonly unknown[] | undefined; readonly keys?: unknown };

/**
 * Checks every argument against the contract its route names. An argument without one is a fault of ours, refused as such:
 * nothing unchecked reaches a handler.
 */
export class ValidationPipe implements PipeTransform<unknown, Promise<unknown>> {
  async transform(value: unknown, { type, data, schema }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom') return value;
    if (schema === undefined) throw new Error(`The route gives no contract for its ${type} ${data ?? ''}`);
    const base = data === undefined ? '' : `/${data}`;
    const fault = findFault(value);
    if (fault !== undefined) throw new ProblemError('validation', undefined, [{ ...fault, pointer: base + fault.pointer }]);
    const result = await validate(schema, value ?? (type === 'body' ? undefined : value));
    if (result.issues === undefined) return redactReasons(result.value);
    const faults = result.issues.flatMap((issue) => faultsOf(issue, base));
    throw new ProblemError('validation', undefined, faults.slice(0, FAULTS_MAX));
  }
}

async function validate(schema: Schema, value: unknown): Promise<{ readonly value?: unknown; readonly issues?: readonly Issue[] | undefined }> {
  return await schema['~standard'].validate(value);
}

/** A schema names unknown members at their parent; each gets a pointer of its own here. */
function faultsOf(issue: Issue, base: string): Fault[] {
  const parent = base + (issue.path ?? []).map((step) => `/${escapeStep(step)}`).join('');
  if (!Array.isArray(issue.keys)) return [{ pointer: parent, detail: issue.message }];
  const detail = issue.message.startsWith('Unrecognized') ? 'is unknown' : issue.message;
  return issue.keys.map((key) => ({ pointer: `${parent}/${escapeStep(key)}`, detail: isUnsafeKey(String(key)) ? 'is not allowed' : detail }));
}

function escapeStep(step: unknown): string {
  const key: unknown = typeof step === 'object' && step !== null && 'key' in step ? step.key : step;
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}
