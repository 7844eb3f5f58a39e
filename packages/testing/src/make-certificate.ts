import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, as TLS takes them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Who issues certificates: its own, and how it makes those of hosts. */
export interface Authority {
  readonly cert: string;
  issue(host: string, days?: readonly [from: number, to: number]): Certificate;
}

const DAY_MS = 86_400_000;
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);
const time = (ms: number): Buffer => der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`));
const name = (text: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

interface Signed {
  readonly issuer: string;
  readonly subject: string;
  readonly days: readonly [from: number, to: number];
  readonly extension: Buffer;
  readonly publicKey: KeyObject;
  readonly signedBy: KeyObject;
}

let serial = 0;
function pemOf({ issuer, subject, days: [from, to], extension, publicKey, signedBy }: Signed): string {
  serial = (serial % 127) + 1; // one byte that is no negative number
  const now = Date.now();
  const said = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([serial])),
    ECDSA_SHA256,
    name(issuer),
    sequence(time(now + from * DAY_MS), time(now + to * DAY_MS)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const certificate = sequence(said, ECDSA_SHA256, bits(sign('sha256', said, signedBy)));
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

/** An authority of its own, known to nobody who is not told of it (RFC 5280, as little of it as TLS needs). */
export function makeAuthority(issuer: string): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)));
  const common = { issuer, signedBy: own.privateKey };
  return {
    cert: pemOf({ ...common, subject: issuer, days: [-30, 30], extension: isAuthority, publicKey: own.publicKey }),
    issue: (host, days = [-1, 1]) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternative = isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));
      const extension = sequence(oid('551d11'), der(0x04, sequence(alternative)));
      const cert = pemOf({ ...common, subject: host, days, extension, publicKey });
      return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}
