import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters, type JWTPayload } from 'jose';

interface SigningPair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** An issuer of access tokens that does as it is told. */
export interface TestIssuer {
  readonly url: string;
  /** A token that is in order, but for what a test says; undefined takes a claim away. */
  readonly sign: (claims?: JWTPayload, header?: Partial<JWTHeaderParameters>) => Promise<string>;
  /** From now on it signs with another key; what it publishes changes only with `publish`. */
  readonly rotate: (alg?: string) => Promise<void>;
  readonly publish: (keys?: readonly JWK[]) => void;
  readonly publicKey: () => JWK;
  /** Answers with its keys until it is given something else to do. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** How often its keys were asked for. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
}

/** The address the gateway is known by in tests. */
export const PUBLIC_URL = 'https://gateway.test';

export async function startTokenIssuer(): Promise<TestIssuer> {
  let pair = await newPair('ES256');
  let published: readonly JWK[] = [pair.jwk];
  let asked = 0;
  const server = createServer((request, response) => {
    const isMetadata = request.url === '/.well-known/oauth-authorization-server';
    if (!isMetadata) asked += 1;
    if (!isMetadata && issuer.answer !== undefined) return issuer.answer(response);
    const body = isMetadata ? { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` } : { keys: published };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const issuer: TestIssuer = {
    url,
    sign: async (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: url, aud: PUBLIC_URL, client_id: 'alice-client', sub: 'user-17', iat: now, exp: now + 300 };
      const { alg, kid, privateKey } = pair;
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(privateKey);
    },
    rotate: async (alg = 'ES256') => {
      pair = await newPair(alg);
    },
    publish: (keys = [pair.jwk]) => {
      published = keys;
    },
    publicKey: () => pair.jwk,
    answer: undefined,
    asked: () => asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return issuer;
}

let made = 0;

async function newPair(alg: string): Promise<SigningPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  made += 1;
  const kid = `key-${String(made)}`;
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
