import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
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
  /** What is known by now, however late it is read; one by one, since there may be millions. */
  readonly heads: () => AsyncIterable<AuditAnchorHead>;
}

/** Reads files of keys and anchors. An anchor says under which key its head was signed, so that it is enough alone. */
export async function trustedFrom({ keys, anchor }: { keys?: string | undefined; anchor?: string | undefined }): Promise<Trusted> {
  if (keys === undefined && anchor === undefined) throw new CliError('Give --keys, --anchor or both: a proof is worth what its keys are.');
  const bytes = anchor === undefined ? 0 : (await orUnreadable(anchor, stat(anchor))).size;
  const heads = (): AsyncIterable<AuditAnchorHead> => readAnchors(anchor ?? '', bytes);
  if (keys === undefined) return { keys: await keysIn(heads()), heads };
  const { items } = parsed(keys, AuditSigningKeys.pick({ items: true }), await orUnreadable(keys, readFile(keys, 'utf8')));
  return { keys: items, heads };
}

/** Verifies a proof with nothing but what is trusted; `isFile` says that it was written some time ago. */
export async function verifyHere(lines: AsyncIterable<string>, { keys, heads }: Trusted, isFile = false): Promise<AuditVerification> {
  const verifier = new TrailVerifier(new TrustedKeys(keys, verifyBytes), isFile);
  for await (const text of lines) {
    const line = parsed('The proof', AuditProofLine, text);
    if (line.type !== 'end') {
      verifier.take(line);
      continue;
    }
    for await (const head of heads()) verifier.takeHead(head);
    return verifier.end(line);
  }
  throw new CliError('The proof has no end: it was not written whole.');
}

export const proofFromFile = (path: string): AsyncIterable<string> => linesOf(createReadStream(path));

export async function* proofFromApi(api: ApiClient, range: AuditBlockRange): AsyncGenerator<string> {
  yield* linesOf(await api.audit.proof(range));
}

async function* readAnchors(path: string, bytes: number): AsyncGenerator<AuditAnchorHead> {
  if (bytes === 0) return;
  try {
    // One that has no end was torn as a machine died that wrote it.
    for await (const line of linesOf(createReadStream(path, { end: bytes - 1 }))) if (line.endsWith('}')) yield parsed(path, AuditAnchorHead, line);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(path, error);
  }
}

async function keysIn(heads: AsyncIterable<AuditAnchorHead>): Promise<AuditSigningKey[]> {
  const keys = new Map<string, string>();
  for await (const { keyId, publicKey } of heads) keys.set(keyId, publicKey);
  return [...keys].map(([keyId, publicKey]) => ({ keyId, publicKey }));
}

const unreadable = (path: string, error: unknown): CliError => new CliError(`${path} cannot be read: ${messageOf(error)}`);

const orUnreadable = async <T>(path: string, reading: Promise<T>): Promise<T> =>
  reading.catch((error: unknown) => {
    throw unreadable(path, error);
  });

function parsed<T>(what: string, schema: { parse(value: unknown): T }, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    throw new CliError(`${what} is not what it should be: ${messageOf(error)}`);
  }
}
