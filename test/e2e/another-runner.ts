import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ApiClient } from '@portcullis/api-client';
import { expect, vi } from 'vitest';
import { freshSlug } from './demo-stack.js';
import { SOON } from './hosted-programs.js';

/** A runner beside the one that `portcullis up` started, with the most room of both, so that it gets what comes next. */
export interface AnotherRunner {
  readonly name: string;
  readonly process: ChildProcess;
  end(): Promise<void>;
}

/** Resolves when it is live. Runs with these variables beside its own. */
export async function anotherRunner(
  api: ApiClient,
  at: { readonly controlPlaneUrl: string; readonly dataDir: string },
  more: Readonly<Record<string, string>> = {},
): Promise<AnotherRunner> {
  const { token } = await api.runners.createJoinToken();
  const name = freshSlug('runner');
  const env = {
    ...process.env,
    RUNNER_NAME: name,
    CAPACITY: '100000',
    PORT: '0',
    HEALTH_PORT: '0',
    DATA_DIR: at.dataDir,
    CONTROL_PLANE_URL: at.controlPlaneUrl,
    JOIN_TOKEN: token,
    SERVER_UID_FIRST: '70000',
    ...more,
  };
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../apps/runner/dist/main.js', import.meta.url))], { env, stdio: 'ignore' });
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  };
  const isLive = async (): Promise<boolean> => (await api.runners.list.page({})).items.some((one) => one.name === name && one.live);
  await vi.waitFor(async () => expect(await isLive()).toBe(true), SOON).catch((error: unknown) => end().then(() => Promise.reject(error as Error)));
  return { name, process: child, end };
}
