import type { Narrowing } from '@portcullis/contracts/task-keys';
import type { Target } from './decision.js';
import { compileGlob } from './glob.js';

/** Whether a target lies within every narrowing; a list of none holds nothing back. */
export type Within = (target: Target) => boolean;

export function compileNarrowings(narrowings: readonly Narrowing[]): Within {
  const all = narrowings.map(compileNarrowing);
  return (target) => all.every((within) => within(target));
}

function compileNarrowing({ servers = [], tools = [] }: Narrowing): Within {
  const [whole, named] = [servers.map(compileGlob), tools.map(compileGlob)];
  return ({ server, kind, name }) => {
    if (whole.some((matches) => matches(server.slug))) return true;
    if (kind !== 'tools' || named.length === 0) return false;
    const canonical = `${server.slug}:${name}`;
    return named.some((matches) => matches(canonical));
  };
}
