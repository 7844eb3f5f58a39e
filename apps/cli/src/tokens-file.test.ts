import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTokens, tokensFileIn, writeTokens } from './tokens-file.js';

const tokens = { controlPlaneUrl: 'http://127.0.0.1:7400', gatewayUrls: ['http://127.0.0.1:7410'], operatorToken: 'op_x', agents: { a: 'gw_y' } };
let data: string;
beforeEach(async () => void (data = await mkdtemp(join(tmpdir(), 'portcullis-cli-'))));
afterEach(() => rm(data, { recursive: true }));

describe('tokens file', () => {
  it('gives back what was kept, and nothing where nothing was', async () => {
    expect(await readTokens(data)).toBeUndefined();
    await writeTokens(data, tokens);
    expect(await readTokens(data)).toEqual(tokens);
  });

  it('is readable by its owner only, even where a looser file was', async () => {
    await writeFile(tokensFileIn(data), '{}', { mode: 0o644 });
    await writeTokens(data, tokens);
    expect((await stat(tokensFileIn(data))).mode & 0o777).toBe(0o600);
    expect(await readdir(data)).toEqual(['tokens.json']);
  });
});
