import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, get, Agent, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeAuthority, type Certificate } from '@portcullis/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ListenerTls, tlsFilesOf, type TlsFiles } from './listener-tls.js';

const authority = makeAuthority('Ours');
let directory: string;
let files: TlsFiles;
let server: Server;
let stop = (): void => undefined;
const warned: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-tls-'));
  files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  warned.length = 0;
});
afterEach(async () => {
  stop();
  server?.closeAllConnections();
  server?.close();
  await rm(directory, { recursive: true, force: true });
});

/** At once: nobody finds half of it. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

async function put({ cert, key }: Certificate): Promise<void> {
  await replace(files.certFile, cert);
  await replace(files.keyFile, key);
}

async function listen(): Promise<number> {
  const tls = await ListenerTls.open(files);
  server = createServer(tls.options, (_request, response) => response.end('here'));
  stop = tls.keepRenewing(server, { info: () => undefined, warn: (_detail, message) => void warned.push(message) }, 10);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The serial number of the certificate that a connection was made with. */
const ask = (port: number, agent: Agent): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent, ca: authority.cert }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume().on('end', () => resolve(serialNumber));
    }).on('error', reject);
  });

test('a certificate that is replaced in its files is shown to whoever connects next, and open connections stay', async () => {
  await put(authority.issue('127.0.0.1'));
  const port = await listen();
  const lasting = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await ask(port, lasting);
  await put(authority.issue('127.0.0.1'));
  await vi.waitFor(async () => expect(await ask(port, new Agent())).not.toBe(first), 10_000);
  const closed = vi.fn<() => void>();
  for (const socket of Object.values(lasting.freeSockets).flat()) socket?.once('close', closed);
  expect(await ask(port, lasting)).toBe(first);
  expect(closed).not.toHaveBeenCalled();
  lasting.destroy();
});

test('files that are of no use change nothing, are told of once, and are taken when they are whole', async () => {
  const [before, after] = [authority.issue('127.0.0.1'), authority.issue('127.0.0.1')];
  await put(before);
  const port = await listen();
  const shown = await ask(port, new Agent());
  await replace(files.certFile, after.cert); // and the key not yet
  await vi.waitFor(() => expect(warned.length).toBe(1), 10_000);
  expect(await ask(port, new Agent())).toBe(shown);
  await replace(files.keyFile, after.key);
  await vi.waitFor(async () => expect(await ask(port, new Agent())).not.toBe(shown), 10_000);
  expect(warned.length).toBe(1);
});

test.each(['certFile', 'keyFile'] as const)('a file that is being written anew, and is empty for a moment, changes nothing: %s', async (name) => {
  await put(authority.issue('127.0.0.1'));
  const port = await listen();
  const shown = await ask(port, new Agent());
  await replace(files[name], '');
  await vi.waitFor(() => expect(warned.length).toBe(1), 10_000);
  expect(await ask(port, new Agent())).toBe(shown);
});

test('a listener does not begin with a certificate that it has no key to, and one file alone is a fault of the configuration', async () => {
  await put({ cert: authority.issue('a.test').cert, key: authority.issue('b.test').key });
  await expect(ListenerTls.open(files)).rejects.toThrow('key values mismatch');
  expect(() => tlsFilesOf({ tlsCertFile: 'x' })).toThrow('TLS_KEY_FILE');
  expect(() => tlsFilesOf({ tlsKeyFile: 'x' })).toThrow('TLS_CERT_FILE');
  expect(tlsFilesOf({})).toBeUndefined();
});
