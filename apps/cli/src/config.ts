/** What the CLI takes from its environment. An empty variable counts as absent. */
export interface Environment {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** Address of a control plane, and an operator's token for it. */
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly dataDirectory: string | undefined;
  readonly exitWithParent: boolean;
  /** What processes of the local stack inherit. The rest stays out: a stray `PORT` or `REDIS_URL_FILE` must not change them. */
  readonly inherited: Readonly<Record<string, string>>;
}

const inheritedNames = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'TZ',
  'LOG_LEVEL',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'PORTCULLIS_REGISTRY_URL',
];

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const get = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  return {
    databaseUrl: get('DATABASE_URL'),
    redisUrl: get('REDIS_URL'),
    url: get('PORTCULLIS_URL'),
    token: get('PORTCULLIS_TOKEN'),
    dataDirectory: get('PORTCULLIS_DATA'),
    // npx passes a signal on to its shell at most: then the shell's end is all that we hear of it.
    exitWithParent: get('EXIT_WITH_PARENT') === '1' || get('npm_command') !== undefined,
    inherited: Object.fromEntries(inheritedNames.flatMap((name) => (get(name) === undefined ? [] : [[name, get(name) ?? '']]))),
  };
}
