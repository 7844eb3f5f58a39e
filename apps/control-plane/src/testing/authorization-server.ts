import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve } from './mcp-peers.js';

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly clientId: string;
  readonly resource: string | null;
}

interface Rules {
  requiresIss: boolean;
  hasPkce: boolean;
  lifeSeconds: number;
  refuses: string | undefined;
  status: number | undefined;
  takesDocuments: boolean;
}

/** What it does where a test says nothing else. */
export const usualRules = (): Rules => ({
  requiresIss: true,
  hasPkce: true,
  lifeSeconds: 3600,
  refuses: undefined,
  status: undefined,
  takesDocuments: false,
});

/** An authorization server that grants what it is asked for as it should be. Refresh tokens rotate; one that comes back ends all grants, as with a careful one. */
export class AuthorizationServer {
  issuer = '';
  /** Whatever it was asked at its token endpoint. */
  readonly asked: URLSearchParams[] = [];
  /** Tokens that the MCP server beside it lets in. */
  readonly live = new Set<string>();
  readonly rules = usualRules();
  close: () => Promise<void> = async () => undefined;
  /** Whose metadata documents it has read, by their addresses. */
  readonly documents = new Map<string, { readonly redirect_uris: readonly string[] }>();
  /** Whom it registered. */
  readonly clients = new Set<string>();
  private readonly codes = new Map<string, Code>();
  private readonly refreshTokens = new Set<string>();

  get resource(): string {
    return `${this.issuer}/mcp`;
  }

  /** What a browser comes back with from an address of its own: the person has said yes. */
  consent(authorizationUrl: string): URLSearchParams {
    const parameters = new URL(authorizationUrl).searchParams;
    const of = (name: string): string => parameters.get(name) ?? '';
    const [state, clientId] = [of('state'), of('client_id')];
    const isKnown = this.clients.has(clientId) || this.documents.get(clientId)?.redirect_uris.includes(of('redirect_uri')) === true;
    if (of('code_challenge_method') !== 'S256' || !isKnown) return new URLSearchParams({ error: 'invalid_request', state });
    const code = randomBytes(12).toString('hex');
    this.codes.set(code, { challenge: of('code_challenge'), redirectUri: of('redirect_uri'), clientId, resource: parameters.get('resource') });
    return new URLSearchParams({ code, state, ...(this.rules.requiresIss && { iss: this.issuer }) });
  }

  /** Its answers, by path. */
  readonly answers: Readonly<Record<string, (body: string) => object>> = {
    '/.well-known/oauth-authorization-server': () => ({
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      registration_endpoint: `${this.issuer}/register`,
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      authorization_response_iss_parameter_supported: this.rules.requiresIss,
      ...(this.rules.takesDocuments && { client_id_metadata_document_supported: true }),
      ...(this.rules.hasPkce && { code_challenge_methods_supported: ['S256'] }),
    }),
    '/.well-known/oauth-protected-resource/mcp': () => ({
      resource: this.resource,
      authorization_servers: [this.issuer],
      scopes_supported: ['tools'],
    }),
    '/token': (body) => this.token(new URLSearchParams(body)),
    '/register': (body) => {
      const clientId = `client-${randomBytes(6).toString('hex')}`;
      this.clients.add(clientId);
      return { ...(JSON.parse(body) as object), client_id: clientId };
    },
  };

  private token(form: URLSearchParams): object {
    this.asked.push(form);
    if (this.rules.refuses !== undefined) return { error: this.rules.refuses };
    if (form.get('grant_type') === 'refresh_token') {
      const isKnown = this.refreshTokens.delete(form.get('refresh_token') ?? '');
      if (!isKnown) this.refreshTokens.clear();
      return isKnown ? this.issue() : { error: 'invalid_grant' };
    }
    const code = this.codes.get(form.get('code') ?? '');
    this.codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isProven = code?.challenge === challenge && code.redirectUri === form.get('redirect_uri') && code.clientId === form.get('client_id');
    return isProven && code.resource === form.get('resource') ? this.issue() : { error: 'invalid_grant' };
  }

  private issue(): object {
    const [access, refresh] = [`at-${randomBytes(12).toString('hex')}`, `rt-${randomBytes(12).toString('hex')}`];
    this.live.add(access);
    this.refreshTokens.add(refresh);
    return { access_token: access, token_type: 'Bearer', expires_in: this.rules.lifeSeconds, refresh_token: refresh };
  }
}

/** One on loopback, and beside it an MCP server that lets in whoever has a token of it. */
export async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const own = new AuthorizationServer();
  const peer = await serve(async (request, response) => {
    const body = await text(request);
    const path = new URL(request.url ?? '/', own.issuer).pathname;
    const answer = own.answers[path]?.(body);
    if (answer !== undefined) {
      response.writeHead('error' in answer ? (own.rules.status ?? 400) : 200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answer));
    }
    if (path === '/mcp' && own.live.has((request.headers.authorization ?? '').slice(7))) return answerMcp(body, response);
    const challenge = `Bearer resource_metadata="${own.issuer}/.well-known/oauth-protected-resource/mcp"`;
    return response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  own.issuer = new URL(peer.url).origin;
  own.close = () => peer.close();
  return own;
}

function answerMcp(body: string, response: ServerResponse): unknown {
  const { id, method } = JSON.parse(body) as { id?: number; method: string };
  if (id === undefined) return response.writeHead(202).end();
  const about = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'protected', version: '1' } };
  const result = method === 'initialize' ? about : { tools: [{ name: 'read', inputSchema: { type: 'object' } }] };
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}
