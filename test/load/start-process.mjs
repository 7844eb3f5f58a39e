import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WATCHER = new URL(`../../apps/cli/src/up/exit-with-parent.ts?parent=${process.pid}`, import.meta.url).href;

/**
 * Starts a script of this folder that prints its address when it listens: `{ url, pid, stop }`. `input` is what it gets on standard input. It ends with this
 * process, however that ends.
 */
export function startScript(script, args = [], input = '') {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', WATCHER, file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  return whenPrinted(child, script);
}

/** Resolves with the first line that the process prints as its address; rejects when it ends before. */
function whenPrinted(child, name) {
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    createInterface({ input: child.stdout }).once('line', (url) => resolve({ url, pid: child.pid, stop }));
    void ended.then((code) => reject(new Error(`${name} ended with ${code} before it listened`)));
  });
}
