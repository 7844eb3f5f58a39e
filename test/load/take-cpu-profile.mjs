import { setTimeout as pause } from 'node:timers/promises';

const INSPECTOR_PORT = 9229;
const SAMPLE_US = 200;
const WAIT_MS_MAX = 10_000;

/** A CPU profile of a running Node process, taken through its inspector, which this opens on loopback and closes again. */
export async function takeCpuProfile(pid, seconds) {
  process.kill(pid, 'SIGUSR1');
  const socket = await connect();
  const ask = asker(socket);
  await ask('Profiler.enable');
  await ask('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await ask('Profiler.start');
  await pause(seconds * 1000);
  const { profile } = await ask('Profiler.stop');
  await ask('Runtime.evaluate', { expression: 'setTimeout(() => process.getBuiltinModule("node:inspector").close(), 100)' });
  socket.close();
  return profile;
}

async function connect() {
  const end = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      const [{ webSocketDebuggerUrl }] = await (await fetch(`http://127.0.0.1:${INSPECTOR_PORT}/json/list`)).json();
      const socket = new WebSocket(webSocketDebuggerUrl);
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve, { once: true });
        socket.addEventListener('error', () => reject(new Error('The inspector refuses connections')), { once: true });
      });
      return socket;
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(100);
    }
  }
}

function asker(socket) {
  const waiting = new Map();
  let count = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const promise = waiting.get(id);
    waiting.delete(id);
    if (error) promise?.reject(new Error(error.message));
    else promise?.resolve(result);
  });
  return (method, params = {}) => {
    const id = ++count;
    const promise = Promise.withResolvers();
    waiting.set(id, promise);
    socket.send(JSON.stringify({ id, method, params }));
    return promise.promise;
  };
}
