import { z } from 'zod';
import { Reason, Timestamp } from './conventions.js';

const pem = (label: string, charsMax: number) =>
  z
    .string()
    .max(charsMax)
    .regex(new RegExp(`^\\s*-----BEGIN (?:[A-Z]+ )*${label}-----`), `must be PEM: -----BEGIN ${label}-----`);

/** Private in every direction: taken, and never given. */
const ClientCertificateConfig = z.strictObject({
  /** With the chain behind it, where the server needs one. */
  certificate: pem('CERTIFICATE', 65_536),
  /** Without a passphrase. */
  key: pem('PRIVATE KEY', 16_384),
});

/** With which certificates a server is reached, all of it anew. */
export const ReplaceServerTls = z
  .strictObject({
    /** Who vouches for the server, in the place of everybody that the system trusts. */
    ca: pem('CERTIFICATE', 131_072).nullable().default(null),
    /** What is shown to a server that asks for a certificate. */
    client: ClientCertificateConfig.nullable().default(null),
    reason: Reason.optional(),
  })
  .refine(({ ca, client }) => ca !== null || client !== null, 'must have a ca, a client certificate, or both')
  .meta({
    id: 'ReplaceServerTls',
    examples: [{ ca: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n', reason: 'internal authority' }],
  });
export type ReplaceServerTls = z.infer<typeof ReplaceServerTls>;

export const CertificateSummary = z.object({
  subject: z.string(),
  issuer: z.string(),
  notBefore: Timestamp,
  expiresAt: Timestamp,
  /** SHA-256 of it, as tools show it. */
  fingerprint: z.string(),
});
export type CertificateSummary = z.infer<typeof CertificateSummary>;

export const ServerTls = z
  .object({
    server: z.string(),
    version: z.number().int(),
    /** `reconnect`: it was given for another origin than the server has now, and nothing is called. */
    status: z.enum(['ready', 'reconnect']),
    statusReason: z.string().nullable(),
    ca: z.string().nullable(),
    authorities: z.array(CertificateSummary),
    clientCertificate: z.string().nullable(),
    /** The certificate and its chain. */
    client: z.array(CertificateSummary),
    /** When the first of them ends. */
    expiresAt: Timestamp.nullable(),
    updatedBy: z.string(),
    updatedAt: Timestamp,
  })
  .meta({ id: 'ServerTls' });
export type ServerTls = z.infer<typeof ServerTls>;
