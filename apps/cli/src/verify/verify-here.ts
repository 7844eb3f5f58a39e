import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ApiClient } from '@portcullis/api-client';
import { linesOf } from '@portcullis/api-client';
import { TrailVerifier, TrustedKeys } from '@portcullis/audit/verify';
import {
  AuditAnchorHead,
  AuditProofLine,
  AuditSigningKeys,
  type AuditBlockRange,
  type AuditSigningKey,
  type AuditVerification,
} from '@portcullis/contracts/api/audit-proof';
import { verifyBytes } from '@portcullis/secrets';
import { CliError, messageOf } from '../cli-error.js';

/** What is believed without the installation: its public keys, and heads that were told to somebody else. */
export interface Trusted {
  readonly keys: readonly AuditSigningKey[];
  readonly anchors: readonly AuditAnchorHead[];
}

/** Reads files of keys and anchors. An anchor says under which key its head was signed, so that it is enough alone. */
export async function trustedFrom({ keys, anchor }: { keys?: string | undefined; anchor?: string | undefined }): Promise<Trusted> {
  if (keys === undefined && anchor === undefined) throw new CliError('Give --keys, --anchor or both: a proof is worth what its keys are.');
  const anchors = anchor === undefined ? [] : await readAnchors(anchor);
  if (keys === undefined) return { keys: anchors.map(({ keyId, publicKey }) => ({ keyId, publicKey })), anchors };
  const { items } = parsed(keys, AuditSigningKeys.pick({ items: true }), await read(keys));
  return { keys: items, anchors };
}

/** Verifies a proof with nothing but what is trusted; `isFile` says that it was written some time ago. */
export async function verifyHere(lines: AsyncIterable<string>, { keys, anchors }: Trusted, isFile = false): Promise<AuditVerification> {
  const verifier = new TrailVerifier(new TrustedKeys(keys, verifyBytes), anchors, isFile);
  for await (const text of lines) {
    const line = parsed('The proof', AuditProofLine, text);
    if (line.type === 'end') return verifier.end(line);
    verifier.take(line);
  }
  throw new CliError('The proof has no end: it was not written whole.');
}

export const proofFromFile = (path: string): AsyncIterable<string> => linesOf(createReadStream(path));

export async function* proofFromApi(api: ApiClient, range: AuditBlockRange): AsyncGenerator<string> {
  yield* linesOf(await api.audit.proof(range));
}

async function readAnchors(path: string): Promise<AuditAnchorHead[]> {
  const lines = (await read(path)).split('\n').filter((line) => line !== '');
  // One that has no end was torn as a machine died that wrote it.
  return lines.filter((line) => line.endsWith('}')).map((line) => parsed(path, AuditAnchorHead, line));
}

const read = async (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError(`${path} cannot be read: ${messageOf(error)}`);
  });

function parsed<T>(what: string, schema: { parse(value: unknown): T }, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    throw new CliError(`${what} is not what it should be: ${messageOf(error)}`);
  }
}
