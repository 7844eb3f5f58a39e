// What the root scripts share. It runs before anything is installed: only Node's own modules, and nothing newer than Node 20.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules/.bin');
const NODE_WANTED = [22, 12];
const ANNOUNCE_AFTER_MS = 1_000;
const REMIND_EVERY_MS = 20_000;

/** A step that failed; what it printed has told why. */
export class StepFailed extends Error {}

export const say = (line) => process.stdout.write(`${line}\n`);

/** What children get: the pinned Node and the project's tools come first on PATH. */
export const environment = (extra = {}) => ({ ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, ...extra });

/** The Node that the project runs on: the pinned one from npm where there is one for this machine, else the caller's if it is new enough. */
export function nodeProgram() {
  const pinned = join(bin, 'node');
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1])) return process.execPath;
  throw new StepFailed(
    `This is Node ${process.versions.node}, and npm has no pinned Node for ${process.platform}-${process.arch}. Install Node ${NODE_WANTED.join('.')} or newer.`,
  );
}

/** Runs one program to its end, printing its output only if it fails; says what it does when that takes more than a moment. */
export async function step(what, command, args, env = {}) {
  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
  const announce = setTimeout(() => say(`${what} …`), ANNOUNCE_AFTER_MS);
  const remind = setInterval(() => say(`${what}: still at it after ${seconds()} s`), REMIND_EVERY_MS);
  try {
    await run(what, command, args, env);
    if (performance.now() - begun > ANNOUNCE_AFTER_MS) say(`${what}: done in ${seconds()} s`);
  } finally {
    clearTimeout(announce);
    clearInterval(remind);
  }
}

function run(what, command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => reject(new StepFailed(`${what}: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve();
      process.stderr.write(output);
      reject(new StepFailed(`${what} failed (${signal ?? `exit code ${code}`}).`));
    });
  });
}

/** Installs what package-lock.json names, unless exactly that is installed. */
export async function install() {
  if (installedIsCurrent()) return;
  // The caller's npm, and everything: a machine set to production would leave the compiler out.
  const [command, ...first] = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  await step('Installing packages (npm ci; about a minute at the first time)', command, [...first, 'ci', '--include=dev', '--include=optional']);
}

/**
 * Compares contents and not times, which a checkout or a copy changes. npm writes the second file last, so a broken installation has none; what
 * was cleaned away since (packages also lie in folders of apps) is looked for.
 */
function installedIsCurrent() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  try {
    const wanted = read('package-lock.json');
    const installed = read('node_modules/.package-lock.json');
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '') return true;
      const found = installed[path];
      if (!found) return entry.optional === true;
      return found.version === entry.version && found.resolved === entry.resolved && existsSync(join(root, path));
    });
  } catch {
    return false;
  }
}

/** Generates the database client, unless the schema is the one it was generated from. */
export async function generate() {
  const target = join(root, 'packages/database/src/generated/prisma/client.ts');
  const sources = ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'].map((path) => join(root, path));
  await unlessUnchanged('generate', sources, existsSync(target), () => step('Generating the database client', 'prisma', ['generate']));
}

/** Compiles the apps and the packages they use; what has not changed is left alone. */
export async function build() {
  await step('Compiling', 'tsc', ['-b', ...readdirSync(join(root, 'apps')).map((app) => `apps/${app}`)]);
}

async function unlessUnchanged(name, sources, isThere, work) {
  const stamp = join(root, '.local/stamps', name);
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source)).update('\0');
  const digest = hash.digest('hex');
  if (isThere && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}
