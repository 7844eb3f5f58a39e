import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './end-with-us.mjs';

const SCRIPT = fileURLToPath(new URL('herd-process.mjs', import.meta.url));

/** A herd of agents (herd-process.mjs) until `stop` is called, which gives `{ outcomes, openMs }`. */
export function startHerd({ url, keys }) {
  const child = endWithUs(spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] }));
  child.stdin.write(`${JSON.stringify({ url, keys })}\n`);
  const printed = text(child.stdout);
  const stop = async () => {
    child.stdin.end();
    return JSON.parse(await printed);
  };
  return { stop };
}
