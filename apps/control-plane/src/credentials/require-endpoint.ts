import { isIPv4 } from 'node:net';
import { OauthFault } from './oauth-fault.js';
import type { OauthWays } from './oauth-ways.js';

/** Secrets go to endpoints: over TLS, but to this machine, and only where this process may go. */
export function requireEndpoint(url: string, { egress }: Pick<OauthWays, 'egress'>): void {
  const verdict = egress.checkUrl(url);
  if (!verdict.ok) throw new OauthFault(`An endpoint of the authorization server is refused (${verdict.reason}): ${hostOf(url)}`);
  const { protocol, hostname } = verdict.url;
  const isHere = hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
  if (protocol !== 'https:' && !isHere) throw new OauthFault(`An endpoint of the authorization server is not https: ${hostOf(url)}`);
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'no URL');
