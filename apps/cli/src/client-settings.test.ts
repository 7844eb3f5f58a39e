import { describe, expect, it } from 'vitest';
import { clientSettings, isPlainAddress } from './client-settings.js';

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

describe('isPlainAddress', () => {
  it.each(['http://127.0.0.1:7410', 'https://gateway.example.com/', 'https://[2001:db8::1]:8443/eu/mcp'])('takes %s', (url) => {
    expect(isPlainAddress(url)).toBe(true);
  });

  it.each([
    'http://x/$(id)',
    'http://x/`id`',
    'http://x/;id',
    'http://x/a b',
    "http://x/'",
    'http://x/"',
    'http://x/\n',
    'http://x/\u001b[2K',
    'http://x|id',
    'http://user@x/',
    'javascript:alert(1)',
    'http://x/?a&b',
  ])('lets %j into no command for a shell', (url) => {
    expect(isPlainAddress(url)).toBe(false);
  });
});
