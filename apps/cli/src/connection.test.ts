import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from './config.js';
import { connect } from './connection.js';
import { writeTokens } from './tokens-file.js';

const nothing = readEnvironment({});
let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'portcullis-cli-'));
  await writeTokens(data, { controlPlaneUrl: 'http://127.0.0.1:7400', gatewayUrls: ['http://127.0.0.1:7410'], operatorToken: 'op_kept', agents: {} });
});
afterAll(() => rm(data, { recursive: true }));

describe('connect', () => {
  it('finds the local stack by its data directory', async () => {
    expect(await connect({ data }, nothing)).toMatchObject({ controlPlaneUrl: 'http://127.0.0.1:7400', gatewayUrls: ['http://127.0.0.1:7410'] });
  });

  it('sends a kept token to no other control plane than its own', async () => {
    await expect(connect({ data, url: 'http://127.0.0.1:7500' }, nothing)).rejects.toThrow('no token for http://127.0.0.1:7500');
  });

  it('prefers the command line to the environment', async () => {
    const environment = readEnvironment({ PORTCULLIS_URL: 'http://one.example', PORTCULLIS_TOKEN: 'op_x' });
    expect((await connect({ url: 'http://two.example' }, environment)).controlPlaneUrl).toBe('http://two.example');
    expect((await connect({}, environment)).controlPlaneUrl).toBe('http://one.example');
  });

  it('says what to do where there is nothing to talk to', async () => {
    await expect(connect({ data: join(data, 'none') }, nothing)).rejects.toThrow('Start a local stack with "portcullis up"');
    await expect(connect({ url: 'ftp://x', token: 't' }, nothing)).rejects.toThrow('is not an http(s) URL');
  });

  it('says so when the kept tokens are damaged', async () => {
    const damaged = await mkdtemp(join(tmpdir(), 'portcullis-cli-'));
    await writeFile(join(damaged, 'tokens.json'), '{"controlPlaneUrl":');
    await expect(connect({ data: damaged }, nothing)).rejects.toThrow('tokens.json is damaged');
    await rm(damaged, { recursive: true });
  });
});
