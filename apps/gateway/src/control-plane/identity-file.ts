import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Who this node is: its key at the control plane, and the key pair its secrets are sealed to. */
const Identity = z.object({
  name: z.string(),
  nodeId: z.string(),
  nodeKey: z.string(),
  sealingPublicKey: z.string(),
  sealingPrivateKey: z.string(),
  /** The key ring as it came last, still sealed, so that a node can start while the control plane is away. */
  sealedKeys: z.string(),
  /** What it signs its audit trail with; absent until it is registered. */
  audit: z.object({ keyId: z.string(), publicKey: z.string(), privateKey: z.string(), sealedSecret: z.string() }).optional(),
});
export type Identity = z.infer<typeof Identity>;

/** The identity in a node's folder, readable by its owner alone. */
export class IdentityFile {
  private readonly path: string;

  constructor(private readonly directory: string) {
    this.path = join(directory, 'identity.json');
  }

  /** The identity that was kept, if it is this name's; undefined where there is none. Throws for one that cannot be read. */
  read(name: string): Identity | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    const identity = Identity.parse(JSON.parse(text));
    return identity.name === name ? identity : undefined;
  }

  write(identity: Identity): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const next = `${this.path}.next`;
    writeFileSync(next, `${JSON.stringify(identity)}\n`, { mode: 0o600, flush: true });
    chmodSync(next, 0o600);
    renameSync(next, this.path);
  }
}
