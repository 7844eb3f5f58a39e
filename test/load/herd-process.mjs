// Agents that lose their streams all at once and come back all at once, half in each era, until standard input ends. Reads one line, `{ url, keys }`, and
// prints `{ outcomes, openMs }`: how often each thing happened to them, and how long all of them took at the median. Agents are other machines: this
// process takes only what others leave of the processors.
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { IdleStream } from './idle-stream.mjs';
import { median } from './paired-windows.mjs';

const HOLD_MS = 500;
const LOWEST_PRIORITY = 19;

setPriority(LOWEST_PRIORITY);
const input = createInterface({ input: process.stdin });
const [line] = await once(input, 'line');
const { url: address, keys } = JSON.parse(line);
const url = new URL(address);
let isRunning = true;
input.once('close', () => (isRunning = false));
const outcomes = {};
const openMs = [];
const note = (what) => (outcomes[what] = (outcomes[what] ?? 0) + 1);
while (isRunning) {
  const since = performance.now();
  const streams = keys.map((key, at) => new IdleStream(url, key, at % 2 === 0));
  await Promise.all(
    streams.map(({ open }) =>
      open.then(
        () => note('opened'),
        (error) => note(error.message.split('\r\n')[0]),
      ),
    ),
  );
  openMs.push(performance.now() - since);
  await pause(HOLD_MS);
  for (const { socket } of streams) socket.destroy();
}
console.log(JSON.stringify({ outcomes, openMs: median(openMs) }));
