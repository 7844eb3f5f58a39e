import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Starts a script of this folder that prints its address when it listens: `{ url, pid, stop }`. `input` is what it gets on standard input. */
export function startScript(script, args = [], input = '') {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
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
