import { describe, expect, it } from 'vitest';
import { clientSettings } from './client-settings.js';

const settings = clientSettings('http://127.0.0.1:7410/mcp', 'gw_id_secret');

describe('clientSettings', () => {
  it('gives JSON that can be pasted as it is', () => {
    const blocks = settings.split('\n').filter((line) => line.trimStart().startsWith('{'));
    const [cursor, code, remote] = blocks.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(cursor).toEqual({ mcpServers: { portcullis: { url: 'http://127.0.0.1:7410/mcp', headers: { Authorization: 'Bearer gw_id_secret' } } } });
    expect(code).toMatchObject({ servers: { portcullis: { type: 'http' } } });
    expect(remote).toMatchObject({ mcpServers: { portcullis: { command: 'npx', env: { PORTCULLIS_AUTH: 'Bearer gw_id_secret' } } } });
  });

  it('puts no blank into an argument of mcp-remote, where some clients split', () => {
    const line = settings.split('\n').find((text) => text.includes('mcp-remote"'));
    const { args } = (JSON.parse(line ?? '') as { mcpServers: { portcullis: { args: string[] } } }).mcpServers.portcullis;
    expect(args.filter((argument) => argument.includes(' '))).toEqual([]);
  });
});
