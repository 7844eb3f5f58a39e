// CPU and memory of processes with all their descendants, from /proc.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** CPU seconds used so far by these processes and their descendants, those that ended and were waited for included. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of withDescendants(pids)) ticks += readStat(pid)?.ticks ?? 0;
  return ticks / TICKS_PER_SECOND;
}

/** CPU seconds that one process alone has used so far. */
export const ownCpuSeconds = (pid) => (readStat(pid)?.own ?? 0) / TICKS_PER_SECOND;

/** Resident memory in MiB; pages that several processes share are counted in each. */
export function memoryMiB(pids, { withChildren = true } = {}) {
  let kib = 0;
  for (const pid of withChildren ? withDescendants(pids) : pids) kib += Number(/^VmRSS:\s+(\d+)/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0);
  return kib / 1024;
}

/** These processes, and all that descend from them. */
export function withDescendants(pids) {
  const children = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = readStat(name)?.parent;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = new Set();
  const waiting = [...pids];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    waiting.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Undefined for a process that has ended. */
function readStat(pid) {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === '') return undefined;
  // The second field is the command in parentheses and may hold spaces. Then: state, parent, …; 14 to 17 are user, system and children's ticks.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { parent: fields[1], own: fields[11] + fields[12], ticks: fields[11] + fields[12] + fields[13] + fields[14] };
}

function readProc(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
