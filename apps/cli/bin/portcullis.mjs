#!/usr/bin/env node
// Has to run on any Node that a machine may have, so: only Node's own modules, and no recent syntax.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
const pinned = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isTested = major >= 24;
const isNewEnough = isTested || (major === 22 && minor >= 15) || (major === 23 && minor >= 8);

function refuse(sentence) {
  process.stderr.write(`portcullis: ${sentence}\n`);
  process.exit(2);
}

/** The same command on the pinned Node. Ends with it, and it ends with us. */
function runOnPinned() {
  // oxlint-disable-next-line node/no-process-env -- on this Node nothing of ours can be loaded, config.ts neither
  const env = { ...process.env, EXIT_WITH_PARENT: '1' };
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => refuse(`${pinned} cannot be run: ${error.message}`));
  child.once('exit', (code) => process.exit(code ?? 1));
}

if (!existsSync(main)) refuse('this checkout is not built yet. Run "npm start", or "npm ci && npm run build", first.');
else if (!isTested && existsSync(pinned)) runOnPinned();
else if (!isNewEnough) refuse(`Node ${process.versions.node} is too old: install Node 22.15 or newer.`);
else await import(main.href);
