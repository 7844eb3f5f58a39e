const SECRET_NAME =
  /(?:password|passwd|passphrase|passcode|pwd|secret|apikey|accesskey|privatekey|secretkey|signingkey|encryptionkey|sharedkey|accountkey|masterkey|sessionkey|credential)s?$|(?:authorization|cookie|connectionstring|^pass|(?<!page|next|previous|sync|continuation|progress|cursor)token)$/;

const KNOWN_MAX = 2048;
const CHARS_MAX = 128;
const known = new Map<string, boolean>();

/** Whether a field of this name is taken to hold a secret, however it is written (`api_key`, `X-Api-Key`, `dbPassword`). Tokens of pages are none. */
export function isSecretName(name: string): boolean {
  const told = known.get(name);
  if (told !== undefined) return told;
  const verdict = SECRET_NAME.test(
    name
      .slice(-CHARS_MAX)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, ''),
  );
  if (name.length > CHARS_MAX) return verdict;
  if (known.size === KNOWN_MAX) known.clear();
  known.set(name, verdict);
  return verdict;
}
