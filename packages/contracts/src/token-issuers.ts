import { z } from 'zod';

/** Asymmetric alone: whoever can check a token must not be able to make one. */
export const TokenAlgorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']);
export type TokenAlgorithm = z.infer<typeof TokenAlgorithm>;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What a fetch of it depends on cannot be changed on the way: `https`, or an address of the same machine. */
const isTrustworthy = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
};
const ISSUER_CHARS_MAX = 256;
const trustworthyUrl = z.string().max(ISSUER_CHARS_MAX).refine(isTrustworthy, 'must be an https URL without user, password and fragment');

/** The exact `iss` of tokens: another spelling of the same URL is another issuer. */
export const IssuerUrl = trustworthyUrl.refine((text) => !text.includes('?'), 'must have no query');

/** What an issuer calls somebody: the value of a claim. */
export const ClaimValue = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must have no control characters');

const claimName = z.string().regex(/^[\w.:/@-]{1,128}$/, 'must be 1–128 characters of A–Z, a–z, 0–9 and . _ : / @ -');
/** RFC 6749 §3.3. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'must be a scope of RFC 6749');

/** Whose access tokens agents may call with, and what their claims mean. */
export const TokenIssuer = z.strictObject({
  issuer: IssuerUrl,
  /** Where its keys are; without it, where its metadata (RFC 8414, OpenID Connect Discovery) says. */
  jwksUri: trustworthyUrl.optional(),
  /** What `aud` may name beside the gateway's own addresses, letter for letter. */
  audiences: z.array(ClaimValue).max(8).default([]),
  algorithms: z.array(TokenAlgorithm).min(1).max(TokenAlgorithm.options.length).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  /** The claim that says which agent calls. */
  agentClaim: claimName.default('client_id'),
  /** The claim that says on whose behalf; null where tokens say nothing of that. */
  subjectClaim: claimName.nullable().default('sub'),
  requiredScopes: z.array(scope).max(16).default([]),
  /** A token that is good for longer than this is refused. */
  lifetimeSecondsMax: z.number().int().min(60).max(604_800).default(86_400),
});
export type TokenIssuer = z.infer<typeof TokenIssuer>;

export const TOKEN_ISSUERS_MAX = 16;
export const TokenIssuers = z
  .array(TokenIssuer)
  .max(TOKEN_ISSUERS_MAX)
  .refine((issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length, 'must name each issuer once');

/** The address agents reach the gateway at, whatever node answers: `https://gateway.example.com`, without a path. */
export const PublicUrl = trustworthyUrl.refine(
  (text) => URL.canParse(text) && new URL(text).origin === text,
  'must be an origin: scheme, host and perhaps a port, nothing behind',
);

/** What an identity is called wherever an agent's key is named: no key of ours has such an id. */
export const identityKeyId = (issuer: string, subject: string): string => `${issuer}#${subject}`;
