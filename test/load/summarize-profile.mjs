import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const IDLE = new Set(['(idle)', '(root)']);
const OURS = /^(apps|packages)\//;

/** A longer step between two samples is time in which the process was not allowed to run. */
const STEP_US_MAX = 500;

/**
 * Where the CPU of a call went: `{ busyUs, owners, places, functions }`, in µs, greatest first, out of `cpuUs` that a call was measured to cost. `places` and `functions` are self time; a
 * place is a package, a part of Node, or an area of ours. `owners` counts all time under the innermost function of ours on whose behalf it was
 * spent, or under the package that nothing of ours called.
 */
export function summarizeProfile({ nodes, samples, timeDeltas }, cpuUs) {
  const selfUs = new Map();
  for (const [index, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + Math.min(timeDeltas[index], STEP_US_MAX));
  const busy = nodes.filter(({ callFrame }) => !IDLE.has(callFrame.functionName));
  const scale = cpuUs / busy.reduce((sum, { id }) => sum + (selfUs.get(id) ?? 0), 0);
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  const sums = { owners: new Map(), places: new Map(), functions: new Map() };
  for (const node of busy) {
    const us = (selfUs.get(node.id) ?? 0) * scale;
    if (us === 0) continue;
    const add = (map, key) => map.set(key, (map.get(key) ?? 0) + us);
    add(sums.places, placeOf(node.callFrame));
    add(sums.functions, nameOf(node.callFrame));
    add(sums.owners, ownerOf(node, parents));
  }
  return { busyUs: cpuUs, owners: ranked(sums.owners), places: ranked(sums.places), functions: ranked(sums.functions) };
}

function ownerOf(node, parents) {
  let outermost = placeOf(node.callFrame);
  for (let at = node; at !== undefined && at.callFrame.functionName !== '(root)'; at = parents.get(at.id)) {
    if (OURS.test(fileOf(at.callFrame))) return nameOf(at.callFrame);
    const place = placeOf(at.callFrame);
    if (place !== 'native' && !place.startsWith('node:internal')) outermost = place;
  }
  return outermost;
}

function nameOf(callFrame) {
  const line = callFrame.lineNumber > 0 ? `:${callFrame.lineNumber + 1}` : '';
  return `${callFrame.functionName || '(anonymous)'} · ${fileOf(callFrame) || 'native'}${line}`;
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
