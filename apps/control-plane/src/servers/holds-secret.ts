const secretParameter =
  /(?:^|[^a-z0-9])(?:api[-_]?key|access[-_]?key|key|token|secret|password|passwd|pwd|auth|authorization|signature|sig|credentials?|jwt|bearer)$|(?:api|access|secret|auth)(?:key|token)$/i;
// How well-known issuers mark their keys, and a signed token.
const secretValue = /^(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[a-z]|npm|hf|AKIA|eyJ)[-_A-Za-z0-9.]{12,}$/;

// A password in an address, and a header that signs in.
const secretText = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:[^\s/?#@]+@|\b(?:bearer|basic)\s+[-\w.~+/=]{8,}/i;

/** Whether an address seems to hold a key or token: it would be on record for ever, and shown to whoever may read servers. */
export function holdsSecret({ searchParams, pathname, hash }: URL): boolean {
  const named = [...searchParams, ...new URLSearchParams(hash.slice(1))];
  if (named.some(([name, value]) => secretParameter.test(name) || secretValue.test(name) || secretValue.test(value))) return true;
  return pathname.split('/').some((segment) =>
    readEscapes(segment)
      .split(/[/;,=:@]/)
      .some((part) => secretValue.test(part)),
  );
}

function readEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a variable of this name and value seems to be a key or token. */
export const isSecretVariable = (name: string, value: string): boolean =>
  secretValue.test(value) || secretText.test(value) || (value !== '' && secretParameter.test(name));

/** Whether arguments of a program seem to hold a key or token: `--api-key=…`, `--token …`, or one that looks like it by itself. */
export function holdsSecretArgument(args: readonly string[]): boolean {
  return args.some((argument, at) => {
    const [name = '', value] = /^(?:-|[A-Za-z_]\w*=)/.test(argument) ? argument.split(/=(.*)/s) : [''];
    if (secretValue.test(argument) || secretText.test(argument) || (value !== undefined && secretValue.test(value))) return true;
    if (!secretParameter.test(name)) return false;
    return value === undefined ? /^[^-\s/.][^\s/]{7,}$/.test(args[at + 1] ?? '') : value !== '';
  });
}
