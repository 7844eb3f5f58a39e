// npm start: install, generate and compile what is missing, then run the local stack until Ctrl-C. Arguments go to `portcullis up`.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, environment, generate, install, nodeProgram, root, StepFailed } from './workspace.mjs';

const REPEATED_SIGNAL_MS = 2_000;

try {
  await install();
  const node = nodeProgram();
  await generate();
  await build();
  process.exitCode = await up(node, process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Runs the stack and waits for its clean end, however often the signal comes: a terminal and npm both send one for a single Ctrl-C. */
function up(node, args) {
  const demo = args.includes('--demo') || args.includes('--no-demo') ? [] : ['--demo'];
  const command = [node, join(root, 'apps/cli/bin/portcullis.mjs'), 'up', ...demo, ...args];
  // A group of its own, so that it hears each Ctrl-C once; and tied to this process, so that it never outlives it.
  const tie = parentDeathSignal();
  const [program, ...rest] = [...tie, ...command];
  const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit'], env: environment(), detached: tie.length > 0 });
  let sentAt = -Infinity;
  const end = (signal) => {
    if (performance.now() - sentAt < REPEATED_SIGNAL_MS) return;
    sentAt = performance.now();
    child.kill(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  endWithNpm(end);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** An npm that was killed outright tells nobody. Started by hand, outliving the parent may be just what is wanted. */
function endWithNpm(end) {
  const parent = process.ppid;
  if (!process.env.npm_lifecycle_event) return;
  setInterval(() => process.ppid !== parent && end('SIGTERM'), 1_000).unref();
}

function parentDeathSignal() {
  const tie = ['setpriv', '--pdeathsig', 'TERM', '--'];
  try {
    execFileSync(tie[0], [...tie.slice(1), 'true'], { stdio: 'ignore' });
    return tie;
  } catch {
    return [];
  }
}
