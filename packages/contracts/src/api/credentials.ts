import { z } from 'zod';
import { ClientAuthentication } from '../credentials.js';
import { Id } from '../names.js';
import { VariableName } from '../runner/launch-profile.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';

/** Headers that belong to a connection, to the protocol or to us. Who could set one could change what a request is, or where it goes. */
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set(
  (
    'accept accept-charset accept-encoding connection content-encoding content-length content-type date expect forwarded host http2-settings keep-alive ' +
    'last-event-id origin te trailer transfer-encoding upgrade via x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip ' +
    'traceparent tracestate baggage'
  ).split(' '),
);
const FORBIDDEN_BEGINNINGS = ['mcp-', 'proxy-', 'sec-', 'x-portcullis-'];

/** A field name of RFC 9110 §5.1 that a server may be called with. */
export const CredentialHeaderName = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header')
  .refine((name) => !isForbidden(name.toLowerCase()), 'is set by the gateway itself, or belongs to the connection');

const isForbidden = (name: string): boolean => FORBIDDEN_HEADERS.has(name) || FORBIDDEN_BEGINNINGS.some((beginning) => name.startsWith(beginning));

/** Printable ASCII without blanks around it: nothing that could end the header. */
const HeaderValue = z
  .string()
  .max(8192)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII without blanks around it');

const Secret = z
  .string()
  .min(1)
  .max(8192)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');
const Url = z.url({ protocol: /^https?$/ }).max(2048);
const Scopes = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope')).max(50);

const oauth = {
  /** The authorization server. Left out: what the server itself says (RFC 9728), else the server's own origin. */
  issuer: Url.optional(),
  /** Left out: what the authorization server says (RFC 8414). */
  tokenEndpoint: Url.optional(),
  /** Left out: what the server asks for when it is called without a token, for a connection; none for client credentials. */
  scopes: Scopes.optional(),
  /** RFC 8707. Left out: what the server says of itself, else its URL; null for an authorization server that refuses the parameter. */
  resource: Url.nullable().optional(),
  authentication: ClientAuthentication.optional(),
};

const VariableValue = z
  .string()
  .min(1)
  .max(8192)
  .refine((value) => !value.includes('\0'), 'must not hold NUL');

/** What a server is called with, or for one of stdio what its program finds in its environment. Values are taken and never given. */
export const CredentialConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('headers'),
    headers: z
      .array(z.strictObject({ name: CredentialHeaderName, value: HeaderValue }))
      .min(1)
      .max(20)
      .refine((headers) => new Set(headers.map(({ name }) => name.toLowerCase())).size === headers.length, 'names a header twice'),
  }),
  z.strictObject({ kind: z.literal('client-credentials'), clientId: Secret.max(500), clientSecret: Secret, ...oauth }),
  z.strictObject({
    /** RFC 8693: the access token that an agent calls with is exchanged for one of the server's, in the name of whom the agent speaks for. */
    kind: z.literal('token-exchange'),
    clientId: Secret.max(500),
    clientSecret: Secret,
    ...oauth,
    /** Whose tokens are exchanged, as the settings trust it. Left out: the authorization server's own. Tokens of others are never sent there. */
    subjectIssuer: Url.optional(),
    /** What the authorization server calls the server, where it does not go by `resource`. */
    audience: z.string().min(1).max(500).optional(),
  }),
  z.strictObject({
    kind: z.literal('authorization-code'),
    /** Left out: a client ID metadata document, or where the authorization server takes none, dynamic registration. */
    clientId: Secret.max(500).optional(),
    clientSecret: Secret.optional(),
    ...oauth,
    authorizationEndpoint: Url.optional(),
  }),
  z.strictObject({
    kind: z.literal('environment'),
    /** By the names by which the server's launch profile refers to them. */
    variables: z
      .array(z.strictObject({ name: VariableName, value: VariableValue }))
      .min(1)
      .max(100)
      .refine((variables) => new Set(variables.map(({ name }) => name)).size === variables.length, 'names a variable twice'),
  }),
]);
export type CredentialConfig = z.infer<typeof CredentialConfig>;

const headersExample = { kind: 'headers', headers: [{ name: 'Authorization', value: 'Bearer <token>' }] };

export const CreateCredential = z
  .strictObject({
    server: Reference,
    /** An agent whose calls go with this one instead of the server's own. It adds no tools: what there is to call is what the server's own found. */
    agent: Reference.optional(),
    credential: CredentialConfig,
    reason: Reason.optional(),
  })
  .meta({
    id: 'CreateCredential',
    examples: [
      { server: 'github', credential: headersExample },
      { server: 'files', credential: { kind: 'environment', variables: [{ name: 'API_KEY', value: '<key>' }] } },
    ],
  });
