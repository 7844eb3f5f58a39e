import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const IDLE = new Set(['(idle)', '(root)']);

/**
 * Where a profile's time went: `{ busyUs, places, functions }`, self time in µs per call, greatest first. A place is a package, a part of Node, or
 * an area of ours; garbage collection and the program (native code, the kernel) are places of their own.
 */
export function summarizeProfile({ nodes, samples, timeDeltas }, calls) {
  const selfUs = new Map();
  for (const [index, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + timeDeltas[index]);
  const places = new Map();
  const functions = new Map();
  let busyUs = 0;
  for (const { id, callFrame } of nodes) {
    const us = (selfUs.get(id) ?? 0) / calls;
    if (us === 0 || IDLE.has(callFrame.functionName)) continue;
    busyUs += us;
    const file = fileOf(callFrame);
    const add = (map, key) => map.set(key, (map.get(key) ?? 0) + us);
    add(places, placeOf(file, callFrame.functionName));
    add(
      functions,
      `${callFrame.functionName || '(anonymous)'} · ${file || 'native'}${callFrame.lineNumber > 0 ? `:${callFrame.lineNumber + 1}` : ''}`,
    );
  }
  return { busyUs, places: ranked(places), functions: ranked(functions) };
}

const ranked = (map) => [...map].sort(([, one], [, other]) => other - one);

function fileOf({ url }) {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

function placeOf(callFrame) {
  const { functionName } = callFrame;
  const file = fileOf(callFrame);
  if (file === '') return functionName.startsWith('(') ? functionName : 'native';
  const installed = file.lastIndexOf('node_modules/');
  if (installed >= 0) return /^(@[^/]+\/[^/]+|[^/]+)/.exec(file.slice(installed + 'node_modules/'.length))[0];
  return file
    .split('/')
    .slice(0, file.startsWith('node:') ? 2 : -1)
    .join('/');
}
