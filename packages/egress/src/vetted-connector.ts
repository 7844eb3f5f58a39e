import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { reasonAgainstHost } from './check-url.js';
import { EgressRefused } from './egress-refused.js';
import type { VetAddress } from './vet-address.js';

/** All addresses of a name, as the system's resolver gives them. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** With which certificates one server is reached; PEM. */
export interface TlsIdentity {
  /** Who vouches for the server, in the place of everybody the system trusts. */
  readonly ca?: string | undefined;
  /** What this side shows when it is asked for a certificate, and the key to it. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** What a connection is made with. */
export interface ConnectorOptions {
  vetAddress: VetAddress;
  resolve: Resolve;
  ca?: string | undefined;
  tls?: TlsIdentity | undefined;
  connectTimeoutMs: number;
  /** Whether each connection shows the server's certificate anew, instead of going on with an earlier session. */
  showsCertificate: boolean;
}

/** The system's resolver: hosts file and DNS, both families. */
export function resolveBySystem(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

/** Connects to vetted addresses only. A name is resolved once per connection and the socket goes to an address of that very answer. */
export function createVettedConnector(options: ConnectorOptions): buildConnector.connector {
  const { vetAddress, resolve, ca, tls, connectTimeoutMs, showsCertificate } = options;
  const connect = buildConnector({
    lookup: vettedLookup(resolve, vetAddress),
    secureContext: ca === undefined && tls === undefined ? undefined : contextWith(ca, tls),
    timeout: connectTimeoutMs,
    ...(showsCertificate && { maxCachedSessions: 0 }),
    allowH2: false,
    autoSelectFamily: true,
  });
  return (target, callback) => {
    // Sockets never look up a literal, so the lookup below would not see it.
    const reason = target.socketPath ? 'egress.address' : reasonAgainstHost(target.hostname, target.port, vetAddress);
    if (reason === undefined) connect(target, callback);
    else callback(new EgressRefused(reason), null);
  };
}

/** Made once: with `ca` given to each connection, every one would parse all the system's roots again. */
function contextWith(ca: string | undefined, { ca: own, certificate: cert, key }: TlsIdentity = {}): SecureContext {
  const everybody = ca === undefined ? undefined : [...getCACertificates('default'), ca];
  return createSecureContext({ ca: own ?? everybody, cert, key });
}

function vettedLookup(resolve: Resolve, vetAddress: VetAddress): LookupFunction {
  const lookup = callbackify(async (hostname: string, family: unknown) => pickVetted(await resolve(hostname), family, vetAddress));
  return (hostname, options, callback) => {
    lookup(hostname, options.family, (error, vetted) => {
      if (error !== null) callback(error, '');
      else if (options.all === true) callback(null, vetted);
      else callback(null, vetted[0]?.address ?? '', vetted[0]?.family);
    });
  };
}

function pickVetted(found: LookupAddress[], family: unknown, vetAddress: VetAddress): LookupAddress[] {
  const usable = found.filter((entry) => (family !== 4 && family !== 6) || entry.family === family);
  if (usable.length === 0) throw new EgressRefused('egress.unresolved');
  const vetted = usable.filter(({ address }) => vetAddress(address));
  if (vetted.length === 0) throw new EgressRefused('egress.address');
  return vetted;
}
