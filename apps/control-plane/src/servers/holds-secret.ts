const secretParameter =
  /(?:^|[^a-z0-9])(?:api[-_]?key|access[-_]?key|key|token|secret|password|passwd|pwd|auth|authorization|signature|sig|credentials?|jwt|bearer)$|(?:api|access|secret|auth)(?:key|token)$/i;
// How well-known issuers mark their keys, and a signed token.
const secretValue = /^(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[a-z]|npm|hf|AKIA|eyJ)[-_A-Za-z0-9.]{12,}$/;

/** Whether an address seems to hold a key or token: it would be on record for ever, and shown to whoever may read servers. */
export function holdsSecret({ searchParams, pathname, hash }: URL): boolean {
  const named = [...searchParams, ...new URLSearchParams(hash.slice(1))];
  if (named.some(([name, value]) => secretParameter.test(name) || secretValue.test(value))) return true;
  return pathname.split('/').some((segment) => secretValue.test(segment));
}
