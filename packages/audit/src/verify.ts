export { TrailVerifier } from './proof/trail-verifier.js';
export { TrustedKeys, type VerifySignature } from './proof/trusted-keys.js';
