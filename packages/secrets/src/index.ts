export { newBearer, parseBearer, hashBearer, bearerMatches, BearerMemory, type BearerKind, type BearerParts } from './bearer.js';
export { newSigningKey, signBytes, verifyBytes, keyIdOf, publicKeyOf, type KeyPair } from './signing-key.js';
export { seal, open, openText, createSealer, newSealingKey, deriveKey, type Sealer, type SealingKey } from './sealer.js';
export { auditSealingKey, auditKeysText, readAuditKeys } from './audit-sealing.js';
export { sealFor, openWith, newNodeKeyPair } from './seal-for.js';
export { UnsealError } from './unseal-error.js';
export { loadMasterKey, MasterKeyError, type MasterKeyFault } from './load-master-key.js';
export { IssuerKeys, type IssuerKeysOptions, type KeySource } from './issuer-keys.js';
export {
  ACCESS_TOKEN_CHARS_MAX,
  CLOCK_SKEW_MS,
  looksLikeJwt,
  TokenRefusedError,
  verifyAccessToken,
  type AccessToken,
  type TokenFault,
  type TokenRules,
} from './verify-access-token.js';
export { requestToken, requestClientToken, type GivenToken, type TokenClient } from './oauth/request-token.js';
export { exchangeToken, type ExchangeTarget } from './oauth/exchange-token.js';
export { TokenError } from './oauth/token-error.js';
export { TokenSource, type UpstreamToken, type FetchToken } from './oauth/token-source.js';
export { memberOf, readJson, readText, textMember, type OauthFetch } from './oauth/read-json.js';
