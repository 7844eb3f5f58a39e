import { isIP } from 'node:net';
import { EgressRefused, type EgressReason } from './egress-refused.js';
import type { VetAddress } from './vet-address.js';

/** What may be said of an address without asking DNS: its canonical form, or why it is refused. */
export type UrlVerdict = { ok: true; url: URL } | { ok: false; reason: EgressReason };

const urlCharsMax = 2048;

// WHATWG fetch's list of bad ports, and below it data stores that would take a request line for a command.
const refusedPorts = new Set(
  (
    '0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143 161 179 389 427 465 ' +
    '512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 ' +
    '6668 6669 6679 6697 10080 ' +
    '1433 1521 3306 5432 6379 11211 26379 27017'
  ).split(' '),
);

/** Judges an address somebody typed. A name that passes is judged again, by what it resolves to, at every connection. */
export function checkUrl(typed: string | URL, vetAddress: VetAddress): UrlVerdict {
  const text = typeof typed === 'string' ? typed : typed.href;
  // The parser repairs backslashes and drops tabs and newlines; what a person reads must be what we connect to.
  if (text.length > urlCharsMax || /[\\\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return { ok: false, reason: 'egress.malformed' };
  const url = new URL(text);
  const reason = reasonAgainst(url, vetAddress);
  return reason === undefined ? { ok: true, url } : { ok: false, reason };
}

/** The same, as an exception. */
export function requireUrl(typed: string | URL, vetAddress: VetAddress): URL {
  const verdict = checkUrl(typed, vetAddress);
  if (!verdict.ok) throw new EgressRefused(verdict.reason);
  return verdict.url;
}

/** Why a host, as the URL parser or undici spells it, is refused before any look-up. Undefined for a name that DNS must decide. */
export function reasonAgainstHost(host: string, port: string, vetAddress: VetAddress): EgressReason | undefined {
  if (refusedPorts.has(port)) return 'egress.port';
  const bare = host.startsWith('[') ? host.slice(1, -1) : host.replace(/\.$/, '').toLowerCase();
  if (bare === '') return 'egress.malformed';
  if (isIP(bare) !== 0) return vetAddress(bare) ? undefined : 'egress.address';
  const isLoopbackName = bare === 'localhost' || bare.endsWith('.localhost');
  return isLoopbackName && !vetAddress('127.0.0.1') && !vetAddress('::1') ? 'egress.address' : undefined;
}

function reasonAgainst(url: URL, vetAddress: VetAddress): EgressReason | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'egress.scheme';
  if (url.username !== '' || url.password !== '') return 'egress.userinfo';
  return reasonAgainstHost(url.hostname, url.port, vetAddress);
}
