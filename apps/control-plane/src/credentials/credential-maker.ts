import { Inject, Injectable } from '@nestjs/common';
import type { CredentialConfig } from '@portcullis/contracts/api/credentials';
import type { Prisma } from '@portcullis/database';
import { parseBearer } from '@portcullis/secrets';
import type { Author } from '../changes/author.js';
import { ProblemError } from '../http/problem.js';
import { STDIO_URL } from '../servers/stdio-url.js';
import { CredentialVault } from './credential-vault.js';
import { OauthFault } from './oauth-fault.js';
import { OauthOutlet } from './oauth-outlet.js';
import { resolveCredential } from './resolve-credential.js';
import type { ResolvedCredential } from './stored-credential.js';
import { storedKind } from './to-credential.js';

/** Makes of what an operator gives what lies in the database. */
@Injectable()
export class CredentialMaker {
  constructor(
    @Inject(CredentialVault) private readonly vault: CredentialVault,
    @Inject(OauthOutlet) private readonly outlet: OauthOutlet,
  ) {}

  /**
   * Finds out what the credential does not say; it may ask the server and its authorization server, and registers with that where no author only
   * rehearses. Refuses (400, 422) what cannot work.
   */
  async resolve({ rehearse }: Author, config: CredentialConfig, serverUrl: string): Promise<ResolvedCredential> {
    refuseOwnKeys(config);
    refuseUnfit(config, serverUrl);
    const { egress, redirectUris, metadataDocument } = this.outlet;
    try {
      return await resolveCredential(config, serverUrl, { egress, redirectUris, metadataDocument, isRehearsal: rehearse !== undefined });
    } catch (error) {
      if (error instanceof OauthFault) throw new ProblemError('unprocessable', error.message, [], { cause: error });
      throw error;
    }
  }

  columnsOf(row: { id: string; version: number }, resolved: ResolvedCredential) {
    const { secret, settings } = resolved;
    const status = secret.kind === 'authorization-code' ? 'unconnected' : 'ready';
    return { kind: storedKind(secret.kind), settings: settings as unknown as Prisma.InputJsonObject, status, ...this.vault.seal(row, resolved) };
  }
}

const OURS = ['agent', 'operator', 'node', 'runner', 'join'] as const;

/** A key that opens our own doors must not be handed to a server. */
function refuseOwnKeys(config: CredentialConfig): void {
  const values = valuesOf(config);
  const isOurs = (word: string): boolean => word.startsWith('task_') || OURS.some((kind) => parseBearer(kind, word) !== undefined);
  const at = values.findIndex((value) => value.split(/[\s,;=:"]+/).some(isOurs));
  if (at === -1) return;
  const pointers = { headers: `/credential/headers/${at}/value`, environment: `/credential/variables/${at}/value` };
  const pointer = config.kind in pointers ? pointers[config.kind as keyof typeof pointers] : '/credential/clientSecret';
  throw new ProblemError('validation', undefined, [{ pointer, detail: 'is a key of this installation, which no server may be given' }]);
}

function valuesOf(config: CredentialConfig): string[] {
  if (config.kind === 'headers') return config.headers.map(({ value }) => value);
  return config.kind === 'environment' ? config.variables.map(({ value }) => value) : [config.clientSecret ?? ''];
}

/** A program finds what it needs in its environment, and is called with nothing; a server with an address has no environment of ours. */
function refuseUnfit({ kind }: CredentialConfig, serverUrl: string): void {
  const isProgram = serverUrl.startsWith(STDIO_URL);
  if (isProgram === (kind === 'environment')) return;
  throw new ProblemError(
    'unprocessable',
    isProgram ? 'A server of stdio takes a credential of the kind environment.' : 'The kind environment is for servers of stdio.',
  );
}
