import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CliError } from '../cli-error.js';

const PATIENCE_MS = 10 * 60_000;

/** Listens on this machine for the browser's way back, and gives the address it came to. `begin` is told where that is. */
export async function awaitBrowser(begin: (redirectUri: string) => Promise<void>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const isAnswer = request.method === 'GET' && url.startsWith('/callback?');
    response.writeHead(isAnswer ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' });
    response.end(isAnswer ? 'You may close this page and go back to your terminal.\n' : '');
    if (isAnswer) resolve(`http://127.0.0.1${url}`);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const timer = setTimeout(() => reject(new CliError('The browser did not come back in time.')), PATIENCE_MS);
  try {
    await begin(`http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`);
    return await promise;
  } finally {
    clearTimeout(timer);
    server.close();
  }
}

/** What an authorization server says in the address that it sends a browser back to. */
export function answerIn(address: string): { state: string; code: string; iss?: string } {
  const parameters = URL.canParse(address) ? new URL(address).searchParams : new URLSearchParams();
  const [state, code, iss, error] = ['state', 'code', 'iss', 'error'].map((name) => parameters.get(name));
  if (error != null) throw new CliError(`The authorization server refused: ${/^[a-z_]{1,64}$/.test(error) ? error : 'no reason that can be shown'}`);
  if (state == null || code == null) throw new CliError('The address holds no answer of an authorization server.');
  return { state, code, ...(iss != null && { iss }) };
}
