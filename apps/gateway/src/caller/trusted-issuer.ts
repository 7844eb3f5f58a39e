import type { SettingsEntry } from '@portcullis/contracts/snapshot';

/** Whether what was opened with this key (`identityKeyId`) may go on as far as its issuer goes; keys of ours have none. */
export function isIssuerTrusted(keyId: string, { tokenIssuers = [] }: Pick<SettingsEntry, 'tokenIssuers'>): boolean {
  const end = keyId.indexOf('#');
  return end < 0 || tokenIssuers.some(({ issuer }) => issuer.length === end && keyId.startsWith(issuer));
}
