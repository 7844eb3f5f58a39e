import { z } from 'zod';

/** POSIX and no NUL: what a program is started by never depends on where somebody happens to stand. */
const AbsolutePath = z
  .string()
  .max(4096)
  .regex(/^\/(?!\/)[^\0\n\r]*$/, 'must be an absolute path')
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'must not hold . or ..');

/** Programs that run what an argument says: whoever approves one has approved nothing. */
const SHELLS: ReadonlySet<string> = new Set('sh bash dash ash zsh ksh mksh fish csh tcsh busybox env sudo su doas nohup xargs'.split(' '));

const Executable = AbsolutePath.refine((path) => !SHELLS.has(path.split('/').at(-1) ?? ''), 'is a shell, or starts whatever its arguments say');

const NpmName = /^(?:@[a-z0-9][a-z0-9._-]{0,100}\/)?[a-z0-9][a-z0-9._-]{0,200}$/;
const PyName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?$/;
/** One version, no range and no tag. */
const NpmVersion = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,100})?(?:\+[0-9A-Za-z.-]{1,100})?$/;
const PyVersion = /^(?:\d{1,9}!)?\d{1,9}(?:\.\d{1,9}){0,5}(?:(?:a|b|rc)\d{1,9})?(?:\.post\d{1,9})?(?:\.dev\d{1,9})?(?:\+[a-z0-9.]{1,100})?$/;

/** Which program: a file of the runner's machine, or a command of a package that is installed once into a folder of the runner. */
export const LaunchProgram = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('executable'), path: Executable }),
  z.strictObject({
    kind: z.literal('npm'),
    name: z.string().regex(NpmName, 'must be the name of an npm package'),
    version: z.string().regex(NpmVersion, 'must be one exact version'),
    /** Which of its commands; unsaid: its only one, or the one that is called as the package is. */
    command: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/)
      .optional(),
  }),
  z.strictObject({
    kind: z.literal('uv'),
    name: z.string().regex(PyName, 'must be the name of a Python package'),
    version: z.string().regex(PyVersion, 'must be one exact version'),
    command: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/)
      .optional(),
  }),
]);
export type LaunchProgram = z.infer<typeof LaunchProgram>;

export const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable');

/** What these hold decides which code runs: the approved tuple has to say it in clear. */
const LOADER_VARIABLE =
  /^(?:LD_.*|DYLD_.*|PATH|IFS|ENV|BASH_ENV|SHELL|NODE_OPTIONS|NODE_PATH|NPM_CONFIG_.*|PYTHON.*|UV_.*|PIP_.*|PERL5?(?:OPT|LIB|DB)|RUBY(?:OPT|LIB)|(?:_JAVA|JAVA_TOOL|JDK_JAVA)_OPTIONS|GIT_.*|.*_PROXY|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|GCONV_PATH|GLIBC_TUNABLES|MALLOC_.*)$/i;

/** Whether a variable of this name can decide which code a program runs, or whom it trusts. */
export const decidesWhatRuns = (name: string): boolean => LOADER_VARIABLE.test(name);

const VariableText = z
  .string()
  .max(8192)
  .refine((value) => !value.includes('\0'), 'must not hold NUL');

/** A value that the approved tuple has in it, or the name of a variable of the server's credential of kind `environment`. */
export const LaunchVariable = z.union([z.strictObject({ value: VariableText }), z.strictObject({ secret: VariableName })]);
export type LaunchVariable = z.infer<typeof LaunchVariable>;

export const LaunchLimits = z.strictObject({
  /** Of all processes of a child together where the system allows that, else of each. */
  memoryMib: z.number().int().min(16).max(65_536).default(512),
  /** Of one core, where the system allows that. */
  cpuPercent: z.number().int().min(1).max(6_400).default(100),
  openFiles: z.number().int().min(16).max(65_536).default(1024),
  processes: z.number().int().min(1).max(4096).default(64),
  /** The largest file that it may write. */
  fileMib: z.number().int().min(0).max(65_536).default(256),
});
export type LaunchLimits = z.infer<typeof LaunchLimits>;

/** `shared`: one child for all agents. `per-agent`: each agent has its own, at most so many at a time. */
export const LaunchInstances = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('shared') }),
  z.strictObject({ mode: z.literal('per-agent'), most: z.number().int().min(1).max(1000).default(16) }),
]);
export type LaunchInstances = z.infer<typeof LaunchInstances>;

const Argument = z
  .string()
  .max(8192)
  .refine((value) => !value.includes('\0'), 'must not hold NUL');

/**
 * All that decides what runs: one tuple, approved as a whole. `args` are handed to the program as they are, letter for letter, with no shell between.
 * The child's environment is `environment` and nothing else, but for what the runner needs to start it (`HOME`, `TMPDIR`, and `PATH` of its package).
 */
export const LaunchProfile = z.strictObject({
  program: LaunchProgram,
  args: z.array(Argument).max(100).default([]),
  /** Null: an empty folder of the server's own; where each agent has its own child, of that agent's at this server. */
  workingFolder: AbsolutePath.nullable().default(null),
  environment: z
    .record(VariableName, LaunchVariable)
    .default({})
    .refine((variables) => Object.keys(variables).length <= 100, 'has more than 100 variables')
    .refine(
      (variables) => Object.entries(variables).every(([name, variable]) => 'value' in variable || !decidesWhatRuns(name)),
      'takes from a secret what decides which code runs; its value has to be in the profile',
    ),
  limits: LaunchLimits.prefault({}),
  /** A child that nobody has used for so long is ended. */
  idleSeconds: z.number().int().min(10).max(86_400).default(300),
  instances: LaunchInstances.default({ mode: 'shared' }),
  /** `none` where the system allows to enforce it; the server's sandbox says where it does not. */
  network: z.enum(['none', 'outbound']).default('none'),
});
export type LaunchProfile = z.infer<typeof LaunchProfile>;

/** The profile as one text, the same for the same tuple however it was written (RFC 8785). Its SHA-256 in lower-case hex is what is approved. */
export function launchProfileText(profile: LaunchProfile): string {
  return JSON.stringify(sorted(profile));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]));
}

/** Names of the variables that the profile takes from the server's credential. */
export const secretsOf = ({ environment }: LaunchProfile): string[] => [
  ...new Set(Object.values(environment).flatMap((variable) => ('secret' in variable ? [variable.secret] : []))),
];
