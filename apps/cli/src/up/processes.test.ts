import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { portsFrom } from './ports.js';
import { auditWorkerSpec, controlPlaneSpec, discoverySpec, nodeSpec, runnerSpec } from './processes.js';

const services = { databaseUrl: 'postgresql://db/x', redisUrl: 'redis://r' };
let dataDirectory: string;
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'portcullis-specs-'));
});
afterAll(() => rm(dataDirectory, { recursive: true }));

test('the master key, and while it is replaced the one before, are given to those who need them and to nobody else', async () => {
  const plan = { dataDirectory, ports: portsFrom(20_000, 1), inherited: {} };
  const keysOf = ({ env }: { env: Readonly<Record<string, string>> }): string[] => Object.keys(env).filter((name) => name.includes('_KEY'));
  const [current, previous, audit] = ['PORTCULLIS_MASTER_KEY_FILE', 'PORTCULLIS_PREVIOUS_MASTER_KEY_FILE', 'PORTCULLIS_AUDIT_KEY_FILE'];
  expect(keysOf(controlPlaneSpec(plan, services))).toEqual([current, audit]);
  await writeFile(join(dataDirectory, 'previous-master.key'), '');
  expect(keysOf(controlPlaneSpec(plan, services))).toEqual([current, previous, audit]);
  expect(keysOf(discoverySpec(plan, services))).toEqual([current, previous]);
  expect(keysOf(auditWorkerSpec(plan, services))).toEqual([audit]);
  for (const spec of [nodeSpec(plan, 0, { redisUrl: 'redis://r', joinToken: 'j' }), runnerSpec(plan, 'j')]) expect(keysOf(spec)).toEqual([]);
});
