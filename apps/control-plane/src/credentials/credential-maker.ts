import { Inject, Injectable } from '@nestjs/common';
import type { CredentialConfig } from '@portcullis/contracts/api/credentials';
import type { Prisma } from '@portcullis/database';
import { parseBearer } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';
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

  /** Finds out what the credential does not say; it may ask the server and its authorization server. Refuses (400, 422) what cannot work. */
  async resolve(config: CredentialConfig, serverUrl: string): Promise<ResolvedCredential> {
    refuseOwnKeys(config);
    try {
      return await resolveCredential(config, serverUrl, this.outlet);
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

const OURS = ['agent', 'operator', 'node', 'join'] as const;

/** A key that opens our own doors must not be handed to a server. */
function refuseOwnKeys(config: CredentialConfig): void {
  const values = config.kind === 'headers' ? config.headers.map(({ value }) => value) : [config.clientSecret ?? ''];
  const isOurs = (word: string): boolean => word.startsWith('task_') || OURS.some((kind) => parseBearer(kind, word) !== undefined);
  const at = values.findIndex((value) => value.split(/[\s,;=:"]+/).some(isOurs));
  if (at === -1) return;
  const pointer = config.kind === 'headers' ? `/credential/headers/${at}/value` : '/credential/clientSecret';
  throw new ProblemError('validation', undefined, [{ pointer, detail: 'is a key of this installation, which no server may be given' }]);
}
