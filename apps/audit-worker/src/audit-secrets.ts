import { readFile } from 'node:fs/promises';
import { auditKeyPlace } from '@portcullis/contracts/node';
import { readAuditKeys, UnsealError, type Sealer } from '@portcullis/secrets';

/** Where the keys are found under which secrets of nodes lie sealed: one of both is given. */
export interface AuditKeySource {
  readonly keys: string | undefined;
  /** Written by control planes, also while this process runs. */
  readonly file: string | undefined;
}

/** Opens the secrets that nodes tag their batches with. */
export class AuditSecrets {
  private sealer: Sealer | undefined;

  constructor(private readonly source: AuditKeySource) {}

  /** Rejects where there is no key for it yet: after a look at the file, in which another may stand by now. */
  async open({ node, keyId, secret }: { readonly node: string; readonly keyId: string; readonly secret: string }): Promise<Buffer> {
    const place = auditKeyPlace(node, keyId);
    const sealer = this.sealer ?? (await this.read());
    try {
      return sealer.open(secret, place);
    } catch (error) {
      if (!(error instanceof UnsealError) || this.source.file === undefined) throw error;
      return (await this.read()).open(secret, place);
    }
  }

  /** Whether there are any keys to open with. */
  async isReady(): Promise<boolean> {
    if (this.sealer !== undefined) return true;
    return this.read().then(
      () => true,
      () => false,
    );
  }

  /** Throws where what is given is no key. */
  private async read(): Promise<Sealer> {
    const { keys, file } = this.source;
    this.sealer = readAuditKeys(keys ?? (await readFile(file ?? '', 'utf8')));
    return this.sealer;
  }
}
