import { setTimeout as pause } from 'node:timers/promises';
import { IdleStream } from './idle-stream.mjs';

const HOLD_MS = 500;

/**
 * Agents that lose their streams all at once and come back all at once, half in each era, until `stop` is called, which gives how often each thing
 * happened to them.
 */
export function startHerd({ url, keys }) {
  const outcomes = {};
  const note = (what) => (outcomes[what] = (outcomes[what] ?? 0) + 1);
  let isRunning = true;
  const run = async () => {
    while (isRunning) {
      const streams = keys.map((key, at) => new IdleStream(url, key, at % 2 === 0));
      await Promise.all(
        streams.map(({ open }) =>
          open.then(
            () => note('opened'),
            (error) => note(error.message.split('\r\n')[0]),
          ),
        ),
      );
      await pause(HOLD_MS);
      for (const { socket } of streams) socket.destroy();
    }
    return outcomes;
  };
  const running = run();
  const stop = () => {
    isRunning = false;
    return running;
  };
  return { stop };
}
