import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunnerHeartbeatResponse } from '@portcullis/contracts/runner/heartbeat';
import { z } from 'zod';

/** Who this runner is: its key at the control plane, and the key pair to which its servers' secrets are sealed. */
export const Identity = z.object({
  name: z.string(),
  runnerId: z.string(),
  runnerKey: z.string(),
  sealingPublicKey: z.string(),
  sealingPrivateKey: z.string(),
});
export type Identity = z.infer<typeof Identity>;

/** What a runner keeps on disk, readable by its owner alone. Secrets of servers lie there as they came, sealed. */
export class RunnerFiles {
  constructor(private readonly folder: string) {
    // Children pass through it to folders of theirs, and read nothing of it.
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
  }

  /** The identity that was kept, if it is this name's. Throws for one that cannot be read. */
  identity(name: string): Identity | undefined {
    const identity = this.read('identity.json', Identity);
    return identity?.name === name ? identity : undefined;
  }

  keepIdentity(identity: Identity): void {
    this.write('identity.json', identity);
  }

  /** What the control plane last said that this runner hosts. */
  assignments(): RunnerHeartbeatResponse | undefined {
    return this.read('assignments.json', RunnerHeartbeatResponse);
  }

  keepAssignments(answer: RunnerHeartbeatResponse): void {
    this.write('assignments.json', answer);
  }

  private read<T extends z.ZodType>(name: string, schema: T): z.infer<T> | undefined {
    let text: string;
    try {
      text = readFileSync(join(this.folder, name), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    return schema.parse(JSON.parse(text));
  }

  private write(name: string, value: unknown): void {
    const path = join(this.folder, name);
    writeFileSync(`${path}.next`, `${JSON.stringify(value)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.next`, path);
  }
}
