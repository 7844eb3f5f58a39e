import { GatewayError } from '@portcullis/contracts/errors';
import type { SettingsEntry } from '@portcullis/contracts/snapshot';
import { endpointPath, METADATA_PATH } from '../edge/endpoint-path.js';
import type { Gateway } from '../gateway.js';
import type { HttpReply } from '../reply/http-reply.js';

/** What clients need to get a token for this endpoint (RFC 9728 §3.2). Says nothing that depends on who asks. */
export function answerMetadata(endpoint: string, method: string | undefined, at: { gateway: Pick<Gateway, 'policy'>; reply: HttpReply }): void {
  const settings = at.gateway.policy.current()?.settings;
  const { publicUrl, tokenIssuers = [] } = settings ?? {};
  if (publicUrl === undefined || tokenIssuers.length === 0) throw new GatewayError('client.not_found');
  if (method !== 'GET') throw new GatewayError('client.method_not_allowed', { allow: 'GET' });
  const scopes = scopesOf(settings);
  const metadata = {
    resource: `${publicUrl}${endpoint}`,
    authorization_servers: tokenIssuers.map(({ issuer }) => issuer),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: 'Portcullis',
  };
  at.reply.setHeader('cache-control', 'public, max-age=60');
  at.reply.finish(200, [JSON.stringify(metadata)]);
}

/** Gives a refusal what its caller needs to come back with a token (RFC 9728 §5.1, RFC 6750 §3). Every reason why a token is not taken reads alike. */
export function challenged(error: unknown, settings: SettingsEntry | undefined, slug: string | null): unknown {
  if (!(error instanceof GatewayError) || !error.code.startsWith('auth.')) return error;
  const { publicUrl, tokenIssuers = [] } = settings ?? {};
  if (publicUrl === undefined || tokenIssuers.length === 0) return error;
  const lacksScope = error.code === 'auth.insufficient_scope';
  const fault = lacksScope ? 'insufficient_scope' : error.detail['isToken'] === true ? 'invalid_token' : undefined;
  const scopes = lacksScope ? textsOf(error.detail['scopes']) : scopesOf(settings);
  const parameters = [
    ...(fault === undefined ? [] : [`error="${fault}"`]),
    `resource_metadata="${publicUrl}${METADATA_PATH}${endpointPath(slug)}"`,
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
  ];
  return new GatewayError(error.code, { ...error.detail, challenge: `Bearer ${parameters.join(', ')}` }, { cause: error });
}

const scopesOf = (settings: SettingsEntry | undefined): string[] => [
  ...new Set(settings?.tokenIssuers?.flatMap(({ requiredScopes }) => requiredScopes)),
];
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