export type CreateCredential = z.infer<typeof CreateCredential>;

/** All of it anew: what was there before is forgotten, a connection too. */
export const ReplaceCredential = z
  .strictObject({ credential: CredentialConfig, reason: Reason.optional() })
  .meta({ id: 'ReplaceCredential', examples: [{ credential: headersExample }] });
export type ReplaceCredential = z.infer<typeof ReplaceCredential>;

/** `unconnected`: an operator has to make the connection. `reconnect`: the authorization server no longer takes what it gave. */
export const CredentialStatus = z.enum(['ready', 'unconnected', 'reconnect']);
export type CredentialStatus = z.infer<typeof CredentialStatus>;

/**
 * What keeps a server from being called, or soon will. `failing`: a token cannot be renewed at the moment; `ends-soon`: a certificate, or a token that
 * cannot be renewed.
 */
export const CredentialTrouble = z.object({
  state: z.enum(['unconnected', 'reconnect', 'failing', 'ends-soon']),
  /** Null for the certificates of the server. */
  credentialId: Id.nullable(),
  /** Whose calls it is about; null for everybody's who has none of their own. */
  agent: z.string().nullable(),
  reason: z.string(),
  endsAt: Timestamp.nullable(),
});
export type CredentialTrouble = z.infer<typeof CredentialTrouble>;

export const CredentialKindName = z.enum(['headers', 'client-credentials', 'token-exchange', 'authorization-code', 'environment']);
export type CredentialKindName = z.infer<typeof CredentialKindName>;

/** What is no secret of OAuth's side, as it was given or found. */
export const CredentialOauth = z.object({
  issuer: z.string().nullable(),
  authorizationEndpoint: z.string().nullable(),
  tokenEndpoint: z.string(),
  clientId: z.string().nullable(),
  scopes: z.array(z.string()),
  resource: z.string().nullable(),
  authentication: ClientAuthentication,
  /** Who the client is to the authorization server: as configured, by a metadata document of ours, or registered by us. */
  client: z.enum(['configured', 'metadata-document', 'registered']),
  /** Of a token exchange: whose tokens, and for what. */
  exchange: z.object({ subjectIssuer: z.string(), audience: z.string().nullable() }).optional(),
});
export type CredentialOauth = z.infer<typeof CredentialOauth>;

/** A credential without its secrets: names of headers, where tokens come from, and whether it works. */
export const Credential = z
  .object({
    id: Id,
    server: z.string(),
    agent: z.string().nullable(),
    kind: CredentialKindName,
    /** Counts what it was replaced by. */
    version: z.number().int(),
    hasSecret: z.boolean(),
    status: CredentialStatus,
    statusReason: z.string().nullable(),
    headers: z.array(z.string()),
    /** Names of variables. */
    variables: z.array(z.string()),
    oauth: CredentialOauth.nullable(),
    connectedAt: Timestamp.nullable(),
    connectedBy: z.string().nullable(),
    /** When the token at hand ends; it is renewed before, by itself. */
    tokenExpiresAt: Timestamp.nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    next: z.array(z.string()),
  })
  .meta({ id: 'Credential' });
export type Credential = z.infer<typeof Credential>;
export const CredentialPage = pageOf(Credential).meta({ id: 'CredentialPage' });

export const ListCredentialsQuery = z.strictObject({
  ...pageQuery,
  server: Reference.optional(),
  agent: Reference.optional(),
  status: CredentialStatus.optional(),
});
export type ListCredentialsQuery = z.infer<typeof ListCredentialsQuery>;

/** Where an operator's browser goes to make the connection. Good once, for ten minutes, and only if the same operator asked for it. */
export const CredentialConnection = z
  .object({ authorizationUrl: z.string(), redirectUri: z.string(), expiresAt: Timestamp })
  .meta({ id: 'CredentialConnection' });
export type CredentialConnection = z.infer<typeof CredentialConnection>;

/** `redirectUri` is where the browser comes back to: on this machine (`http://127.0.0.1:<port>/callback`), or the page of the control plane for it. */
export const BeginConnection = z
  .strictObject({ redirectUri: z.url({ protocol: /^https?$/ }).max(500) })
  .meta({ id: 'BeginConnection', examples: [{ redirectUri: 'http://127.0.0.1:41234/callback' }] });
export type BeginConnection = z.infer<typeof BeginConnection>;

/** What the browser came back with. */
export const FinishConnection = z
  .strictObject({
    state: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a state of ours'),
    code: z.string().min(1).max(4096),
    iss: z.string().max(2048).optional(),
  })
  .meta({
    id: 'FinishConnection',
    examples: [{ state: 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE', code: '<code>', iss: 'https://as.example.com' }],
  });
export type FinishConnection = z.infer<typeof FinishConnection>;
