import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { TokenIssuer } from '@portcullis/contracts/token-issuers';
import {
  DESKTOP,
  EXCHANGER,
  PERSON,
  SCOPE,
  SERVICE,
  startAuthorizationServer,
  type AuthorizationServer,
} from '@portcullis/testing/authorization-server';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { sealedEntry } from '../testing/sealed-credentials.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

let issuer: AuthorizationServer;
let stack: TestStack;
let upstream: ScriptedServer;
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  [issuer, stack, upstream] = await Promise.all([startAuthorizationServer(), startTestStack(1), startScriptedServer()]);
  upstream.answer = ({ json, message, request }) => {
    seen.push(request.headers.authorization);
    json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  };
  await publish();
});
afterAll(async () => {
  await Promise.all([stack.stop(), upstream.close(), issuer.close()]);
});

const robot = { ...anAgent('robot'), identities: [] as { issuer: string; subject: string }[] };
const helper = { ...anAgent('helper'), identities: [] as { issuer: string; subject: string }[] };

const keyed = anAgent('keyed');
const CRM = 'https://crm.example.com/mcp';
/** A server that wants to know for whom it is called. */
const crm = aServer('crm', [aTool('read')], { era: 'modern' });
const crmId = '01990000-0000-7000-8000-000000000001';

function crmEntry() {
  const client = { tokenEndpoint: `${issuer.url}/token`, ...EXCHANGER, authentication: 'client_secret_basic' as const, scope: SCOPE, resource: CRM };
  const exchange = sealedEntry({ kind: 'token-exchange', client, subjectIssuer: issuer.url, audience: null }, { id: crmId });
  return { ...crm, url: upstream.url, credentials: [exchange] };
}

async function publish(enabled = true): Promise<void> {
  const server = aServer('github', [aTool('read')], { url: upstream.url, era: 'modern' });
  const tokenIssuers = [TokenIssuer.parse({ issuer: issuer.url, algorithms: ['ES256'], requiredScopes: [SCOPE] })];
  const agents = [
    { ...robot, enabled, identities: [{ issuer: issuer.url, subject: SERVICE.clientId }] },
    { ...helper, enabled, identities: [{ issuer: issuer.url, subject: DESKTOP.clientId }] },
  ];
  const grants = [...agents.map((agent) => aGrant(agent, server)), ...[helper, keyed].map((agent) => aGrant(agent, crm))];
  await stack.publish({
    servers: [server, crmEntry()],
    agents: [...agents, keyed],
    grants,
    settings: { ...settings, publicUrl: stack.urls[0] ?? '', tokenIssuers },
  });
}

const transportWith = (authProvider: OAuthClientProvider): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(new URL('/mcp', stack.urls[0]), { authProvider });
const newClient = (): Client => new Client({ name: 'test', version: '1' });

/** The calls of an agent, in the order in which it made them. */
async function recorded(agent: string) {
  const events = (await stack.events()).filter((event) => event.agent === agent && event.method === 'tools/call');
  return events.sort((one, other) => one.seq - other.seq).map(({ phase, keyId, onBehalfOf = null }) => ({ phase, keyId, onBehalfOf }));
}

const isRecorded = (agent: string, by: object): Promise<void> =>
  vi.waitFor(
    async () =>
      expect(await recorded(agent)).toEqual([
        { phase: 'intent', ...by },
        { phase: 'outcome', ...by },
      ]),
    20_000,
  );

test('a program finds out where to get a token, gets one for itself, and calls; its token goes no further', async () => {
  const client = newClient();
  await client.connect(transportWith(new ClientCredentialsProvider({ ...SERVICE, scope: SCOPE, expectedIssuer: issuer.url })));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['github__read']);
  await client.callTool({ name: 'github__read' });
  expect(seen.filter((authorization) => authorization !== undefined)).toEqual([]);
  await isRecorded('robot', { keyId: `${issuer.url}#${SERVICE.clientId}`, onBehalfOf: null });
  await publish(false);
  await expect(client.callTool({ name: 'github__read' })).rejects.toThrow('401 after re-authentication');
  await publish();
  await client.close();
});

test('a person lets a program call for them (code and PKCE), and the trail names them', async () => {
  const person = new HeadlessPerson();
  const first = transportWith(person);
  const refused = newClient().connect(first);
  await expect(refused).rejects.toBeInstanceOf(UnauthorizedError);
  await first.finishAuth(await person.callback());
  const client = newClient();
  await client.connect(transportWith(person));
  await client.callTool({ name: 'github__read' });
  await isRecorded('helper', { keyId: `${issuer.url}#${DESKTOP.clientId}`, onBehalfOf: PERSON });
  await client.close();
});

test('a server that wants to know for whom is called with a token in the name of the person, made from the agent’s, and never with that', async () => {
  const person = new HeadlessPerson();
  const first = transportWith(person);
  await expect(newClient().connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
  await first.finishAuth(await person.callback());
  const client = newClient();
  await client.connect(transportWith(person));
  seen.length = 0;
  await Promise.all(Array.from({ length: 8 }, () => client.callTool({ name: 'crm__read' })));
  await client.close();
  const own = person.tokens()?.access_token ?? '';
  expect(own).not.toBe('');
  // Asked for once, however many waited, and once is enough.
  expect([seen.length, new Set(seen).size, seen.join().includes(own)]).toEqual([8, 1, false]);
  const said = decodeJwt((seen[0] ?? '').slice('Bearer '.length));
  expect(said).toMatchObject({ iss: issuer.url, aud: CRM, sub: PERSON, client_id: EXCHANGER.clientId });
});

test('an agent that called with a key has nobody to speak for, and the server hears nothing of it', async () => {
  const client = newClient();
  const headers = { authorization: `Bearer ${keyed.token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', stack.urls[0]), { requestInit: { headers } }));
  seen.length = 0;
  await expect(client.callTool({ name: 'crm__read' })).rejects.toThrow('no way to sign in');
  expect(seen).toEqual([]);
  await client.close();
});

/** Somebody before a browser who agrees to everything. */
class HeadlessPerson implements OAuthClientProvider {
  readonly redirectUrl = DESKTOP.redirectUri;
  readonly clientMetadata = { client_name: 'desktop', redirect_uris: [DESKTOP.redirectUri], scope: SCOPE, token_endpoint_auth_method: 'none' };
  private verifier = '';
  private saved: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  private page: URL | undefined;

  clientInformation() {
    return { client_id: DESKTOP.clientId, issuer: issuer.url };
  }
  tokens() {
    return this.saved;
  }
  saveTokens(tokens: NonNullable<Awaited<ReturnType<OAuthClientProvider['tokens']>>>): void {
    this.saved = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.page = url;
  }
  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }
  codeVerifier(): string {
    return this.verifier;
  }

  /** What the browser is sent back with. */
  async callback(): Promise<URLSearchParams> {
    const cookies = new Map<string, string>();
    let at = this.page ?? new URL(issuer.url);
    for (let steps = 0; !at.href.startsWith(DESKTOP.redirectUri); steps += 1) {
      if (steps > 12) throw new Error('The authorization server goes round in circles');
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(at, { redirect: 'manual', headers: { cookie } });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        cookies.set(name, value);
      }
      const next = answer.headers.get('location');
      if (next === null) throw new Error(`The authorization server stopped at ${at.href}: ${await answer.text()}`);
      at = new URL(next, at);
    }
    return at.searchParams;
  }
}
