import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { CertificateSummary, ReplaceServerTls } from '@portcullis/contracts/api/server-tls';
import { ProblemError } from '../http/problem.js';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, first to last; undefined where one of them is none. */
export function certificatesIn(pem: string): X509Certificate[] | undefined {
  try {
    return Array.from(pem.matchAll(BLOCK), ([block]) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

export const summaryOf = ({ subject, issuer, validFromDate, validToDate, fingerprint256 }: X509Certificate): CertificateSummary => ({
  subject: subject ?? '',
  issuer: issuer ?? '',
  notBefore: validFromDate.toISOString(),
  expiresAt: validToDate.toISOString(),
  fingerprint: fingerprint256,
});

/** Refuses (400) what no connection could be made with: no certificate, one that has ended, a key that is another's. Gives when the first of them ends. */
export function requireCertificates({ ca, client }: ReplaceServerTls): Date {
  const all = [...(ca === null ? [] : requireThose(ca, '/ca')), ...(client === null ? [] : requireThose(client.certificate, '/client/certificate'))];
  if (client !== null) requireKeyOf(certificatesIn(client.certificate)?.[0], client.key);
  return new Date(Math.min(...all.map(({ validToDate }) => validToDate.getTime())));
}

function requireThose(pem: string, pointer: string): X509Certificate[] {
  const found = certificatesIn(pem);
  if (found === undefined || found.length === 0) throw fault(pointer, 'holds something that is no certificate');
  if (found.some(({ validToDate }) => validToDate.getTime() <= Date.now())) throw fault(pointer, 'holds a certificate that has ended');
  return found;
}

function requireKeyOf(certificate: X509Certificate | undefined, pem: string): void {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw fault('/client/key', 'must be a private key without a passphrase'); // what went wrong may quote it
  }
  if (certificate?.checkPrivateKey(key) !== true) throw fault('/client/key', 'must be the key to the first certificate');
}

const fault = (pointer: string, detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer, detail }]);
