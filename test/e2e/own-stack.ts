import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortBase, type Stack, startUp, type Up } from './portcullis-command.js';

/** A whole system that only its caller uses, with Postgres, Redis, ports and data of its own. */
export interface OwnStack extends Stack {
  readonly dataDirectory: string;
  /** First of the hundred ports. */
  readonly portBase: number;
  readonly up: Up;
  /** Ends every process of it and deletes its data. */
  readonly stop: () => Promise<void>;
}

/** Starts the built system as a person would, with two nodes and these variables beside the usual. */
export async function startOwnStack({ demo }: { demo: boolean }, extra: Record<string, string> = {}): Promise<OwnStack> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'portcullis-e2e-'));
  await chmod(dataDirectory, 0o711); // as the command makes it, where programs have users of their own
  const portBase = await freePortBase();
  const up = startUp([demo ? '--demo' : '--no-demo', '--nodes', '2', '--data', dataDirectory, '--port-base', String(portBase)], extra);
  const stop = async (): Promise<void> => {
    up.signal('SIGTERM');
    await up.ended;
    await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    return { ...(await up.ready), dataDirectory, portBase, up, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
